"""Numbers that want no text messages, whatever they are about, until they say otherwise."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import vault
from hospital.database import Base

CONFIRMS = ("text_stopped", "survey_urgent")
"""What is sent to such a number all the same: that it was heard, and whom to call in an emergency that they told of."""


class TextStop(Base):
    __tablename__ = "text_stop"
    number_token: Mapped[bytes] = mapped_column(primary_key=True)
    since: Mapped[datetime]


def stopped(session: Session, number: str) -> bool:
    """`number`: E.164."""
    token = vault.token("phone", number)
    return session.scalar(select(TextStop.number_token).where(TextStop.number_token == token)) is not None
