"""What staff see of a suspension: whom it concerns, and what each of them knows of it by now."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from hospital.appointments import Appointment
from hospital.slots import Slot
from hospital.suspensions import Suspension

SHOWN = timedelta(days=1)  # after its end: who does not know of it is still of interest


@dataclass(frozen=True)
class Noticed:
    """One line of a suspension. `standing`: pending | calling | told | acknowledged | wants_person | not_reached |
    rebooked | given_up | takes_place | to_book_anew (it takes place again, and its patient was told otherwise)."""

    appointment_id: UUID
    patient_id: UUID
    task_id: UUID
    starts_at: datetime
    standing: str
    tries: int
    next_try_at: datetime | None
    moved_to: datetime | None
    callback: bool  # a person is to call
    owner: str | None  # who has taken that callback


KNOWS = frozenset({"told", "acknowledged", "rebooked", "given_up", "wants_person"})

_NOTICED = text("""
    SELECT n.appointment_id, a.patient_id, n.task_id, s.starts_at,
           CASE WHEN a.state = 'cancelled' THEN CASE WHEN a.moved_to IS NULL THEN 'given_up' ELSE 'rebooked' END
                WHEN a.state <> 'suspended' THEN 'takes_place'
                WHEN l.lifted_at <= s.starts_at THEN 'to_book_anew'
                WHEN t.state = 'calling' AND n.state IN ('pending', 'not_reached') THEN 'calling'
                WHEN t.state = 'stopped' AND n.state = 'pending' THEN 'not_reached' ELSE n.state END,
           t.tries, CASE WHEN t.state = 'open' THEN t.next_try_at END,
           (SELECT later.starts_at FROM appointment b JOIN slot later ON later.id = b.slot_id WHERE b.id = a.moved_to),
           c.id IS NOT NULL, o.display_name
      FROM suspension_notice n JOIN appointment a ON a.id = n.appointment_id JOIN suspension l ON l.id = n.suspension_id
      JOIN slot s ON s.id = a.slot_id JOIN followup_task t ON t.id = n.task_id
      LEFT JOIN callback c ON c.origin = 'suspension/' || n.appointment_id AND c.state <> 'done'
      LEFT JOIN account o ON o.id = c.owner_id
     WHERE n.suspension_id = :suspension ORDER BY s.starts_at, n.appointment_id""")


def noticed(session: Session, suspension_id: UUID) -> list[Noticed]:
    return [Noticed(*row) for row in session.execute(_NOTICED, {"suspension": suspension_id})]


def going_on(session: Session, at: datetime) -> list[Suspension]:
    """Those that are not over since yesterday, newest first."""
    rows = select(Suspension).where(Suspension.until > at - SHOWN)
    return list(session.scalars(rows.order_by(Suspension.begun_at.desc(), Suspension.id)))


def free_times(session: Session, doctor_id: UUID, since: datetime, until: datetime, at: datetime) -> int:
    """How many open times without an appointment a suspension would withdraw."""
    taken = select(Appointment.slot_id).where(Appointment.state != "cancelled")
    rows = select(func.count()).where(
        Slot.doctor_id == doctor_id,
        Slot.starts_at >= since,
        Slot.starts_at < until,
        Slot.starts_at > at,
        Slot.state == "open",
        Slot.id.not_in(taken),
    )
    return session.scalar(rows) or 0
