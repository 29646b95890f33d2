"""Counting business days (`calendars`). Pure. Countries are ISO 3166 codes; None: no holidays are known."""

from datetime import date, timedelta

from hospital.calendars import is_business_day


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
