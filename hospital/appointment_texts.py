"""Texts that confirm or move an appointment, or say how to prepare for it, and are not true any more: they stay here.

Rules: such a text is true while its appointment is booked for the time that it tells. What a gateway has not taken for
hours would come after the text that says the contrary: it is withdrawn, and the newest word alone is sent.
"""

from sqlalchemy import DateTime, Uuid, cast, func, or_, select
from sqlalchemy.orm import Session

from hospital import outbox
from hospital.appointments import Appointment
from hospital.outbox import OutboxRow
from hospital.slots import Slot
from hospital.text_bookings import TextBooking

TOLD = ("appointment_confirmed", "appointment_moved")
PREPARE = "prepare_"  # before the code of what the site says


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
