"""A complaint or thanks, told by voice. Nobody has to say who they are; the notice comes before the recording."""

from datetime import date, timedelta

from hospital.clocks import due
from ivr.call import Call, NoAnswer
from ivr.dialogues.message import leave_message
from ivr.front_desk import FrontDesk

KINDS = {"1": "complaint", "2": "thanks"}


async def give_feedback(call: Call, front: FrontDesk) -> None:
    """Ends with a case whose number the caller has heard, or with a person."""
    kind = KINDS[await call.menu("feedback_kind", keys="12")]
    if await call.menu("feedback_notice", keys="12") == "2":
        await call.journal.step("recording_refused")
        await call.transfer("reception", "feedback_to_a_person")
    await call.journal.step("recording_accepted")
    number = await leave_message(call, front, kind, "feedback_speak")
    if number is None:
        await call.transfer("reception", "nothing_said")
    with call.without_a_person():
        await _tell(call, kind, number, _answer_by(front, kind))


def _answer_by(front: FrontDesk, kind: str) -> date:
    """The last day on which the first clock is kept: clocks end at midnight."""
    end = due(kind, front.now(), front.care.clocks).acknowledge_by
    return end.astimezone(front.care.clocks.zone).date() - timedelta(days=1)


async def _tell(call: Call, kind: str, number: int, answer_by: date) -> None:
    """Until the caller has written it down; who just listens and hangs up has heard it once."""
    told = "complaint_kept" if kind == "complaint" else "thanks_kept"
    while True:
        await call.inform(told, case=str(number), day=answer_by)
        try:
            if await call.menu("hear_case_again", keys="12") == "2":
                return
        except NoAnswer:
            return
