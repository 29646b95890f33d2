"""The language that was chosen on the telephone, for the next call from that number.

Rules: it is the caller's, not the patient's (a daughter may call for her father), so that a record's language is
never changed by it, and none is told by it. It is kept under the number's keyed token, without the number, for
KEPT after the last call.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import patients
from hospital.database import Base

KEPT = timedelta(days=365)


class CallerLanguage(Base):
    __tablename__ = "caller_language"
    number_token: Mapped[bytes] = mapped_column(primary_key=True)
    language: Mapped[str]
    expires_at: Mapped[datetime]


def remembered(session: Session, number: str | None, at: datetime) -> str | None:
    """The language of a number's last call; None for a withheld number, and for one that is new here."""
    if number is None:
        return None
    kept = session.get(CallerLanguage, patients.number_token(number))
    return kept.language if kept is not None and kept.expires_at > at else None


def remember(session: Session, number: str | None, language: str, at: datetime) -> None:
    """What was chosen last stands. A withheld number leaves nothing."""
    if number is None:
        return
    chosen = {"language": language, "expires_at": at + KEPT}
    session.execute(
        insert(CallerLanguage)
        .values(number_token=patients.number_token(number), **chosen)
        .on_conflict_do_update(index_elements=[CallerLanguage.number_token], set_=chosen)
    )


def forget_expired(session: Session, at: datetime) -> None:
    session.execute(delete(CallerLanguage).where(CallerLanguage.expires_at <= at))
