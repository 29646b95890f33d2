"""`hotline languages`: is every language whole? A row for each, then what is missing; `make check` runs it.

A language needs: every prompt with its forms and placeholders, every text message, every function that says dates and
numbers, a name in the menus of departments, its questionnaires, its name in the console, a place in the settings and
in the database, and a voice where it is spoken. The console's own sentences are English by decision. A native
speaker's review is shown and is no gap.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

from hotline import demo_clinics
from hotline.databases import schema_text
from hotline.settings import Language
from scripts import verbalise, wording
from scripts.questionnaire import Questionnaire
from scripts.questionnaire_files import HERE as QUESTIONNAIRES
from scripts.questionnaire_files import load_questionnaires
from scripts.wording import Wording
from scripts.wording_files import REFERENCE
from speech.voices.espeak import Espeak
from web.words import LANGUAGES as NAMES

NOWHERE = wording.Site("Hospital", "112", "600", ZoneInfo("UTC"))
FUNCTIONS = tuple(name for name in vars(verbalise.Speech) if not name.startswith("_"))


@dataclass
class Share:
    """How many of a kind there are, and what is missing of it."""

    whole: int = 0
    missing: list[str] = field(default_factory=list)

    def need(self, there: bool, what: str) -> None:
        self.whole += 1
        if not there:
            self.missing.append(what)

    def __str__(self) -> str:
        return f"{self.whole - len(self.missing)}/{self.whole}"


@dataclass
class Row:
    """One language. `kinds`: column → its share."""

    tag: str
    spoken: bool
    kinds: dict[str, Share]
    reviewed: dict[str, str | None]

    @property
    def missing(self) -> list[str]:
        return [what for share in self.kinds.values() for what in share.missing]

    @property
    def reviewers(self) -> str:
        """`nobody`, `Ana Vega`, or `Ana Vega (3 of 9 files)`."""
        names = sorted({name for name in self.reviewed.values() if name})
        done = sum(1 for name in self.reviewed.values() if name)
        if not names:
            return "nobody"
        part = "" if done == len(self.reviewed) else f" ({done} of {len(self.reviewed)} files)"
        return ", ".join(names) + part


def check(prompts: Path = wording.HERE, questionnaires: Path = QUESTIONNAIRES) -> list[Row]:
    """A row for each language that is written, spoken or named anywhere."""
    words = wording.load(NOWHERE, prompts)
    asked, refused = load_questionnaires(questionnaires)
    tags = dict.fromkeys([*words.languages, *verbalise.SPEECH, *get_args(Language)])
    rows = [_row(tag, words, list(asked.values())) for tag in tags]
    for problem in refused:
        for row in rows:
            row.kinds["questionnaires"].need(False, str(problem))
    return rows


def table(rows: list[Row]) -> str:
    """As it is printed: a line a language, then a line for each thing that is missing."""
    heads = ["language", "spoken", *rows[0].kinds, "reviewed by"]
    lines = [heads]
    for row in rows:
        shares = [str(share) for share in row.kinds.values()]
        lines.append([f"{NAMES.get(row.tag, '?')} ({row.tag})", "yes" if row.spoken else "no", *shares, row.reviewers])
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    told = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    missing = [f"{row.tag}: {what}" for row in rows for what in row.missing]
    return "\n".join([*told, "", *(missing or ["Nothing is missing."])])


def languages() -> int:
    """Prints the table; 1 where something is missing."""
    rows = check()
    print(table(rows))
    return 1 if any(row.missing for row in rows) else 0


def _row(tag: str, words: Wording, asked: list[Questionnaire]) -> Row:
    language = words.languages.get(tag)
    kinds = {
        "prompts": _prompts(tag, words),
        "messages": _messages(tag, words),
        "words": _functions(tag),
        "departments": _departments(tag),
        "questionnaires": _questionnaires(tag, asked, language is not None and language.spoken),
        "places": _places(tag, language is not None and language.spoken),
    }
    return Row(tag, language is not None and language.spoken, kinds, dict(language.reviewed) if language else {})


def _prompts(tag: str, words: Wording) -> Share:
    """Each form counts. A file that was refused is told with its lines."""
    folder = tag.replace("-", "_") + "/"
    gaps = [f"{gap.key}: {gap.what}" for gap in words.check() if gap.language == tag]
    gaps += [str(problem) for problem in words.refused if problem.file.startswith(folder)]
    if tag not in words.languages:
        return Share(len(words.every_key()), [*(gaps or [f"scripts/languages/{folder} is missing"])])
    return Share(len(words.every_key()), gaps)


def _messages(tag: str, words: Wording) -> Share:
    share = Share()
    language = words.languages.get(tag)
    for key in words.languages[REFERENCE].messages:
        share.need(language is not None and key in language.messages, f"message '{key}' is missing")
    return share


def _functions(tag: str) -> Share:
    share = Share()
    for name in FUNCTIONS:
        there = tag in verbalise.SPEECH and hasattr(verbalise.SPEECH[tag], name)
        share.need(there, f"scripts/languages/{tag.replace('-', '_')}/__init__.py has no {name}")
    return share


def _departments(tag: str) -> Share:
    share = Share()
    for code, names in (*demo_clinics.DEPARTMENTS, *((code, names) for code, names, *_ in demo_clinics.EXAMINATIONS)):
        share.need(bool(names.get(tag)), f"department '{code}' has no name (hotline/demo_clinics.py)")
    return share


def _questionnaires(tag: str, asked: list[Questionnaire], spoken: bool) -> Share:
    """A language in which no call is held may be missing from a questionnaire as a whole: its page says so."""
    share = Share()
    for questionnaire in asked:
        if not spoken and tag not in questionnaire.reviewed_by:
            continue
        for text in questionnaire.texts():
            said = next(iter(text.by_language.values()))
            share.need(tag in text.by_language, f"questionnaire '{questionnaire.id}': no words for {said!r}")
        share.need(tag in questionnaire.reviewed_by, f"questionnaire '{questionnaire.id}': not in reviewed_by")
    return share


def _places(tag: str, spoken: bool) -> Share:
    share = Share()
    share.need(tag in NAMES, "no name in web/words/saying.py")
    share.need(tag in get_args(Language), "not in Language of hotline/settings.py")
    for table, allowed in _allowed_in_the_database():
        share.need(tag in allowed, f"not allowed in {table}.language of schema.sql")
    if spoken:
        share.need(Espeak().speaks(tag), "no voice speaks it (speech/voices/espeak.py is the last that is asked)")
    return share


def _allowed_in_the_database() -> Iterator[tuple[str, set[str]]]:
    table = ""
    for line in schema_text().splitlines():
        if made := re.match(r"CREATE TABLE (\w+)", line):
            table = made[1]
        if listed := re.search(r"CHECK \(language IN \(([^)]*)\)", line):
            yield table, set(re.findall(r"'([^']+)'", listed[1]))
