"""How was the talk? One key after the agent has hung up; of a low rating the reason. Silence keeps nobody."""

from hospital import ratings
from hospital.clocks import due
from ivr.call import Call, NoAnswer
from ivr.front_desk import FrontDesk


async def rate(call: Call, front: FrontDesk) -> None:
    """Ends with a rating, a case where it is low, or without a word where this caller is not to be asked."""
    if not front.care.ask_rating:
        return
    decision = await front.database.run(ratings.ask, call.id, front.now(), front.care.clocks.zone)
    if not decision.allowed:
        await call.journal.step("not_asked_to_rate", because=decision.code)
        return
    try:
        score = int(await call.menu("rating_score", keys="12345"))
    except NoAnswer:
        return
    at = front.now()
    await front.database.run(ratings.rate, call.id, score, at, due("rating", at, front.care.clocks))
    await call.journal.step("rated", score=score)
    if score > ratings.LOW:
        await call.inform("rating_thanks")
        return
    try:
        reason = ratings.REASONS[await call.menu("rating_reason", keys="".join(ratings.REASONS))]
    except NoAnswer:
        reason = "other"
    await front.database.run(ratings.explain, call.id, reason)
    await call.inform("rating_thanks_low")
