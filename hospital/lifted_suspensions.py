"""A suspension is lifted: what is ahead of it takes place again.

Rules: in one transaction its times are free again and whoever does not know yet keeps their appointment as if nothing
had been; who was told is called by a person. What is suspended twice stays so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, select, text, update
from sqlalchemy.orm import Session, aliased

from hospital import audit, outbox, plan_changes
from hospital.appointments import Appointment
from hospital.callbacks import Callback
from hospital.database import announce
from hospital.followups import TAKES_PLACE, FollowUpTask
from hospital.outbox import OutboxRow
from hospital.slots import Slot
from hospital.suspensions import ONCE, Suspension, SuspensionNotice, in_turn, origin


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
    in_turn(session, doctor_id)
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
        .where(Callback.origin == origin(appointment_id), Callback.state != "done")
        .values(state="done", done_at=at, outcome=TAKES_PLACE)
        .returning(Callback.id)
    ).all()
    for callback_id in closed:
        announce(session, "callback", callback_id)
    over = update(Callback).where(Callback.origin == origin(appointment_id))
    session.execute(over.values(origin=f"{origin(appointment_id)}/{suspension_id}"))
