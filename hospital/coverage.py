"""Coverage of follow-up with honest denominators: of what was due, whom we tried, reached, who answered, what was lost.

Rules: what is counted is defined once, in SQL (`followup_coverage`). Every task that was due in the span is in the
figures, also what was told too late to be called; what nobody was to be contacted for any more (who died, was
readmitted) is excused, told beside, and in no denominator. A share always names what it is a share of. By channel
(`followup_by_channel`) a task is in each channel that it has had, so that no channel looks better by what went on from
it: what ended by another is told beside, and stays in the denominator.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import column, func, select, table
from sqlalchemy.orm import Session

By = Literal["ward", "language", "plan", "channel"]
_COUNTED = ("due_at", "due_until", "attempted", "reached", "consented", "standing")
_WHOLE = table("followup_coverage", *map(column, ("ward", "language", "plan", *_COUNTED)))
_BY_CHANNEL = table("followup_by_channel", *map(column, ("channel", *_COUNTED)))


@dataclass(frozen=True, slots=True)
class Coverage:
    """One group. due = excused + completed + refused + lost + waiting + elsewhere. `late`: of those that wait, out of
    time. `elsewhere`: what ended by another channel, where groups are channels."""

    group: str
    due: int
    excused: int
    attempted: int
    reached: int
    consented: int
    completed: int
    refused: int
    lost: int
    waiting: int
    late: int
    elsewhere: int = 0

    @property
    def meant(self) -> int:
        """Who was to be contacted: due, without who was excused."""
        return self.due - self.excused


def coverage(session: Session, since: datetime, until: datetime, by: By, at: datetime) -> list[Coverage]:
    """Of the tasks that became due in [since, until) and not after `at`, for each group by name."""
    view = (_BY_CHANNEL if by == "channel" else _WHOLE).c
    meant = view.standing != "excused"
    rows = session.execute(
        select(
            view[by],
            func.count(),
            func.count().filter(view.standing == "excused"),
            func.count().filter(view.attempted, meant),
            func.count().filter(view.reached, meant),
            func.count().filter(view.consented, meant),
            func.count().filter(view.standing == "completed"),
            func.count().filter(view.standing == "refused"),
            func.count().filter(view.standing == "lost"),
            func.count().filter(view.standing == "open"),
            func.count().filter(view.standing == "open", view.due_until <= at),
            func.count().filter(view.standing == "elsewhere"),
        )
        .where(view.due_at >= since, view.due_at < until, view.due_at <= at)
        .group_by(view[by])
        .order_by(view[by])
    )
    return [Coverage(*row) for row in rows]


def total(groups: Sequence[Coverage]) -> Coverage:
    """All groups as one, named ''. Channels have no such total: a task may be in several."""
    counts = ("due", "excused", "attempted", "reached", "consented", "completed", "refused", "lost", "waiting", "late")
    return Coverage("", *(sum(getattr(group, name) for group in groups) for name in counts))


PARTS = ("completed", "refused", "lost", "waiting", "elsewhere", "excused")
"""What a bar is made of, in order."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar: where it begins and how long it is, of `width`."""

    name: str
    count: int
    start: float
    length: float


def bar(group: Coverage, most: int, width: float) -> list[Part]:
    """A group as a bar whose length is its due tasks, where `most` due fill `width`."""
    parts, start = [], 0.0
    for name in PARTS:
        count = getattr(group, name)
        if count:
            length = width * count / most
            parts.append(Part(name, count, round(start, 2), round(length, 2)))
            start += length
    return parts
