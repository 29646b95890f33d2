"""What a dialogue may ask of the hospital: who owns the slots, the database's verbs, the time, the languages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hospital import number_locks
from hospital.booking import BookingDesk
from hospital.database import Database


@dataclass(frozen=True)
class FrontDesk:
    """Given to every dialogue by the composition root.

    `country`: ISO 3166 code in which typed numbers are read. `language_keys`: key → language, in the order in which
    they are offered; `spoken`: those in which a whole call can be held; `default_language`: what most people at this
    place understand. Patients of `slower_from_age` years are spoken to more slowly, unasked. After `tries` wrong
    answers the machine asks a calling number nothing for `lock`."""

    desk: BookingDesk
    database: Database
    now: Callable[[], datetime]
    country: str
    language_keys: Mapping[str, str]
    spoken: frozenset[str]
    default_language: str
    slower_from_age: int | None = None
    tries: int = number_locks.TRIES
    lock: timedelta = number_locks.LOCK
