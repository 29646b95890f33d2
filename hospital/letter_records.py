"""The row of a plan's letter: a task has one at most, and it is a contact that the cap counts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Select, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from hospital.database import Base


class StepLetter(Base):
    __tablename__ = "step_letter"
    task_id: Mapped[UUID] = mapped_column(ForeignKey("followup_task.id"), primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    key: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    locale: Mapped[str]
    state: Mapped[str] = mapped_column(default="waiting")
    made_at: Mapped[datetime]
    printed_at: Mapped[datetime | None]
    printed_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    address_token: Mapped[bytes | None]
    posted_at: Mapped[datetime | None]
    posted_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    answer_by: Mapped[datetime | None]
    returned_at: Mapped[datetime | None]
    returned_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))


def written_to(patient_id: UUID, since: datetime) -> Select[datetime]:
    """When a letter about the patient was made or, later, posted. One that came back has reached nobody."""
    when = func.coalesce(StepLetter.posted_at, StepLetter.made_at)
    return select(when).where(
        StepLetter.patient_id == patient_id, StepLetter.state.in_(("waiting", "posted")), when > since
    )
