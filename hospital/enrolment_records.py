"""An event of a patient's care, and that they follow a plan because of it: the rows, and which of them go on.

Rules: an enrolment goes on until something ends it, or until nothing of it is to come any more: every task of it was
closed. One that an opt-out has stopped is to come while its time lasts, for it comes back when it is wanted again.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, ForeignKey, String, and_, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital.database import Base, Id
from hospital.followups import FollowUpTask

OPEN = ("open", "calling", "wrap_up", "review")
"""States of a task that is not closed."""
OPTED_OUT = ("opted_out", "guardian_opted_out")
"""Why a task has stopped that comes back when it is wanted again."""


class CareEvent(Base):
    __tablename__ = "care_event"
    id: Mapped[Id]
    source: Mapped[str]
    kind: Mapped[str]
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    at: Mapped[datetime]
    ward: Mapped[str] = mapped_column(default="")
    diagnosis: Mapped[str] = mapped_column(default="")
    study: Mapped[str] = mapped_column(default="")
    told_at: Mapped[datetime]
    told_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))


class Enrolment(Base):
    __tablename__ = "enrolment"
    id: Mapped[Id]
    event_id: Mapped[UUID] = mapped_column(ForeignKey("care_event.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    plan: Mapped[str]
    plan_sha256: Mapped[str]
    ends_with: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    enrolled_at: Mapped[datetime]
    enrolled_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]


def has_ended(session: Session, task: FollowUpTask) -> bool:
    """Whether the plan of a task is over for its patient, whatever became of the task itself."""
    ended = select(Enrolment.ended_at).where(Enrolment.id == task.enrolment_id)
    return session.scalar(ended) is not None


def goes_on(at: datetime) -> ColumnElement[bool]:
    """Of an enrolment: whether the patient follows its plan still."""
    waits = and_(FollowUpTask.stop_reason.in_(OPTED_OUT), FollowUpTask.due_until > at)
    to_come = select(FollowUpTask.id).where(
        FollowUpTask.enrolment_id == Enrolment.id, or_(FollowUpTask.state.in_(OPEN), waits)
    )
    return and_(Enrolment.ended_at.is_(None), to_come.exists())
