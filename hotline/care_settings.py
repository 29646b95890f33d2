"""Settings of care by telephone: when people answer, until when cases are due, triage, ratings."""

from datetime import date, time
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from hotline.caller_settings import Frozen

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _interval(value: str) -> str:
    start, _, end = value.partition("-")
    try:
        if time.fromisoformat(start) < time.fromisoformat(end):
            return value
    except ValueError:
        pass  # told below, with the same words
    raise ValueError('allowed: a start and a later end, such as "08:00-12:30"')


Interval = Annotated[str, AfterValidator(_interval)]


class Opening(Frozen):
    """When people answer the telephone. Without hours they always do; the machine answers at any hour."""

    hours: dict[Weekday, tuple[Interval, ...]] | None = None
    """Intervals in the site's time; a weekday that is missing is closed."""
    public_holidays: bool = False
    """Open on the public holidays of the site's country, too."""
    closed_days: tuple[date, ...] = ()
    """The site's own closed days."""


class Cases(Frozen):
    """Until when a case must be acknowledged and decided. Days are working days."""

    acknowledge_days: Annotated[int, Field(ge=1, le=60)] = 5
    decide_days: Annotated[int, Field(ge=1, le=120)] = 10
    message_days: Annotated[int, Field(ge=1, le=30)] = 1
    red_flag_minutes: Annotated[int, Field(ge=1, le=60)] = 5


class Urgent(Frozen):
    """To whom a red flag goes. Who is on call is made on the console."""

    role: Literal["doctor", "nurse", "midwife", "pharmacist", "psychologist", "social_worker"] = "nurse"
    climb_minutes: Annotated[int, Field(ge=1, le=60)] = 5
    """So long each has to take it, before the next is told."""
    outcome_minutes: Annotated[int, Field(ge=5, le=1440)] = 30
    """So long who has taken it has until it has an outcome; then it climbs anew, past them."""
    telephone: bool = True
    """Who was told is rung, too."""
    ring_after_seconds: Annotated[int, Field(ge=0, le=300)] = 15
    """Not at once: the caller may be with an agent already, or somebody sees it on the screen."""


class Triage(Frozen):
    """The hospital's own table from complaint to department."""

    file: Path | None = None
    """Without one the table that comes with the hotline is used, as an example."""


class Rating(Frozen):
    """Whether a caller is asked how the talk was, at most once a day."""

    ask: bool = True
