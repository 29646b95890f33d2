"""The first minute: the site's greeting with the emergency number, the language, the main menu.

The urgent key and the operator key work from the first prompt on (`ivr.call`). Nothing is asked of a caller who has
no language of ours: they hear so in English and are offered a person.
"""

from hospital import calls
from ivr.call import Call, NoAnswer, Prompt
from ivr.dialogues.appointments import hear_and_cancel
from ivr.dialogues.booking import book
from ivr.front_desk import FrontDesk

FALLBACK = "en"


async def inbound(call: Call, front: FrontDesk) -> None:
    """A patient calls the hospital's number."""
    await choose_language(call, front)
    while True:
        match await call.menu("main_menu", keys="123"):
            case "1":
                await _because(call, front, "book")
                await book(call, front)
            case "2":
                await _because(call, front, "my_appointments")
                await hear_and_cancel(call, front)
            case "3":
                await _because(call, front, "other")
                await call.transfer("reception", "other_matter")


async def choose_language(call: Call, front: FrontDesk) -> None:
    """Sets the call's language; who chooses none that is spoken hears English and is offered a person."""
    offers = [Prompt("choose_language").in_language(language) for language in front.language_keys.values()]
    try:
        key = await call.menu([Prompt("welcome"), *offers], keys="".join(front.language_keys))
    except NoAnswer as nobody:
        await call.transfer(nobody.queue, "no_language_chosen")
    wanted = front.language_keys[key]
    await front.database.run(calls.update_call, call.id, language=wanted)
    await call.use_language(wanted if wanted in front.spoken else FALLBACK)
    if wanted not in front.spoken:
        await call.menu("language_not_spoken", keys="1")


async def _because(call: Call, front: FrontDesk, reason: str) -> None:
    """Why they call: the first thing an agent wants to know."""
    await front.database.run(calls.update_call, call.id, reason=reason)
