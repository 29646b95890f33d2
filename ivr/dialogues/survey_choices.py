"""Yes or no, and choices: one of many by pages, several one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ivr.call import Prompt
from ivr.choosing import MOST
from ivr.dialogues.survey_question import SKIP, Question, said, statement, whether
from ivr.dialogues.survey_words import record
from scripts.placeholders import Value
from scripts.questionnaire import CHOICES, Item, ItemType, Option, Questionnaire

ONE_BY_ONE = 12  # options; of more one is chosen, and then another


class _Other:
    """Something else than the options."""


OTHER = _Other()
Row = Option | _Other


def sentences(questionnaire: Questionnaire) -> Iterator[Prompt]:
    """What is said of it whatever is answered, for a voice that needs time: its title, its questions, their options."""
    yield Prompt("survey_intro", answer=questionnaire.title.by_language)
    for item in questionnaire.by_link_id.values():
        if item.text:
            yield from statement(item)
        if item.type in CHOICES and item.repeats:
            yield from (Prompt("survey_item", answer=said(option)) for option in item.options)
            if item.for_each:
                yield from (Prompt("survey_about", answer=said(option)) for option in item.options)
        elif item.type in CHOICES:
            rows = _rows_of(item)
            yield from _prompts(rows[: _page(len(rows), not item.required)])


async def yes_or_no(asked: Question) -> None:
    question = [*asked.statement, Prompt("survey_yes_no"), *asked.skip]
    key = await asked.call.menu(question, keys="12" + asked.skip_key)
    await asked.save(None if key == str(SKIP) else key == "1")


async def choice(asked: Question) -> None:
    chosen = await _one_of(asked)
    if isinstance(chosen, _Other):
        await record(asked)
    else:
        await asked.save(chosen.code if chosen else None)


async def _one_of(asked: Question) -> Row | None:
    """None: left out. By pages where they are more than fit, the last of which leads to the first."""
    rows = _rows_of(asked.item)
    size = _page(len(rows), asked.optional)
    first = 0
    while True:
        shown = rows[first : first + size]
        question = [*(asked.statement if not first else []), *_prompts(shown)]
        keys = "12345"[: len(shown)]
        if len(rows) > size:
            keys += str(MOST)
            question.append(Prompt("more_choices", key=MOST))
        key = int(await asked.call.menu([*question, *asked.skip], keys=keys + asked.skip_key))
        if key == SKIP:
            return None
        if key <= len(shown):
            return shown[key - 1]
        first = first + size if first + size < len(rows) else 0


def _rows_of(item: Item) -> list[Row]:
    return [*item.options, *([OTHER] if item.type is ItemType.OPEN_CHOICE else [])]


def _page(rows: int, optional: bool) -> int:
    """How many are said at a time: with the way to the others, and the one out where it may be left out, five choices
    at most."""
    room = MOST - optional
    return rows if rows <= room else room - 1


def _prompts(shown: Sequence[Row]) -> list[Prompt]:
    choices: list[dict[str, Value]] = [
        {"answer": said(row), "key": key} for key, row in enumerate(shown, 1) if isinstance(row, Option)
    ]
    prompts = [Prompt("survey_choices", choices=choices)] if choices else []
    return prompts if len(choices) == len(shown) else [*prompts, Prompt("survey_other", key=len(shown))]


async def one_by_one(asked: Question) -> None:
    """Each option by itself, saved at once; who was cut off goes on with the next option."""
    call, item, sitting, place = asked.call, asked.item, asked.sitting, asked.place
    alone = next((option for option in item.options if option.exclusive), None)
    others = [option for option in item.options if option is not alone]
    so_far, heard = asked.cut_off()
    if heard:
        await call.say("survey_statement", asked=item.said.by_language)
    else:
        if alone is not None:
            choices: list[dict[str, Value]] = [{"answer": said(option), "key": 1} for option in others]
            question = Prompt("survey_any", choices=choices, answer=said(alone))
            key = await call.menu([*asked.statement, question, *asked.skip], keys="12" + asked.skip_key)
            if key != "1":
                await sitting.save(place, [alone.code] if key == "2" else None)
                return
        else:
            await call.say("survey_statement", asked=item.said.by_language)
        await call.say("survey_each")
    for option in others:
        if option.code in heard:
            continue
        each = [Prompt("survey_item", answer=said(option)), Prompt("survey_yes_no")]
        if await call.menu(each, keys="12") == "1":
            so_far.append(option.code)
        heard.append(option.code)
        await sitting.save(place, {"so_far": list(so_far), "asked": list(heard)})
    if item.type is ItemType.OPEN_CHOICE and await whether(call, "survey_something"):
        await record(replace(asked, before=tuple(so_far)))
        so_far, _ = asked.cut_off()
    await sitting.save(place, so_far or None)
