"""A caller's place in a queue and how long it will probably take, from our own figures.

Rules: the place counts who joined before and still waits. The wait is the place times how long whoever was next has
lately waited; it is told only where enough people were answered, rounded up to whole minutes, and never as a promise.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from statistics import median
from typing import Any

from sqlalchemy import Select, func, select, true
from sqlalchemy.orm import Session

from hospital import duty
from hospital.calls import Call, CallStep

LATELY = timedelta(hours=2)
FEWEST = 3  # answered callers without whom nothing is known of the wait
LONGEST = 60  # minutes; beyond it a number would only be guessed

Served = tuple[datetime, datetime]
"""When a caller joined, and when they were answered."""


@dataclass(frozen=True)
class Forecast:
    """`place`: 1 is next. `minutes`: None where too little is known."""

    place: int
    minutes: int | None


def at_the_head(served: Iterable[Served]) -> list[float]:
    """For how many seconds each of them was the next to be answered: since they joined, or since the one before was
    answered. Hours in which nobody called count for nothing."""
    found: list[float] = []
    before: datetime | None = None
    for joined, answered in sorted(served, key=lambda one: one[1]):
        since = joined if before is None else max(joined, before)
        found.append((answered - since).total_seconds())
        before = answered
    return found


def expected(place: int, served: Iterable[Served]) -> int | None:
    """Whole minutes for who is at `place`; None where too little is known, or it would be beyond an hour."""
    heads = at_the_head(served)
    if len(heads) < FEWEST:
        return None
    minutes = max(1, ceil(place * median(heads) / 60))
    return minutes if minutes <= LONGEST else None


def _joined() -> Any:
    """When a call first came into a queue."""
    return _first_join().subquery()


def _joined_again() -> Any:
    """When a call came into a queue, of who has talked already: after that."""
    talked = CallStep.at <= Call.answered_at
    return _first_join().join(Call, Call.id == CallStep.call_id).where(talked.is_not(true())).subquery()


def _first_join() -> Select[str, datetime]:
    joins = select(CallStep.call_id, func.min(CallStep.at).label("at"))
    return joins.where(CallStep.kind.in_(("queued", "transfer"))).group_by(CallStep.call_id)


def served_lately(session: Session, queue: str, at: datetime) -> list[Served]:
    joined = _joined()
    rows = session.execute(
        select(joined.c.at, Call.answered_at)
        .join(joined, joined.c.call_id == Call.id)
        .where(Call.queue == queue, Call.answered_at > at - LATELY, Call.answered_at >= joined.c.at)
    )
    return [(joined_at, answered_at) for joined_at, answered_at in rows if answered_at is not None]


def forecast(session: Session, queue: str, at: datetime, call_id: str = "") -> Forecast:
    """For a caller who joins `queue` at the instant `at`, or who has waited in it with `call_id` already."""
    joined = _joined_again()
    mine = session.scalar(
        select(joined.c.at).join(Call, Call.id == joined.c.call_id).where(Call.id == call_id, Call.queue == queue)
    )
    ahead = session.scalar(
        select(func.count())
        .select_from(Call)
        .outerjoin(joined, joined.c.call_id == Call.id)
        .where(Call.queue == queue, Call.state == "queued", Call.direction == "in", Call.id != call_id)
        .where(func.coalesce(joined.c.at, Call.started_at) < (mine or at + timedelta(seconds=1)))
    )
    place = (ahead or 0) + 1
    return Forecast(place, expected(place, served_lately(session, queue, at)))


def anybody_on_duty(session: Session, queue: str) -> bool:
    """Whether somebody has signed in for `queue` and is not away."""
    return any(queue in queues and away is None for _, queues, away in duty.on_duty(session))
