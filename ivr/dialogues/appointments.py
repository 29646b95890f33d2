"""My appointments: each is said, and may be cancelled after a second yes."""

from uuid import UUID

from hospital.booking import Booked
from ivr.call import Call, Prompt
from ivr.dialogues.identity import identify
from ivr.front_desk import FrontDesk
from scripts.placeholders import Doctor


async def hear_and_cancel(call: Call, front: FrontDesk) -> None:
    patient = await identify(call, front)
    booked = await front.desk.appointments(patient.id, front.now())
    if not booked:
        await call.say("nothing_booked")
        return
    if len(booked) == 1:
        await call.say("my_appointment_one")
    else:
        await call.say("my_appointments", n=len(booked))
    for appointment in booked:
        said = Prompt(
            "appointment_item",
            department=appointment.department_names,
            doctor=Doctor(appointment.doctor, appointment.feminine),
            when=appointment.starts_at,
        )
        await _keep_or_cancel(call, front, patient.id, appointment, said)


async def _keep_or_cancel(call: Call, front: FrontDesk, patient_id: UUID, appointment: Booked, said: Prompt) -> None:
    while await call.menu([said, Prompt("appointment_choice")], keys="12") == "1":
        with call.returning():
            await _cancel(call, front, patient_id, appointment)
            return


async def _cancel(call: Call, front: FrontDesk, patient_id: UUID, appointment: Booked) -> None:
    sure = await call.menu("confirm_cancel", keys="12", when=appointment.starts_at)
    if sure == "1" and await front.desk.cancel(appointment.appointment_id, patient_id, front.now()):
        await call.journal.step("cancelled", appointment=str(appointment.appointment_id))
        await call.inform("cancelled", when=appointment.starts_at)
    else:
        await call.say("not_cancelled", when=appointment.starts_at)
