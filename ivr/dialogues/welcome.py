"""The first minute: the greeting in the caller's language (`language.py`), then the main menu.

The urgent key and the operator key work from the first prompt on (`ivr.call`).
"""

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
from ivr.dialogues.survey import answer_questions
from ivr.front_desk import FrontDesk


async def inbound(call: Call, front: FrontDesk) -> None:
    """A patient calls the hospital's number."""
    await welcome(call, front)
    await tell_if_closed(call, front)
    while True:
        with call.returning():
            match await call.menu([Prompt("main_menu"), Prompt("repeat_hint")], keys="12345"):
                case "1":
                    await about_appointments(call, front)
                case "2":
                    await because(call, front, "results")
                    await hear_results(call, front)
                case "3":
                    await because(call, front, "information")
                    await hear_information(call, front)
                case "4":
                    await care(call, front)
                case "5":
                    await something_else(call, front)


async def about_appointments(call: Call, front: FrontDesk) -> None:
    while True:
        key = await call.menu("appointments_menu", keys="123")
        with call.returning():
            match key:
                case "1":
                    await because(call, front, "book")
                    await book(call, front)
                case "2":
                    await because(call, front, "my_appointments")
                    await my_appointments(call, front)
                case "3":
                    await because(call, front, "examination")
                    await book(call, front, "examination")
            return


async def something_else(call: Call, front: FrontDesk) -> None:
    match await call.menu("something_else", keys="123"):
        case "1":
            await because(call, front, "preferences")
            await change_preferences(call, front)
        case "2":
            await because(call, front, "other")
            await call.transfer("reception", "other_matter")
        case "3":
            await because(call, front, "survey")
            await answer_questions(call, front)
