"""The alarm for a number whose reach has fallen: raised once, acknowledged by a person, over when it has risen again.

Rules: what a fall is says `reach`. One alarm of a number stands at a time. It is looked for now and then, and not by
every page: the count is over five weeks of calls."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import audit
from hospital.accounts import Account
from hospital.database import Base, Id, announce
from hospital.reach import Reach, Span, reach


class ReachAlarm(Base):
    __tablename__ = "reach_alarm"
    id: Mapped[Id]
    caller_id: Mapped[str]
    raised_at: Mapped[datetime]
    lately_rang: Mapped[int]
    lately_reached: Mapped[int]
    before_rang: Mapped[int]
    before_reached: Mapped[int]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    over_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Shown:
    """An alarm that stands, as it was raised. `by`: who looks into it."""

    alarm: ReachAlarm
    lately: Span
    before: Span
    by: str


def watch(session: Session, at: datetime) -> None:
    """Raises what has fallen, and ends what has risen again or is shown to nobody any more."""
    fallen = {one.caller_id: one for one in reach(session, at) if one.has_fallen}
    over = update(ReachAlarm).where(ReachAlarm.over_at.is_(None), ReachAlarm.caller_id.not_in(fallen))
    for alarm_id in session.scalars(over.values(over_at=at).returning(ReachAlarm.id)).all():
        announce(session, "reach", alarm_id)
    for one in fallen.values():
        _raise(session, one, at)


def _raise(session: Session, one: Reach, at: datetime) -> None:
    made = session.scalar(
        insert(ReachAlarm)
        .values(
            caller_id=one.caller_id,
            raised_at=at,
            lately_rang=one.lately.rang,
            lately_reached=one.lately.reached,
            before_rang=one.before.rang,
            before_reached=one.before.reached,
        )
        .on_conflict_do_nothing()
        .returning(ReachAlarm.id)
    )
    if made is not None:
        announce(session, "reach", made)


def standing(session: Session) -> list[Shown]:
    """The newest first."""
    rows = select(ReachAlarm, Account.display_name).outerjoin(Account, Account.id == ReachAlarm.acknowledged_by)
    found = session.execute(rows.where(ReachAlarm.over_at.is_(None)).order_by(ReachAlarm.raised_at.desc()))
    return [
        Shown(one, Span(one.lately_rang, one.lately_reached), Span(one.before_rang, one.before_reached), name or "")
        for one, name in found.all()
    ]


def acknowledge(session: Session, alarm_id: UUID, by: UUID, at: datetime) -> bool:
    """Somebody looks into it; False where somebody does already, or it is over."""
    seen = session.scalar(
        update(ReachAlarm)
        .where(ReachAlarm.id == alarm_id, ReachAlarm.acknowledged_at.is_(None), ReachAlarm.over_at.is_(None))
        .values(acknowledged_at=at, acknowledged_by=by)
        .returning(ReachAlarm.id)
    )
    if seen is None:
        return False
    audit.record(session, by, "reach.acknowledged", f"reach_alarm:{alarm_id}", at)
    announce(session, "reach", alarm_id)
    return True
