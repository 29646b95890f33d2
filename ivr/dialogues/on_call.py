"""The hotline calls a member of staff: a red flag waits, or has no outcome yet, and one key takes it.

Rules: nothing about the patient is said, only the number of the case; whoever holds the telephone may be anybody. Keys
of the house mean nothing here. Who presses nothing has not taken it, a mailbox neither; it climbs in its time.
"""

from hospital import urgent_calls
from hospital.urgent_calls import Told
from ivr.call import Call, Key, Keys, Notice, Prompt
from ivr.dialogues.language import speak
from ivr.front_desk import FrontDesk
from scripts.placeholders import Value

TIMES = 3
WAIT_S = 6.0


async def on_call(call: Call, front: FrontDesk) -> None:
    """Says nothing where this call is not known."""
    told = await front.database.run(urgent_calls.answered, call.id, front.now())
    if told is None:
        return
    with call.without_a_person():
        await speak(call, front, told.language)
        if not told.open:
            await _tell(call, "oncall_gone")
            return
        match await _which(call, told):
            case "1":
                if await front.database.run(urgent_calls.take, call.id, front.now()):
                    await _tell(call, "oncall_taken", case=str(told.number))
                else:
                    await _tell(call, "oncall_gone")
            case "2":
                await front.database.run(urgent_calls.decline, call.id, front.now())
                await _tell(call, "oncall_declined")


async def _tell(call: Call, key: str, **params: Value) -> None:
    """A key stops it and means nothing more."""
    await call.play(Prompt(key, **params), Notice())


async def _which(call: Call, told: Told) -> str | None:
    """1 takes it, 2 declines; None: no such key was pressed."""
    question = Prompt("oncall_late" if told.late else "oncall_flag", case=str(told.number))
    for _ in range(TIMES):
        heard = await call.play(question, Keys("12", wait_s=WAIT_S))
        if isinstance(heard, Key) and heard.key in "12":
            return heard.key
    return None
