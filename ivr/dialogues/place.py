"""Key 2 in a queue: the place and the wait as a text message. The caller comes back to the same place in the line."""

from typing import Any

from sqlalchemy.orm import Session

from hospital import calls, outbox, waiting
from ivr.call import Call, Transferred
from ivr.front_desk import FrontDesk


async def send_place(call: Call, front: FrontDesk) -> None:
    """Raises `Transferred` with the place in every case: nobody loses it by asking for it."""
    row = await front.database.run(calls.known, call.id)
    queue = (row and row.queue) or "reception"
    at = front.now()
    forecast = await front.database.run(waiting.forecast, queue, at, call.id)
    number = call.caller_number
    if number is None:
        await call.say("place_no_number")
    else:
        counts: dict[str, Any] = {"n": forecast.place} | (
            {} if forecast.minutes is None else {"minutes": forecast.minutes}
        )
        key = "queue_place" if forecast.minutes is None else "queue_place_minutes"

        def queue_it(session: Session) -> None:
            once = f"queue_place/{call.id}/{forecast.place}"
            until = at + outbox.AT_ONCE
            outbox.put(
                session, once=once, key=key, locale=call.language, number=number, at=at, useful_until=until, **counts
            )

        await front.database.run(queue_it)
        await call.journal.step("place_sent", place=forecast.place)
        await call.say("place_is_sent")
    raise Transferred(queue, "waits_on", forecast.place)
