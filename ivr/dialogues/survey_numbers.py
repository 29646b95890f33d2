"""Numbers and dates: typed or said, judged, and read back. Times are typed. Whoever hangs up instead of agreeing to the
read-back has given the answer all the same. What was said and agreed to is not read back once more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ivr.call import Back, Prompt
from ivr.dialogues.survey_question import TRIES, Question
from ivr.readings import Reading, SpokenNumber, ToldDate, as_date
from ivr.turn import DigitsOf
from scripts.answers import AnswerRefused, validate_answer
from scripts.placeholders import Value
from scripts.questionnaire import Answer, Item, ItemType

Typed = tuple[object, bool]
"""What an answer's type takes, and whether the caller has agreed to it already."""


@dataclass(slots=True)
class _Heard:
    """A reading that knows what it found last: whatever comes of it was agreed to."""

    reading: Reading
    found: str | None = None

    def read(self, words: str, language: str) -> str | None:
        self.found = self.reading.read(words, language)
        return self.found

    def read_back(self, answer: str) -> Prompt:
        return self.reading.read_back(answer)


async def number(asked: Question) -> None:
    item = asked.item
    decimals = item.type is not ItemType.INTEGER
    longest = len(str(int(item.maximum))) if item.maximum is not None else 10
    question = [_range(item)]
    if item.unit:
        question.append(Prompt("survey_in_unit", unit=item.unit))
    if decimals:
        question.append(Prompt("survey_decimal"))

    wanted = DigitsOf(1, longest + 3 * decimals, star_is_x=decimals)

    async def typed(question: list[Prompt]) -> Typed:
        maximum, reading = wanted.maximum, _Heard(SpokenNumber(wanted))
        keys = await asked.call.digits(question, maximum=maximum, star_is_x=decimals, reading=reading)
        return keys.replace("*", ".", 1), keys == reading.found

    await _typed(asked, question, typed, lambda value: value)


async def moment(asked: Question) -> None:
    kind = asked.item.type

    async def typed(question: list[Prompt]) -> Typed:
        parts, front, agreed = [], asked.sitting.front, False
        if kind is not ItemType.TIME:
            reading = _Heard(ToldDate(front.now().astimezone(front.zone).date()))
            keys = await asked.call.digits(question, length=8, reading=reading)
            told = as_date(keys)
            parts.append(told.isoformat() if told else "")
            agreed = kind is ItemType.DATE and keys == reading.found
            question = [Prompt("survey_type_time")]
        if kind is not ItemType.DATE:
            keys = await asked.call.digits(question, length=4, aloud=False)  # no rule reads times from speech yet
            parts.append(f"{keys[:2]}:{keys[2:]}")
        return "T".join(parts), agreed

    question = [Prompt("survey_type_time" if kind is ItemType.TIME else "survey_type_date")]
    await _typed(asked, question, typed, _as_time)


async def _typed(
    asked: Question,
    question: list[Prompt],
    typed: Callable[[list[Prompt]], Awaitable[Typed]],
    worded: Callable[[Answer], Value | Answer],
) -> None:
    """Asks until something possible was typed and found right."""
    call, item = asked.call, asked.item
    whole = [*asked.statement, *question]
    if asked.optional and not asked.before:
        if await call.menu([*asked.statement, Prompt("survey_answer_or_skip")], keys="12") == "2":
            await asked.sitting.save(asked.place, None)
            return
        whole = question
    for _ in range(TRIES):
        try:
            answer, agreed = await typed(whole)
            value = _judged(item, answer)
        except AnswerRefused:
            await call.say("survey_not_possible")
            continue
        if agreed:
            await asked.save(value)
            return
        if await _agreed(asked, value, worded(value)):
            return
    await call.transfer(call.house.operator_queue, "no_answer")


async def _agreed(asked: Question, value: Answer, told: Value | Answer) -> bool:
    """Reads it back. Only who says no, or goes back, has not given it."""
    kept = True
    try:
        kept = await asked.call.menu("survey_read_back", keys="12", given=told) == "1"
    except Back:
        kept = False
        raise
    finally:
        if kept:
            await asked.write(value)
    if kept:
        await asked.sitting.leave_if_flagged()
    return kept


def _judged(item: Item, raw: object) -> Answer:
    """One answer, of several too. Raises `AnswerRefused`."""
    value = validate_answer(item, raw)
    if value is None:
        raise AnswerRefused("an answer is needed")
    return value[0] if item.repeats and isinstance(value, list) else value


def _range(item: Item) -> Prompt:
    if item.minimum is None or item.maximum is None:
        return Prompt("survey_type_any_number")
    return Prompt("survey_type_number", low=_plain(item.minimum), high=_plain(item.maximum))


def _plain(number: float) -> int | float:
    return int(number) if number == int(number) else number


def _as_time(value: Answer) -> Value:
    written = str(value)
    if "T" in written:
        return dt.datetime.fromisoformat(written)
    return dt.date.fromisoformat(written) if "-" in written else dt.time.fromisoformat(written)
