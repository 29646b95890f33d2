"""Results of examinations: whether they are there, never what they are.

Rules: no value is stored here, so none can be told by a machine. That a doctor wants to speak about a result is told
only where the site says so, as it discloses bad news. Each look is in the audit chain.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import audit
from hospital.database import Base, Id, announce
from hospital.slots import Department

NEXT = {"pending": {"ready", "doctor_calls"}, "doctor_calls": {"ready"}, "ready": set[str]()}
RECENT = timedelta(days=90)


class IllegalMove(ValueError):
    """A result's state does not follow from the one that it has."""


class ResultStatus(Base):
    __tablename__ = "result_status"
    id: Mapped[Id]
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    department_id: Mapped[UUID] = mapped_column(ForeignKey("department.id"))
    taken_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="pending")
    settled_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Told:
    """What may be told of one result. `told`: "ready", "not_yet" or "doctor_calls"."""

    result_id: UUID
    taken_at: datetime
    department_code: str
    department_names: dict[str, str] = field(hash=False)
    told: str


def expect(session: Session, patient_id: UUID, department_id: UUID, taken_at: datetime) -> ResultStatus:
    """An examination was made; its result is awaited."""
    status = ResultStatus(patient_id=patient_id, department_id=department_id, taken_at=taken_at)
    session.add(status)
    session.flush()
    return status


def settle(session: Session, result_id: UUID, state: str, at: datetime) -> None:
    """The laboratory or a doctor has settled it. Raises IllegalMove."""
    status = session.get_one(ResultStatus, result_id, with_for_update=True)
    if state not in NEXT[status.state]:
        raise IllegalMove(f"a result that is {status.state} can't become {state}")
    status.state, status.settled_at = state, at
    session.flush()
    announce(session, "patient", status.patient_id)


def look(
    session: Session, patient_id: UUID, at: datetime, *, call_id: str, proxy_id: UUID | None, say_doctor_calls: bool
) -> list[Told]:
    """What a caller is told of a patient's results of the last `RECENT`, newest first; audited with who asked."""
    rows = session.execute(
        select(ResultStatus, Department)
        .join(Department, Department.id == ResultStatus.department_id)
        .where(ResultStatus.patient_id == patient_id, ResultStatus.taken_at.between(at - RECENT, at))
        .order_by(ResultStatus.taken_at.desc(), Department.position)
    ).all()
    found = [
        Told(status.id, status.taken_at, department.code, department.names, _told(status.state, say_doctor_calls))
        for status, department in rows
    ]
    audit.record(
        session,
        None,
        "results.told",
        f"patient:{patient_id}",
        at,
        call=call_id,
        proxy=str(proxy_id) if proxy_id else None,
        results=[str(one.result_id) for one in found],
    )
    return found


def _told(state: str, say_doctor_calls: bool) -> str:
    if state == "doctor_calls" and say_doctor_calls:
        return state
    return "ready" if state == "ready" else "not_yet"
