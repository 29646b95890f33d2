"""Questionnaires by version: an answer always knows the version it was given to.

Rules: a version is never changed; publishing other content makes the next version. The files are in `scripts/`.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital.database import Base, Id

PUBLISHING = 0x5175  # "Qu": the advisory locks under which a code's versions are made


class Questionnaire(Base):
    __tablename__ = "questionnaire"
    id: Mapped[Id]
    code: Mapped[str]
    version: Mapped[int]
    sha256: Mapped[str]
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    loaded_at: Mapped[datetime]


def publish(session: Session, code: str, body: dict[str, Any], sha256: str, at: datetime) -> Questionnaire:
    """The version with this content; a new one where the content is new. Published last, it is the newest, also
    where an older content comes back."""
    # Two processes load the same files when the hotline starts: one of them makes the version.
    session.execute(text("SELECT pg_advisory_xact_lock(:space, hashtext(:code))"), {"space": PUBLISHING, "code": code})
    same = session.scalar(select(Questionnaire).where(Questionnaire.code == code, Questionnaire.sha256 == sha256))
    current = newest(session, code)
    if same is not None and current is same:
        return same
    after = at if current is None else max(at, current.loaded_at + timedelta(microseconds=1))
    if same is not None:
        same.loaded_at = after
        return same
    last = session.scalar(select(func.max(Questionnaire.version)).where(Questionnaire.code == code)) or 0
    made = Questionnaire(code=code, version=last + 1, sha256=sha256, body=body, loaded_at=after)
    session.add(made)
    session.flush()
    return made


def newest(session: Session, code: str) -> Questionnaire | None:
    """The version that was published last."""
    rows = select(Questionnaire).where(Questionnaire.code == code)
    return session.scalars(
        rows.order_by(Questionnaire.loaded_at.desc(), Questionnaire.version.desc()).limit(1)
    ).one_or_none()


def version(session: Session, questionnaire_id: UUID) -> Questionnaire:
    return session.get_one(Questionnaire, questionnaire_id)
