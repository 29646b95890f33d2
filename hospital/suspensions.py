"""Suspended clinics: whose appointment does not take place, who knows of it, and who could not be told.

Rules: a clinic is suspended in one transaction: its free times are withdrawn (those that are made later, too:
schema.sql sees to it), its appointments suspended, and each of their patients gets a notice, an urgent contact and a
text message. For a patient who is transferred their appointments alone are suspended; such a time is free for others
once its patient has moved or given it up. A suspension is lifted in one transaction, too: its times are free again and
whoever does not know yet keeps their appointment as if nothing had been; who was told is called by a person. What is
suspended twice stays so. What became of an appointment (moved, given up) is said by the appointment alone; the notice
says what its patient knows. Whoever wants a person has one on the line; whoever was not reached becomes one callback.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ForeignKey, Text, and_, cast, func, or_, select, text, true, update
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from hospital import audit, outbox, plan_changes
from hospital.appointments import Appointment, Booked, booked
from hospital.callbacks import Callback, ask_for_patient
from hospital.calling_hours import first_allowed
from hospital.calling_rules import CallingPolicy, on_the_clock_of, where_reached
from hospital.database import Base, Id, announce
from hospital.followups import TAKES_PLACE, FollowUpTask, decide, plan_call
from hospital.outbox import OutboxRow
from hospital.patients import Patient
from hospital.slots import Doctor, Slot

KIND = "suspension"
ONCE = "appointment_suspended/"  # before the appointment: what its message is about
REASONS = ("illness", "emergency", "leave", "equipment", "other")
TRANSFERRED = "transferred"  # the reason where it is one patient's alone
PRIORITY = 1
SHOWN = timedelta(days=1)  # after its end: who does not know of it is still of interest
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
    _in_turn(session, doctor_id)
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


# ── It takes place again ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Lifted:
    """What becomes of the appointments that are ahead, where a suspension is lifted: `again`, they take place; `told`,
    their patients were told otherwise; `elsewhere`, another suspension concerns them, too."""

    again: tuple[UUID, ...]
    told: tuple[UUID, ...]
    elsewhere: Mapping[UUID, UUID]  # the appointment → that suspension


_AHEAD = text("""
    SELECT n.appointment_id,
           (SELECT o.id FROM suspension o
             WHERE o.doctor_id = s.doctor_id AND o.lifted_at IS NULL AND o.id <> n.suspension_id
               AND o.since <= s.starts_at AND o.until > s.starts_at
               AND (o.patient_id IS NULL OR o.patient_id = a.patient_id)
             ORDER BY o.begun_at DESC, o.id LIMIT 1) AS other,
           n.state NOT IN ('pending', 'not_reached')
               OR EXISTS (SELECT FROM attempt x WHERE x.task_id = n.task_id AND x.state = 'talking')
               OR EXISTS (SELECT FROM outbox m WHERE m.once = CAST(:once AS text) || n.appointment_id
                             AND (m.state IN ('sending', 'sent', 'delivered') OR m.error = ANY (:perhaps)))
               OR EXISTS (SELECT FROM callback c WHERE c.origin = 'suspension/' || n.appointment_id AND c.state = 'done'
                             AND c.outcome NOT IN ('not_reached', 'wrong_number')) AS knows
      FROM suspension_notice n JOIN appointment a ON a.id = n.appointment_id JOIN slot s ON s.id = a.slot_id
     WHERE n.suspension_id = :suspension AND a.state = 'suspended' AND s.starts_at > :at
     ORDER BY s.starts_at, n.appointment_id""")


def would_lift(session: Session, suspension_id: UUID, at: datetime) -> Lifted:
    """A text message that has left, or may have, a call that was answered, and a callback that was done have told."""
    values = {"suspension": suspension_id, "at": at, "once": ONCE, "perhaps": list(outbox.FATE_UNKNOWN)}
    rows = session.execute(_AHEAD, values).all()
    here = [row for row in rows if row.other is None]
    return Lifted(
        tuple(row.appointment_id for row in here if not row.knows),
        tuple(row.appointment_id for row in here if row.knows),
        {row.appointment_id: row.other for row in rows if row.other is not None},
    )


def lift(session: Session, suspension_id: UUID, account_id: UUID, at: datetime) -> Lifted | None:
    """What is ahead takes place again. None where there is no such suspension, or it was lifted before or is over."""
    doctor_id = session.scalar(select(Suspension.doctor_id).where(Suspension.id == suspension_id))
    if doctor_id is None:
        return None
    _in_turn(session, doctor_id)
    one = session.get_one(Suspension, suspension_id, with_for_update=True, populate_existing=True)
    if one.lifted_at is not None or one.until <= at:
        return None
    one.lifted_by, one.lifted_at = account_id, at
    session.flush()
    opened = _open_again(session, one, at) if one.patient_id is None else []
    messages = _hold_still(session, suspension_id)
    lifted = would_lift(session, suspension_id, at)
    for appointment_id, other in lifted.elsewhere.items():
        of_it = update(SuspensionNotice).where(SuspensionNotice.appointment_id == appointment_id)
        session.execute(of_it.values(suspension_id=other))
    booked_again = session.scalars(
        update(Appointment)
        .where(Appointment.id.in_(lifted.again), Appointment.state == "suspended")
        .values(state="booked")
        .returning(Appointment.slot_id)
        .execution_options(synchronize_session=False)
    ).all()
    calls = select(SuspensionNotice.task_id).where(SuspensionNotice.appointment_id.in_(lifted.again))
    plan_changes.stop_tasks(session, TAKES_PLACE, at, account_id, FollowUpTask.id.in_(calls))
    for appointment_id in lifted.again:
        _say_no_more(session, suspension_id, appointment_id, messages.get(f"{ONCE}{appointment_id}"), at)
    audit.record(
        session,
        account_id,
        "clinic.lifted",
        f"doctor:{doctor_id}",
        at,
        suspension=str(suspension_id),
        appointments=len(lifted.again),
        told=len(lifted.told),
        elsewhere=len(lifted.elsewhere),
    )
    for slot_id in {*opened, *booked_again}:
        announce(session, "slot", slot_id)
    for changed_id in {suspension_id, *lifted.elsewhere.values()}:
        announce(session, "suspension", changed_id)
    return lifted


def _in_turn(session: Session, doctor_id: UUID) -> None:
    """Of one doctor's suspensions one is begun or lifted at a time: each sees what the one before it has done."""
    session.execute(select(Doctor.id).where(Doctor.id == doctor_id).with_for_update(key_share=True))


def _open_again(session: Session, one: Suspension, at: datetime) -> Sequence[UUID]:
    other = aliased(Suspension)
    covers = and_(other.since <= Slot.starts_at, other.until > Slot.starts_at, other.doctor_id == Slot.doctor_id)
    still = select(other.id).where(covers, other.patient_id.is_(None), other.lifted_at.is_(None))
    its = and_(Slot.doctor_id == one.doctor_id, Slot.starts_at >= one.since, Slot.starts_at < one.until)
    return session.scalars(
        update(Slot)
        .where(its, Slot.starts_at > at, Slot.state == "withdrawn", ~still.exists())
        .values(state="open")
        .returning(Slot.id)
        .execution_options(synchronize_session=False)
    ).all()


def _hold_still(session: Session, suspension_id: UUID) -> dict[str, OutboxRow]:
    """Nobody is told while it is lifted: no call of it is answered, no text message leaves. These, by what each is
    about."""
    of_it = SuspensionNotice.suspension_id == suspension_id
    tasks = select(SuspensionNotice.task_id).where(of_it)
    held = select(FollowUpTask.id).where(FollowUpTask.id.in_(tasks)).order_by(FollowUpTask.id).with_for_update()
    session.execute(held)
    notices = select(SuspensionNotice.appointment_id).where(of_it).order_by(SuspensionNotice.appointment_id)
    about = [f"{ONCE}{appointment_id}" for appointment_id in session.scalars(notices.with_for_update())]
    rows = select(OutboxRow).where(OutboxRow.once.in_(about)).order_by(OutboxRow.id).with_for_update()
    return {row.once: row for row in session.scalars(rows, execution_options={"populate_existing": True})}


def _say_no_more(
    session: Session, suspension_id: UUID, appointment_id: UUID, message: OutboxRow | None, at: datetime
) -> None:
    """No text message, no callback; and each may be had anew where the clinic is suspended again."""
    if message is not None:
        if message.state == "queued":
            outbox.withdraw(session, message)
        message.once = f"{message.once}/{suspension_id}"
    closed = session.scalars(
        update(Callback)
        .where(Callback.origin == _origin(appointment_id), Callback.state != "done")
        .values(state="done", done_at=at, outcome=TAKES_PLACE)
        .returning(Callback.id)
    ).all()
    for callback_id in closed:
        announce(session, "callback", callback_id)
    over = update(Callback).where(Callback.origin == _origin(appointment_id))
    session.execute(over.values(origin=f"{_origin(appointment_id)}/{suspension_id}"))


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
        .where(Callback.origin == _origin(appointment_id), Callback.state != "done")
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
        origin=_origin(notice.appointment_id),
        number=reached.numbers[0].number,
        why="suspended",
        patient_id=task.patient_id,
        at=at,
        language=reached.language,
    )


def _origin(appointment_id: UUID) -> str:
    return f"suspension/{appointment_id}"


def changed(session: Session, task_id: UUID) -> None:
    """Something about the calls of a notice changed: pages that show it look again."""
    suspension_id = session.scalar(select(SuspensionNotice.suspension_id).where(SuspensionNotice.task_id == task_id))
    if suspension_id is not None:
        announce(session, "suspension", suspension_id)


# ── What staff see ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Noticed:
    """One line of a suspension. `standing`: pending | calling | told | acknowledged | wants_person | not_reached |
    rebooked | given_up |
    takes_place | to_book_anew (it takes place again, and its patient was told otherwise)."""

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
