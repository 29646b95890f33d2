"""Texts that confirm or move an appointment, or say how to prepare for it, and are not true any more: they stay here.

Rules: such a text is true while its appointment is booked for the time that it tells. What a gateway has not taken for
hours would come after the text that says the contrary: it is withdrawn, and the newest word alone is sent.
"""

from datetime import datetime, timedelta

from sqlalchemy import DateTime, Uuid, cast, func, or_, select
from sqlalchemy.orm import Session

from hospital import outbox, patients
from hospital.appointments import Appointment
from hospital.outbox import OutboxRow
from hospital.slots import Slot
from hospital.text_bookings import TextBooking

TOLD = ("appointment_confirmed", "appointment_moved")
PREPARE = "prepare_"  # before the code of what the site says
STANDS = (*TOLD, "appointment_reminder", "appointment_suspended")
LATELY = timedelta(days=2)


def take_back(session: Session) -> int:
    """How many are withdrawn. To be asked before the outbox sends."""
    written_in = cast(func.substring(OutboxRow.once, "^text_booking/([0-9a-f-]{36})/"), Uuid)
    named = cast(func.substring(OutboxRow.once, "^[^/]+/([0-9a-f-]{36})$"), Uuid)
    told = cast(OutboxRow.params["starts_at"].astext, DateTime(timezone=True))
    rows = (
        select(OutboxRow)
        .outerjoin(TextBooking, TextBooking.id == written_in)
        .join(Appointment, Appointment.id == func.coalesce(TextBooking.appointment_id, named))
        .join(Slot, Slot.id == Appointment.slot_id)
        .where(
            OutboxRow.state == "queued",
            or_(OutboxRow.key.in_(TOLD), OutboxRow.key.startswith(PREPARE, autoescape=True)),
            or_(Appointment.state != "booked", Slot.starts_at != told),
        )
        .with_for_update(of=OutboxRow, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    untrue = session.scalars(rows).all()
    for message in untrue:
        outbox.withdraw(session, message)
    return len(untrue)


def spoke_of_one(session: Session, number: str, at: datetime) -> bool:
    """Whether a text about an appointment that stands left for this number (E.164) lately."""
    theirs = [one.patient.id for one in patients.candidates(session, number)]
    theirs += [ward.id for one in theirs for ward in patients.wards(session, one, at)]
    rows = select(OutboxRow.number).where(
        OutboxRow.patient_id.in_(theirs),
        OutboxRow.state.in_(("sent", "delivered")),
        OutboxRow.sent_at > at - LATELY,
        or_(OutboxRow.key.in_(STANDS), OutboxRow.key.startswith(PREPARE, autoescape=True)),
    )
    return number in session.scalars(rows).all()
