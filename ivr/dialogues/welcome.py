"""The first minute: the greeting in the caller's language (`language.py`), then the main menu.

The urgent key and the operator key work from the first prompt on (`ivr.call`).
"""

from hospital import calls
from ivr.call import Call
from ivr.dialogues.appointments import hear_and_cancel
from ivr.dialogues.booking import book
from ivr.dialogues.language import welcome
from ivr.front_desk import FrontDesk


async def inbound(call: Call, front: FrontDesk) -> None:
    """A patient calls the hospital's number."""
    await welcome(call, front)
    while True:
        with call.returning():
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


async def _because(call: Call, front: FrontDesk, reason: str) -> None:
    """Why they call: the first thing an agent wants to know."""
    await front.database.run(calls.update_call, call.id, reason=reason)
