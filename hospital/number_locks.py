"""Calling numbers that gave wrong answers: locked for the machine, never for people.

Rules: the calling number is locked, not the patient, so that nobody can lock a patient out. TRIES wrong answers
within LOCK lock it for LOCK, where the site says nothing else. A wrong answer that comes while it is locked (of a
call that had begun before) doesn't open it sooner. Callers who withhold their number share one lock, of WITHHELD
times as many tries: whoever guesses without a number is stopped too, and one who is clumsy locks nobody else out.
"""

from datetime import datetime, timedelta

from sqlalchemy import case, delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import patients
from hospital.database import Base

TRIES = 3
WITHHELD = 10
LOCK = timedelta(hours=1)


class NumberLock(Base):
    __tablename__ = "number_lock"
    number_token: Mapped[bytes] = mapped_column(primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    first_at: Mapped[datetime]
    locked_until: Mapped[datetime | None]


def is_locked(session: Session, number: str | None, at: datetime) -> bool:
    """Whether the machine asks this number nothing. People still do."""
    lock = session.get(NumberLock, _token(number))
    return lock is not None and lock.locked_until is not None and lock.locked_until > at


def identity_failed(
    session: Session, number: str | None, at: datetime, *, tries: int = TRIES, lock: timedelta = LOCK
) -> bool:
    """Count a wrong answer of a calling number; True where it is locked now. Those older than `lock` are forgotten."""
    statement = insert(NumberLock).values(number_token=_token(number), failures=1, first_at=at)
    stale = NumberLock.first_at <= at - lock
    failures, locked_until = session.execute(
        statement.on_conflict_do_update(
            index_elements=[NumberLock.number_token],
            set_={
                "failures": case((stale, 1), else_=NumberLock.failures + 1),
                "first_at": case((stale, at), else_=NumberLock.first_at),
                "locked_until": case((NumberLock.locked_until > at, NumberLock.locked_until)),
            },
        ).returning(NumberLock.failures, NumberLock.locked_until)
    ).one()
    if failures < (tries if number is not None else WITHHELD * tries):
        return locked_until is not None
    session.execute(update(NumberLock).where(NumberLock.number_token == _token(number)).values(locked_until=at + lock))
    return True


def identity_confirmed(session: Session, number: str | None) -> None:
    """A right answer forgets the wrong ones before it; those of withheld numbers may be anybody's and stay."""
    if number is None:
        return
    session.execute(delete(NumberLock).where(NumberLock.number_token == patients.number_token(number)))


def _token(number: str | None) -> bytes:
    return patients.number_token(number or "withheld")
