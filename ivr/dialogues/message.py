"""A caller's voice is recorded after a beep and becomes a case, also when the caller hangs up in the middle."""

from hospital import calls, identifiers
from hospital.cases import Teller
from ivr.call import Call
from ivr.front_desk import FrontDesk

MOST_S = 180.0
SILENCE_S = 6  # so long a pause is the end
TRIES = 2


async def leave_message(call: Call, front: FrontDesk, kind: str, question: str) -> int | None:
    """The number of the case; None where nothing was said, after asking once more. The notice has been spoken.

    `kind`: complaint, thanks or message. Raises `Transferred` also where nothing can be recorded just now."""
    teller = await teller_of(call, front)
    for attempt in range(TRIES):
        await call.inform(question if attempt == 0 else f"{question}.short")
        tape = await front.care.tapes.begin(kind, teller)
        if tape is None:
            await call.transfer("reception", "no_room_to_record")
        number: int | None = None
        try:
            await call.record(tape.path, most_s=MOST_S, silence_s=SILENCE_S)
        finally:
            number = await front.care.tapes.finish(tape)
        if number is not None:
            await call.journal.step("message_kept", about=kind, case=number)
            return number
        await call.say("nothing_heard")
    return None


async def teller_of(call: Call, front: FrontDesk) -> Teller:
    """The patient only where they have identified themselves in this call: a number alone is nobody's."""
    row = await front.database.run(calls.known, call.id)
    identified = row is not None and len(row.identified_by) >= identifiers.NEEDED
    return Teller(call.id, call.caller_number, row.patient_id if row and identified else None, call.language)
