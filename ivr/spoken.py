"""What a call takes of what was said. What the engine is sure of counts; all else is said back, and counts with a yes.

In this order: a phrase of the question that is sure; an alarm, in whatever words; the caller's own words, read by the
question's rule; a word of the house among them; a phrase that is doubtful.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ivr.leaving import NoAnswer
from ivr.readings import Reading
from ivr.turn import Digits, Key, Keys, Prompt, Speech
from ivr.understanding import Certainty, certainty
from speech.ears import Grammar

YES_OR_NO = "12"

if TYPE_CHECKING:
    from ivr.call import Call


async def meant(call: Call, said: Speech, grammar: Grammar | None, reading: Reading | None) -> Key | Digits | None:
    """The key that was meant, of the question or of the house; or what `reading` read; None for neither. Raises
    `Transferred` where the answer to a read-back is a person."""
    sure = certainty(said)
    if grammar is not None and said.label is not None and sure is Certainty.SURE:
        return Key(said.label)
    house = call.phrases.house_key(said.words, call.language) if call.phrases and said.words else None
    if house is not None and house == call.house.urgent:
        call.alarm_in_doubt = True  # until it is answered: who hangs up meanwhile has raised it
        agreed = await _agrees(call, _alarm(call), silence=True)
        call.alarm_in_doubt = False
        return Key(house) if agreed else None
    if reading is not None and (answer := reading.read(said.words, call.language)) is not None:
        return Digits(answer) if await _agrees(call, reading.read_back(answer)) else None
    if house is not None:
        return Key(house)
    if grammar is not None and said.label is not None and sure is Certainty.DOUBTFUL:
        read_back = Prompt("did_you_say", said=grammar.phrases[said.label][0])
        if await _agrees(call, read_back, silence=said.label == call.house.urgent):
            return Key(said.label)
    return None


async def _agrees(call: Call, read_back: Prompt, *, silence: bool = False) -> bool:
    """Asks twice for a yes or a no. `silence`: what any other answer means; for urgent help it is a yes, at once."""
    yes_or_no = call.phrases.yes_or_no(call.language) if call.phrases else None
    for question in (read_back,) if silence else (read_back, read_back.in_form("short")):
        match await call.play(question, Keys(YES_OR_NO, grammar=yes_or_no)):
            case Key(answer):
                await call.leave(answer)
            case Speech(answer) as said if answer is not None and certainty(said) is Certainty.SURE:
                await call.leave(answer, "voice")
            case _:
                continue
        if answer in YES_OR_NO:
            return answer == YES_OR_NO[0]
    return silence


def _alarm(call: Call) -> Prompt:
    if call.phrases is None or call.house.urgent is None:
        raise NoAnswer(call.house.operator_queue, "no_answer")
    return Prompt("did_you_say", said=call.phrases.alarm(call.language))
