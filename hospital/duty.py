"""Who is on duty for which queues, and who is away: the wish of each person, which Asterisk's queues follow."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, String, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital.accounts import Account
from hospital.database import Base, announce

QUEUES_OF_ROLE: dict[str, tuple[str, ...]] = {
    "agent": ("reception", "urgent"),
    "nurse": ("nurses", "urgent"),
    "supervisor": ("reception", "nurses", "urgent"),
}


class Duty(Base):
    __tablename__ = "duty"
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    queues: Mapped[list[str]] = mapped_column(ARRAY(String))
    away: Mapped[str | None]
    since: Mapped[datetime]


def wish(session: Session, account_id: UUID, away: str | None, at: datetime) -> None:
    """On duty for the queues of the account's role, available or away."""
    account = session.get_one(Account, account_id)
    queues = list(QUEUES_OF_ROLE.get(account.role, ()))
    values = {"queues": queues, "away": away, "since": at}
    statement = insert(Duty).values(account_id=account_id, **values)
    session.execute(statement.on_conflict_do_update(index_elements=[Duty.account_id], set_=values))
    announce(session, "presence", account_id)


def ends(session: Session, account_id: UUID) -> None:
    """Off duty: no queue knows this person."""
    row = session.get(Duty, account_id)
    if row is not None:
        session.delete(row)
        announce(session, "presence", account_id)


def on_duty(session: Session) -> list[tuple[str, tuple[str, ...], str | None]]:
    """(SIP user name, queues, reason for being away or None) of everybody on duty who has a phone."""
    rows = session.execute(
        select(Account.sip_username, Duty.queues, Duty.away)
        .join(Duty, Duty.account_id == Account.id)
        .where(Account.disabled_at.is_(None), Account.sip_username.is_not(None))
    )
    return [(name, tuple(queues), away) for name, queues, away in rows if name]
