"""Calling numbers that gave wrong answers: locked for the machine, never for people.

Rules: the calling number is locked, not the patient, so that nobody can lock a patient out. TRIES wrong answers
within LOCK lock it for LOCK.
"""

from datetime import datetime, timedelta

from sqlalchemy import case, delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import patients
from hospital.database import Base

TRIES = 3
LOCK = timedelta(hours=1)


class NumberLock(Base):
    __tablename__ = "number_lock"
    number_token: Mapped[bytes] = mapped_column(primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    first_at: Mapped[datetime]
    locked_until: Mapped[datetime | None]


def is_locked(session: Session, number: str | None, at: datetime) -> bool:
    """Whether the machine asks this number nothing (after TRIES failures, for LOCK). People still do."""
    if number is None:
        return False
    lock = session.get(NumberLock, patients.number_token(number))
    return lock is not None and lock.locked_until is not None and lock.locked_until > at


def identity_failed(session: Session, number: str | None, at: datetime) -> bool:
    """Count a wrong answer of a calling number; True when that locks it. Failures older than LOCK are forgotten."""
    if number is None:
        return False
    statement = insert(NumberLock).values(number_token=patients.number_token(number), failures=1, first_at=at)
    stale = NumberLock.first_at <= at - LOCK
    failures = session.scalar(
        statement.on_conflict_do_update(
            index_elements=[NumberLock.number_token],
            set_={
                "failures": case((stale, 1), else_=NumberLock.failures + 1),
                "first_at": case((stale, at), else_=NumberLock.first_at),
                "locked_until": None,
            },
        ).returning(NumberLock.failures)
    )
    if failures is None or failures < TRIES:
        return False
    session.execute(
        update(NumberLock)
        .where(NumberLock.number_token == patients.number_token(number))
        .values(locked_until=at + LOCK)
    )
    return True


def identity_confirmed(session: Session, number: str) -> None:
    """A right answer forgets the wrong ones before it."""
    session.execute(delete(NumberLock).where(NumberLock.number_token == patients.number_token(number)))
