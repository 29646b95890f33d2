"""What a caller hears while it is closed. The machine goes on: appointments are booked and cancelled at any hour."""

from hospital import opening
from hospital.opening import Opening
from ivr.call import Call, Transferred
from ivr.dialogues.unattended import call_back_later, offer
from ivr.front_desk import FrontDesk


async def tell_if_closed(call: Call, front: FrontDesk) -> None:
    """Before the main menu."""
    now = await front.database.run(opening.now_open, front.now(), front.care.hours)
    if not now.open:
        await call.journal.step("closed", why=now.why)
        with call.without_a_person():
            await _say(call, now)
        await call.say("closed_possible")


async def instead_of_a_person(call: Call, front: FrontDesk, now: Opening) -> None:
    """A call back or a message. Raises `Transferred`: the urgent key works here as everywhere, and who withholds their
    number and chooses nothing is left to whoever hears the telephone."""
    try:
        with call.without_a_person():
            await _say(call, now)
            await offer(call, front, "after_hours")
    except Transferred as asked:
        if asked.queue == call.house.urgent_queue:
            raise
        if not await call_back_later(call, front, "after_hours"):
            raise


async def _say(call: Call, now: Opening) -> None:
    """Each names the emergency number."""
    if now.notices:
        await call.inform("closed_emergency", notice=now.notices)
    elif now.opens_at is not None:
        await call.say("closed_holiday" if now.why == "holiday" else "closed_hours", when=now.opens_at)
