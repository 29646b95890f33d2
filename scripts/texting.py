"""A questionnaire by text message: how each question is written, and what a reply to it means. Pure.

Options are numbered in their order, and a number is that place, whatever the codes are; only where all options are
numbers themselves (0 to 10, "0 - none") it is the one of that name. A reply may also spell an option out, or name its
code. X leaves out what need not be answered.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import partial
from typing import Any

from scripts import vocabulary
from scripts.answers import AnswerRefused, cut, validate_answer
from scripts.filling import Filling, Place
from scripts.questionnaire import CHOICES, MOMENTS, NUMBERS, WORDS, Answer, Item, ItemType, Option, Text
from scripts.reply_words import folded
from scripts.verbalise import stop
from scripts.wording import Wording
from scripts.words_between import Repetition, Words

LEAVE_OUT = ("x", "-")
YES, NO = ("1", *vocabulary.replies("yes")), ("2", *vocabulary.replies("no"))
NONE = "0"
OLDEST = 120  # years
MOST_DAYS = 31  # of a month: what is more is a year
APART = {**dict.fromkeys(NUMBERS, r"[;\s]+"), ItemType.DATE: r"[;,\s]+", ItemType.TIME: r"[;,\s]+"}
"""What stands between several answers in one reply; of words, and where a time stands behind its date, a semicolon."""
ENDS = ".?!…:。？！："
_A_NUMBER = re.compile(r"([0-9]{1,3})(?:\s*[-–—=:.)]\s+\D.*)?")
_DAY_FIRST = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
_YEAR_FIRST = re.compile(r"([0-9]{4})[/.-]([0-9]{1,2})[/.-]([0-9]{1,2})")


def told(leads: Iterable[Words], words: Wording, language: str) -> str:
    """Words that stand between questions (`words_between.py`), as sentences."""
    said = [_lead(one, words, language) for one in leads]
    return " ".join(one if one[-1:] in ENDS else one + stop(language) for one in said)


def question(place: Place, words: Wording, language: str, leads: Iterable[Words] = ()) -> str:
    """The message that asks it, with what stands before it."""
    item = place.item
    asked: Mapping[str, str] = item.texted.by_language or {"en": ""}
    values: dict[str, Any] = {"asked": asked}
    if item.type in CHOICES:
        end, named = stop(language), _numbers_of(item)
        said = [_said(one.texted, language) for one in item.options]
        values["choices"] = " ".join(f"{one if named else f'{n} {one}'}{end}" for n, one in enumerate(said, 1))
    text = words.message(_key(place), language, **values).strip()
    text = f"{told(leads, words, language)} {text}".strip()
    if item.repeats and item.type in NUMBERS | MOMENTS | WORDS:
        text = f"{text} {words.message('survey_several', language)}"
    skip = not (item.required or place.counts)
    return f"{text} {words.message('survey_leave_out', language)}" if skip else text


def reply(place: Place, said: str) -> Answer | bool | None:
    """What a reply means: the value to save, None for left out, whether there is another one for a group that repeats.
    Raises `AnswerRefused`."""
    item, plain = place.item, said.strip()
    if item.type not in WORDS:
        plain = _typed(plain)
    if place.counts or item.type is ItemType.BOOLEAN:
        if plain.lower() in YES or plain.lower() in NO:
            return plain.lower() in YES
        if not (plain.lower() in LEAVE_OUT and not item.required and not place.counts):
            raise AnswerRefused("1 for yes or 2 for no is allowed")
    if plain.lower() in LEAVE_OUT:
        return validate_answer(item, None)
    if item.type in CHOICES:
        return _chosen(place, plain)
    read: Callable[[str], str] = _moment if item.type in MOMENTS else str
    if item.type in (ItemType.STRING, ItemType.TEXT):  # an address that is cut would be another one
        read = partial(cut, item)
    if item.repeats:
        parts = (part.strip() for part in re.split(APART.get(item.type, "[;；]"), plain))
        return validate_answer(item, [read(part) for part in parts if part])
    return validate_answer(item, read(plain))


def value(filling: Filling, place: Place, said: str) -> Any:
    """What to save for a reply; of a group that repeats, how often it is there now. Raises `AnswerRefused`."""
    meant = reply(place, said)
    if not place.counts:
        return meant
    times = filling.times(place)
    return {"so_far": times + 1} if meant else times


def option_named(item: Item, said: str) -> str | None:
    """The code of the option that a reply spells out, in any language; None where it names none, or several do."""
    word = folded(said)
    found = {one.code for one in item.options if word and word in map(folded, (one.code, *_wordings(one)))}
    return found.pop() if len(found) == 1 else None


def _wordings(option: Option) -> Iterable[str]:
    """As the message has it, and as everywhere else."""
    return (*option.texted.by_language.values(), *option.text.by_language.values())


def number(said: str) -> int | None:
    """A reply that is the number of something."""
    found = re.fullmatch(r"[0-9]{1,2}", _typed(said))
    return int(found[0]) if found else None


def dates(said: str, today: date) -> set[date]:
    """The days of birth that a reply may mean: the day before the month, or after it as some write it; a year of two
    digits where it can be of one century only. None where it is none."""
    plain = re.sub(r"[年月]", "-", _typed(said)).rstrip("日 ")
    parts = re.fullmatch(r"([0-9]{1,4})[ /.-]+([0-9]{1,2})[ /.-]+([0-9]{1,4})", plain)
    short = re.fullmatch(r"([0-9]{1,2})[ /.-]+([0-9]{1,2})[ /.-]+([0-9]{2})", plain)
    digits = re.fullmatch(r"([0-9]{8})", plain)
    if digits is not None:
        one = digits[1]
        orders = [(one[4:], one[2:4], one[:2]), (one[4:], one[:2], one[2:4]), (one[:4], one[4:6], one[6:])]
    elif parts is not None and len(parts[1]) == 4:
        orders = [(parts[1], parts[2], parts[3])]
    elif parts is not None and len(parts[3]) == 4:
        orders = [(parts[3], parts[2], parts[1]), (parts[3], parts[1], parts[2])]
    elif short is not None:
        return _of_one_century(short[1], short[2], short[3], today)
    else:
        return set()
    return {day for order in orders if (day := _day(*order)) is not None}


def _of_one_century(first: str, second: str, year: str, today: date) -> set[date]:
    """Of each order the day in the century in which somebody alive may have been born then; none where both are."""
    found = set()
    orders = [(year, second, first), (year, first, second)]
    for of_century, month, day in orders if int(first) <= MOST_DAYS else [(first, second, year)]:
        days = [one for century in ("19", "20") if (one := _day(century + of_century, month, day)) is not None]
        possible = [one for one in days if one <= today and one.year > today.year - OLDEST]
        found |= {*possible} if len(possible) == 1 else set()
    return found


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _typed(said: str) -> str:
    """Full-width digits as plain ones, without what a sentence ends with: `１。` is 1."""
    return unicodedata.normalize("NFKC", said).strip().rstrip(".!)。！").strip()


def _chosen(place: Place, plain: str) -> Answer | None:
    item = place.item
    if not re.fullmatch(r"[0-9]{1,3}(?:[,;\s]+[0-9]{1,3})*", plain):  # a number is a place, whatever the codes are
        free = cut(item, plain) if item.type is ItemType.OPEN_CHOICE else plain
        return validate_answer(item, option_named(item, plain) or free)
    numbers = [int(number) for number in re.findall("[0-9]+", plain)]
    named = _numbers_of(item)
    if named:
        if not named.keys() >= set(numbers):
            raise AnswerRefused(f"one of these numbers is allowed: {', '.join(map(str, named))}")
        return validate_answer(item, [named[number] for number in numbers])
    if item.repeats and plain == NONE:
        alone = next((option.code for option in item.options if option.exclusive), None)
        return validate_answer(item, [alone] if alone else None)
    if any(not 1 <= number <= len(item.options) for number in numbers):
        raise AnswerRefused(f"a number from 1 to {len(item.options)} is allowed")
    return validate_answer(item, [item.options[number - 1].code for number in numbers])


def _numbers_of(item: Item) -> dict[int, str]:
    """Number → code, where every option is one in all its languages, alone or before its words; else nothing."""
    found: dict[int, str] = {}
    for one in item.options:
        matches = map(_A_NUMBER.fullmatch, one.texted.by_language.values())
        numbers = {int(match[1]) if match else None for match in matches}
        number = numbers.pop() if len(numbers) == 1 else None
        if number is None:
            return {}
        found[number] = one.code
    return found if len(found) == len(item.options) else {}


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


def _lead(lead: Words, words: Wording, language: str) -> str:
    if isinstance(lead, Item):
        return words.message("survey_told", language, asked=lead.texted.by_language)
    if isinstance(lead, Repetition):
        return words.message("survey_repetition", language, n=lead.number)
    if lead.number:
        return words.message("survey_about_answer", language, n=lead.number)
    if lead.answer is None:
        return words.message("survey_about_own", language)
    return words.message("survey_about", language, asked=lead.answer.texted.by_language)


def _said(text: Text, language: str) -> str:
    return text.of(language).text
