"""Nobody is there to answer: a call back when somebody is, or a message. Nobody leaves without one of the two, unless
they hang up: whoever presses nothing is called back on the number they call from.
"""

from hospital import callbacks, calls, waiting
from ivr.call import Call
from ivr.dialogues.callback import ask_callback
from ivr.dialogues.message import leave_message
from ivr.front_desk import FrontDesk


async def while_waiting(call: Call, front: FrontDesk) -> None:
    """Key 1 in a queue: a call back. Where nobody has signed in, a message too; who chooses nothing waits on.
    That they want to be called is written down first: whoever hangs up in the middle is called back, too."""
    await call.journal.step("callback_wanted")
    row = await front.database.run(calls.known, call.id)
    with call.without_a_person():
        if await front.database.run(waiting.anybody_on_duty, (row and row.queue) or "reception"):
            await ask_callback(call, front)
        else:
            await offer(call, front, "asked")


async def offer(call: Call, front: FrontDesk, why: str) -> None:
    """`why` is the callback's: 'asked' or 'after_hours'. Raises `NoAnswer` where nothing is chosen."""
    if await call.menu("unattended_choice", keys="12") == "1":
        await ask_callback(call, front, why)
    else:
        await _voicemail(call, front, why)


async def _voicemail(call: Call, front: FrontDesk, why: str) -> None:
    await call.must_hear("voicemail_notice")
    if await leave_message(call, front, "message", "voicemail_speak") is not None:
        await front.database.run(calls.end, call.id, front.now(), "message")
        await call.inform("voicemail_kept")
    elif not await call_back_later(call, front, why):
        await call.say("voicemail_empty")


async def call_back_later(call: Call, front: FrontDesk, why: str) -> bool:
    """Whoever chose or said nothing is not dropped; False where there is no number to call."""
    number = call.caller_number
    if number is None:
        return False
    await front.database.run(
        callbacks.ask, origin=call.id, number=number, why=why, at=front.now(), language=call.language
    )
    await call.journal.step("callback_asked")
    await front.database.run(calls.end, call.id, front.now(), "callback")
    await call.inform("callback_registered", number=number)
    return True
