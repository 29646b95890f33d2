"""Numbers, dates and times: typed or said, judged, and read back. Whoever hangs up instead of agreeing to the read-back
has given the answer all the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable

from ivr.call import Back, Prompt
from ivr.dialogues.survey_question import TRIES, Question
from ivr.readings import SpokenNumber
from ivr.turn import DigitsOf
from scripts.answers import AnswerRefused, validate_answer
from scripts.placeholders import Value
from scripts.questionnaire import Answer, Item, ItemType

YEARS = range(1880, 2200)


async def number(asked: Question) -> None:
    item = asked.item
    decimals = item.type is not ItemType.INTEGER
    longest = len(str(int(item.maximum))) if item.maximum is not None else 9
    question = [_range(item)]
    if item.unit:
        question.append(Prompt("survey_in_unit", unit=item.unit))
    if decimals:
        question.append(Prompt("survey_decimal"))

    wanted = DigitsOf(1, longest + 3 * decimals, star_is_x=decimals)

    async def typed(question: list[Prompt]) -> object:
        maximum, reading = wanted.maximum, SpokenNumber(wanted)
        keys = await asked.call.digits(question, maximum=maximum, star_is_x=decimals, reading=reading)
        return keys.replace("*", ".", 1)

    await _typed(asked, question, typed, lambda value: value)


async def moment(asked: Question) -> None:
    kind = asked.item.type

    async def typed(question: list[Prompt]) -> object:
        parts = []
        if kind is not ItemType.TIME:
            parts.append(_date(await asked.call.digits(question, length=8, aloud=False)))
            question = [Prompt("survey_type_time")]
        if kind is not ItemType.DATE:
            keys = await asked.call.digits(question, length=4, aloud=False)  # no rule reads times from speech yet
            parts.append(f"{keys[:2]}:{keys[2:]}")
        return "T".join(parts)

    question = [Prompt("survey_type_time" if kind is ItemType.TIME else "survey_type_date")]
    await _typed(asked, question, typed, _as_time)


async def _typed(
    asked: Question,
    question: list[Prompt],
    typed: Callable[[list[Prompt]], Awaitable[object]],
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
            value = _judged(item, await typed(whole))
        except AnswerRefused:
            await call.say("survey_not_possible")
            continue
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


def _date(typed: str) -> str:
    """Day first, or year first as in Chinese; nothing where it is neither."""
    for day, month, year in ((typed[:2], typed[2:4], typed[4:]), (typed[6:], typed[4:6], typed[:4])):
        try:
            found = dt.date(int(year), int(month), int(day))
        except ValueError:
            continue
        if found.year in YEARS:
            return found.isoformat()
    return ""


def _as_time(value: Answer) -> Value:
    written = str(value)
    if "T" in written:
        return dt.datetime.fromisoformat(written)
    return dt.date.fromisoformat(written) if "-" in written else dt.time.fromisoformat(written)
