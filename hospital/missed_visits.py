"""Who did not come is offered other times: one contact for each visit that was missed.

Rules: an hour after its time at the earliest, so that who is late may still come and a slip of the desk is undone;
two days after it at the latest. It is a reminder like any other (`reminders.py`): by telephone, or by text for who
would rather read or was not reached; inside the hours, under the cap, and not for who wants no reminders or has died.
Who has another appointment in that department by then is offered none.
"""

from datetime import datetime, timedelta

from sqlalchemy import any_, literal, select
from sqlalchemy.orm import Session

from hospital.appointments import Appointment
from hospital.calling_rules import CallingPolicy
from hospital.patients import Patient
from hospital.reminders import PURPOSE, Reminder, is_missed, remind
from hospital.slots import Slot

LATE = timedelta(hours=1)
LATELY = timedelta(days=2)
WITHIN = timedelta(days=3)


def offer(session: Session, at: datetime, policy: CallingPolicy) -> int:
    """Plans the contacts of whoever did not come; how many were new."""
    offered = select(Reminder.missed_id).where(Reminder.missed_id.is_not(None))
    rows = (
        select(Appointment)
        .join(Slot, Slot.id == Appointment.slot_id)
        .join(Patient, Patient.id == Appointment.patient_id)
        .where(
            is_missed(),
            Slot.starts_at <= at - LATE,
            Slot.starts_at > at - LATELY,
            ~(literal(PURPOSE) == any_(Patient.opted_out)),
            Patient.deceased_at.is_(None),
            Patient.death_reported_at.is_(None),
            Appointment.id.not_in(offered),
        )
        .with_for_update(of=Appointment, skip_locked=True)
    )
    found = session.scalars(rows).all()
    # Once they are locked nobody else offers them; who did so while they were looked for is seen now.
    meanwhile = set(session.scalars(offered.where(Reminder.missed_id.in_([one.id for one in found]))))
    new = [one for one in found if one.id not in meanwhile]
    for one in new:
        remind(session, one.patient_id, at, at + WITHIN, policy, missed_id=one.id)
    return len(new)
