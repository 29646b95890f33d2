"""How each kind of question is asked by key, and by voice where the line has ears.

One choice of many goes by pages; several choices are asked one by one; a number, a date or a time is typed and read
back; what somebody wants to say in their own words is recorded, after a notice, and becomes a case. What need not be
answered may be left out. Whoever hangs up instead of agreeing to a read-back has given the answer all the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ivr.call import Back, Call, Prompt
from ivr.choosing import MOST
from ivr.readings import SpokenNumber
from ivr.turn import DigitsOf
from scripts.answers import AnswerRefused, validate_answer
from scripts.filling import Filling, Place
from scripts.placeholders import Value
from scripts.questionnaire import CHOICES, NUMBERS, Answer, Item, ItemType, Option, Text

if TYPE_CHECKING:
    from ivr.dialogues.survey import Sitting

SKIP = 6
TRIES = 3
ONE_BY_ONE = 12  # options; of more one is chosen, and then another
MOST_S, SILENCE_S = 180.0, 6
YEARS = range(1880, 2200)


class _Other:
    """Something else than the options."""


OTHER = _Other()
Row = Option | _Other


def leads(filling: Filling, place: Place) -> Iterator[tuple[str, Text]]:
    """What is said before a place: the headings of its groups, and words that stand right before it. Key and text."""
    for around in reversed(list(place.around())):
        if around.item.type is ItemType.GROUP and around.item.text:
            depth = len(around.repetition) + 1
            yield f"{around.key}/{place.repetition[:depth] if around.counts else ''}", around.item.said
    at = filling.places.index(place)
    before: list[Place] = []
    for one in reversed(filling.places[:at]):
        if one.item.asks or one.counts:
            break
        if one.item.type is ItemType.DISPLAY and filling.enabled(one):
            before.insert(0, one)
    yield from ((one.key, one.item.said) for one in before)


async def ask(sitting: Sitting, place: Place) -> None:
    """Asks one place and saves what is answered. Raises `Back`, `Transferred`, `CallerLeft`."""
    item = place.item
    if place.counts:
        await _whether_another(sitting, place)
    elif item.type in CHOICES and item.repeats and len(item.options) <= ONE_BY_ONE:
        await _one_by_one(sitting, place)
    elif item.repeats:
        await _several(sitting, place)
    else:
        await _ONE[item.type](sitting, place, [])


# ── Yes or no, one of many ──────────────────────────────────────────────────────────────────────────────────────────


async def _yes_or_no(sitting: Sitting, place: Place, before: list[Answer]) -> None:
    key = await sitting.call.menu(
        [*_statement(place.item), Prompt("survey_yes_no"), *_skip(place)], keys="12" + _k(place)
    )
    await _save(sitting, place, None if key == str(SKIP) else key == "1", before)


async def _choice(sitting: Sitting, place: Place, before: list[Answer]) -> None:
    chosen = await _one_of(sitting.call, place)
    if isinstance(chosen, _Other):
        await _record(sitting, place, before)
    else:
        await _save(sitting, place, chosen.code if chosen else None, before)


async def _one_of(call: Call, place: Place) -> Row | None:
    """None: left out. By pages where there are more than five, the last of which leads to the first."""
    rows: list[Row] = [*place.item.options, *([OTHER] if place.item.type is ItemType.OPEN_CHOICE else [])]
    size = MOST if len(rows) <= MOST else MOST - 1
    first = 0
    while True:
        shown = rows[first : first + size]
        asked = [*(_statement(place.item) if not first else []), *_rows(shown)]
        keys = "12345"[: len(shown)]
        if len(rows) > MOST:
            keys += str(MOST)
            asked.append(Prompt("more_choices", key=MOST))
        key = int(await call.menu([*asked, *_skip(place)], keys=keys + _k(place)))
        if key == SKIP:
            return None
        if key <= len(shown):
            return shown[key - 1]
        first = first + size if first + size < len(rows) else 0


def _rows(shown: Sequence[Row]) -> list[Prompt]:
    choices: list[dict[str, Value]] = [
        {"answer": _said(row), "key": key} for key, row in enumerate(shown, 1) if isinstance(row, Option)
    ]
    prompts = [Prompt("survey_choices", choices=choices)] if choices else []
    return prompts if len(choices) == len(shown) else [*prompts, Prompt("survey_other", key=len(shown))]


# ── Several ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _one_by_one(sitting: Sitting, place: Place) -> None:
    """Each option by itself, saved at once; who was cut off goes on with the next option."""
    call, item = sitting.call, place.item
    alone = next((option for option in item.options if option.exclusive), None)
    others = [option for option in item.options if option is not alone]
    so_far, asked = _cut_off(sitting, place)
    if asked:
        await call.say("survey_statement", asked=item.said.by_language)
    else:
        if alone is not None:
            choices: list[dict[str, Value]] = [{"answer": _said(option), "key": 1} for option in others]
            question = Prompt("survey_any", choices=choices, answer=_said(alone))
            key = await call.menu([*_statement(item), question, *_skip(place)], keys="12" + _k(place))
            if key != "1":
                await sitting.save(place, [alone.code] if key == "2" else None)
                return
        else:
            await call.say("survey_statement", asked=item.said.by_language)
        await call.say("survey_each")
    for option in others:
        if option.code in asked:
            continue
        each = [Prompt("survey_item", answer=_said(option)), Prompt("survey_yes_no")]
        if await call.menu(each, keys="12") == "1":
            so_far.append(option.code)
        asked.append(option.code)
        await sitting.save(place, {"so_far": list(so_far), "asked": list(asked)})
    if item.type is ItemType.OPEN_CHOICE and await _whether(call, "survey_something"):
        await _record(sitting, place, so_far)
    else:
        await sitting.save(place, so_far or None)


async def _several(sitting: Sitting, place: Place) -> None:
    """One answer, and whether there is another one, until there is none."""
    so_far, _ = _cut_off(sitting, place)
    most = place.item.most or TRIES * ONE_BY_ONE
    while len(so_far) < most:
        if so_far and not await _whether(sitting.call, "survey_another"):
            break
        await _ONE[place.item.type](sitting, place, list(so_far))
        before, (so_far, _) = len(so_far), _cut_off(sitting, place)
        if len(so_far) == before:
            break
    await sitting.save(place, so_far or None)


async def _whether_another(sitting: Sitting, place: Place) -> None:
    """Of a group that repeats. One that has no answer yet, because the caller came back here, is not counted."""
    filling = sitting.filling
    times = filling.times(place)
    last = [one for one in filling.places if one.repetition[: len(place.repetition) + 1] == (*place.repetition, times)]
    inside = [one for one in last if place in one.around()]
    if times and not any(sitting.given(one) is not None for one in inside):
        times -= 1
    another = await _whether(sitting.call, "survey_another" if times else "survey_something")
    await sitting.save(place, {"so_far": times + 1} if another else times)


async def _whether(call: Call, question: str) -> bool:
    return await call.menu(question, keys="12") == "1"


# ── Numbers, dates and times ────────────────────────────────────────────────────────────────────────────────────────


async def _number(sitting: Sitting, place: Place, before: list[Answer]) -> None:
    item = place.item
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
        keys = await sitting.call.digits(question, maximum=maximum, star_is_x=decimals, reading=reading)
        return keys.replace("*", ".", 1)

    await _typed(sitting, place, before, question, typed, lambda value: value)


async def _moment(sitting: Sitting, place: Place, before: list[Answer]) -> None:
    kind = place.item.type

    async def typed(question: list[Prompt]) -> object:
        parts = []
        if kind is not ItemType.TIME:
            parts.append(_date(await sitting.call.digits(question, length=8, aloud=False)))
            question = [Prompt("survey_type_time")]
        if kind is not ItemType.DATE:
            keys = await sitting.call.digits(question, length=4, aloud=False)  # no rule reads times from speech yet
            parts.append(f"{keys[:2]}:{keys[2:]}")
        return "T".join(parts)

    question = [Prompt("survey_type_time" if kind is ItemType.TIME else "survey_type_date")]
    await _typed(sitting, place, before, question, typed, _as_time)


async def _typed(
    sitting: Sitting,
    place: Place,
    before: list[Answer],
    question: list[Prompt],
    typed: Callable[[list[Prompt]], Awaitable[object]],
    worded: Callable[[Answer], Value | Answer],
) -> None:
    """Asks until something possible was typed and found right."""
    call, item = sitting.call, place.item
    asked = [*_statement(item), *question]
    if not item.required and not before:
        if await call.menu([*_statement(item), Prompt("survey_answer_or_skip")], keys="12") == "2":
            await sitting.save(place, None)
            return
        asked = question
    for _ in range(TRIES):
        try:
            value = _judged(item, await typed(asked))
        except AnswerRefused:
            await call.say("survey_not_possible")
            continue
        if await _agreed(sitting, place, value, before, worded(value)):
            return
    await call.transfer(call.house.operator_queue, "no_answer")


async def _agreed(sitting: Sitting, place: Place, value: Answer, before: list[Answer], told: Value | Answer) -> bool:
    """Reads it back. Only who says no, or goes back, has not given it."""
    kept = True
    try:
        kept = await sitting.call.menu("survey_read_back", keys="12", given=told) == "1"
    except Back:
        kept = False
        raise
    finally:
        if kept:
            await sitting.write(place, _with(place, value, before))
    if kept:
        await sitting.leave_if_flagged()
    return kept


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


# ── In one's own words ──────────────────────────────────────────────────────────────────────────────────────────────


async def _words(sitting: Sitting, place: Place, before: list[Answer]) -> None:
    if await sitting.call.menu([*_statement(place.item), Prompt("survey_speak_or_skip")], keys="12") == "2":
        await _save(sitting, place, None, before)
    else:
        await _record(sitting, place, before, noticed=True)


async def _record(sitting: Sitting, place: Place, before: list[Answer], noticed: bool = False) -> None:
    """Records it, and saves which case holds it, also where the caller hangs up in the middle."""
    call, front = sitting.call, sitting.front
    if not noticed and not await _whether(call, "survey_speak_or_skip"):
        await _save(sitting, place, None, before)
        return
    for attempt in range(2):
        tape = await front.care.tapes.begin("message", sitting.teller())
        if tape is None:
            break  # no room to record: a nurse will ask
        await call.inform("survey_speak" if not attempt else "survey_speak.short")
        number: int | None = None
        try:
            await call.record(tape.path, most_s=MOST_S, silence_s=SILENCE_S)
        finally:
            number = await front.care.tapes.finish(tape)
            if number is not None:
                await sitting.write(place, _with(place, {"voice": number}, before))
        if number is not None:
            return
        await call.say("nothing_heard")
    await _save(sitting, place, None, before)


# ── Small parts ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _statement(item: Item) -> list[Prompt]:
    return [Prompt("survey_statement", asked=item.said.by_language)]


def _said(row: Option) -> Value:
    return (row.voice or row.text).by_language


def _may_skip(place: Place) -> bool:
    return not place.item.required


def _skip(place: Place) -> list[Prompt]:
    return [Prompt("survey_skip", key=SKIP)] if _may_skip(place) else []


def _k(place: Place) -> str:
    return str(SKIP) if _may_skip(place) else ""


def _judged(item: Item, raw: object) -> Answer:
    """One answer, of several too. Raises `AnswerRefused`."""
    value = validate_answer(item, raw)
    if value is None:
        raise AnswerRefused("an answer is needed")
    return value[0] if item.repeats and isinstance(value, list) else value


def _cut_off(sitting: Sitting, place: Place) -> tuple[list[Answer], list[str]]:
    """What was given of several so far, and which options were asked."""
    value = sitting.given(place)
    if isinstance(value, dict) and "so_far" in value:
        return list(value["so_far"]), list(value.get("asked", []))
    return [], []


def _with(place: Place, value: Answer | None, before: list[Answer]) -> Answer | None:
    """The value to save: of an item that repeats, with those before it."""
    if not place.item.repeats:
        return value
    return {"so_far": [*before, *([value] if value is not None else [])]}


async def _save(sitting: Sitting, place: Place, value: Answer | None, before: list[Answer]) -> None:
    await sitting.save(place, _with(place, value, before))


Ask = Callable[["Sitting", Place, list[Answer]], Awaitable[None]]
_ONE: dict[ItemType, Ask] = {
    ItemType.BOOLEAN: _yes_or_no,
    **dict.fromkeys(CHOICES, _choice),
    **dict.fromkeys(NUMBERS, _number),
    **dict.fromkeys((ItemType.DATE, ItemType.TIME, ItemType.DATE_TIME), _moment),
    **dict.fromkeys((ItemType.STRING, ItemType.TEXT, ItemType.URL), _words),
}
