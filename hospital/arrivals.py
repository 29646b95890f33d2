"""The front desk: who of today's patients has arrived, is called in, has been seen, or did not come.

Rules: one conditional statement each, so that of two who press at one moment one is told that it stands otherwise now;
what may not follow is refused by the table, too. An arrival gives a ticket, and is told by text message. A slip is
undone one step back, from what its page showed. Did not come is said by a person once the time has begun, or by the
core after the end of the clinic, where the department's desk has registered anybody that day: of a desk that nobody
uses nothing is concluded. Each change is audited.
"""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.orm import Session, selectinload

from hospital import audit, outbox, waiting_rooms
from hospital.appointments import Appointment
from hospital.calling_rules import where_reached
from hospital.database import announce
from hospital.patients import Patient
from hospital.slots import Department, Doctor, Slot

AFTER = timedelta(minutes=30)  # a clinic may take longer than its last time
BACK = timedelta(days=7)  # how far back an ended clinic is looked at
STANDING = "CASE WHEN a.state = 'arrived' AND a.called_at IS NOT NULL THEN 'called' ELSE a.state END"


@dataclass(frozen=True)
class Visit:
    """One of today's appointments as the desk sees it. `standing`: booked, arrived, called, seen or no_show."""

    appointment_id: UUID
    starts_at: datetime
    doctor_id: UUID
    doctor: str
    department: Department
    patient: Patient = field(repr=False)
    standing: str
    ticket: int | None
    since: datetime | None  # arrived, called or seen, the newest of them
    turn: tuple[datetime, int] | None  # in the line, while waiting


def day_of(at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The site's day of `at`: its first instant, and the next day's."""
    today = at.astimezone(zone).date()
    return datetime.combine(today, time(), zone), datetime.combine(today + timedelta(days=1), time(), zone)


def today(
    session: Session, at: datetime, zone: ZoneInfo, *, department: str = "", patient_ids: list[UUID] | None = None
) -> list[Visit]:
    """The day's appointments that take place, of one department or all: by department, doctor and time. Of
    `patient_ids` those of a suspended clinic, too: whoever was not told of it stands at the desk."""
    since, until = day_of(at, zone)
    gone = ["cancelled"] if patient_ids is not None else ["cancelled", "suspended"]
    rows = (
        select(Appointment, Slot.starts_at, Doctor, Department, Patient)
        .join(Slot, Slot.id == Appointment.slot_id)
        .join(Doctor, Doctor.id == Slot.doctor_id)
        .join(Department, Department.id == Doctor.department_id)
        .join(Patient, Patient.id == Appointment.patient_id)
        .where(Slot.starts_at >= since, Slot.starts_at < until, Appointment.state.not_in(gone))
        .options(selectinload(Patient.identifiers))
        .order_by(Department.kind, Department.position, Department.code, Doctor.name, Doctor.id, Slot.starts_at)
        .order_by(Appointment.seat)
    )
    if department:
        rows = rows.where(Department.code == department)
    if patient_ids is not None:
        rows = rows.where(Patient.id.in_(patient_ids))
    return [_visit(*row) for row in session.execute(rows)]


def _visit(one: Appointment, starts_at: datetime, doctor: Doctor, department: Department, patient: Patient) -> Visit:
    standing = "called" if one.state == "arrived" and one.called_at else one.state
    turn = (max(starts_at, one.arrived_at), one.ticket or 0) if standing == "arrived" and one.arrived_at else None
    since = one.seen_at or one.called_at or one.arrived_at
    return Visit(one.id, starts_at, doctor.id, doctor.name, department, patient, standing, one.ticket, since, turn)


# ── What the desk does ──────────────────────────────────────────────────────────────────────────────────────────────

_ARRIVE = text("""
    WITH one AS (
        SELECT a.id, d.department_id
          FROM appointment a JOIN slot s ON s.id = a.slot_id JOIN doctor d ON d.id = s.doctor_id
         WHERE a.id = :id AND a.state = 'booked' AND s.starts_at >= :since AND s.starts_at < :until FOR UPDATE OF a),
    room AS (
        INSERT INTO waiting_room AS w (department_id, day, tickets) SELECT department_id, :day, 1 FROM one
        ON CONFLICT (department_id, day) DO UPDATE SET tickets = w.tickets + 1 RETURNING w.id, w.tickets)
    UPDATE appointment a SET state = 'arrived', arrived_at = :at, room_id = room.id, ticket = room.tickets
      FROM one, room WHERE a.id = one.id RETURNING a.id, a.patient_id, a.room_id, a.ticket""")


def arrive(session: Session, appointment_id: UUID, by: UUID | None, at: datetime, zone: ZoneInfo) -> int | None:
    """The ticket; None where this is no booked appointment of today."""
    since, until = day_of(at, zone)
    given = {"id": appointment_id, "at": at, "since": since, "until": until, "day": since.date()}
    done = session.execute(_ARRIVE, given).one_or_none()
    if done is None:
        return None
    _tell(session, done.id, done.patient_id, done.room_id, at)
    _written(session, "visit.arrived", done.id, done.patient_id, by, at)
    return int(done.ticket)


def _tell(session: Session, appointment_id: UUID, patient_id: UUID, room_id: UUID, at: datetime) -> None:
    """The ticket as a text message, where the patient (or who speaks for them) has a number."""
    patient = session.get_one(Patient, patient_id)
    reached = where_reached(session, patient, at)
    if not reached.numbers or patient.deceased_at is not None or patient.death_reported_at is not None:
        return
    wait = waiting_rooms.wait_of(session, appointment_id, room_id, at)
    outbox.put(
        session,
        once=f"waiting_ticket/{appointment_id}/{wait.ticket.number}",
        key="waiting_ticket" if wait.minutes is None else "waiting_ticket_minutes",
        locale=reached.language,
        number=reached.numbers[0].number,
        at=at,
        patient_id=patient_id,
        useful_until=at + outbox.AT_ONCE,
        ticket=wait.ticket.number,
        n=wait.place,
        **({} if wait.minutes is None else {"minutes": wait.minutes}),
    )


_STEPS = {
    "call": """UPDATE appointment a SET called_at = greatest(:at, a.arrived_at)
                WHERE a.id = :id AND a.state = 'arrived' AND a.called_at IS NULL""",
    "seen": """UPDATE appointment a SET state = 'seen', seen_at = greatest(:at, a.called_at, a.arrived_at)
                WHERE a.id = :id AND a.state = 'arrived'""",
    "no_show": """UPDATE appointment a SET state = 'no_show' FROM slot s
                   WHERE a.id = :id AND s.id = a.slot_id
                     AND (a.state = 'booked' AND s.starts_at <= :at
                          OR a.state = 'arrived' AND a.called_at IS NOT NULL)""",
}


def call_in(session: Session, appointment_id: UUID, by: UUID, at: datetime) -> bool:
    """The screen shows the ticket; False where its patient does not wait (any more), as for each of these verbs."""
    return _step(session, "call", "visit.called", appointment_id, by, at)


def seen(session: Session, appointment_id: UUID, by: UUID, at: datetime) -> bool:
    return _step(session, "seen", "visit.seen", appointment_id, by, at)


def did_not_come(session: Session, appointment_id: UUID, by: UUID, at: datetime) -> bool:
    """Of who has not come although their time has begun, or was called and is not there."""
    return _step(session, "no_show", "visit.no_show", appointment_id, by, at)


_UNDO = f"""
    UPDATE appointment a
       SET state = CASE WHEN a.state = 'no_show' AND a.arrived_at IS NULL OR :shown = 'arrived' THEN 'booked'
                        ELSE 'arrived' END,
           seen_at = NULL,
           called_at = CASE WHEN a.state = 'seen' THEN a.called_at END,
           arrived_at = CASE WHEN :shown <> 'arrived' THEN a.arrived_at END,
           room_id = CASE WHEN :shown <> 'arrived' THEN a.room_id END,
           ticket = CASE WHEN :shown <> 'arrived' THEN a.ticket END
      FROM slot s
     WHERE a.id = :id AND s.id = a.slot_id AND s.starts_at >= :since AND s.starts_at < :until
       AND a.state IN ('arrived', 'seen', 'no_show') AND {STANDING} = :shown
 RETURNING a.id, a.patient_id"""  # noqa: S608 - a constant


def undo(session: Session, appointment_id: UUID, shown: str, by: UUID, at: datetime, zone: ZoneInfo) -> bool:
    """One step back from `shown`, today's standing that the page showed. Who is back in the line waits again."""
    since, until = day_of(at, zone)
    given = {"id": appointment_id, "shown": shown, "since": since, "until": until}
    return _done(session, text(_UNDO), given, "visit.undone", by, at, was=shown)


def _step(session: Session, step: str, action: str, appointment_id: UUID, by: UUID, at: datetime) -> bool:
    statement = text(_STEPS[step] + " RETURNING a.id, a.patient_id")
    return _done(session, statement, {"id": appointment_id, "at": at}, action, by, at)


def _done(
    session: Session, statement: Any, given: dict[str, Any], action: str, by: UUID, at: datetime, **facts: str
) -> bool:
    changed = session.execute(statement, given).one_or_none()
    if changed is None:
        return False
    _written(session, action, changed.id, changed.patient_id, by, at, **facts)
    return True


def _written(
    session: Session, action: str, appointment_id: UUID, patient_id: UUID, by: UUID | None, at: datetime, **facts: str
) -> None:
    announce(session, "waiting", appointment_id)
    audit.record(session, by, action, f"patient:{patient_id}", at, appointment=str(appointment_id), **facts)


# ── What the core does ──────────────────────────────────────────────────────────────────────────────────────────────

_ENDED = text("""
    UPDATE appointment a SET state = 'no_show'
      FROM slot s JOIN doctor d ON d.id = s.doctor_id
      JOIN waiting_room w ON w.department_id = d.department_id
     WHERE s.id = a.slot_id AND a.state = 'booked' AND s.starts_at BETWEEN :earliest AND :at
       AND w.day = (s.starts_at AT TIME ZONE :zone)::date
       AND :ended >= (SELECT max(l.starts_at + make_interval(mins => l.minutes)) FROM slot l
                       WHERE l.doctor_id = s.doctor_id AND (l.starts_at AT TIME ZONE :zone)::date = w.day)
 RETURNING a.id, a.patient_id""")


def end_clinics(session: Session, at: datetime, zone: ZoneInfo) -> int:
    """Who is still booked in a clinic that has ended did not come; how many they are."""
    given = {"at": at, "earliest": at - BACK, "ended": at - AFTER, "zone": zone.key}
    missed = session.execute(_ENDED, given).all()
    for one in missed:
        _written(session, "visit.no_show", one.id, one.patient_id, None, at)
    return len(missed)
