"""The rows of text messages that are contacts, which the cap counts: a plan's to answer, or with the link of a video
call, and reminders. A task has one of each at most."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Select, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from hospital.database import Base
from hospital.outbox import FATE_UNKNOWN, OutboxRow
from hospital.vault import Sealed


class StepText(Base):
    __tablename__ = "step_text"
    task_id: Mapped[UUID] = mapped_column(ForeignKey("followup_task.id"), primary_key=True)
    outbox_id: Mapped[UUID] = mapped_column(ForeignKey("outbox.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    number_token: Mapped[bytes]
    texted_at: Mapped[datetime]
    answer_by: Mapped[datetime]


class VideoMeeting(Base):
    __tablename__ = "video_meeting"
    task_id: Mapped[UUID] = mapped_column(ForeignKey("followup_task.id"), primary_key=True)
    outbox_id: Mapped[UUID] = mapped_column(ForeignKey("outbox.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    number_token: Mapped[bytes]
    link: Mapped[str] = mapped_column("link_sealed", Sealed("video_meeting.link"))
    texted_at: Mapped[datetime]
    starts_at: Mapped[datetime]
    begin_by: Mapped[datetime]


class ReminderText(Base):
    __tablename__ = "reminder_text"
    task_id: Mapped[UUID] = mapped_column(ForeignKey("followup_task.id"), primary_key=True)
    outbox_id: Mapped[UUID] = mapped_column(ForeignKey("outbox.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    number_token: Mapped[bytes]
    texted_at: Mapped[datetime]


def texted(
    kind: type[StepText] | type[VideoMeeting] | type[ReminderText], patient_id: UUID, token: bytes, since: datetime
) -> Select[datetime]:
    """When we wrote to the patient or the number. What failed for certain has reached nobody and does not count."""
    return (
        select(kind.texted_at)
        .join(OutboxRow, OutboxRow.id == kind.outbox_id)
        .where(
            or_(kind.patient_id == patient_id, kind.number_token == token),
            kind.texted_at > since,
            or_(OutboxRow.state != "failed", OutboxRow.error.in_(FATE_UNKNOWN)),
        )
    )
