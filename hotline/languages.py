"""`hotline languages`: is every language whole? A row for each, then what is missing; `make check` runs it.

A language needs, spoken or not: every prompt with its forms and placeholders, every text message, every function that
says dates and numbers, its vocabulary with the headings of lists and the alarms that no ears know, its name in the
console, a name in the menus of departments, all questionnaires and plans, what the triage table and the demo's site
say; and where it is spoken a voice. The console's own sentences are English by decision. A native speaker's review is
shown and is no gap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from hospital.discharge_lists import COLUMNS
from hospital.plans import Plan
from hotline import demo_clinics
from hotline.in_force import DEMO_INFORMATION
from hotline.wiring import espeak
from scripts import library, verbalise, vocabulary, wording
from scripts.plan_files import HERE as PLANS
from scripts.plan_files import load_plans
from scripts.questionnaire import Questionnaire
from scripts.questionnaire_files import HERE as QUESTIONNAIRES
from scripts.questionnaire_files import load_questionnaires
from scripts.site_file import read_site
from scripts.triage import HERE as TRIAGE
from scripts.triage import read_triage
from scripts.wording import Wording
from scripts.wording_files import REFERENCE
from scripts.yaml_lines import FileRefused, Problem
from speech.ears.languages import LANGUAGES as HEARD
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


def check(
    prompts: Path = wording.HERE, questionnaires: Path = QUESTIONNAIRES, plans: Path = PLANS, triage: Path = TRIAGE
) -> list[Row]:
    """A row for each language that is written, spoken or named anywhere."""
    words = wording.load(NOWHERE, prompts)
    asked, refused = load_questionnaires(questionnaires)
    tags = dict.fromkeys([*words.languages, *verbalise.SPEECH])
    planned, misplanned = load_plans(asked, plans)
    rows = [_row(tag, words, prompts) for tag in tags]
    for row in rows:
        row.kinds |= {
            "questionnaires": _questionnaires(row.tag, asked.values(), refused),
            "plans": _plans(row.tag, planned.values(), misplanned),
            "site": _site(row.tag, words, triage),
            "voice": _voice(row.tag, row.spoken),
        }
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


def _row(tag: str, words: Wording, prompts: Path) -> Row:
    language = words.languages.get(tag)
    kinds = {
        "prompts": _prompts(tag, words),
        "messages": _messages(tag, words),
        "words": _functions(tag, prompts),
        "departments": _departments(tag),
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


def _functions(tag: str, prompts: Path) -> Share:
    share, folder = Share(), tag.replace("-", "_")
    for name in FUNCTIONS:
        there = tag in verbalise.SPEECH and hasattr(verbalise.SPEECH[tag], name)
        share.need(there, f"scripts/languages/{folder}/__init__.py has no {name}")
    try:
        known = vocabulary.read(prompts / folder / vocabulary.NAME)
    except FileRefused as refused:
        for problem in refused.problems:
            share.need(False, str(problem))
    else:
        share.need(True, "")
        there = known.alarms is not None or tag in HEARD
        share.need(there, f"scripts/languages/{folder}/{vocabulary.NAME} has no alarms, and no ears know any")
        for column in COLUMNS:
            there = bool(known.columns.get(column))
            share.need(there, f"scripts/languages/{folder}/{vocabulary.NAME} has no heading for '{column}'")
    return share


def _departments(tag: str) -> Share:
    share, folder = Share(), tag.replace("-", "_")
    for problem in library.tables()[1]:
        if problem.file.startswith(f"{folder}/"):
            share.need(False, str(problem))
    for code, names in (*demo_clinics.DEPARTMENTS, *((code, names) for code, names, *_ in demo_clinics.EXAMINATIONS)):
        there = bool(library.in_all(names).get(tag))
        share.need(there, f"department '{code}' has no name (scripts/languages/{folder}/library.yaml)")
    return share


def _questionnaires(tag: str, asked: Iterable[Questionnaire], refused: list[Problem]) -> Share:
    share = Share()
    for questionnaire in asked:
        for text in questionnaire.texts():
            said = next(iter(text.by_language.values()))
            share.need(tag in text.by_language, f"questionnaire '{questionnaire.id}': no words for {said!r}")
        share.need(tag in questionnaire.reviewed_by, f"questionnaire '{questionnaire.id}': not in reviewed_by")
    for problem in refused:
        share.need(False, str(problem))
    return share


def _plans(tag: str, planned: Iterable[Plan], refused: list[Problem]) -> Share:
    share = Share()
    for plan in planned:
        share.need(tag in plan.title, f"plan '{plan.id}': no words for {plan.title[REFERENCE]!r}")
    for problem in refused:
        share.need(False, str(problem))
    return share


def _site(tag: str, words: Wording, triage: Path) -> Share:
    """The triage table and the demo's information: refused as a whole where a language lacks a word."""
    share = Share()
    every = {one: words.languages.get(one, words.languages[REFERENCE]) for one in verbalise.SPEECH}
    for read in (lambda: read_triage(triage, [tag]), lambda: read_site(DEMO_INFORMATION, every, [tag])):
        try:
            read()
        except FileRefused as refused:
            for problem in refused.problems:
                share.need(False, str(problem))
        else:
            share.need(True, "")
    return share


def _voice(tag: str, spoken: bool) -> Share:
    share = Share()
    if spoken:
        named = f"ESPEAK of scripts/languages/{tag.replace('-', '_')}/__init__.py names one"
        share.need(espeak().speaks(tag), f"no voice speaks it ({named})")
    return share
