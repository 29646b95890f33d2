"""The caller would rather be called back than wait: which number, noted once, promised."""

from hospital import callbacks, calls, patients
from ivr.call import Call
from ivr.front_desk import FrontDesk


async def ask_callback(call: Call, front: FrontDesk, why: str = "asked") -> None:
    """Ends with an owned item, or back with a person. `why`: 'asked' from a queue, or 'after_hours'."""
    number = await ask_number(call, front)
    await front.database.run(
        callbacks.ask, origin=call.id, number=number, why=why, at=front.now(), language=call.language
    )
    await call.journal.step("callback_asked")
    await front.database.run(calls.end, call.id, front.now(), "callback")  # hanging up now is no "left"
    await call.inform("callback_registered", number=number)


async def ask_number(call: Call, front: FrontDesk) -> str:
    """Where the caller can be reached, in E.164: the calling number or another."""
    number = call.caller_number
    if number is None or await call.menu("callback_confirm_number", keys="12", number=number) == "2":
        return await _another_number(call, front)
    return number


async def _another_number(call: Call, front: FrontDesk) -> str:
    for _ in range(3):
        typed = await call.digits("callback_ask_number", minimum=6, maximum=15)
        number = patients.normalise_number(typed, front.country)
        if number is not None:
            return number
        await call.say("callback_number_wrong")
    await call.transfer("reception", "no_callback_number")
