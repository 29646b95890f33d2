"""Follow-up plans: which contacts follow a discharge, a surgery, a visit or an enrolment, and when. Pure.

Rules: a plan is data (`scripts/plans/`), and ends. A step is due so many local days after the event, or after another
step; a recurring one until its end. On a business day means of the patient's country, holidays and make-up weekends
counted. A due window is closed at the end of a local day. Who is enrolled by rule is decided by what the event says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal

from hospital.business_days import days_later, on_or_after
from hospital.calendars import Calendar
from hospital.wards import among

Kind = Literal["discharge", "surgery", "visit", "enrolment"]
KINDS: tuple[Kind, ...] = ("discharge", "surgery", "visit", "enrolment")
CHANNELS = ("nurse_call", "automated_call", "sms", "letter", "video_link")
CHANGES = ("readmitted", "transferred", "child_lost")
"""What ends a plan's open tasks beside death and withdrawal, which end all; a plan says which."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Who is enrolled. What is empty admits everybody; `diagnoses` are beginnings of codes, case aside, as of wards."""

    wards: frozenset[str] = frozenset()
    diagnoses: tuple[str, ...] = ()
    ages: tuple[int, int] = (0, 200)  # in years, both included
    studies: frozenset[str] = frozenset()

    def admits(self, event: "Event") -> bool:
        if self.wards and not among(event.ward, self.wards):
            return False
        if self.diagnoses and not event.diagnosis.upper().startswith(self.diagnoses):
            return False
        if self.studies and event.study not in self.studies:
            return False
        return self.ages == (0, 200) or (event.age is not None and self.ages[0] <= event.age <= self.ages[1])


@dataclass(frozen=True, slots=True)
class Event:
    """What the rules look at. `age` in whole years, None where it is not known."""

    kind: str
    at: datetime
    ward: str = ""
    diagnosis: str = ""
    study: str = ""
    age: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One contact, or one that recurs `every` so many days until `until` days after the event."""

    id: str
    after: int  # days
    questionnaire: str
    channel: str = "nurse_call"
    fallback: tuple[str, ...] = ()
    since: str | None = None  # the step that `after` counts from; None: the event
    every: int | None = None
    until: int | None = None
    at: time = time(9)
    business_days: bool = True
    within: int = 2  # days that the window is open beyond the day itself
    within_business_days: bool = True
    priority: int = 5
    announce_hours: int | None = None  # a text message so long before the call; 0: none; None: as the site has it


@dataclass(frozen=True, slots=True)
class Plan:
    """`rule` None: only a clinician enrols. `ends_with`: of CHANGES."""

    id: str
    title: Mapping[str, str]
    begins: str
    rule: Rule | None
    steps: tuple[Step, ...]
    ends_with: frozenset[str] = frozenset(("readmitted",))
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """One task to be. `name` is unique in its plan: the step's id, with a number where it recurs."""

    name: str
    step: Step
    due_at: datetime
    due_until: datetime
    day: date = field(compare=False)


def due(plan: Plan, began: datetime, calendar: Calendar) -> list[Due]:
    """Every task of a plan whose event was at `began`, in the order of the plan."""
    begun = began.astimezone(calendar.zone).date()
    first: dict[str, date] = {}
    made: list[Due] = []
    waiting = list(plan.steps)
    while waiting:  # a step may stand before the one that it counts from
        ready = [step for step in waiting if step.since is None or step.since in first]
        if not ready:
            raise ValueError(f"plan {plan.id!r} goes round for ever")
        for step in ready:
            start = (first[step.since] if step.since else begun) + timedelta(days=step.after)
            first[step.id] = _on(start, step, calendar)
            made += _occurrences(step, start, begun, calendar)
        waiting = [step for step in waiting if step.id not in first]
    places = {step.id: place for place, step in enumerate(plan.steps)}
    return sorted(made, key=lambda one: (places[one.step.id], one.due_at))


def _occurrences(step: Step, start: date, begun: date, calendar: Calendar) -> list[Due]:
    if step.every is None or step.until is None:
        return [_due(step.id, step, start, calendar)]
    count = max(0, (begun + timedelta(days=step.until) - start).days // step.every + 1)
    return [_due(f"{step.id}.{n + 1}", step, start + timedelta(days=n * step.every), calendar) for n in range(count)]


def _due(name: str, step: Step, day: date, calendar: Calendar) -> Due:
    day = _on(day, step, calendar)
    last = (
        days_later(day, step.within, calendar.country)
        if step.within_business_days
        else day + timedelta(days=step.within)
    )
    begins = datetime.combine(day, step.at, tzinfo=calendar.zone)
    ends = datetime.combine(last + timedelta(days=1), time.min, tzinfo=calendar.zone)
    return Due(name, step, begins, ends, day)


def _on(day: date, step: Step, calendar: Calendar) -> date:
    return on_or_after(day, calendar.country) if step.business_days else day


def age(born: date | None, day: date) -> int | None:
    """Whole years; who was born on 29 February is a year older on 1 March."""
    if born is None:
        return None
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
