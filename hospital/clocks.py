"""Service clocks: until when a case must be acknowledged and decided. Pure rules, time is an argument.

Presets, not legal advice: a complaint is acknowledged within 5 working days and decided within 10 of that (New
Zealand's Code of Health and Disability Services Consumers' Rights, right 10). Working days are the site's
business days (`calendars`); the day itself does not count, and a day is over at its end.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from hospital.calendars import is_business_day

SOON = 0.25  # the last quarter of a clock


@dataclass(frozen=True)
class Clocks:
    """The site's clocks. Days are working days."""

    zone: ZoneInfo
    country: str | None = None
    acknowledge_days: int = 5
    decide_days: int = 10
    message_days: int = 1
    red_flag: timedelta = timedelta(minutes=5)


@dataclass(frozen=True)
class Due:
    """`decide_by` is None where nothing is to be decided: a word of thanks is acknowledged, a message answered. It is
    for what is acknowledged on the last day; sooner, and it is sooner (`decide_after`)."""

    acknowledge_by: datetime
    decide_by: datetime | None = None


def due(kind: str, at: datetime, clocks: Clocks) -> Due:
    """When a case of `kind` that is opened at `at` is due."""
    match kind:
        case "red_flag":
            return Due(at + clocks.red_flag)
        case "message":
            return Due(_after(at, clocks.message_days, clocks))
        case "thanks":
            return Due(_after(at, clocks.acknowledge_days, clocks))
        case "complaint" | "rating":
            acknowledged = _after(at, clocks.acknowledge_days, clocks)
            return Due(acknowledged, _after(at, clocks.acknowledge_days + clocks.decide_days, clocks))
    raise ValueError(f"a case of kind {kind!r} has no clock")


def decide_after(acknowledged_at: datetime, clocks: Clocks) -> datetime:
    """Until when a complaint or a low rating that is acknowledged at this moment is decided: `decide_days` of that, if
    its clock does not end before."""
    return _after(acknowledged_at, clocks.decide_days, clocks)


def _after(at: datetime, days: int, clocks: Clocks) -> datetime:
    """The end of the `days`-th working day after `at`."""
    day = at.astimezone(clocks.zone).date()
    while days:
        day += timedelta(days=1)
        days -= is_business_day(day, clocks.country)
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=clocks.zone)


def standing(since: datetime, until: datetime, at: datetime) -> str:
    """How a clock stands: 'in_time', 'due_soon' in its last quarter, 'overdue'."""
    if at >= until:
        return "overdue"
    return "due_soon" if until - at <= (until - since) * SOON else "in_time"
