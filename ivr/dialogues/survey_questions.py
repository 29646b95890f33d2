"""How each kind of question is asked by key, and by voice where the line has ears.

One choice of many goes by pages; several choices are asked one by one (`survey_choices.py`); a number, a date or a time
is typed and read back (`survey_numbers.py`); what somebody wants to say in their own words is recorded, after a notice,
and becomes a case (`survey_words.py`). What need not be answered may be left out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ivr.call import Prompt
from ivr.dialogues.survey_choices import ONE_BY_ONE, choice, one_by_one, yes_or_no
from ivr.dialogues.survey_numbers import moment, number
from ivr.dialogues.survey_question import TRIES, Question, whether
from ivr.dialogues.survey_words import own_words
from scripts.filling import Place
from scripts.questionnaire import CHOICES, MOMENTS, NUMBERS, WORDS, ItemType

if TYPE_CHECKING:
    from ivr.dialogues.survey import Sitting


async def ask(sitting: Sitting, place: Place) -> None:
    """Asks one place and saves what is answered. Raises `Back`, `Transferred`, `CallerLeft`."""
    item, asked = place.item, Question(sitting, place)
    if place.counts:
        await _whether_another(asked)
    elif item.type in CHOICES and item.repeats and len(item.options) <= ONE_BY_ONE:
        await one_by_one(asked)
    elif item.repeats:
        await _several(asked)
    else:
        await _ONE[item.type](asked)


async def _several(asked: Question) -> None:
    """One answer, and whether there is another one, until there is none."""
    so_far, _ = asked.cut_off()
    most = asked.item.most or TRIES * ONE_BY_ONE
    while len(so_far) < most:
        if so_far and not await whether(asked.call, "survey_another"):
            break
        await _ONE[asked.item.type](replace(asked, before=tuple(so_far)))
        before, (so_far, _) = len(so_far), asked.cut_off()
        if len(so_far) == before:
            break
    await asked.sitting.save(asked.place, so_far or None)


async def _whether_another(asked: Question) -> None:
    """Of what repeats. One that has no answer yet, because the caller came back here, is not counted."""
    sitting, place = asked.sitting, asked.place
    filling = sitting.filling
    times = filling.times(place)
    last = [one for one in filling.places if one.repetition[: len(place.repetition) + 1] == (*place.repetition, times)]
    inside = [one for one in last if place in one.around()]
    if times and not any(sitting.given(one) is not None for one in inside):
        times -= 1
    question = [Prompt("survey_another" if times else "survey_something")]
    if place.item.of_answers:  # what was asked about the answer before lies between
        question = [*asked.statement, *question]
    another = await asked.call.menu(question, keys="12") == "1"
    await sitting.save(place, {"so_far": times + 1} if another else times)


_ONE: dict[ItemType, Callable[[Question], Awaitable[None]]] = {
    ItemType.BOOLEAN: yes_or_no,
    **dict.fromkeys(CHOICES, choice),
    **dict.fromkeys(NUMBERS, number),
    **dict.fromkeys(MOMENTS, moment),
    **dict.fromkeys(WORDS, own_words),
}
