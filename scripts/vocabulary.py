"""Words of a language that are looked up, not said as sentences: `vocabulary.yaml` in its folder.

    reviewed_by: null         the native speaker who has read it
    units:                    of measured values, by their usual sign: "cm": centímetros
    replies:                  ways to write yes, no, stop, cancel (an appointment, perhaps), start, help, book (an
                              examination) and more (times)
    columns:                  headings of a list of discharges, the likeliest first
    values:                   what stands in such a list for a sex and for what happened
    alarms:                   what must reach a person at once, as patients say and write it. Where ears are they know
                              the commonest (speech/ears/languages), and these are the hospital's own beside them

An alarm's phrase counts as written, small letters, accents and apostrophes aside; `…` is up to four words between
(eight signs of Chinese), and a long vowel may be written twice (kāore, kaaore). Right after a word of `denied`, or up
to two words behind it, it is none; `denied: []` leaves that to what the ears know.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from hospital.alarm_words import AlarmWords
from hospital.discharge_lists import COLUMNS, KINDS, SEXES, ListWords
from scripts import languages
from scripts.yaml_lines import Field, FileRefused, Problem, SourceFile

NAME = "vocabulary.yaml"
REPLIES = ("yes", "no", "stop", "cancel", "start", "help", "book", "more")
DENIED = "denied"
_HAN = re.compile("[\u3400-\u9fff]")  # written without spaces
_BETWEEN_WORDS = str.maketrans({"'": "", "’": "", "-": " "})
GAP, LONG = "…", "\N{COMBINING MACRON}"

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    units: Mapping[str, str] = field(default_factory=dict)
    replies: Mapping[str, Words] = field(default_factory=dict)
    columns: Mapping[str, Words] = field(default_factory=dict)
    values: Mapping[str, Words] = field(default_factory=dict)
    alarms: AlarmWords | None = None
    reviewed_by: str | None = None


@cache
def tables() -> tuple[Mapping[str, Vocabulary], list[Problem]]:
    """Of each language that is known, an empty one where its file was refused; and what is wrong in those."""
    found: dict[str, Vocabulary] = {}
    problems: list[Problem] = []
    for tag, folder in languages.folders().items():
        try:
            found[tag] = read(folder / NAME)
        except FileRefused as refused:
            found[tag] = Vocabulary()
            problems.extend(refused.problems)
    return found, problems


def of(language: str) -> Vocabulary:
    return tables()[0].get(language, Vocabulary())


def replies(meant: str) -> list[str]:
    """One of `REPLIES` in any language."""
    return [word for known in tables()[0].values() for word in known.replies.get(meant, ())]


def alarms() -> dict[str, AlarmWords]:
    """Of the languages that bring some."""
    return {tag: known.alarms for tag, known in tables()[0].items() if known.alarms is not None}


@cache
def list_words() -> ListWords:
    """Of all languages together: what is likeliest in any of them first."""
    every = tables()[0].values()
    return ListWords(
        {name: _merged([known.columns.get(name, ()) for known in every]) for name in COLUMNS},
        {value: _merged([known.values.get(value, ()) for known in every]) for value in (*SEXES, *KINDS)},
    )


def _merged(rows: list[Words]) -> Words:
    longest = max(map(len, rows), default=0)
    return tuple(dict.fromkeys(row[place] for place in range(longest) for row in rows if place < len(row)))


def read(path: Path) -> Vocabulary:
    """Raises `FileRefused` with all that is wrong in it."""
    source = SourceFile(path, name=str(path.relative_to(path.parent.parent)))
    top = source.top.mapping(("reviewed_by", "units", "replies", "columns", "values"), ("alarms",))
    units = {sign: name.text() for sign, name in top["units"].mapping().items()} if "units" in top else {}
    found = Vocabulary(
        units,
        _lists(top.get("replies"), REPLIES),
        _lists(top.get("columns"), (), COLUMNS),
        _lists(top.get("values"), (*SEXES, *KINDS)),
        _alarms(top["alarms"]) if "alarms" in top else None,
        top["reviewed_by"].text_or_null() if "reviewed_by" in top else None,
    )
    source.finish()
    return found


def _lists(entry: Field | None, needed: Words, allowed: Words | None = ()) -> dict[str, Words]:
    fields = entry.mapping(needed, allowed) if entry is not None else {}
    return {name: tuple(word.text().lower() for word in row.items()) for name, row in fields.items()}


def _alarms(entry: Field) -> AlarmWords:
    rows = _lists(entry, (DENIED,), None)
    denied = "|".join(map(_pattern, rows.pop(DENIED, ())))
    flags = {flag: "|".join(map(_pattern, phrases)) for flag, phrases in rows.items() if phrases}
    return AlarmWords(flags, rf"(?:{denied})( \w+){{0,2}}$" if denied else r"(?!)")


def _pattern(phrase: str) -> str:
    """Over text as `folded` leaves it."""
    parts = [[*map(_word, part.split())] for part in phrase.translate(_BETWEEN_WORDS).split(GAP)]
    if _HAN.search(phrase):
        return r"\w{0,8}?".join(map("".join, parts))
    return r"\b" + r"( \w+){0,4}? ".join(map(" ".join, parts)) + r"\b"


def _word(word: str) -> str:
    signs = unicodedata.normalize("NFD", word)
    bare = [(sign, signs[at + 1 : at + 2] == LONG) for at, sign in enumerate(signs) if not unicodedata.combining(sign)]
    return "".join(f"{re.escape(sign)}{f'{sign}?' if long else ''}" for sign, long in bare)
