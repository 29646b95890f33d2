"""What somebody wants to say in their own words: recorded after a notice, and a case that holds it."""

from __future__ import annotations

from ivr.call import Prompt
from ivr.dialogues.survey_question import Question, whether

MOST_S, SILENCE_S = 180.0, 6


async def own_words(asked: Question) -> None:
    if await asked.call.menu([*asked.statement, Prompt("survey_speak_or_skip")], keys="12") == "2":
        await asked.save(None)
    else:
        await record(asked, noticed=True)


async def record(asked: Question, noticed: bool = False) -> None:
    """Records it, and saves which case holds it, also where the caller hangs up in the middle."""
    call, front = asked.call, asked.sitting.front
    if not noticed and not await whether(call, "survey_speak_or_skip"):
        await asked.save(None)
        return
    for attempt in range(2):
        tape = await front.care.tapes.begin("message", asked.sitting.teller())
        if tape is None:
            break  # no room to record: a nurse will ask
        number: int | None = None
        try:  # from here on: whoever hangs up before the tone has said nothing, and nothing is left open
            await call.inform("survey_speak" if not attempt else "survey_speak.short")
            await call.record(tape.path, most_s=MOST_S, silence_s=SILENCE_S)
        finally:
            number = await front.care.tapes.finish(tape)
            if number is not None:
                await asked.write({"voice": number})
        if number is not None:
            return
        await call.say("nothing_heard")
    await asked.save(None)
