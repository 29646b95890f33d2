"""A nurse has heard that a machine picked up: who called is left after its beep, and she is with the next patient.

Rules: the hospital's name and a number, nothing else, in the language of whoever is called. It waits for the beep;
where the greeting is over already, for a moment of silence. What the network announces, and a fax, hear nothing.
"""

from hospital import machine_calls
from ivr.call import Call, Keys, Notice, Prompt
from ivr.dialogues.language import speak
from ivr.front_desk import FrontDesk
from ivr.leaving import NotAPerson

UNHEARD_S = 8.0  # where no sound comes to us: most greetings are over by then


async def leave_message(call: Call, front: FrontDesk) -> None:
    """Says nothing where nothing may be left."""
    told = await front.database.run(machine_calls.message, call.id)
    if told is None:
        return
    with call.without_a_person():
        await speak(call, front, told.language)
        if not await _takes_it(call):
            return
        await call.play(Prompt("outgoing_neutral"), Notice())  # where nobody listens, no key leads anywhere
    await front.database.run(machine_calls.left, told.attempt_id, front.now(), front.policy)


async def _takes_it(call: Call) -> bool:
    """When its beep is over, or it is silent."""
    call.line.attend(until_beep=True, machine=True)
    try:
        await call.play([], Keys("0123456789*#", wait_s=UNHEARD_S))
    except NotAPerson as other:
        return other.hears
    finally:
        call.line.attended()
    return True
