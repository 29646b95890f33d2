"""The closed grammars that every dialogue needs, by language. A menu's own words come from the prompts.

Every grammar has the house's words too, as labels beginning with "house:", but for phrases that the question itself
uses: "volver" may be a choice of its own. The rest of the labels are the asker's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from speech.ears import DECOY, Grammar, plain
from speech.ears.folding import folded
from speech.ears.languages import LANGUAGES, numerals, words
from speech.ears.numbers import digit_string

YES, NO = "yes", "no"
LETTER_X = ("x", "equis", "xis", "ex", "eks")
_X = re.compile(r"(?<=\d)x\b")
OPERATOR, REPEAT, BACK = "house:operator", "house:repeat", "house:back"
SLOWER, LANGUAGE, URGENT = "house:slower", "house:language", "house:urgent"
AMONG_OTHERS = 2  # words of a phrase that is found inside of a longer sentence; Chinese counts twice as many signs


def hears(language: str) -> bool:
    """Whether there are words for the language."""
    return language in LANGUAGES


def house(language: str) -> dict[str, tuple[str, ...]]:
    """What may be said at any time. Red flags compete with their denials. Raises `NoEars`."""
    said = words(language).answers
    return {
        OPERATOR: said.operator,
        REPEAT: said.repeat,
        BACK: said.back,
        SLOWER: said.slower,
        LANGUAGE: said.language,
        URGENT: said.urgent,
        DECOY: said.not_urgent,
    }


def asking(language: str, phrases: Mapping[str, Sequence[str]]) -> Grammar:
    """A question's own answers, label → ways to say it, with the house's words. Raises `NoEars`, `GrammarRefused`."""
    own = {label: tuple(ways) for label, ways in phrases.items()}
    taken = {plain(way) for ways in own.values() for way in ways}
    rest = {label: tuple(way for way in ways if plain(way) not in taken) for label, ways in house(language).items()}
    return Grammar(language, own | {label: ways for label, ways in rest.items() if ways})


def yes_no(language: str) -> Grammar:
    """Labels "yes" and "no". Raises `NoEars`."""
    said = words(language).answers
    return asking(language, {YES: said.yes, NO: said.no})


def digit(language: str) -> Grammar:
    """Labels "0" to "9". Raises `NoEars`."""
    return asking(language, {str(value): ways for value, ways in enumerate(words(language).answers.digits)})


def choice(language: str, options: Mapping[str, Sequence[str]]) -> Grammar:
    """Options in the order in which they are read out: by their own words and, up to the fifth, by "the second".

    Raises `NoEars`, `GrammarRefused`.
    """
    ordinals = words(language).answers.ordinals
    places = dict(zip(options, ordinals, strict=False))
    return asking(language, {label: (*ways, *places.get(label, ())) for label, ways in options.items()})


def house_word(text: str, language: str) -> str | None:
    """Which of the house's words free speech is, or has among others if it is a phrase: "por favor, quiero hablar con
    una persona". None for none, or two; alarms are `red_flags.py`'s. Raises `NoEars`.
    """
    said = folded(text)
    found = {
        name
        for name, ways in house(language).items()
        if name not in (URGENT, DECOY)
        for way in map(folded, ways)
        if said == way or (_is_phrase(way) and f" {way} " in f" {said} ") or (_is_chinese_phrase(way) and way in said)
    }
    return found.pop() if len(found) == 1 else None


def digits(text: str, language: str, x: str | None = None) -> str | None:
    """A row of digits in free speech: "cinco cinco cinco doce" → "55512". None when it holds none, or two. `x`: what
    stands for an X among them, as identity cards end with one.

    Raises `NoEars`.
    """
    known = words(language)
    row = numerals(text, language)
    also = dict(known.also_digits or {})
    if x is not None:
        row = _X.sub(" x ", row)
        also |= dict.fromkeys(LETTER_X, x)
    return digit_string(row, also, known.twice or {}, known.join)


def _is_phrase(way: str) -> bool:
    return way.isascii() and len(way.split()) >= AMONG_OTHERS


def _is_chinese_phrase(way: str) -> bool:
    return not way.isascii() and len(way) >= 2 * AMONG_OTHERS
