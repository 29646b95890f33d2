"""The house's words, which may be said at any time, and rows of digits, by language. A menu's own words come from the
prompts; its grammar is made of both where it is asked.

The house's words have labels that begin with "house:".
"""

from __future__ import annotations

import re

from speech.ears import DECOY
from speech.ears.folding import folded
from speech.ears.languages import LANGUAGES, numerals, words
from speech.ears.numbers import digit_string

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
