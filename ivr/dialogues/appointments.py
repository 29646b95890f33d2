"""My appointments: each is said, and may be changed, or cancelled after a second yes."""

from uuid import UUID

from hospital.booking import Booked
from hospital.patients import Patient
from ivr.call import Call, Prompt
from ivr.dialogues.booking import choose_and_confirm, say_preparation
from ivr.dialogues.identity import identify
from ivr.front_desk import FrontDesk
from scripts.placeholders import Doctor, Value


async def my_appointments(call: Call, front: FrontDesk) -> None:
    patient = await identify(call, front)
    if patient is None:
        return
    booked = await front.desk.appointments(patient.id, front.now())
    if not booked:
        await call.say("nothing_booked")
        return
    if len(booked) == 1:
        await call.say("my_appointment_one")
    else:
        await call.say("my_appointments", n=len(booked))
    for appointment in booked:
        await _what_with_it(call, front, patient, appointment)


async def _what_with_it(call: Call, front: FrontDesk, patient: Patient, appointment: Booked) -> None:
    while True:
        key = await call.menu([_item(appointment), Prompt("what_with_it")], keys="1234")
        with call.returning():
            match key:
                case "1":
                    await change(call, front, patient, appointment)
                case "2":
                    await cancel(call, front, patient.id, appointment)
                case "4":
                    await _prepare(call, front, appointment)
            return


def _item(appointment: Booked) -> Prompt:
    told: dict[str, Value] = {"department": appointment.department_names, "when": appointment.starts_at}
    if appointment.kind == "examination":
        return Prompt("examination_item", **told)
    return Prompt("appointment_item", **told, doctor=Doctor(appointment.doctor, appointment.feminine))


async def change(call: Call, front: FrontDesk, patient: Patient, appointment: Booked) -> None:
    departments = {one.code: one for one in await front.desk.departments(appointment.kind)}
    await call.say("kept_until_chosen", when=appointment.starts_at)
    await choose_and_confirm(call, front, patient, departments[appointment.department_code], moving=appointment)


async def cancel(call: Call, front: FrontDesk, patient_id: UUID, appointment: Booked) -> None:
    sure = await call.menu("confirm_cancel", keys="12", when=appointment.starts_at)
    if sure == "1" and await front.desk.cancel(appointment.appointment_id, patient_id, front.now()):
        await call.journal.step("cancelled", appointment=str(appointment.appointment_id))
        await call.inform("cancelled", when=appointment.starts_at)
    else:
        await call.say("not_cancelled", when=appointment.starts_at)


async def _prepare(call: Call, front: FrontDesk, appointment: Booked) -> None:
    if not appointment.preparation:
        await call.say("no_preparation")
    await say_preparation(call, front, appointment)
