"""A reminder, in a call of ours or when it is returned: of tomorrow's appointment, which may be confirmed, changed or
cancelled; of one that was missed, for which there are other times; or of what repeats, which may be booked or stopped.
Identity has been proved, and what is urgent was told first."""

from uuid import UUID

from hospital import calls, consents, reminders
from hospital.booking import Booked
from hospital.patients import Patient
from hospital.reminders import Due
from ivr.call import Call, Prompt, Transferred
from ivr.dialogues.appointments import cancel, change, prepare_change
from ivr.dialogues.booking import book
from ivr.front_desk import FrontDesk
from scripts.placeholders import Doctor, Value

REPEATS = {"medication": "reminder_medication", "checkup": "reminder_checkup", "revisit": "reminder_revisit"}


async def remind(call: Call, front: FrontDesk, task_id: UUID, patient: Patient) -> None:
    due = await front.database.run(reminders.due, task_id)
    try:
        if due.appointment is not None:
            await _of_the_appointment(call, front, task_id, patient, due.appointment)
        elif due.missed is not None:
            await _of_what_was_missed(call, front, task_id, due, due.missed)
        else:
            await _of_what_repeats(call, front, task_id, due)
    except Transferred:  # who asks for a person has heard it
        await front.database.run(reminders.heard, task_id, front.now())
        raise


async def _of_the_appointment(
    call: Call, front: FrontDesk, task_id: UUID, patient: Patient, appointment: Booked
) -> None:
    while True:
        prepare_change(call, appointment)
        key = await call.menu([reminded_of(appointment), Prompt("reminder_choice")], keys="1234")
        with call.returning():
            match key:
                case "1":
                    await front.database.run(reminders.heard, task_id, front.now(), comes=True)
                    await call.journal.step("reminder_confirmed", appointment=str(appointment.appointment_id))
                    await call.say("reminder_confirmed")
                case "2":
                    await change(call, front, patient, appointment)
                case "3":
                    await cancel(call, front, patient.id, appointment)
                case "4":
                    await _no_more(call, front, patient)
            return


def reminded_of(appointment: Booked) -> Prompt:
    told: dict[str, Value] = {"department": appointment.department_names, "when": appointment.starts_at}
    if appointment.kind == "examination":
        return Prompt("reminder_examination", **told)
    return Prompt("reminder_visit", **told, doctor=Doctor(appointment.doctor, appointment.feminine))


async def _no_more(call: Call, front: FrontDesk, patient: Patient) -> None:
    run, at = front.database.run, front.now()
    speaker = await run(calls.speaks_for, call.id)
    await run(consents.tell, patient.id, speaker, reminders.PURPOSE, False, at, call_id=call.id)
    await call.journal.step("consent", purpose=reminders.PURPOSE, given=False)
    await call.inform("reminders_stopped")


def missed(appointment: Booked) -> Prompt:
    return Prompt("reminder_missed", department=appointment.department_names, when=appointment.starts_at)


async def _of_what_was_missed(call: Call, front: FrontDesk, task_id: UUID, due: Due, appointment: Booked) -> None:
    async def heard(_: Booked | None = None) -> None:
        await front.database.run(reminders.heard, task_id, front.now())

    while True:
        key = await call.menu([missed(appointment), Prompt("reminder_missed_choice")], keys="12")
        with call.returning():
            if key == "1" and due.department is not None:
                await book(call, front, department=due.department, when_booked=heard)
            else:
                await heard()
                await call.say("reminder_heard")
            return


async def _of_what_repeats(call: Call, front: FrontDesk, task_id: UUID, due: Due) -> None:
    """Whoever hangs up on the thanks, or while the new appointment is read to them, has heard it all the same."""

    async def heard(_: Booked | None = None) -> None:
        await front.database.run(reminders.heard, task_id, front.now())

    choice = "reminder_repeats_choice" if due.department is not None else "reminder_medicine_choice"
    while True:
        key = await call.menu([Prompt(REPEATS[due.about]), Prompt(choice)], keys="123")
        with call.returning():
            match key:
                case "1":
                    await heard()
                    await call.say("reminder_heard")
                case "2" if due.department is not None:
                    await book(call, front, department=due.department, when_booked=heard)
                case "2":
                    await call.transfer("nurses", "wants_a_nurse")
                case "3" if due.recurring_id is not None:
                    await front.database.run(reminders.stop, due.recurring_id, front.now(), call_id=call.id)
                    await call.journal.step("reminder_stopped")
                    await call.inform("reminders_stopped")
            return
