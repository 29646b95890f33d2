"""What an answer changes: the next step comes sooner, a nurse takes over, a visit is offered, a case is opened. Pure.

Rules: a questionnaire says which answers change what (`answerRule`). The next step moves to a business day of the
patient, keeps its time of day and the length of its window, and is never put off: what is due earlier stays.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from hospital.business_days import on_or_after
from hospital.calendars import Calendar

MOST_DAYS = 365
MORNING = time(9)
OPEN = timedelta(days=4)


def case_code(of: str) -> str:
    """The id of a red flag or of a rule, as the code of the case that it opens."""
    return of.replace("-", "_")


@dataclass(frozen=True, slots=True)
class Change:
    """One rule's: `sooner`: days until the next step; `nurse`: what the machine asked goes to a nurse; `revisit`: the
    department whose visit is offered; `case`: somebody sees through what they say, as a low rating. `rule` is its
    id."""

    rule: str
    sooner: int | None = None
    nurse: bool = False
    revisit: str | None = None
    case: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    due_at: datetime
    due_until: datetime


def brought_forward(due: Window, days: int, at: datetime, calendar: Calendar) -> Window | None:
    """A step that was due in `due`, in `days` from `at`; None where it comes no later already."""
    begins = _begins(days, at, due.due_at.astimezone(calendar.zone).time(), calendar)
    return None if begins >= due.due_at else Window(begins, begins + (due.due_until - due.due_at))


def in_days(days: int, at: datetime, calendar: Calendar) -> Window:
    """The same questions again, where the plan has no further step."""
    begins = _begins(days, at, MORNING, calendar)
    return Window(begins, begins + OPEN)


def _begins(days: int, at: datetime, time_of_day: time, calendar: Calendar) -> datetime:
    day = on_or_after(at.astimezone(calendar.zone).date() + timedelta(days=days), calendar.country)
    return datetime.combine(day, time_of_day, tzinfo=calendar.zone)
