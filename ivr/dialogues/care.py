"""What is about care and not about an appointment's time: which department, a nurse, a complaint or thanks."""

from ivr.call import Call
from ivr.dialogues.feedback import give_feedback
from ivr.dialogues.reason import because
from ivr.dialogues.triage import find_department
from ivr.front_desk import FrontDesk


async def care(call: Call, front: FrontDesk) -> None:
    """A key of the main menu leads here; ends with an appointment, a case, nothing, or a person."""
    match await call.menu("care_menu", keys="123"):
        case "1":
            await because(call, front, "triage")
            await find_department(call, front)
        case "2":
            await because(call, front, "nurse")
            await call.transfer("nurses", "wants_a_nurse")
        case "3":
            await because(call, front, "feedback")
            await give_feedback(call, front)
