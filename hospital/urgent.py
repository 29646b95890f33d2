"""The ladder of a red flag: who is told of it next, until somebody takes it. Pure, time is an argument.

Rules: who is on call is told first, then the next on call, then the line's lead, then all supervisors; each has `wait`
to take it. Nobody on call is said, and costs no time. After the supervisors it begins anew with who is on call by then:
a red flag that nobody takes is never given up. One whose owner was too slow goes past them. Who came on call meanwhile
is told before it climbs further.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

ON_CALL = ("first", "second", "further")
"""Who is told as one on call, in the order in which they are."""
LAST = "supervisors"
RUNGS = (*ON_CALL, "nobody", "lead", LAST)
A_MINUTE = timedelta(minutes=1)  # by which a clock is put right without anybody having set it back


@dataclass(frozen=True)
class Ladder:
    """The site's: which role red flags go to, how long each has to take one, and how long its owner has until it has an
    outcome."""

    role: str = "nurse"
    wait: timedelta = timedelta(minutes=5)
    outcome: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Step:
    """`whom`: one of RUNGS. At `until` it climbs."""

    whom: str
    told: tuple[UUID, ...]
    at: datetime
    until: datetime

    def has_time_left(self, at: datetime) -> bool:
        """A step that began in the future has none: the clock was set back, and nobody waits until it comes round."""
        return self.at - A_MINUTE <= at < self.until


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom it can go to at this moment, in order; `past`: its owner, who is passed by."""

    on_call: Sequence[UUID]
    lead: UUID | None
    supervisors: Sequence[UUID]
    past: UUID | None = None


def next_step(steps: Sequence[Step], reach: Reach, at: datetime, wait: timedelta) -> Step | None:
    """The step that is due at `at` after `steps`; None while the last of them has time left."""
    if steps and steps[-1].has_time_left(at):
        return None
    this_round = _since_the_supervisors(steps)
    climbed = {step.whom for step in this_round}
    told = {reach.past, *(one for step in this_round for one in step.told)}
    for number, person in enumerate(reach.on_call):
        if person not in told:
            place = sum(step.whom in ON_CALL for step in this_round) + (reach.past in reach.on_call[:number])
            return Step(ON_CALL[min(place, len(ON_CALL) - 1)], (person,), at, at + wait)
    if not climbed & {*ON_CALL, "nobody"} and reach.past not in reach.on_call:
        return Step("nobody", (), at, at)
    if reach.lead is not None and "lead" not in climbed and reach.lead not in told:
        return Step("lead", (reach.lead,), at, at + wait)
    return Step(LAST, tuple(one for one in reach.supervisors if one != reach.past), at, at + wait)


def _since_the_supervisors(steps: Sequence[Step]) -> list[Step]:
    last = max((number for number, step in enumerate(steps) if step.whom == LAST), default=-1)
    return list(steps[last + 1 :])
