"""When a patient may be called: pure rules, time is an argument.

Rules: the window is in the patient's local time and holds for first calls and retries alike; it is asked at the
moment of dialling. Public holidays are those of the country in which the patient is. Presets are configuration, not
legal advice. Sources: 47 CFR 64.1200(c)(1) for `us`; the Telecommunications (Telemarketing and Research Calls)
Industry Standard for `au`; Ley 2300 de 2023 for `co`, the strictest and so the default for an unknown country. `br`,
`mx`, `nz` and `cn` are customary, not statutory.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hospital.calendars import is_holiday

Interval = tuple[time, time]
NEVER: tuple[Interval, ...] = ()
MIDNIGHT = time.max  # as an interval's end: the whole day is over


@dataclass(frozen=True)
class Window:
    """Intervals for each weekday (Monday first), and whether public holidays of `country` are free of calls."""

    week: tuple[tuple[Interval, ...], ...]
    country: str | None = None
    on_holidays: bool = True


def _every_day(start: time, end: time) -> tuple[tuple[Interval, ...], ...]:
    return (((start, end),),) * 7


ALWAYS = Window(_every_day(time.min, MIDNIGHT))  # the demo's; never a site's
PRESETS: dict[str, Window] = {
    "us": Window(_every_day(time(8), time(21))),
    "au": Window((((time(9), time(20, 30)),),) * 5 + (((time(9), time(17)),),) * 2, country="AU", on_holidays=False),
    "co": Window((((time(7), time(19)),),) * 5 + (((time(8), time(15)),), NEVER), country="CO", on_holidays=False),
    "cn": Window(_every_day(time(9), time(21))),
    "br": Window(_every_day(time(9), time(20))),
    "mx": Window(_every_day(time(9), time(20))),
    "nz": Window(_every_day(time(9), time(20))),
}


def narrowed(window: Window, start: time, end: time) -> Window | None:
    """`window` between two times of day; None where nothing is left of it."""
    week = tuple(
        tuple((max(start, begins), min(end, ends)) for begins, ends in day if begins < end and start < ends)
        for day in window.week
    )
    return replace(window, week=week) if any(week) else None


def abroad(window: Window, country: str) -> Window:
    """A site's `window` for who is in another country (ISO 3166): with the public holidays of that country, and of the
    hours that are usual there, where a preset says them, only what both allow; where that is nothing, theirs."""
    if window == ALWAYS:
        return window
    theirs = PRESETS.get(country.lower())
    if theirs is None:
        return replace(window, country=country)
    week = tuple(_both(day, there) for day, there in zip(window.week, theirs.week, strict=True))
    return Window(week if any(week) else theirs.week, country, window.on_holidays and theirs.on_holidays)


def _both(some: tuple[Interval, ...], others: tuple[Interval, ...]) -> tuple[Interval, ...]:
    pairs = [(max(one[0], other[0]), min(one[1], other[1])) for one in some for other in others]
    return tuple((start, end) for start, end in pairs if start < end)


@dataclass(frozen=True)
class Decision:
    """May it be dialled; if not, the code of the reason and when it may (None: not by waiting)."""

    allowed: bool
    code: str = "allowed"
    not_before: datetime | None = None


def may_call(at: datetime, window: Window, zone: ZoneInfo) -> Decision:
    """Whether `at` lies in the patient's window."""
    local = at.astimezone(zone)
    if _interval(local, window) is not None:
        return Decision(True)
    return Decision(False, "outside_window", first_allowed(at, window, zone))


def closes(at: datetime, window: Window, zone: ZoneInfo) -> datetime:
    """The instant at which the window that is open at `at` closes; a week later at most (the demo's never closes).

    Raises ValueError where it is closed at `at`."""
    end = at
    while end - at < timedelta(days=7):
        local = end.astimezone(zone)
        interval = _interval(local, window)
        if interval is None:
            break
        day = local.date() + timedelta(days=1) if interval[1] == MIDNIGHT else local.date()
        clock = time.min if interval[1] == MIDNIGHT else interval[1]
        end = _instant(datetime.combine(day, clock, tzinfo=zone), end)
    if end == at:
        raise ValueError("this call window is not open at that instant")
    return end


def first_allowed(at: datetime, window: Window, zone: ZoneInfo) -> datetime:
    """`at` itself where it lies in the window, else the start of the next interval.

    Raises ValueError for a window without a single interval in the next three weeks."""
    local = at.astimezone(zone)
    for days in range(22):
        day = local + timedelta(days=days)
        for start, end in hours_on(day.date(), window):
            if days == 0 and local.time() >= end and end != MIDNIGHT:
                continue
            if days == 0 and local.time() >= start:
                return at
            opening = _instant(datetime.combine(day.date(), start, tzinfo=zone), at)
            if _interval(opening.astimezone(zone), window) is not None:  # else the clock skips all of it that night
                return opening
    raise ValueError("this call window never opens; check call_window in hotline.toml")


def _instant(local: datetime, at: datetime) -> datetime:
    """The instant of a wall-clock time, in the zone of `at`. Of the two that an autumn night has: the second where
    the first is over. What a spring night skips: when the clock has skipped it."""
    first, second = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if second < first:  # skipped: the change lies between, at a whole minute
        before = second.astimezone(local.tzinfo).utcoffset()
        while second.astimezone(local.tzinfo).utcoffset() == before:
            second += timedelta(minutes=1)
        return second.astimezone(at.tzinfo)
    return (first if first > at else second).astimezone(at.tzinfo)


def _interval(local: datetime, window: Window) -> Interval | None:
    """The interval in which a local time lies."""
    clock = local.time()
    for start, end in hours_on(local.date(), window):
        if start <= clock and (clock < end or end == MIDNIGHT):
            return start, end
    return None


def hours_on(day: date, window: Window) -> tuple[Interval, ...]:
    """The intervals of a local day."""
    if not window.on_holidays and window.country and is_holiday(window.country, day):
        return NEVER
    return window.week[day.weekday()]
