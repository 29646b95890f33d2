"""A questionnaire by text message: how each question is written, and what a reply to it means. Pure.

Options are numbered in their order; a reply may also name an option's code. X leaves out what need not be answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from scripts.answers import AnswerRefused, validate_answer
from scripts.filling import Place
from scripts.questionnaire import CHOICES, MOMENTS, NUMBERS, Answer, Item, ItemType, Text
from scripts.verbalise import STOPS
from scripts.wording import Wording

LEAVE_OUT = ("x", "-")
YES = ("1", "yes", "y", "sí", "si", "sim", "是", "有", "āe")
NO = ("2", "no", "n", "não", "nao", "否", "没有", "kāo")
NONE = "0"
ENDS = ".?!…:。？！："
_DAY_FIRST = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
_YEAR_FIRST = re.compile(r"([0-9]{4})[/.-]([0-9]{1,2})[/.-]([0-9]{1,2})")


def told(leads: Iterable[Item], words: Wording, language: str) -> str:
    """Words that stand between questions (`words_between.py`), as sentences."""
    said = [words.message("survey_told", language, asked=item.texted.by_language) for item in leads]
    return " ".join(one if one[-1:] in ENDS else one + STOPS.get(language, ".") for one in said)


def question(place: Place, words: Wording, language: str, leads: Iterable[Item] = ()) -> str:
    """The message that asks it, with what stands before it."""
    item = place.item
    asked: Mapping[str, str] = item.texted.by_language or {"en": ""}
    values: dict[str, Any] = {"asked": asked}
    if item.type in CHOICES:
        values["choices"] = " ".join(f"{n} {_said(one.text, language)}." for n, one in enumerate(item.options, 1))
    text = words.message(_key(place), language, **values).strip()
    text = f"{told(leads, words, language)} {text}".strip()
    skip = not (item.required or place.counts)
    return f"{text} {words.message('survey_leave_out', language)}" if skip else text


def reply(place: Place, said: str) -> Answer | bool | None:
    """What a reply means: the value to save, None for left out, whether there is another one for a group that repeats.
    Raises `AnswerRefused`."""
    item, plain = place.item, said.strip()
    if place.counts or item.type is ItemType.BOOLEAN:
        if plain.lower() in YES or plain.lower() in NO:
            return plain.lower() in YES
        if not (plain.lower() in LEAVE_OUT and not item.required and not place.counts):
            raise AnswerRefused("1 for yes or 2 for no is allowed")
    if plain.lower() in LEAVE_OUT:
        return validate_answer(item, None)
    if item.type in CHOICES:
        return _chosen(place, plain)
    if item.type in MOMENTS:
        return validate_answer(item, _moment(plain))
    if item.repeats:
        parts = re.split(r"[;\s]+" if item.type in NUMBERS else r";", plain)
        return validate_answer(item, [part.strip() for part in parts if part.strip()])
    return validate_answer(item, plain)


def _chosen(place: Place, plain: str) -> Answer | None:
    item = place.item
    if item.option(plain) is not None:
        return validate_answer(item, plain)
    if not re.fullmatch(r"[0-9]{1,3}(?:[,;\s]+[0-9]{1,3})*", plain):
        return validate_answer(item, plain)  # free text, where it is open
    numbers = [int(number) for number in re.findall("[0-9]+", plain)]
    if item.repeats and plain == NONE:
        alone = next((option.code for option in item.options if option.exclusive), None)
        return validate_answer(item, [alone] if alone else None)
    if any(not 1 <= number <= len(item.options) for number in numbers):
        raise AnswerRefused(f"a number from 1 to {len(item.options)} is allowed")
    return validate_answer(item, [item.options[number - 1].code for number in numbers])


def _moment(plain: str) -> str:
    day, _, time = plain.partition(" ")
    for form, order in ((_DAY_FIRST, (2, 1, 0)), (_YEAR_FIRST, (0, 1, 2))):
        found = form.fullmatch(day)
        if found:
            year, month, date = (found[at + 1] for at in order)
            day = f"{year}-{int(month):02}-{int(date):02}"
            break
    return f"{day}T{time.strip()}" if time.strip() else day


def _key(place: Place) -> str:
    kind = place.item.type
    if place.counts:
        return "survey_more"
    if kind in CHOICES:
        return "survey_some" if place.item.repeats else "survey_one"
    if kind in NUMBERS:
        return "survey_number"
    keys = {ItemType.BOOLEAN: "survey_yes_or_no", ItemType.TIME: "survey_time"}
    return keys.get(kind, "survey_date" if kind in MOMENTS else "survey_words")


def _said(text: Text, language: str) -> str:
    return text.of(language).text
