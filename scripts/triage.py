"""The triage table: from a complaint to the department that is the place to ask. It routes and never diagnoses.

`site/triage.yaml` belongs to the hospital; another file is named by [triage] file in hotline.toml. A table is steps
of rows; a row has a key, says a complaint in every spoken language, and leads to exactly one of: a red flag (a nurse
at once), a department's code, another step. Refused, with file and line: a step without a red flag, a step that
nothing leads to, a loop, a key used twice or that belongs to the house, more than five rows, a language that is
missing. A row that leads to a department may say how urgent it is (`urgency`): then earlier times go before those that
usually suit the patient.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from hospital.wishes import Urgency
from scripts import library
from scripts.placeholders import TEXT_LENGTH
from scripts.yaml_lines import Field, SourceFile

HERE = Path(__file__).parent / "site" / "triage.yaml"
MOST_ROWS = 5
URGENCIES: tuple[str, ...] = get_args(Urgency)
KEYS = "123456"  # the others are the house's
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")

Said = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RedFlag:
    """A nurse at once; `code` is what her screen shows."""

    code: str


@dataclass(frozen=True, slots=True)
class Department:
    """The department's code in the booking desk, and how urgently a time is looked for there."""

    code: str
    urgency: Urgency = "routine"


@dataclass(frozen=True, slots=True)
class Next:
    """The step that asks on."""

    step: str


@dataclass(frozen=True, slots=True)
class Row:
    """One choice. `complaint`: language → how it is said, after "for"."""

    key: str
    complaint: Said
    leads_to: RedFlag | Department | Next


@dataclass(frozen=True, slots=True)
class Step:
    """One question. `question`: language → the sentence."""

    question: Said
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Triage:
    """A whole table. `reviewed_by`: the clinician who answers for it, or None."""

    start: str
    steps: Mapping[str, Step]
    reviewed_by: str | None

    def departments(self) -> frozenset[str]:
        """Every department that a row leads to."""
        rows = (row.leads_to for step in self.steps.values() for row in step.rows)
        return frozenset(to.code for to in rows if isinstance(to, Department))


def read_triage(path: Path, languages: Collection[str]) -> Triage:
    """Read the table. `languages`: those that are spoken; each must say all of it. Raises `FileRefused`."""
    return read_table(SourceFile(path), languages)


def read_table(source: SourceFile, languages: Collection[str]) -> Triage:
    """The same of a file that was opened, or of an edition."""
    top = source.top.mapping(("reviewed_by", "start", "steps"), ())
    source.finish()
    reading = _Reading(languages)
    fields = top["steps"].mapping()
    steps = {name: reading.step(name, field) for name, field in fields.items()}
    start = top["start"].text()
    if start not in fields:
        top["start"].wrong(f"there is no step {start!r}; it must be one of {', '.join(sorted(fields))}")
    else:
        reading.follow(start, fields)
    reviewed_by = top["reviewed_by"].text_or_null()
    source.finish()
    return Triage(start, steps, reviewed_by)


class _Reading:
    def __init__(self, languages: Collection[str]) -> None:
        self._languages = sorted(languages)
        self._leads: dict[str, list[tuple[str, Field]]] = {}  # step → where its rows lead on, each with its place

    def step(self, name: str, field: Field) -> Step:
        parts = field.mapping(("question", "rows"), ())
        if not {"question", "rows"} <= parts.keys():
            return Step({}, ())
        fields = parts["rows"].items()
        if not 1 <= len(fields) <= MOST_ROWS:
            parts["rows"].wrong(f"has {len(fields)} rows; 1 to {MOST_ROWS} can be kept in mind by a listener")
        taken: dict[str, str] = {}
        rows = tuple(self._row(row, taken, name) for row in fields)
        if not any(isinstance(row.leads_to, RedFlag) for row in rows):
            field.wrong("has no row with red_flag: every step must have a way to a nurse at once")
        return Step(self._said(parts["question"]), rows)

    def _row(self, field: Field, taken: dict[str, str], step: str) -> Row:
        parts = field.mapping(("key", "complaint"), ("red_flag", "department", "next", "urgency"))
        key = parts["key"].text() if "key" in parts else ""
        if key and (len(key) != 1 or key not in KEYS):
            parts["key"].wrong(f"key {key!r} can't be a choice; one key from 1 to 6 is allowed")
        elif key in taken:
            parts["key"].wrong(f"key {key} is used twice in this step{taken[key]}")
        elif key:
            taken[key] = f"; it was on line {field.line}" if field.line else ""
        complaint = self._said(parts["complaint"]) if "complaint" in parts else {}
        return Row(key, complaint, self._leads_to(field, parts, step))

    def _leads_to(self, field: Field, parts: Mapping[str, Field], step: str) -> RedFlag | Department | Next:
        ways = [name for name in ("red_flag", "department", "next") if name in parts]
        if len(ways) != 1:
            field.wrong(f"leads to {' and '.join(ways) or 'nothing'}: exactly one of red_flag, department, next")
            return Next("")
        code = parts[ways[0]].text()
        if ways[0] != "department" and "urgency" in parts:
            parts["urgency"].wrong("says how urgent an appointment is: only a row with a department has one")
        if code and not _CODE.fullmatch(code):
            parts[ways[0]].wrong(f"{code!r} is no code: small letters, digits and _")
        match ways[0]:
            case "red_flag":
                return RedFlag(code)
            case "department":
                return Department(code, self._urgency(parts))
        self._leads.setdefault(step, []).append((code, parts["next"]))
        return Next(code)

    def _urgency(self, parts: Mapping[str, Field]) -> Urgency:
        if "urgency" not in parts:
            return "routine"
        urgency = parts["urgency"].text()
        if urgency not in URGENCIES:
            parts["urgency"].wrong(f"{urgency!r} is none of {', '.join(URGENCIES)}")
            return "routine"
        return cast(Urgency, urgency)

    def _said(self, field: Field) -> Said:
        said = {}
        for language, text in field.mapping().items():
            said[language] = text.text()
            if len(said[language]) > TEXT_LENGTH:
                text.wrong(f"has {len(said[language])} letters; {TEXT_LENGTH} are said, the rest would be cut off")
        said = library.in_all(said)
        missing = [language for language in self._languages if language not in said]
        if missing:
            field.wrong(f"is not said in {', '.join(missing)}, which callers can choose")
        return said

    def follow(self, start: str, steps: Mapping[str, Field]) -> None:
        """Every step must be reached from the first, and no way may come back."""
        done: set[str] = set()
        self._walk(start, steps, (), done)
        for name in steps.keys() - done:
            steps[name].wrong(f"no row leads to the step {name!r}: nobody will ever hear it")

    def _walk(self, name: str, steps: Mapping[str, Field], way: tuple[str, ...], done: set[str]) -> None:
        done.add(name)
        for to, place in self._leads.get(name, []):
            if to not in steps:
                place.wrong(f"there is no step {to!r}")
            elif to in (*way, name):
                place.wrong(f"leads back to {to!r}: a caller would go round for ever")
            elif to not in done:
                self._walk(to, steps, (*way, name), done)
