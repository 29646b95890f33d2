"""Suspended clinics: whose appointment does not take place, who knows of it, and who could not be told.

Rules: a clinic is suspended in one transaction: its free times are withdrawn (those that are made later, too:
schema.sql sees to it), its appointments suspended, and each of their patients gets a notice, an urgent contact and a
text message. For a patient who is transferred their appointments alone are suspended; such a time is free for others
once its patient has moved or given it up. What became of an appointment (moved, given up) is said by the appointment
alone; the notice says what its patient knows. Whoever wants a person has one on the line; whoever was not reached
becomes one callback. What is suspended in error is lifted (`lifted_suspensions`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ForeignKey, Text, cast, func, or_, select, true, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import audit, outbox
from hospital.appointments import Appointment, Booked, booked
from hospital.callbacks import Callback, ask_for_patient
from hospital.calling_hours import first_allowed
from hospital.calling_rules import CallingPolicy, on_the_clock_of, where_reached
from hospital.database import Base, Id, announce
from hospital.followups import FollowUpTask, decide, plan_call
from hospital.outbox import OutboxRow
from hospital.patients import Patient
from hospital.slots import Doctor, Slot

KIND = "suspension"
ONCE = "appointment_suspended/"  # before the appointment: what its message is about
REASONS = ("illness", "emergency", "leave", "equipment", "other")
TRANSFERRED = "transferred"  # the reason where it is one patient's alone
PRIORITY = 1
ON_THE_WAY = timedelta(hours=3)  # before an appointment: whoever is told later has travelled in vain


class Suspension(Base):
    __tablename__ = "suspension"
    id: Mapped[Id]
    doctor_id: Mapped[UUID] = mapped_column(ForeignKey("doctor.id"))
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    since: Mapped[datetime]
    until: Mapped[datetime]
    reason: Mapped[str]
    begun_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    begun_at: Mapped[datetime]
    lifted_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    lifted_at: Mapped[datetime | None]


class SuspensionNotice(Base):
    __tablename__ = "suspension_notice"
    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointment.id"), primary_key=True)
    suspension_id: Mapped[UUID] = mapped_column(ForeignKey("suspension.id"))
    task_id: Mapped[UUID] = mapped_column(ForeignKey("followup_task.id"))
    state: Mapped[str] = mapped_column(default="pending")
    told_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Affected:
    """An appointment that a suspension would concern, or concerns."""

    appointment_id: UUID
    patient_id: UUID
    starts_at: datetime


# ── A clinic is suspended ───────────────────────────────────────────────────────────────────────────────────────────


def affected(
    session: Session, doctor_id: UUID, since: datetime, until: datetime, at: datetime, patient_id: UUID | None = None
) -> list[Affected]:
    """The booked appointments that would be suspended, earliest first: of everybody, or of one patient. What has begun
    by `at` is left alone."""
    rows = (
        select(Appointment.id, Appointment.patient_id, Slot.starts_at)
        .join(Slot, Slot.id == Appointment.slot_id)
        .where(
            Slot.doctor_id == doctor_id,
            Slot.starts_at >= since,
            Slot.starts_at < until,
            Slot.starts_at > at,
            Appointment.state == "booked",
            true() if patient_id is None else Appointment.patient_id == patient_id,
        )
    )
    return [Affected(*row) for row in session.execute(rows.order_by(Slot.starts_at))]


def suspend(
    session: Session,
    *,
    doctor_id: UUID,
    since: datetime,
    until: datetime,
    reason: str,
    account_id: UUID,
    at: datetime,
    policy: CallingPolicy,
    patient_id: UUID | None = None,
) -> UUID:
    """Suspend a doctor's clinic from `since` to before `until`, or what one patient who is transferred has there.
    Raises ValueError for a span that is none or is over, and for an unknown reason."""
    if reason not in REASONS and (patient_id is None or reason != TRANSFERRED):
        raise ValueError(f"{reason!r} is no reason to suspend a clinic: {', '.join(REASONS)}")
    if (patient_id is not None) != (reason == TRANSFERRED):
        raise ValueError("what one patient has is suspended where they are transferred, and nowhere else")
    if not since < until or until <= at:
        raise ValueError("a clinic is suspended from a time to a later one that has not passed")
    in_turn(session, doctor_id)
    made = Suspension(
        doctor_id=doctor_id,
        patient_id=patient_id,
        since=since,
        until=until,
        reason=reason,
        begun_by=account_id,
        begun_at=at,
    )
    session.add(made)
    session.flush()
    withdrawn = _withdraw(session, doctor_id, since, until, at) if patient_id is None else []
    concerned = affected(session, doctor_id, since, until, at, patient_id)
    session.execute(
        update(Appointment)
        .where(Appointment.id.in_([one.appointment_id for one in concerned]))
        .values(state="suspended")
        .execution_options(synchronize_session=False)
    )
    for one in concerned:
        _give_notice(session, made.id, one, at, policy)
    audit.record(
        session,
        account_id,
        "clinic.suspended",
        f"doctor:{doctor_id}",
        at,
        suspension=str(made.id),
        since=since.isoformat(),
        until=until.isoformat(),
        reason=reason,
        appointments=len(concerned),
        **({"patient": str(patient_id)} if patient_id is not None else {}),
    )
    for slot_id in withdrawn:
        announce(session, "slot", slot_id)
    announce(session, "suspension", made.id)
    return made.id


def _withdraw(session: Session, doctor_id: UUID, since: datetime, until: datetime, at: datetime) -> Sequence[UUID]:
    """The slots, before the appointments: whoever is confirming one holds its row, and is seen as booked by the
    statement that follows."""
    return session.scalars(
        update(Slot)
        .where(Slot.doctor_id == doctor_id, Slot.starts_at >= since, Slot.starts_at < until, Slot.starts_at > at)
        .values(state="withdrawn")
        .returning(Slot.id)
        .execution_options(synchronize_session=False)
    ).all()


def _give_notice(session: Session, suspension_id: UUID, one: Affected, at: datetime, policy: CallingPolicy) -> None:
    task = plan_call(
        session,
        patient_id=one.patient_id,
        kind=KIND,
        at=at,
        due_at=at,
        due_until=one.starts_at,
        priority=PRIORITY,
        max_tries=policy.automatic_tries,
    )
    notice = {"appointment_id": one.appointment_id, "suspension_id": suspension_id, "task_id": task.id}
    session.merge(SuspensionNotice(**notice, state="pending", told_at=None, acknowledged_at=None))  # again, once lifted
    patient = session.get_one(Patient, one.patient_id)
    reached = where_reached(session, patient, at)
    if reached.numbers and patient.deceased_at is None and patient.death_reported_at is None:
        there = on_the_clock_of(policy, reached.person, reached.numbers[0])
        leaves = first_allowed(at, there.window, there.zone)
        outbox.put(
            session,
            once=f"{ONCE}{one.appointment_id}",
            key="appointment_suspended",
            locale=reached.language,
            number=reached.numbers[0].number,
            at=leaves if leaves <= one.starts_at - ON_THE_WAY else at,
            patient_id=patient.id,
            useful_until=one.starts_at,
            starts_at=one.starts_at.isoformat(),
        )


def in_turn(session: Session, doctor_id: UUID) -> None:
    """Of one doctor's suspensions one is begun or lifted at a time: each sees what the one before it has done."""
    session.execute(select(Doctor.id).where(Doctor.id == doctor_id).with_for_update(key_share=True))


# ── What the patient knows ──────────────────────────────────────────────────────────────────────────────────────────


def of_patient(session: Session, patient_id: UUID, at: datetime) -> list[Booked]:
    """A patient's suspended appointments that are still ahead, earliest first: what they hear of first."""
    rows = (
        select(Appointment.id)
        .join(Slot, Slot.id == Appointment.slot_id)
        .where(Appointment.patient_id == patient_id, Appointment.state == "suspended", Slot.starts_at > at)
    )
    return [booked(session, appointment_id) for appointment_id in session.scalars(rows.order_by(Slot.starts_at))]


def told(session: Session, appointment_id: UUID, at: datetime) -> bool:
    """The patient is hearing of it. False where it takes place again by now, or was given up: there is nothing to
    tell."""
    notice = select(SuspensionNotice.task_id).where(SuspensionNotice.appointment_id == appointment_id)
    session.execute(notice.with_for_update())
    if session.scalar(select(Appointment.state).where(Appointment.id == appointment_id)) != "suspended":
        return False
    _move(session, appointment_id, ("pending", "not_reached", "wants_person"), state="told", told_at=at)
    session.execute(
        update(Callback)
        .where(Callback.origin == origin(appointment_id), Callback.state != "done")
        .values(state="done", done_at=at, outcome="told_meanwhile")
    )
    return True


def acknowledged(session: Session, appointment_id: UUID, at: datetime) -> None:
    """The patient has understood; no call is needed any more."""
    _move(session, appointment_id, ("told",), state="acknowledged", acknowledged_at=at)
    task_id = select(SuspensionNotice.task_id).where(SuspensionNotice.appointment_id == appointment_id)
    finished = session.scalar(
        update(FollowUpTask)
        .where(FollowUpTask.id == task_id.scalar_subquery(), FollowUpTask.state == "open")
        .values(state="done", closed_at=at)
        .returning(FollowUpTask.id)
    )
    if finished is not None:
        decide(session, finished, "done", at)


def wants_person(session: Session, appointment_id: UUID, at: datetime) -> None:
    """The patient asked for a person instead of the machine; one is on the line next."""
    _move(session, appointment_id, ("pending", "told", "not_reached"), state="wants_person")


def take_back(session: Session) -> int:
    """Texts that wait for the morning, of appointments that were moved or given up meanwhile, or whose patient knows;
    how many. To be asked before the outbox sends."""
    rows = (
        select(OutboxRow)
        .join(SuspensionNotice, OutboxRow.once == func.concat(ONCE, cast(SuspensionNotice.appointment_id, Text)))
        .join(Appointment, Appointment.id == SuspensionNotice.appointment_id)
        .where(
            OutboxRow.state == "queued",
            or_(Appointment.state != "suspended", SuspensionNotice.state.in_(("acknowledged", "wants_person"))),
        )
        .with_for_update(of=OutboxRow, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    held = session.scalars(rows).all()
    for message in held:
        outbox.withdraw(session, message)
    return len(held)


def _move(session: Session, appointment_id: UUID, before: tuple[str, ...], **values: object) -> None:
    moved = session.scalar(
        update(SuspensionNotice)
        .where(SuspensionNotice.appointment_id == appointment_id, SuspensionNotice.state.in_(before))
        .values(**values)
        .returning(SuspensionNotice.suspension_id)
    )
    if moved is not None:
        announce(session, "suspension", moved)


# ── What its calls come to ──────────────────────────────────────────────────────────────────────────────────────────


def still_to_tell(session: Session, task_id: UUID, at: datetime) -> bool:
    """Whether the call is still needed: the appointment is ahead, nobody gave it up or moved it, its patient has not
    acknowledged it and has not been given a person."""
    row = session.execute(
        select(SuspensionNotice.state, Appointment.state, Slot.starts_at)
        .join(Appointment, Appointment.id == SuspensionNotice.appointment_id)
        .join(Slot, Slot.id == Appointment.slot_id)
        .where(SuspensionNotice.task_id == task_id)
    ).one()
    return row[0] in ("pending", "told") and row[1] == "suspended" and row[2] > at


def not_reached(session: Session, task: FollowUpTask, at: datetime) -> None:
    """Its calls are over and nobody was told: one item for a person, where there is a number to call."""
    notice = session.scalar(select(SuspensionNotice).where(SuspensionNotice.task_id == task.id))
    if notice is None or notice.state in ("acknowledged", "wants_person"):
        return
    _move(session, notice.appointment_id, ("pending", "told"), state="not_reached")
    reached = where_reached(session, task.patient, at)
    if task.patient.deceased_at or task.patient.death_reported_at or not reached.numbers:
        return
    ask_for_patient(
        session,
        origin=origin(notice.appointment_id),
        number=reached.numbers[0].number,
        why="suspended",
        patient_id=task.patient_id,
        at=at,
        language=reached.language,
    )


def origin(appointment_id: UUID) -> str:
    return f"suspension/{appointment_id}"


def changed(session: Session, task_id: UUID) -> None:
    """Something about the calls of a notice changed: pages that show it look again."""
    suspension_id = session.scalar(select(SuspensionNotice.suspension_id).where(SuspensionNotice.task_id == task_id))
    if suspension_id is not None:
        announce(session, "suspension", suspension_id)
