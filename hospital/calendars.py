"""A clock on the wall, and the days of a country: which are public holidays, and which are worked. Pure.

Rules: countries are ISO 3166 codes of two letters; one whose holidays nobody has written down has its weekends only. A
business day is Monday to Friday without public holidays, and a weekend that some countries work to make up for a long
holiday (China).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

HOLIDAY = 8
DAYS = range(1, 9)
"""Monday is 1 (ISO 8601), Sunday 7, and 8 is a public holiday."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of the site, or of where a patient is. `country`: ISO 3166, whose holidays count; None: none known."""

    zone: ZoneInfo
    country: str | None = None

    def kind(self, day: date) -> int:
        """One of DAYS."""
        return HOLIDAY if self.country and is_holiday(self.country, day) else day.isoweekday()

    def date_of(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def instant(self, day: date, clock: time) -> datetime:
        """When the site's clock shows `clock` on `day`: the first time of two, and the moment of the change where the
        clock jumps over it. UTC, so that later by the clock is never earlier in time."""
        wall = datetime.combine(day, clock)
        late = wall.replace(tzinfo=self.zone).astimezone(UTC)
        if late.astimezone(self.zone).replace(tzinfo=None) == wall:
            return late
        jumped = wall.replace(tzinfo=self.zone, fold=1).astimezone(UTC)
        after = late.astimezone(self.zone).utcoffset()
        while jumped < late and jumped.astimezone(self.zone).utcoffset() != after:
            jumped += timedelta(minutes=1)
        return jumped


def is_holiday(country: str, day: date) -> bool:
    """Whether `day` is a public holiday of `country`; never, of one whose are not known."""
    return day in holidays_of(country, day.year)


def is_business_day(day: date, country: str | None) -> bool:
    """`country` None: no holidays are known."""
    if country is None:
        return day.weekday() < 5
    return holidays_of(country, day.year).is_working_day(day)


@lru_cache(maxsize=256)
def holidays_of(country: str, year: int) -> holidays.HolidayBase:
    """Of one year: whole before anybody has it, so that no thread asks one that is being filled."""
    try:
        return holidays.country_holidays(country, years=year)
    except NotImplementedError:
        return holidays.HolidayBase()
