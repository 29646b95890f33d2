"""A patient calls back the number that called: they are offered what that call was about, before the main menu.

Rules: the number alone tells no more than that we called, which their telephone has shown them. Who it is and what it
was about comes after two identifiers. What the machine asks is asked now; for what a nurse was to ask they wait for a
nurse, who sees it on her card. Whoever wants something else, or says nothing, is at the main menu.
"""

from hospital import return_calls, subjects, surveys
from hospital.patients import Patient
from hospital.return_calls import Returned
from ivr.call import Call, NoAnswer, Transferred
from ivr.dialogues.identity import identify
from ivr.dialogues.reason import because
from ivr.dialogues.reminding import remind
from ivr.dialogues.survey import survey
from ivr.front_desk import FrontDesk


async def return_our_call(call: Call, front: FrontDesk) -> None:
    """Nothing is said where we have not called this number, or all of it is done."""
    if not await front.database.run(return_calls.expected, call.caller_number, front.now()):
        return
    with call.returning():
        try:
            if await call.menu("return_offer", keys="12") == "2":
                return
        except NoAnswer:
            return
        await because(call, front, "returns_call")
        patient = await identify(call, front)
        if patient is not None:
            await _speak_of_it(call, front, patient)


async def _speak_of_it(call: Call, front: FrontDesk, patient: Patient) -> None:
    """What the machine can do comes first, for the rest the caller leaves to a nurse."""
    found = await front.database.run(return_calls.of_patient, patient.id, call.caller_number or "", front.now())
    if not found and await front.database.run(return_calls.expected, call.caller_number, front.now()):
        await call.say("return_nothing")  # else it was told as soon as they were known: a suspended clinic
    for one in found:
        if one.channel == "nurse_call":
            await front.database.run(return_calls.noted, call.id, one.task_id, front.now())
            await call.journal.step("returns_call", task=str(one.task_id))
            await call.say("return_nurse")
            await call.transfer("nurses", "returns_call")
        await _by_machine(call, front, patient, one)


async def _by_machine(call: Call, front: FrontDesk, patient: Patient, one: Returned) -> None:
    run = front.database.run

    async def finish() -> None:
        await run(surveys.finish, one.task_id, front.now())

    try:
        match one.kind:
            case "follow_up":
                await survey(call, front, one.task_id, when_answered=finish)
            case "reminder":
                await remind(call, front, one.task_id, patient)
                await finish()
    except Transferred:  # who asks for a person after a reminder has heard it
        if await run(subjects.is_settled, one.task_id, front.now()):
            await finish()
        raise
