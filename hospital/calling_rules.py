"""May this patient be called now, and if not, when: pure rules, time is an argument.

Rules: nobody is called who has died or is said to have, who opted out of what the call is for, on a number that isn't
safe or isn't theirs, outside the window, or over the cap. A child's guardian is called for the child, and is asked for
as the child is: whether they live, and want such calls, at all and about this child. An urgent contact (a suspended
clinic, a red flag that is not closed yet) is held back by the window, not by the cap. The time of day that a patient
likes narrows the window, but never so far that a task can't be done in its time, and not on a day for which they asked
to be called at a certain time. The cap counts days as patients do (1 a day: the next call is tomorrow at the earliest),
over all tasks, for the patient and for the number. Windows and days are on the clock of who is called, and public
holidays those of where they are. What counts as a contact is `attempts.contacts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from hospital.calling_hours import MIDNIGHT, Window, abroad, first_allowed, may_call, narrowed
from hospital.outcome_rules import SHIPPED, OutcomeRules
from hospital.patients import Patient, PhoneNumber
from hospital.zones import Address, Clock, clock_of, country_of

PURPOSE = "follow_up"
OF_AGE = 18
PARTS = {"morning": (time.min, time(12)), "afternoon": (time(12), MIDNIGHT)}
"""Times of day as a patient chooses them (`patient.suits`)."""


@dataclass(frozen=True)
class CallingPolicy:
    """A site's rules for calling patients. `cap_*` None: no cap (the demo's). Automatic calls: so many tries; what is
    urgent is tried again after `urgent_again` instead of the next day. A plan's text message waits `text_answer_within`
    for an answer. `outcomes`: what follows from each result. `country`: the site's (ISO 3166); None: nobody is abroad.
    `trunk_lines`: calls at once over the trunk, of all modes together; None: no limit of its own. `of_site`: what the
    site has, of a policy that was put where somebody is."""

    window: Window
    zone: ZoneInfo
    cap_a_day: int | None = 1
    cap_a_week: int | None = 3
    automatic_tries: int = 3
    urgent_again: timedelta = timedelta(minutes=30)
    text_answer_within: timedelta = timedelta(days=2)
    outcomes: OutcomeRules = SHIPPED
    country: str | None = None
    trunk_lines: int | None = None
    of_site: "CallingPolicy | None" = None


class NotNow(Exception):
    """This task may not be dialled now; `code` says why and `not_before` when it may (None: not by waiting)."""

    def __init__(self, code: str, not_before: datetime | None = None) -> None:
        super().__init__(code)
        self.code, self.not_before = code, not_before


def never(
    patient: Patient, number: PhoneNumber | None, purpose: str = PURPOSE, person: Patient | None = None
) -> str | None:
    """Why this patient is not called on this number for this at any time; None where they may be. Whoever's number it
    is, a guardian, is asked for themselves, too; `person`: who is reached without a number, by letter."""
    if patient.deceased_at is not None:
        return "deceased"
    if patient.death_reported_at is not None:
        return "death_reported"
    if purpose in patient.opted_out:
        return "opted_out"
    person = number.patient if number is not None else person
    if person is not None and person.id != patient.id:
        if person.deceased_at is not None or person.death_reported_at is not None:
            return "guardian_deceased"
        if person.id != patient.guardian_id:
            return "guardian_changed"
        if declined(patient, person, purpose):
            return "guardian_opted_out"
    return None if number is not None and usable(number) else "no_usable_number"


def declined(patient: Patient, person: Patient, purpose: str) -> bool:
    """Whether who is reached for a patient, and is somebody else, wants no such contacts: at all, or about them."""
    return person.id != patient.id and purpose in (*person.opted_out, *patient.guardian_declined)


ENDS = frozenset({"deceased", "opted_out", "guardian_opted_out"})
"""Of these codes: the task stops, or a guardian's holds it (`opt_outs`). The others may pass, or be another's to
answer."""


@dataclass(frozen=True)
class Reached:
    """Who is called for a patient, and on which usable numbers, by rank."""

    person: Patient
    numbers: tuple[PhoneNumber, ...]

    @property
    def language(self) -> str:
        """Of who answers the first of the numbers."""
        return language_of(self.person, next(iter(self.numbers), None))

    def number(self, token: bytes) -> PhoneNumber | None:
        """The number as it is now, if they are reached there still."""
        return next((one for one in self.numbers if one.token == token), None)


def language_of(person: Patient, number: PhoneNumber | None) -> str:
    """In which they are spoken with and written to: who answers this number may have another, else the person's own. A
    guardian is the person who is reached, never the child whom it is about."""
    return (number.language if number is not None else None) or person.language


def where_reached(session: Session, patient: Patient, at: datetime) -> Reached:
    """The patient; their guardian for a child, and for whoever has no number of their own."""
    own = tuple(number for number in patient.numbers if usable(number))
    guardian_id = patient.guardian_at(at)
    if guardian_id is not None and (not own or is_a_child(patient, at)):
        guardian = session.get_one(Patient, guardian_id)
        if guardian.deceased_at is None and guardian.death_reported_at is None:
            return Reached(guardian, tuple(number for number in guardian.numbers if usable(number)))
    return Reached(patient, own)


def is_a_child(patient: Patient, at: datetime) -> bool:
    """Known to be under age."""
    born = patient.birth_date
    if born is None:
        return False
    years = at.year - born.year - ((at.month, at.day) < (born.month, born.day))
    return years < OF_AGE


def usable(number: PhoneNumber) -> bool:
    return number.safe_to_call and number.invalid_since is None


def on_the_clock_of(policy: CallingPolicy, person: Patient, number: PhoneNumber | None) -> CallingPolicy:
    """The policy where whoever is called is: windows and days are on their clock (`zones`), public holidays and usual
    hours are their country's."""
    site = policy.of_site or policy
    dialled, address = number.number if number else None, address_of(person, site.country)
    zone = their_clock(site, person, number).zone
    country = country_of(dialled, site.country, told=person.zone, address=address)
    window = site.window
    if site.country is not None and country is not None and country != site.country:
        window = abroad(window, country)
    return site if (zone, window) == (site.zone, site.window) else replace(site, zone=zone, window=window, of_site=site)


def their_clock(policy: CallingPolicy, person: Patient, number: PhoneNumber | None) -> Clock:
    """The clock of `on_the_clock_of`, and by what it is known."""
    site = policy.of_site or policy
    address = address_of(person, site.country)
    return clock_of(number.number if number else None, site.zone, told=person.zone, address=address)


def address_of(person: Patient, site: str | None) -> Address | None:
    """`site`: the country whose staff wrote it down (ISO 3166)."""
    return Address(person.address, person.language, site) if person.address else None


def wall_clock(at: datetime, zone: ZoneInfo) -> dict[str, str]:
    """For the decision log: the clock on the wall that a rule was judged by."""
    return {"clock": f"{at.astimezone(zone):%H:%M}", "zone": zone.key}


def liked(
    policy: CallingPolicy, patient: Patient, at: datetime, latest: datetime, asked: datetime | None = None
) -> CallingPolicy:
    """The policy with the window narrowed to the time of day that suits the patient; as it is where nothing would be
    left of it, or nothing before `latest`, when the call is over-due, or where they `asked` to be called earlier that
    day."""
    if patient.suits is None:
        return policy
    if asked is not None and asked <= at and asked.astimezone(policy.zone).date() == at.astimezone(policy.zone).date():
        return policy
    window = narrowed(policy.window, *PARTS[patient.suits])
    if window is None or first_allowed(at, window, policy.zone) > latest:
        return policy
    return replace(policy, window=window)


def refusal(
    patient: Patient,
    number: PhoneNumber | None,
    contacts: Sequence[datetime],
    at: datetime,
    policy: CallingPolicy,
    purpose: str = PURPOSE,
    urgent: bool = False,
) -> NotNow | None:
    """Why not now, or None. `contacts`: when the patient or the number rang for us in the last eight days; the cap does
    not count them where it is `urgent`."""
    why = never(patient, number, purpose)
    if why is not None:
        return NotNow(why)
    contacts = () if urgent else contacts
    window = may_call(at, policy.window, policy.zone)
    if not window.allowed:
        return NotNow(window.code, earliest(at, contacts, policy))
    if cap_ends(contacts, at, policy) is not None:
        return NotNow("cap_reached", earliest(at, contacts, policy))
    return None


def no_letter(
    patient: Patient,
    person: Patient,
    contacts: Sequence[datetime],
    at: datetime,
    policy: CallingPolicy,
    purpose: str = PURPOSE,
) -> NotNow | None:
    """Why no letter is made to `person` now, or None. It rings nowhere: no number and no hours, but opt-out, death and
    cap."""
    why = never(patient, None, purpose, person)
    if why not in (None, "no_usable_number"):
        return NotNow(why)
    until = cap_ends(contacts, at, policy)
    return NotNow("cap_reached", until) if until is not None else None


def earliest(at: datetime, contacts: Sequence[datetime], policy: CallingPolicy) -> datetime:
    """The first instant from `at` on at which neither window nor cap is in the way."""
    return first_allowed(cap_ends(contacts, at, policy) or at, policy.window, policy.zone)


def cap_ends(contacts: Sequence[datetime], at: datetime, policy: CallingPolicy) -> datetime | None:
    """None where the caps allow a call at `at`, else the local midnight from which they do."""
    today = at.astimezone(policy.zone).date()
    days = sorted(contact.astimezone(policy.zone).date() for contact in contacts)
    free = []
    for cap, span in ((policy.cap_a_day, timedelta(days=1)), (policy.cap_a_week, timedelta(days=7))):
        counted = [day for day in days if day > today - span]
        if cap is not None and counted and len(counted) >= cap:
            free.append(counted[-cap] + span)
    if not free:
        return None
    return datetime.combine(max(free), time.min, tzinfo=policy.zone).astimezone(at.tzinfo)
