"""Somebody who has no record here: birth date and number, an item that reception owns, nothing else.

No time is booked or held for them. Without a record there is nobody whose appointment it would be: a name that is not
on file cannot be matched to a referral or to an allergy, two calls would make two records, and anybody could block a
doctor's times without being known. Reception registers them first, and books in the same call.
"""

from datetime import date

from hospital import callbacks
from ivr.call import Call
from ivr.dialogues.callback import ask_number
from ivr.front_desk import FrontDesk


async def note_newcomer(call: Call, front: FrontDesk, birth: str) -> None:
    """`birth`: an ISO date, typed by the caller."""
    number = await ask_number(call, front)
    await front.database.run(
        callbacks.ask_new_patient,
        origin=call.id,
        number=number,
        birth=date.fromisoformat(birth),
        at=front.now(),
        language=call.language,
    )
    await call.journal.step("new_patient")
    await call.inform("new_patient_noted", number=number)
