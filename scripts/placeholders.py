"""What may stand in braces in a sentence, and how a value becomes words there.

    {n} is a number on its own; before what it counts each language says which grammar it needs:
    Tiene {n:count_f} citas.        veintiuna        您有{n:count}个预约。       两个
    Usted es la {n:place_f} persona.    tercera      {minutes:about}         unos diez minutos

A value is plain: a name, a number, a local time, a doctor, a department's name in several languages. It is worded
for the language in which the sentence is at last said, which may be another one than was asked for: the caller may
change it while a question is asked. Text from outside (names of people, doctors,
departments) is made harmless first: in a sentence it can be nothing but letters.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from scripts import signs, units, verbalise


@dataclass(frozen=True, slots=True)
class Doctor:
    """Said with the title that each language gives: la doctora Vega, Vega医生."""

    name: str
    feminine: bool


Names = Mapping[str, str]  # language → what a thing is called there; English stands in for one that is missing
Value = str | int | float | dt.date | dt.time | dt.datetime | Doctor | Names | Sequence[Mapping[str, "Value"]]

NAME_LENGTH = 80  # letters of a name that are said; the longest in our tests is 500
TEXT_LENGTH = 300  # letters of a sentence that is not ours
ASKED_LENGTH = 1500  # letters of a question of a questionnaire
LIST_LENGTH = 2000  # letters of a list of choices, whose parts are limited already

# Brackets start phonemes in espeak-ng ([[…]]), angles are markup (SSML), the rest means something to a
# shell, a dialplan or a template.
_UNSPOKEN = re.compile(r'[<>\[\]{}|\\^`~$"]')
_UNWRITTEN = re.compile(r'[<>](?!=?\s*[+-]?[0-9])|[\[\]{}|\\^`~$"]')  # "< 3 times" is written so
PLACEHOLDER = re.compile(r"\{([a-z_]+)(?::([a-z_]+))?\}")


class WrongValue(TypeError):
    """A dialogue gave a sentence a value that it cannot take, or none. The message names no value."""


@dataclass(frozen=True, slots=True)
class Local:
    """Where the site is: what times and numbers are worded by. `clock`: 12 or 24, how hours are said."""

    zone: dt.tzinfo
    country: str | None = None
    clock: int = 12


Worder = Callable[[Value, str, Local], str]


def harmless(text: str, length: int = NAME_LENGTH, unspoken: re.Pattern[str] = _UNSPOKEN) -> str:
    """Text from outside as one short line of letters, digits and plain punctuation (NFC).

    Control and format characters (NUL, newlines, bidirectional marks, lone surrogates) and markup
    become spaces.
    """
    known = "".join(" " if unicodedata.category(sign)[0] == "C" else sign for sign in text[: 4 * length])
    line = " ".join(unspoken.sub(" ", unicodedata.normalize("NFC", known)).split())
    return line if len(line) <= length else line[:length].rstrip()


def _name(value: Value, language: str, local: Local) -> str:
    if not isinstance(value, str):
        raise WrongValue("a text is expected")
    return harmless(value)


def _person(value: Value, language: str, local: Local) -> str:
    """A name as one says it. Some systems write all of them in capitals, which voices may spell."""
    return _calm(_named(value, language, local))


def _calm(name: str) -> str:
    return name.title() if name.isupper() and len(name) > 3 else name


def _named(value: Value, language: str, local: Local) -> str:
    if isinstance(value, Mapping):
        return harmless(value.get(language) or value.get("en") or next(iter(value.values()), ""))
    return _name(value, language, local)


def _doctor(value: Value, language: str, local: Local) -> str:
    if isinstance(value, Doctor):
        return verbalise.doctor(_calm(harmless(value.name)), value.feminine, language)
    return _name(value, language, local)


def _number(value: Value, language: str, local: Local) -> str:
    """A telephone number, digit by digit. Text without digits is taken as worded already."""
    text = _name(value, language, local)
    return verbalise.phone_number(text, language, local.country) or text


def _short_number(value: Value, language: str, local: Local) -> str:
    text = _name(value, language, local)
    return verbalise.digits(text, language) or text


def _count(value: Value, language: str, local: Local) -> str:
    if isinstance(value, int):
        return verbalise.cardinal(value, language)
    return _name(value, language, local)


def _before_a_noun(word: Callable[[int, str, bool], str], feminine: bool) -> Worder:
    def worded(value: Value, language: str, local: Local) -> str:
        return word(_whole(value), language, feminine)

    return worded


def _whole(value: Value) -> int:
    if not isinstance(value, int):
        raise WrongValue("a whole number is expected")
    return value


def _duration(value: Value, language: str, local: Local) -> str:
    return verbalise.duration(_whole(value), language)


def _about(value: Value, language: str, local: Local) -> str:
    return verbalise.about(_whole(value), language)


def _spelled(value: Value, language: str, local: Local) -> str:
    return verbalise.spelled(_name(value, language, local), language)


def _moment(value: Value, language: str, local: Local) -> str:
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            raise WrongValue("a time with a time zone is expected")
        return verbalise.moment(value.astimezone(local.zone), language, local.clock)
    return _name(value, language, local)


def _day(value: Value, language: str, local: Local) -> str:
    if isinstance(value, dt.datetime):
        value = value.astimezone(local.zone).date()
    return verbalise.day(value, language) if isinstance(value, dt.date) else _name(value, language, local)


def _date(value: Value, language: str, local: Local) -> str:
    if isinstance(value, dt.date):
        return verbalise.full_date(value, language)
    return _name(value, language, local)


def _text(value: Value, language: str, local: Local) -> str:
    """A sentence or a part of one that the site has written, in the language that is spoken."""
    if isinstance(value, Mapping):
        language = next((tag for tag in (language, "en", *value) if value.get(tag)), language)
        value = str(value.get(language, ""))
    if not isinstance(value, str):
        raise WrongValue("a text is expected")
    return harmless(signs.said(value, language), TEXT_LENGTH)


def _asked(value: Value, language: str, local: Local) -> str:
    """A whole sentence of a questionnaire's own words, ended as one."""
    said = _answer(value, language, local)
    spoken = _spoken(value, language) if isinstance(value, Mapping) else language
    return said if said[-1:] in ".?!…:。？！：" else said + verbalise.stop(spoken)


def _spoken(names: Names, language: str) -> str:
    """The language in which it is said."""
    return next((tag for tag in (language, "en", *names) if tag in names), language)


def _answer(value: Value, language: str, local: Local) -> str:
    """A part of a sentence in a questionnaire's words, numbers said. What lacks the language is said in one it has."""
    if isinstance(value, Mapping):
        language = _spoken(value, language)
        value = str(value.get(language, ""))
    if not isinstance(value, str):
        raise WrongValue("a text is expected")
    return verbalise.numbers_said(harmless(signs.said(value, language), ASKED_LENGTH), language).rstrip(".。")


def _given(value: Value, language: str, local: Local) -> str:
    """An answer as it is read back."""
    if isinstance(value, int | float):
        return verbalise.number(value, language)
    if isinstance(value, dt.datetime):
        return verbalise.full_moment(value, language, local.clock)  # as it was typed: no zone is meant
    if isinstance(value, dt.date):
        return verbalise.full_date(value, language)
    if isinstance(value, dt.time):
        return verbalise.time_of_day(value, language, local.clock)
    return _answer(value, language, local)


def _unit(value: Value, language: str, local: Local) -> str:
    if not isinstance(value, str):
        raise WrongValue("a unit is expected")
    return harmless(units.said(value, language))


def _list(value: Value, language: str, local: Local) -> str:
    if not isinstance(value, str):
        raise WrongValue("a list of rows is expected")
    return harmless(value, LIST_LENGTH)


# Every placeholder that a prompt may have, and how it is said.
SAID: dict[str, Worder] = {
    "hospital": _name,
    "emergency": _short_number,
    "greeting": _name,
    "our_number": _number,  # the site's, to call back
    "number": _number,
    "given_name": _person,
    "department": _named,
    "doctor": _doctor,
    "n": _count,
    "ticket": _count,
    "key": _count,
    "when": _moment,
    "day": _day,
    "birth_date": _date,
    "digits": _spelled,
    "choices": _list,
    "question": _text,  # a sentence of the site's own triage table
    "complaint": _text,
    "notice": _text,  # what a supervisor wrote for callers while it is closed
    "minutes": _duration,
    "case": _spelled,
    "said": _name,
    "asked": _asked,  # a question of a questionnaire
    "answer": _answer,  # an option of one
    "given": _given,
    "low": _given,
    "high": _given,
    "unit": _unit,
}

# And those of another grammar, by placeholder and what stands after its colon.
SAID_AS: dict[tuple[str, str], Worder] = {
    ("n", "count"): _before_a_noun(verbalise.count, feminine=False),
    ("n", "count_f"): _before_a_noun(verbalise.count, feminine=True),
    ("n", "place"): _before_a_noun(verbalise.ordinal, feminine=False),
    ("n", "place_f"): _before_a_noun(verbalise.ordinal, feminine=True),
    ("minutes", "about"): _about,
}

# What belongs to one patient: a prompt with it is kept apart and purged, and is not named by a plain hash.
PERSONAL = {"given_name", "birth_date", "digits", "number", "case", "said", "given"}

# What is another one every day: a prompt with it is said for some days and never again, and is purged then.
PASSING = {"when", "day"}


def _written_date(value: Value, language: str, local: Local) -> str:
    if isinstance(value, dt.datetime):
        value = value.astimezone(local.zone).date()
    return verbalise.written_date(value, language) if isinstance(value, dt.date) else _name(value, language, local)


def _written_day(value: Value, language: str, local: Local) -> str:
    if isinstance(value, dt.datetime):
        value = value.astimezone(local.zone).date()
    return verbalise.written_day(value, language) if isinstance(value, dt.date) else _name(value, language, local)


def _written_time(value: Value, language: str, local: Local) -> str:
    if isinstance(value, dt.datetime):
        value = value.astimezone(local.zone).time()
    return verbalise.written_time(value, language) if isinstance(value, dt.time) else _name(value, language, local)


def _written_count(value: Value, language: str, local: Local) -> str:
    return str(_whole(value))


def _written_words(value: Value, language: str, local: Local) -> str:
    """A questionnaire's own words as they are."""
    if isinstance(value, Mapping):
        value = str(value.get(_spoken(value, language), ""))
    if not isinstance(value, str):
        raise WrongValue("a text is expected")
    return harmless(value, ASKED_LENGTH, _UNWRITTEN)


def _written_list(value: Value, language: str, local: Local) -> str:
    if not isinstance(value, str):
        raise WrongValue("a list of rows is expected")
    return harmless(value, LIST_LENGTH, _UNWRITTEN)


def _link(value: Value, language: str, local: Local) -> str:
    if not isinstance(value, str):
        raise WrongValue("an address is expected")
    return harmless(value, TEXT_LENGTH)


# Every placeholder that a message may have, and how it is written. There is none for a department or a
# doctor.
WRITTEN: dict[str, Worder] = {
    "hospital": _name,
    "name": _name,  # to whom a letter goes; no text message has it
    "number": _name,
    "caller": _name,  # the number of ours that the patient will see
    "link": _link,  # to a video call, or to a page to answer on
    "date": _written_date,
    "day": _written_day,  # shorter, of several
    "time": _written_time,
    "case": _name,
    "n": _written_count,
    "ticket": _written_count,
    "total": _written_count,
    "minutes": _written_count,
    "emergency": _name,
    "asked": _written_words,
    "choices": _written_list,
}


def used(sentence: str) -> set[str]:
    """The placeholders of a sentence."""
    return {name for name, _ in PLACEHOLDER.findall(sentence)}


def grammars(sentence: str) -> set[tuple[str, str]]:
    """Placeholders with what stands after their colon."""
    return {(name, grammar) for name, grammar in PLACEHOLDER.findall(sentence) if grammar}


def stray_braces(sentence: str) -> bool:
    """Whether braces are left that are no placeholder: a typing error."""
    rest = PLACEHOLDER.sub("", sentence)
    return "{" in rest or "}" in rest


def fill(sentence: str, values: Mapping[str, Value], words: Mapping[str, Worder], language: str, local: Local) -> str:
    """The sentence with its values worded. Raises `WrongValue` for one that is missing or of the
    wrong type.
    """

    def worded(match: re.Match[str]) -> str:
        name, grammar = match[1], match[2]
        if name not in values:
            raise WrongValue(f"no value is given for {{{name}}}")
        worder = SAID_AS[name, grammar] if grammar else words[name]
        try:
            return worder(values[name], language, local)
        except WrongValue as error:
            raise WrongValue(f"{{{name}}}: {error}") from None

    # One pass: braces inside of a value stay what they are.
    text = PLACEHOLDER.sub(worded, sentence)
    return text[:1].upper() + text[1:]
