"""Cases whose clock passes: how many there are, and told once when it does. A red flag climbs instead."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hospital import audit, clocks
from hospital.cases import Case, clock_that_runs
from hospital.database import announce

RUNS = (Case.state.in_(("open", "owned")), Case.kind != "red_flag")


@dataclass(frozen=True)
class Pressing:
    """How many cases."""

    overdue: int
    due_soon: int


def pressing(session: Session, kinds: frozenset[str], at: datetime) -> Pressing:
    rows = session.execute(select(Case.opened_at, clock_that_runs).where(*RUNS, Case.kind.in_(kinds)))
    counted = Counter(clocks.standing(since, until, at) for since, until in rows)
    return Pressing(counted["overdue"], counted["due_soon"])


def tell(session: Session, at: datetime) -> list[UUID]:
    """Which have become overdue, each clock once: in the audit chain and to every page. To be called about once a
    minute."""
    passed = update(Case).where(*RUNS, clock_that_runs <= at, Case.overdue_of.is_distinct_from(clock_that_runs))
    told = list(session.scalars(passed.values(overdue_of=clock_that_runs).returning(Case.id)).all())
    for case_id in told:
        announce(session, "case", case_id)
    for case_id in told:
        audit.record(session, None, "case.overdue", f"case:{case_id}", at)
    return told
