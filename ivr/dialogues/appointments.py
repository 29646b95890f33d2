"""My appointments: where the patient waits now; each that is to come is said, and may be changed, or cancelled after a
second yes."""

from datetime import timedelta
from uuid import UUID

from hospital.booking import Booked
from hospital.patients import Patient
from ivr.call import Call, Prompt
from ivr.dialogues.booking import choose_and_confirm, say_preparation
from ivr.dialogues.identity import identify
from ivr.dialogues.times import appointment as its_sentences
from ivr.dialogues.waiting_room import tell_waits
from ivr.front_desk import FrontDesk

LATE = timedelta(hours=2)  # an appointment that began before that is over


async def my_appointments(call: Call, front: FrontDesk) -> None:
    patient = await identify(call, front)
    if patient is None:
        return
    waits = await tell_waits(call, front, patient.id)
    now = front.now()
    found = await front.desk.appointments(patient.id, now - LATE)
    begun, booked = [one for one in found if one.starts_at <= now], [one for one in found if one.starts_at > now]
    if begun and not waits:
        await _has_begun(call, begun[-1], alone=not booked)
    if not booked and (waits or begun):
        return
    if not booked:
        await call.say("nothing_booked")
        return
    call.prepare(*its_sentences(booked[0]))
    if len(booked) == 1:
        await call.say("my_appointment_one")
    else:
        await call.say("my_appointments", n=len(booked))
    for n, appointment in enumerate(booked, 1):
        call.prepare(*(sentence for following in booked[n : n + 1] for sentence in its_sentences(following)))
        await _what_with_it(call, front, patient, appointment)


async def _has_begun(call: Call, appointment: Booked, *, alone: bool) -> None:
    """Who is late or was held up speaks to reception; of a clinic that tells us nothing, they may have been seen.
    `alone`: there is no other one to hear."""
    asked = [Prompt("has_begun"), *its_sentences(appointment), Prompt("begun_alone" if alone else "begun_choice")]
    with call.returning():
        if await call.menu(asked, keys="12") == "1":
            await call.transfer("reception", "late")


async def _what_with_it(call: Call, front: FrontDesk, patient: Patient, appointment: Booked) -> None:
    while True:
        prepare_change(call, appointment)
        key = await call.menu([*its_sentences(appointment), Prompt("what_with_it")], keys="1234")
        with call.returning():
            match key:
                case "1":
                    await change(call, front, patient, appointment)
                case "2":
                    await cancel(call, front, patient.id, appointment)
                case "4":
                    await _prepare(call, front, appointment)
            return


def prepare_change(call: Call, appointment: Booked) -> None:
    """What is said first to whoever wants to change it, or to cancel it."""
    call.prepare(*(Prompt(key, when=appointment.starts_at) for key in ("confirm_cancel", "kept_until_chosen")))


async def change(call: Call, front: FrontDesk, patient: Patient, appointment: Booked) -> None:
    departments = {one.code: one for one in await front.desk.departments(appointment.kind)}
    await call.say("kept_until_chosen", when=appointment.starts_at)
    await choose_and_confirm(call, front, patient, departments[appointment.department_code], moving=appointment)


async def cancel(call: Call, front: FrontDesk, patient_id: UUID, appointment: Booked) -> None:
    call.prepare(*(Prompt(key, when=appointment.starts_at) for key in ("cancelled", "not_cancelled")))
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
