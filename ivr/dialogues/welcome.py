"""The first minute: the greeting in the caller's language (`language.py`), our call to them if they return it
(`returning.py`), then the main menu.

The urgent key and the operator key work from the first prompt on (`ivr.call`).
"""

from collections.abc import Awaitable, Callable

from ivr.call import Call, Prompt
from ivr.dialogues.appointments import my_appointments
from ivr.dialogues.booking import book
from ivr.dialogues.care import care
from ivr.dialogues.information import hear_information
from ivr.dialogues.language import welcome
from ivr.dialogues.opening import tell_if_closed
from ivr.dialogues.preferences import change_preferences
from ivr.dialogues.reason import because
from ivr.dialogues.results import hear_results
from ivr.dialogues.returning import return_our_call
from ivr.dialogues.survey import answer_questions
from ivr.front_desk import FrontDesk
from scripts.menu_sheet import SHIPPED, Menu


async def inbound(call: Call, front: FrontDesk) -> None:
    """A patient calls the hospital's number."""
    await welcome(call, front)
    await tell_if_closed(call, front)
    await return_our_call(call, front)
    menu = dict(front.menu or SHIPPED)
    while True:
        with call.returning():
            pressed = await call.menu(_offers(front.menu), keys="".join(menu), tell_keys=True)
            call.new_matter = True
            await CONVERSATIONS[menu[pressed]](call, front)


def _offers(menu: Menu | None) -> list[Prompt]:
    """One sentence as shipped; one for each choice where the site has a menu of its own."""
    if menu is None:
        return [Prompt("main_menu")]
    return [*(Prompt(f"offer_{leads_to}", key=int(key)) for key, leads_to in menu), Prompt("offer_person")]


async def results(call: Call, front: FrontDesk) -> None:
    await because(call, front, "results")
    await hear_results(call, front)


async def information(call: Call, front: FrontDesk) -> None:
    await because(call, front, "information")
    await hear_information(call, front)


async def about_appointments(call: Call, front: FrontDesk) -> None:
    while True:
        key = await call.menu("appointments_menu", keys="123")
        with call.returning():
            match key:
                case "1":
                    await to_book(call, front)
                case "2":
                    await booked(call, front)
                case "3":
                    await to_book_examination(call, front)
            return


async def to_book(call: Call, front: FrontDesk) -> None:
    await because(call, front, "book")
    await book(call, front)


async def booked(call: Call, front: FrontDesk) -> None:
    await because(call, front, "my_appointments")
    await my_appointments(call, front)


async def to_book_examination(call: Call, front: FrontDesk) -> None:
    await because(call, front, "examination")
    await book(call, front, "examination")


async def our_questions(call: Call, front: FrontDesk) -> None:
    await because(call, front, "survey")
    await answer_questions(call, front)


async def something_else(call: Call, front: FrontDesk) -> None:
    match await call.menu("something_else", keys="123"):
        case "1":
            await because(call, front, "preferences")
            await change_preferences(call, front)
        case "2":
            await because(call, front, "other")
            await call.transfer("reception", "other_matter")
        case "3":
            await our_questions(call, front)


CONVERSATIONS: dict[str, Callable[[Call, FrontDesk], Awaitable[None]]] = {
    "appointments": about_appointments,
    "results": results,
    "information": information,
    "care": care,
    "other": something_else,
    "book": to_book,
    "my_appointments": booked,
    "examination": to_book_examination,
    "survey": our_questions,
}
"""What a main menu may lead to; `scripts/menu_sheet.py` checks the site's."""
