"""When a patient may be called: pure rules, time is an argument.

Rules: the window is in the patient's local time and holds for first calls and retries alike; it is asked at the
moment of dialling. Presets are configuration, not legal advice. Sources: 47 CFR 64.1200(c)(1) for `us`; the
Telecommunications (Telemarketing and Research Calls) Industry Standard for `au`; Ley 2300 de 2023 for `co`, the
strictest and so the default for an unknown country. `br`, `mx`, `nz` and `cn` are customary, not statutory.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

Interval = tuple[time, time]
NEVER: tuple[Interval, ...] = ()


@dataclass(frozen=True)
class Window:
    """Intervals for each weekday (Monday first), and whether public holidays of `country` are free of calls."""

    week: tuple[tuple[Interval, ...], ...]
    country: str | None = None
    on_holidays: bool = True


def _every_day(start: time, end: time) -> tuple[tuple[Interval, ...], ...]:
    return (((start, end),),) * 7


ALWAYS = Window(_every_day(time.min, time.max))  # the demo's; never a site's
PRESETS: dict[str, Window] = {
    "us": Window(_every_day(time(8), time(21))),
    "au": Window((((time(9), time(20, 30)),),) * 5 + (((time(9), time(17)),),) * 2, country="AU", on_holidays=False),
    "co": Window((((time(7), time(19)),),) * 5 + (((time(8), time(15)),), NEVER), country="CO", on_holidays=False),
    "cn": Window(_every_day(time(9), time(21))),
    "br": Window(_every_day(time(9), time(20))),
    "mx": Window(_every_day(time(9), time(20))),
    "nz": Window(_every_day(time(9), time(20))),
}


@dataclass(frozen=True)
class Decision:
    """May it be dialled; if not, the code of the reason and when it may (None: not by waiting)."""

    allowed: bool
    code: str = "allowed"
    not_before: datetime | None = None


def may_call(at: datetime, window: Window, zone: ZoneInfo) -> Decision:
    """Whether `at` lies in the patient's window."""
    local = at.astimezone(zone)
    if any(start <= local.time() < end for start, end in _intervals(local, window)):
        return Decision(True)
    return Decision(False, "outside_window", first_allowed(at, window, zone))


def first_allowed(at: datetime, window: Window, zone: ZoneInfo) -> datetime:
    """`at` itself where it lies in the window, else the start of the next interval.

    Raises ValueError for a window without a single interval in the next three weeks."""
    local = at.astimezone(zone)
    for days in range(22):
        day = local + timedelta(days=days)
        for start, end in _intervals(day, window):
            if days == 0 and local.time() >= end:
                continue
            if days == 0 and local.time() >= start:
                return at
            opening = datetime.combine(day.date(), start, tzinfo=zone)
            return opening.astimezone(at.tzinfo)
    raise ValueError("this call window never opens; check call_window in hotline.toml")


def _intervals(local: datetime, window: Window) -> tuple[Interval, ...]:
    if not window.on_holidays and window.country and local.date() in _holidays(window.country, local.year):
        return NEVER
    return window.week[local.weekday()]


@lru_cache(maxsize=32)
def _holidays(country: str, year: int) -> frozenset[object]:
    return frozenset(holidays.country_holidays(country, years=year))
