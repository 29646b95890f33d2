"""Instants and stretches of time, as a nurse says them."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo


def countdown(until: datetime, now: datetime) -> str:
    """What is left until then: "4:05", "3 h 20 min"; "now" when nothing is."""
    left = int((until - now).total_seconds())
    if left >= 3600:
        return f"{left // 3600} h {left // 60 % 60:02} min"
    return f"{left // 60}:{left % 60:02}" if left > 0 else "now"


def hours(count: int) -> str:
    """A deadline: "1 hour", "3 days"."""
    if count < 48:
        return f"{count} hour{'s' if count != 1 else ''}"
    return f"{count // 24} days"


def span(count: int) -> str:
    """`1 day`, `10 days`, `3 weeks`."""
    number, word = (count // 7, "week") if count % 7 == 0 else (count, "day")
    return f"{number} {word}{'s' if number != 1 else ''}"


def day(at: datetime | date, zone: ZoneInfo) -> str:
    """`3 Nov 2026`; of an instant, the site's day."""
    local = at.astimezone(zone) if isinstance(at, datetime) else at
    return f"{local.day} {local:%b %Y}"


def clock(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%H:%M}"


def moment(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M}"


def near(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """`today 18:10`, `tomorrow 09:40`, `Friday 09:40`, `3 Nov 09:40`: what is near is said as people say it."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    apart = (local.date() - today).days
    words = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get(apart)
    if words is None:
        words = f"{local:%A}" if 1 < apart < 7 else f"{local.day} {local:%b}"
    return f"{words} {local:%H:%M}"


def deadline(until: datetime, now: datetime, zone: ZoneInfo) -> str:
    """After "by": `today 18:10`; of a clock in whole days, `the end of today`, `the end of Monday 9 Mar`."""
    local = until.astimezone(zone)
    if (local.hour, local.minute, local.second, local.microsecond) != (0, 0, 0, 0):
        return near(until, now, zone)
    last = local.date() - timedelta(days=1)
    words = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get((last - now.astimezone(zone).date()).days)
    return f"the end of {words or f'{last:%A} {last.day} {last:%b}'}"


def late(at: datetime, now: datetime) -> str:
    """How long ago, roughly: `5 min`, `3 h`, `2 days`."""
    gone = max(now - at, timedelta())
    if gone < timedelta(hours=1):
        return f"{int(gone.total_seconds() // 60)} min"
    if gone < timedelta(days=2):
        return f"{int(gone.total_seconds() // 3600)} h"
    return f"{gone.days} days"


def age(birth: date | None, now: datetime, zone: ZoneInfo) -> str:
    if birth is None:
        return ""
    today = now.astimezone(zone).date()
    return str(today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day)))


def duration(seconds: float | None) -> str:
    """`1:23` of seconds, `1:02:03` above an hour."""
    whole = int(seconds or 0)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"


def place(zone: str) -> str:
    """`Sao Paulo` of `America/Sao_Paulo`."""
    return zone.rpartition("/")[2].replace("_", " ")
