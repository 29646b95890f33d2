"""What a dialogue may ask of the hospital: who owns the slots, the database's verbs, the time, the languages."""

from collections.abc import Awaitable, Callable, Container, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hospital import number_locks
from hospital.booking import BookingDesk
from hospital.calendars import Calendar
from hospital.calling_rules import CallingPolicy
from hospital.database import Database
from hospital.identifier_kinds import Identifier
from hospital.patients import Patient
from ivr.call import Call
from ivr.care_desk import CareDesk
from scripts.menu_sheet import Menu

TellFirst = Callable[[Call, "FrontDesk", Patient], Awaitable[None]]


@dataclass(frozen=True)
class FrontDesk:
    """Given to every dialogue by the composition root.

    `country`: ISO 3166 code in which typed numbers are read. `language_keys`: key → language, in the order in which
    they are offered; `spoken`: those in which a whole call can be held (asked in each call, as recordings may become
    complete); `default_language`: what most people at this place understand. Patients of `slower_from_age` years are
    spoken to more slowly, unasked. `identifiers`: what callers are asked, in this order. `site_says`: the prompts that
    the site's own file has (opening hours, directions, how to prepare …). After `tries` wrong answers the machine asks
    a calling number nothing for `lock`. `say_doctor_calls`: whether a caller is told that a doctor wants to speak about
    a result. `care`: what triage, messages, opening hours and ratings need. `policy`: the site's rules for calls that
    we begin. `tell_first`: what a patient hears as soon as they are known in a call of their own. `menu`: the site's
    own main menu, None for the one that comes with the hotline."""

    desk: BookingDesk
    database: Database
    now: Callable[[], datetime]
    zone: ZoneInfo
    country: str
    language_keys: Mapping[str, str]
    spoken: Container[str]
    default_language: str
    care: CareDesk
    policy: CallingPolicy
    tell_first: TellFirst | None = None
    menu: Menu | None = None
    slower_from_age: int | None = None
    identifiers: tuple[Identifier, ...] = ("birth_date",)
    site_says: frozenset[str] = frozenset()
    tries: int = number_locks.TRIES
    lock: timedelta = number_locks.LOCK
    say_doctor_calls: bool = False

    def slowly(self, birth_year: int | None) -> bool:
        """Whether who was born then is spoken to more slowly, unasked."""
        if self.slower_from_age is None or birth_year is None:
            return False
        return self.now().year - birth_year >= self.slower_from_age

    @property
    def calendar(self) -> Calendar:
        """The site's clock, and whose holidays count."""
        return Calendar(self.zone, self.country)
