"""A stint's row: a nurse who takes one call after the other, on a leg of hers that stays up."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital.database import Base, Id


class Stint(Base):
    __tablename__ = "stint"
    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    campaign_id: Mapped[UUID | None] = mapped_column(ForeignKey("campaign.id"))
    channel_id: Mapped[str]
    state: Mapped[str] = mapped_column(default="ringing")
    paused: Mapped[bool] = mapped_column(default=False)
    ready: Mapped[bool] = mapped_column(default=False)
    more_s: Mapped[int] = mapped_column(default=0)
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


def current_stint(session: Session, account_id: UUID) -> Stint | None:
    """The stint that a nurse is in."""
    return session.scalar(select(Stint).where(Stint.account_id == account_id, Stint.state != "over"))


def live_stints(session: Session) -> list[Stint]:
    """Every stint that is not over, the oldest first."""
    return list(session.scalars(select(Stint).where(Stint.state != "over").order_by(Stint.began_at, Stint.id)))
