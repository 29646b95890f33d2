"""Business days of a country: Monday to Friday without public holidays, and the weekends that some countries work to
make up for a long holiday (China). Pure. Countries are ISO 3166 codes of two letters; None: no holidays are known.
"""

from datetime import date, timedelta
from functools import lru_cache

import holidays


def is_business_day(day: date, country: str | None) -> bool:
    if country is None:
        return day.weekday() < 5
    return _calendar(country).is_working_day(day)


def on_or_after(day: date, country: str | None) -> date:
    """`day` itself where it is a business day, else the next one."""
    while not is_business_day(day, country):
        day += timedelta(days=1)
    return day


def days_later(day: date, count: int, country: str | None) -> date:
    """The `count`-th business day after `day`; the day itself does not count."""
    while count:
        day += timedelta(days=1)
        count -= is_business_day(day, country)
    return day


@lru_cache(maxsize=32)
def _calendar(country: str) -> holidays.HolidayBase:
    """Years come by themselves. A country that the library doesn't know has its weekends only."""
    try:
        return holidays.country_holidays(country)
    except NotImplementedError:
        return holidays.HolidayBase()
