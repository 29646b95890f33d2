"""Why somebody calls, written down as soon as it is known: the first thing an agent wants to see."""

from hospital import calls
from ivr.call import Call
from ivr.front_desk import FrontDesk


async def because(call: Call, front: FrontDesk, reason: str) -> None:
    await front.database.run(calls.update_call, call.id, reason=reason)
