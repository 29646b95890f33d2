"""The closed grammars that every dialogue needs, by language. A menu's own words come from the prompts.

Every grammar has the house's words too, as labels beginning with "house:", but for phrases that the question itself
uses: "volver" may be a choice of its own. The rest of the labels are the asker's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from speech.ears import DECOY, Grammar, plain
from speech.ears.languages import LANGUAGES, numerals, words
from speech.ears.numbers import digit_string

YES, NO = "yes", "no"
OPERATOR, REPEAT, BACK, SLOWER, URGENT = "house:operator", "house:repeat", "house:back", "house:slower", "house:urgent"


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


def digits(text: str, language: str) -> str | None:
    """A row of digits in free speech: "cinco cinco cinco doce" → "55512". None when it holds none, or two.

    Raises `NoEars`.
    """
    known = words(language)
    return digit_string(numerals(text, language), known.also_digits or {}, known.twice or {}, known.join)
