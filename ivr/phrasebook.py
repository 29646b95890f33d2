"""What may be said at a menu: a grammar from its words, its rows, the numbers of its keys, and the house's words; and
which of the house's words somebody used who spoke freely.

What means two things is not in it: the caller who says it is asked again, nobody guesses. A menu's own words go before
all others ("cancel" is what the menu says that it is).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from ivr.house import HouseKeys
from ivr.turn import Prompt
from scripts import vocabulary
from scripts.placeholders import Value
from scripts.spoken_words import ROW_KEYS, Words, alike
from speech.ears import DECOY, MOST_PHRASES, Grammar, grammars, red_flags
from speech.ears.languages import words

YES, NO = "1", "2"  # the keys of a read-back, as `did_you_say` names them
ROW = "key"  # of a row of choices: its key; all else in it are ways to say it

Said = Iterable[tuple[str, str]]
"""Label and a way to say it."""


class Wording(Protocol):
    """What of `scripts.wording.Wording` is needed."""

    def words(self, key: str, language: str) -> Words: ...

    def ways(self, value: Value, name: str, language: str) -> Sequence[str]: ...


class Phrasebook:
    """Grammars of menus, whose labels are keys. `urgent` is the site's urgent key, None if it has none."""

    def __init__(self, wording: Wording, urgent: str | None) -> None:
        self._wording = wording
        self._house = {
            grammars.OPERATOR: HouseKeys.operator,
            grammars.REPEAT: HouseKeys.repeat,
            grammars.BACK: HouseKeys.back,
            grammars.SLOWER: HouseKeys.slower,
            grammars.LANGUAGE: HouseKeys.language,
            grammars.URGENT: urgent,
            DECOY: DECOY,
        }

    def menu(self, question: Sequence[Prompt], keys: str, language: str) -> Grammar | None:
        """What may be said instead of one of `keys`, and the house's words. None: by key only. A sentence in another
        language (its name, where one is chosen) is answered in that one's words, and heard as by a speaker of
        `language`: no engine listens for five at once."""
        if not grammars.hears(language):
            return None
        own = [said for prompt in question for said in self._words(prompt, prompt.language or language)]
        rows = [said for prompt in question for said in self._rows(prompt, prompt.language or language)]
        return _grammar(language, keys, [own, [*rows, *_numbers(keys, language)], self._everywhere(language)])

    def yes_or_no(self, language: str) -> Grammar | None:
        """For a read-back. The house's words are good here, too."""
        if not grammars.hears(language):
            return None
        said = words(language).answers
        own = [*((YES, way) for way in said.yes), *((NO, way) for way in said.no)]
        return _grammar(language, YES + NO, [own, self._everywhere(language)])

    def house_key(self, said: str, language: str) -> str | None:
        """The house's key that free words ask for: the urgent one for an alarm, another for its words."""
        urgent = self._house[grammars.URGENT]
        if urgent is not None and red_flags.heard(said, language, vocabulary.of(language).alarms):
            return urgent
        name = grammars.house_word(said, language)
        return self._house.get(name) if name else None

    def alarm(self, language: str) -> str:
        return grammars.house(language)[grammars.URGENT][0]

    def _everywhere(self, language: str) -> Said:
        for name, ways in grammars.house(language).items():
            label = self._house.get(name)
            if label is not None:
                yield from ((label, way) for way in ways)

    def _words(self, prompt: Prompt, language: str) -> Said:
        for key, ways in self._wording.words(prompt.key, language).items():
            label = str(prompt.params.get(key.strip("{}"), "")) if key in ROW_KEYS else key
            yield from ((label, way) for way in ways)

    def _rows(self, prompt: Prompt, language: str) -> Said:
        """Rows that are read out: by what is in them, and by their order."""
        if not grammars.hears(language):
            return
        ordinals = words(language).answers.ordinals
        for at, (key, values) in enumerate(_rows_of(prompt)):
            for name, value in values.items():  # first: it is what is read back
                if not isinstance(value, int):  # a number is its key
                    yield from ((key, way) for way in self._wording.ways(value, name, language))
            place = at if "choices" in prompt.params else int(key) - 1
            yield from ((key, way) for way in (ordinals[place] if place < len(ordinals) else ()))


def _rows_of(prompt: Prompt) -> Iterator[tuple[str, Mapping[str, Value]]]:
    """Key and values of each row that a prompt reads out: of its choices, or of itself ("press 2 for …")."""
    choices = prompt.params.get("choices")
    if isinstance(choices, Sequence) and not isinstance(choices, str):
        yield from ((str(row[ROW]), row) for row in choices)
    elif isinstance(number := prompt.params.get("n"), int) and "when" in prompt.params:
        yield str(number), prompt.params


def _numbers(keys: str, language: str) -> Said:
    digits = words(language).answers.digits
    return [(key, way) for key in keys if key.isdigit() for way in digits[int(key)]]


def _grammar(language: str, keys: str, ranks: Sequence[Said]) -> Grammar | None:
    """`ranks`: what goes before comes first. Within one, what is said of two labels is left out."""
    meaning: dict[str, str] = {}
    phrases: dict[str, list[str]] = {}
    for number, rank in enumerate(ranks):
        said = [(label, speakable(way)) for label, way in rank]
        for label, way in _unambiguous(said):
            known = number == len(ranks) - 1 or label in keys  # the last one is the house's
            if known and meaning.setdefault(alike(way), label) == label and way not in phrases.get(label, ()):
                phrases.setdefault(label, []).append(way)
    if not set(phrases) & set(keys) or sum(map(len, phrases.values())) > MOST_PHRASES:
        return None
    return Grammar(language, {label: tuple(ways) for label, ways in phrases.items()})


def _unambiguous(said: Said) -> list[tuple[str, str]]:
    kept = [(label, way) for label, way in said if label and way]
    labels: dict[str, set[str]] = {}
    for label, way in kept:
        labels.setdefault(alike(way), set()).add(label)
    return [(label, way) for label, way in kept if len(labels[alike(way)]) == 1]


def speakable(way: str) -> str:
    """A name as engines take it: letters and spaces. With a digit in it, it is not said as it is written: ""."""
    if any(unicodedata.category(sign)[0] == "N" for sign in way):
        return ""
    known = (sign if sign in "'’-" or unicodedata.category(sign)[0] in "LM" else " " for sign in way)
    return " ".join("".join(known).split())
