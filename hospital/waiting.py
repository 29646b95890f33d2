"""A caller's place in a queue and how long it will probably take, from our own figures.

Rules: the place counts who joined before and still waits. The wait is told only where enough people were answered
lately; it is rounded up to whole minutes and never told as a promise.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hospital import duty
from hospital.calls import Call, CallStep

LATELY = timedelta(hours=2)
FEWEST = 3  # answered callers without whom nothing is known of the wait
LONGEST = 60  # minutes; beyond it a number would only be guessed


@dataclass(frozen=True)
class Forecast:
    """`place`: 1 is next. `minutes`: None where too little is known."""

    place: int
    minutes: int | None


def expected(ahead: int, waits: list[float]) -> Forecast:
    """From how many wait already and how long (seconds) those waited who were answered lately."""
    if len(waits) < FEWEST:
        return Forecast(ahead + 1, None)
    minutes = max(1, ceil(median(waits) / 60))
    return Forecast(ahead + 1, minutes if minutes <= LONGEST else None)


def forecast(session: Session, queue: str, at: datetime, call_id: str = "") -> Forecast:
    """For a caller who joins `queue` at the instant `at`, or comes back to it with `call_id`."""
    waiting = select(func.count()).where(
        Call.queue == queue, Call.state == "queued", Call.direction == "in", Call.id != call_id
    )
    joined = (
        select(CallStep.call_id, func.min(CallStep.at).label("at"))
        .where(CallStep.kind == "queued", CallStep.at > at - LATELY)
        .group_by(CallStep.call_id)
        .subquery()
    )
    waits = session.scalars(
        select(func.extract("epoch", Call.answered_at - joined.c.at))
        .join(joined, joined.c.call_id == Call.id)
        .where(Call.queue == queue, Call.answered_at >= joined.c.at)
    )
    return expected(session.scalar(waiting) or 0, [float(wait) for wait in waits])


def anybody_on_duty(session: Session, queue: str) -> bool:
    """Whether somebody has signed in for `queue` and is not away."""
    return any(queue in queues and away is None for _, queues, away in duty.on_duty(session))
