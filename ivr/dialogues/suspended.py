"""A clinic was suspended: the patient hears of it before anything else, and has another time in the same call.

It is told in a call of ours, and first of all to whoever phones in. Any key but the one for a person acknowledges it.
The suspended appointment is given up for the new one or for none, by the booking desk; who decides later keeps it as
it is and may call.
"""

from hospital import suspensions
from hospital.booking import Booked
from hospital.patients import Patient
from ivr.call import Call, Prompt, Transferred
from ivr.dialogues.booking import choose_and_confirm
from ivr.front_desk import FrontDesk
from scripts.placeholders import Doctor, Value


async def tell_first(call: Call, front: FrontDesk, patient: Patient) -> None:
    """Each appointment of a known patient that does not take place. Who asks for a person meanwhile gets one, and that
    is written down."""
    suspended = await front.database.run(suspensions.of_patient, patient.id, front.now())
    for n, appointment in enumerate(suspended, 1):
        if not await front.database.run(suspensions.told, appointment.appointment_id, front.now()):
            continue  # it takes place again since
        await call.journal.step("suspension_told", appointment=str(appointment.appointment_id))
        call.prepare(*map(told_of, suspended[n : n + 1]))
        try:
            await _what_now(call, front, patient, appointment)
        except Transferred:
            await front.database.run(suspensions.wants_person, appointment.appointment_id, front.now())
            raise


async def _what_now(call: Call, front: FrontDesk, patient: Patient, appointment: Booked) -> None:
    while True:
        key = await call.menu([told_of(appointment), Prompt("suspended_choice")], keys="123")
        await front.database.run(suspensions.acknowledged, appointment.appointment_id, front.now())
        await call.journal.step("suspension_acknowledged", appointment=str(appointment.appointment_id))
        with call.returning():
            match key:
                case "1":
                    await _rebook(call, front, patient, appointment)
                case "2":
                    await _give_up(call, front, patient, appointment)
                case "3":
                    await call.say("suspended_later")
            return


def told_of(appointment: Booked) -> Prompt:
    told: dict[str, Value] = {"department": appointment.department_names, "when": appointment.starts_at}
    if appointment.kind == "examination":
        return Prompt("suspended_examination", **told)
    return Prompt("suspended_visit", **told, doctor=Doctor(appointment.doctor, appointment.feminine))


async def _rebook(call: Call, front: FrontDesk, patient: Patient, appointment: Booked) -> None:
    departments = {one.code: one for one in await front.desk.departments(appointment.kind)}
    department = departments[appointment.department_code]
    await choose_and_confirm(call, front, patient, department, urgency="soon", moving=appointment, suspended=True)


async def _give_up(call: Call, front: FrontDesk, patient: Patient, appointment: Booked) -> None:
    if await front.desk.cancel(appointment.appointment_id, patient.id, front.now()):
        await call.journal.step("cancelled", appointment=str(appointment.appointment_id))
    await call.inform("suspended_given_up")
