"""Questionnaires by version: an answer always knows the version it was given to.

Rules: a version is never changed; publishing other content makes the next version. The files are in `scripts/`.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital.database import Base, Id


class Questionnaire(Base):
    __tablename__ = "questionnaire"
    id: Mapped[Id]
    code: Mapped[str]
    version: Mapped[int]
    sha256: Mapped[str]
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    loaded_at: Mapped[datetime]


def publish(session: Session, code: str, body: dict[str, Any], sha256: str, at: datetime) -> Questionnaire:
    """The version with this content; a new one where the content is new."""
    same = session.scalar(select(Questionnaire).where(Questionnaire.code == code, Questionnaire.sha256 == sha256))
    if same is not None:
        return same
    last = session.scalar(select(func.max(Questionnaire.version)).where(Questionnaire.code == code)) or 0
    made = Questionnaire(code=code, version=last + 1, sha256=sha256, body=body, loaded_at=at)
    session.add(made)
    session.flush()
    return made


def newest(session: Session, code: str) -> Questionnaire | None:
    rows = select(Questionnaire).where(Questionnaire.code == code).order_by(Questionnaire.version.desc())
    return session.scalars(rows.limit(1)).one_or_none()


def version(session: Session, questionnaire_id: UUID) -> Questionnaire:
    return session.get_one(Questionnaire, questionnaire_id)
