"""One file a language: what callers say to a menu, and patterns for dates and alarms in free speech.

The recipe for the next one: copy the nearest file, word it, add it to `LANGUAGES`, and write its tables in
tests/test_ears_words.py. A language without a file has no ears: its callers use the keypad.
"""

from __future__ import annotations

from speech.ears.folding import folded
from speech.ears.language import Language
from speech.ears.languages import en, es, pt_BR, zh_CN

LANGUAGES: dict[str, Language] = {
    "es": es.WORDS,
    "en": en.WORDS,
    "pt-BR": pt_BR.WORDS,
    "zh-CN": zh_CN.WORDS,
}


class NoEars(KeyError):
    """No file of languages/ has this language."""

    def __init__(self, language: str) -> None:
        super().__init__(f"language {language!r} has no ears; {', '.join(LANGUAGES)} have. See speech/ears/languages")


def words(language: str) -> Language:
    """Raises `NoEars`."""
    try:
        return LANGUAGES[language]
    except KeyError:
        raise NoEars(language) from None


def numerals(text: str, language: str) -> str:
    """Folded, with its numbers in numerals: "El tres." → "el 3"."""
    return words(language).numerals(folded(text))


def spaced(language: str) -> bool:
    """Whether its words are written apart. Raises `NoEars`."""
    return words(language).spaced
