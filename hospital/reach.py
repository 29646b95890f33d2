"""Reach: of the calls that rang, how many a person picked up, for each number of ours that was shown.

Rules: a number that telephones mark as unwanted rings on and is answered less and less. What is told is a fall by a
third or more, of the last seven days against the 28 before, where both have rung often enough and chance would hardly
do it. A machine and a fax are no person; what we cancelled ourselves, and what is unknown, is not counted.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from hospital.attempt_records import Attempt

LATELY, BEFORE = timedelta(days=7), timedelta(days=28)
LEAST = 30  # calls that rang, in each of the two spans
CHANCE = 2.58  # standard errors: by chance less than one week in a hundred, for each number


@dataclass(frozen=True, slots=True)
class Span:
    """Calls that rang, and those of them that a person answered."""

    rang: int
    reached: int

    @property
    def share(self) -> float | None:
        return self.reached / self.rang if self.rang else None


@dataclass(frozen=True, slots=True)
class Reach:
    caller_id: str
    lately: Span
    before: Span

    @property
    def has_fallen(self) -> bool:
        return has_fallen(self.lately, self.before)


def has_fallen(lately: Span, before: Span) -> bool:
    """Whether the share is lower by a third or more, and the counts are large enough to mean it (two proportions,
    pooled: Fleiss, Statistical Methods for Rates and Proportions, chapter 2)."""
    if lately.rang < LEAST or before.rang < LEAST or before.reached == 0:
        return False
    if 3 * lately.reached * before.rang > 2 * before.reached * lately.rang:
        return False
    pooled = (lately.reached + before.reached) / (lately.rang + before.rang)
    error = sqrt(pooled * (1 - pooled) * (1 / lately.rang + 1 / before.rang))
    return error > 0 and before.reached / before.rang - lately.reached / lately.rang >= CHANCE * error


def reach(session: Session, at: datetime) -> list[Reach]:
    """Of each number of ours that was shown in the last 35 days, by number."""
    recent = Attempt.dialled_at > at - LATELY
    person = and_(Attempt.line_result == "answered", Attempt.contact_result.is_distinct_from("left_message"))

    def count(*which: ColumnElement[bool]) -> ColumnElement[int]:
        return func.count().filter(*which)

    rows = (
        select(Attempt.caller_id, count(recent), count(recent, person), count(~recent), count(~recent, person))
        .where(
            Attempt.caller_id.is_not(None),
            Attempt.dialled_at > at - LATELY - BEFORE,
            Attempt.dialled_at <= at,
            Attempt.state == "ended",
            Attempt.rang,
            Attempt.line_result != "cancelled",
        )
        .group_by(Attempt.caller_id)
        .order_by(Attempt.caller_id)
    )
    return [Reach(shown or "", Span(*counts[:2]), Span(*counts[2:])) for shown, *counts in session.execute(rows)]
