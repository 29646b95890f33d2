"""Opening hours, the way here, what to bring: sentences of the site's own file. Nobody is asked who they are."""

from sqlalchemy.orm import Session

from hospital import outbox
from ivr.call import Call
from ivr.front_desk import FrontDesk

TOPICS = {"1": "opening_hours", "2": "directions", "3": "documents"}


async def hear_information(call: Call, front: FrontDesk) -> None:
    """One topic; what the site has not written down, a person says."""
    topic = TOPICS[await call.menu("information_menu", keys="123")]
    if topic not in front.site_says:
        await call.transfer("reception", "information")
    await call.journal.step("information", topic=topic)
    await call.say(topic)
    if topic == "directions" and call.caller_number is not None:
        await _offer_address(call, front, call.caller_number)


async def _offer_address(call: Call, front: FrontDesk, number: str) -> None:
    if await call.menu("address_by_sms", keys="12") == "2":
        return

    def queue_it(session: Session) -> None:
        once = f"address/{call.id}"
        outbox.put(session, once=once, key="address", locale=call.language, number=number, at=front.now())

    await front.database.run(queue_it)
    await call.say("address_is_sent")
