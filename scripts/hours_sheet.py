"""Opening hours as data: the week, the site's closed days, days with hours of their own.

    hours: {mon: ["08:00-12:30", "14:00-18:00"], sat: ["08:00-12:00"]}    # a weekday that is missing is closed
    public_holidays: false                                               # open on them, too
    closed_days: ["2026-12-24"]
    special: {"2026-12-31": ["08:00-12:00"]}

Refused: a time that is none, an interval that ends before it begins, two that overlap, a week in which nobody ever
answers, a day that is none or stands in both lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time

from scripts.yaml_lines import Field, SourceFile

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MIDNIGHT = "24:00"  # the end of a day
Interval = tuple[time, time]


@dataclass(frozen=True, slots=True)
class Week:
    """`days`: Monday first."""

    days: tuple[tuple[Interval, ...], ...]
    public_holidays: bool
    closed_days: frozenset[date]
    special: Mapping[date, tuple[Interval, ...]]


def read_hours(file: SourceFile) -> Week:
    """Raises `FileRefused` with all that is wrong."""
    top = file.top.mapping(("hours",), ("public_holidays", "closed_days", "special"))
    by_day = top["hours"].mapping((), WEEKDAYS) if "hours" in top else {}
    days = tuple(_intervals(by_day[day]) if day in by_day else () for day in WEEKDAYS)
    if "hours" in top and not any(days):
        top["hours"].wrong("nobody ever answers in this week", "Give at least one day its hours.")
    closed = {
        day: entry for entry in (top["closed_days"].items() if "closed_days" in top else []) if (day := _day(entry))
    }
    special = {}
    for name, entry in (top["special"].mapping() if "special" in top else {}).items():
        day = _date(name)
        if day is None:
            entry.wrong(f"'{name}' is no day", "Write it as 2026-12-24.")
        elif day in closed:
            entry.wrong(f"{name} is among the closed days, too", "Keep it in one of the two lists.")
        else:
            special[day] = _intervals(entry)
    public = top["public_holidays"].flag() if "public_holidays" in top else False
    file.finish()
    return Week(days, public, frozenset(closed), special)


def _day(entry: Field) -> date | None:
    text = entry.text()
    day = _date(text)
    if day is None and text:
        entry.wrong(f"'{text}' is no day", "Write it as 2026-12-24.")
    return day


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _intervals(field: Field) -> tuple[Interval, ...]:
    found: list[Interval] = []
    for entry in field.items():
        text = entry.text()
        start, _, end = text.replace(" ", "").replace("–", "-").partition("-")
        try:
            interval = time.fromisoformat(start), time.max if end == MIDNIGHT else time.fromisoformat(end)
        except ValueError:
            entry.wrong(f"'{text}' is no interval", "Write a start and an end, such as 08:00-12:30.")
            continue
        if interval[0] >= interval[1]:
            entry.wrong(f"'{text}' ends before it begins", "Write the earlier time first; a night is two days.")
        elif any(interval[0] < other[1] and other[0] < interval[1] for other in found):
            entry.wrong(f"'{text}' overlaps another interval of this day", "Make one of the two.")
        else:
            found.append(interval)
    return tuple(sorted(found))
