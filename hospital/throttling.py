"""Numbers that call too often: the machine takes a break from them, people and the urgent key never do.

Rules: each number has an allowance of calls that comes back evenly, so that nobody is shut out for a fixed time: who
used up all 30 of an hour gets the next one two minutes later. A call that is turned away uses up nothing and leaves no
row of its own; it is counted in the number's one row. Withheld numbers are many people and share a wider allowance.
How many calls a number has at the same moment, Asterisk counts (`crowded`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import patients
from hospital.database import Base, announce
from hospital.vault import Sealed

SHOWN = timedelta(hours=24)  # how long a supervisor sees a number that was turned away
QUIET = timedelta(hours=1)  # after it, a number that is turned away again is a new matter


@dataclass(frozen=True)
class Allowance:
    """`calls` at once or one by one, and as many again in every `per`."""

    calls: int
    per: timedelta = timedelta(hours=1)

    @property
    def each(self) -> timedelta:
        """After so long one more call is allowed."""
        return self.per / self.calls


@dataclass(frozen=True)
class Decision:
    """`spent_until`: when the whole allowance is there again."""

    allowed: bool
    spent_until: datetime


def decide(spent_until: datetime, at: datetime, allowance: Allowance) -> Decision:
    """The rule, a leaky bucket that is one instant (GCRA, ITU-T I.371): a call moves it by the time of one call, and
    may not move it further ahead than the whole allowance. A clock that was set back costs nobody more than that."""
    spent = min(max(spent_until, at), at + allowance.per) + allowance.each
    if spent > at + allowance.per:
        return Decision(False, spent_until)
    return Decision(True, spent)


class CallingRate(Base):
    __tablename__ = "calling_rate"
    number_token: Mapped[bytes] = mapped_column(primary_key=True)
    number: Mapped[str | None] = mapped_column("number_sealed", Sealed("calling_rate.number"))
    spent_until: Mapped[datetime]
    turned_away: Mapped[int] = mapped_column(default=0)
    turned_away_since: Mapped[datetime | None]
    turned_away_at: Mapped[datetime | None]


def admit(session: Session, number: str | None, at: datetime, allowance: Allowance, *, crowded: bool = False) -> bool:
    """Count a call of `number` (E.164; None: withheld); False where the machine turns it away. `crowded`: the number
    has too many calls at this moment, whatever it is allowed in an hour."""
    token = patients.number_token(number or "withheld")
    made = insert(CallingRate).values(number_token=token, spent_until=at, turned_away=0)
    # What changes nothing takes the row's lock: of two calls at one moment the second sees the first.
    locked = made.on_conflict_do_update(index_elements=[CallingRate.number_token], set_={"number_token": token})
    decision = decide(session.execute(locked.returning(CallingRate.spent_until)).scalar_one(), at, allowance)
    if decision.allowed and not crowded:
        spent = {"spent_until": decision.spent_until}
        session.execute(update(CallingRate).where(CallingRate.number_token == token).values(spent))
        return True
    _turn_away(session, token, number, at)
    return False


def _turn_away(session: Session, token: bytes, number: str | None, at: datetime) -> None:
    begins = or_(CallingRate.turned_away_at.is_(None), CallingRate.turned_away_at <= at - QUIET)
    count = session.execute(
        update(CallingRate)
        .where(CallingRate.number_token == token)
        .values(
            number=number,
            turned_away=case((begins, 1), else_=CallingRate.turned_away + 1),
            turned_away_since=case((begins, at), else_=CallingRate.turned_away_since),
            turned_away_at=at,
        )
        .returning(CallingRate.turned_away)
    ).scalar_one()
    if count.bit_count() == 1:  # 1, 2, 4, 8 …: a flood of calls is no flood of notices
        announce(session, "throttle", "numbers")


def turned_away(session: Session, at: datetime) -> list[CallingRate]:
    """The numbers of the last day that called too often, the last one first. A number that is None: withheld ones."""
    recent = select(CallingRate).where(CallingRate.turned_away_at > at - SHOWN)
    return list(session.scalars(recent.order_by(CallingRate.turned_away_at.desc())))


def forget_idle(session: Session, at: datetime) -> None:
    """Drops the rows that say nothing any more."""
    unseen = or_(CallingRate.turned_away_at.is_(None), CallingRate.turned_away_at <= at - SHOWN)
    session.execute(delete(CallingRate).where(CallingRate.spent_until <= at, unseen))
