"""The row of a plan's text message: a task has one at most, and it is a contact that the cap counts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Select, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from hospital.database import Base
from hospital.outbox import FATE_UNKNOWN, OutboxRow


class StepText(Base):
    __tablename__ = "step_text"
    task_id: Mapped[UUID] = mapped_column(ForeignKey("followup_task.id"), primary_key=True)
    outbox_id: Mapped[UUID] = mapped_column(ForeignKey("outbox.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    number_token: Mapped[bytes]
    texted_at: Mapped[datetime]
    answer_by: Mapped[datetime]


def texted(patient_id: UUID, token: bytes, since: datetime) -> Select[datetime]:
    """When a plan wrote to the patient or the number. What failed for certain has reached nobody and does not count."""
    return (
        select(StepText.texted_at)
        .join(OutboxRow, OutboxRow.id == StepText.outbox_id)
        .where(
            or_(StepText.patient_id == patient_id, StepText.number_token == token),
            StepText.texted_at > since,
            or_(OutboxRow.state != "failed", OutboxRow.error.in_(FATE_UNKNOWN)),
        )
    )
