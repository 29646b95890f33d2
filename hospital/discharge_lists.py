"""Lists of discharges, operations and visits as a hospital's system exports them: CSV, row by row. No database here.

Rules: a row is taken whole or refused with its line, its column and what to do; never with what stood there, which is
about a person. Columns are found by their heading, in any order. A million rows take no more memory than their ids.
Times are the site's, unless they name a zone. What is refused: no id or one that stood there before, no record number,
a name that is missing, a date that is no date, in the future, or too long ago to follow up, a number that belongs to no
country, nobody to call: who has no number needs a guardian, named by record number, or by name and number.
"""

import csv
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from zoneinfo import ZoneInfo

from hospital.csv_files import ListRefused, Rejected, dialect, opened
from hospital.patients import ADDRESS_LENGTH, normalise_number

LONGEST_AGO = timedelta(days=60)
LONGEST_CELL, LONGEST_WORDS = 200, 2000  # letters; an index takes no id of any length
IN_WORDS = ("reason", "diagnosis", "address")
NEAR_FUTURE = timedelta(hours=1)  # clocks differ
COLUMNS = (
    "event", "record", "name", "birth", "sex", "language", "phone", "phone2", "address", "discharged", "kind",
    "guardian", "guardian_name", "guardian_phone", "admitted", "ward", "doctor", "reason", "diagnosis", "study",
)  # fmt: skip
NEEDED = ("event", "record", "name", "phone", "discharged")
_ZONED = re.compile(r":[0-9]{2}(?:[.,][0-9]{1,9})?(Z|[+-][0-9]{2}(?::?[0-9]{2})?)\Z")
BEYOND = "has more cells than the heading: does a separator stand in a cell without quotes?"
SEXES = ("female", "male")
KINDS = ("discharge", "surgery", "visit")


@dataclass(frozen=True, slots=True)
class ListWords:
    """How lists call things, in small letters. `columns`: one of `COLUMNS` → its headings, the likeliest first;
    `values`: one of `SEXES` or `KINDS` → what stands for it in a row."""

    columns: Mapping[str, Sequence[str]]
    values: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a list is read by. `language`: of patients for whom none is told; `languages`: those that may be told;
    `words`: of every language, whichever a list is in."""

    zone: ZoneInfo
    country: str
    language: str
    now: datetime
    languages: Collection[str]
    words: ListWords


@dataclass(frozen=True, slots=True)
class Happened:
    """One row that is sound. Numbers are E.164, first to be dialled first. `guardian` is a record number, '' for none;
    or there are `guardian_name` and `guardian_number`. `at` is when the patient went home, was operated on or was
    seen."""

    line: int
    event: str
    record: str
    name: str
    birth: date | None
    sex: str | None
    language: str
    numbers: tuple[str, ...]
    at: datetime
    ward: str
    diagnosis: str
    study: str
    address: str = ""
    kind: str = "discharge"
    guardian: str = ""
    admitted: datetime | None = None
    doctor: str = ""
    reason: str = ""
    guardian_name: str = ""
    guardian_number: str = ""


def read(source: Path | bytes, rules: Rules) -> Iterator[Happened | Rejected]:
    """Every row, sound or not, as the file (or what it holds) is read. Raises ListRefused where it is no such list."""
    with opened(source) as stream:
        rows = csv.reader(stream, dialect(stream))
        try:
            headings = next(rows, [])
            columns = _columns(headings, rules.words)
            seen: set[bytes] = set()
            for row in rows:
                if any(cell.strip() for cell in row):
                    moved = any(cell.strip() for cell in row[len(headings) :])
                    line = rows.line_num
                    yield Rejected(line, "", BEYOND) if moved else _one(line, row, columns, rules, seen)
        except csv.Error as error:
            raise ListRefused(f"line {rows.line_num} is no CSV: {error}. Export the list again.") from None


def _one(line: int, row: list[str], columns: dict[str, int], rules: Rules, seen: set[bytes]) -> Happened | Rejected:
    if len(row) <= max(columns.values()):
        return Rejected(line, "", "has fewer cells than the heading: is a separator missing?")
    cells = {name: row[place].strip() for name, place in columns.items()}
    try:
        return _sound(line, cells, rules, seen)
    except _Wrong as wrong:
        return Rejected(line, wrong.column, wrong.why)


class _Wrong(Exception):
    def __init__(self, column: str, why: str) -> None:
        super().__init__(why)
        self.column, self.why = column, why


def _sound(line: int, cells: dict[str, str], rules: Rules, seen: set[bytes]) -> Happened:
    for name in NEEDED:
        if not cells[name] and name != "phone":
            raise _Wrong(name, "is empty")
    for name, cell in cells.items():
        if "\0" in cell:
            raise _Wrong(name, "holds a character that is no text")
        longest = LONGEST_WORDS if name in IN_WORDS else LONGEST_CELL
        if len(cell) > longest:
            raise _Wrong(name, f"is longer than {longest} letters")
    kind = _value("kind", cells.get("kind", ""), KINDS, rules) or "discharge"
    key = blake2b(f"{kind}:{cells['event']}".encode(), digest_size=8).digest()
    if key in seen:
        raise _Wrong("event", "stood in an earlier row")
    guardian = cells.get("guardian", "")
    if guardian == cells["record"]:
        raise _Wrong("guardian", "is the patient's own record number")
    numbers = tuple(dict.fromkeys(_number(name, cells[name], rules) for name in ("phone", "phone2") if cells.get(name)))
    named, dialled = _named(cells, rules)
    if named and guardian:
        raise _Wrong("guardian_name", "stands beside a record number: name the guardian by one of the two")
    if dialled in numbers and named.casefold() == " ".join(cells["name"].split()).casefold():
        raise _Wrong("guardian_name", "is the patient")
    if not numbers and not guardian and not named:
        raise _Wrong("phone", "is empty, and no guardian is named who would be called")
    at = _event_time(cells["discharged"], rules)
    if at > rules.now + NEAR_FUTURE:
        raise _Wrong("discharged", "is in the future")
    if at < rules.now - LONGEST_AGO:
        raise _Wrong("discharged", f"is more than {LONGEST_AGO.days} days ago")
    admitted = _time("admitted", cells["admitted"], rules.zone) if cells.get("admitted") else None
    if admitted is not None and admitted.date() > at.date():
        raise _Wrong("admitted", "is after the day of the discharge")
    birth = _time("birth", cells["birth"], rules.zone).date() if cells.get("birth") else None
    if birth is not None and not 1880 <= birth.year <= rules.now.year:
        raise _Wrong("birth", "is no birth date of a patient")
    language = cells.get("language") or rules.language
    if language not in rules.languages:
        raise _Wrong("language", f"is none of {', '.join(rules.languages)}")
    seen.add(key)
    return Happened(
        line=line,
        event=cells["event"],
        record=cells["record"],
        name=cells["name"],
        birth=birth,
        sex=_value("sex", cells.get("sex", ""), SEXES, rules),
        language=language,
        numbers=numbers,
        at=at,
        ward=cells.get("ward", ""),
        diagnosis=cells.get("diagnosis", ""),
        study=cells.get("study", ""),
        address=_lines(cells.get("address", "")),
        kind=kind,
        guardian=guardian,
        admitted=min(admitted, at) if admitted else None,  # a day without a time is told as its noon
        doctor=cells.get("doctor", ""),
        reason=cells.get("reason", ""),
        guardian_name=named,
        guardian_number=dialled,
    )


def _named(cells: dict[str, str], rules: Rules) -> tuple[str, str]:
    """A guardian's name and number, both or neither."""
    name, number = " ".join(cells.get("guardian_name", "").split()), cells.get("guardian_phone", "")
    if not name and not number:
        return "", ""
    if not name:
        raise _Wrong("guardian_name", "is empty, and guardian_phone has a number")
    if not number:
        raise _Wrong("guardian_phone", "is empty, and guardian_name names somebody")
    if not name.isprintable() or not any(letter.isalpha() for letter in name):
        raise _Wrong("guardian_name", "is no name")
    return name, _number("guardian_phone", number, rules)


def _value(column: str, cell: str, known: Sequence[str], rules: Rules) -> str | None:
    """None for an empty cell."""
    found = next((value for value in known if cell.lower() in rules.words.values[value]), None)
    if cell and found is None:
        raise _Wrong(column, f"is none of {', '.join(known)}; it may be empty")
    return found


def _lines(cell: str) -> str:
    """An address as it stands on an envelope: lines, or in one line with semicolons or bars between them."""
    parts = re.split(r"[\r\n;|]+", cell)
    return "\n".join(part.strip() for part in parts if part.strip())[:ADDRESS_LENGTH]


def _number(column: str, cell: str, rules: Rules) -> str:
    number = normalise_number(cell, rules.country)
    if number is None:
        raise _Wrong(
            column, "is a number of no country: write it with + and the country's code, or as it is dialled here"
        )
    return number


def _event_time(cell: str, rules: Rules) -> datetime:
    """A day without a time is told as its noon, which on the morning of that day is still to come: it is now then."""
    at = _time("discharged", cell, rules.zone)
    now = rules.now.astimezone(rules.zone)
    return min(at, now) if at.date() == now.date() and ":" not in cell else at


def _time(column: str, cell: str, zone: ZoneInfo) -> datetime:
    """Year first, as in 2026-11-25 14:30, 2026/11/25 or 2026年11月25日: what 03/04 means, nobody can tell. A time with
    a zone is that instant; midnight is how some systems write a day, which stays that day, as a birth date does."""
    zoned = _ZONED.search(cell)
    told = cell[: zoned.start(1)] if zoned else cell
    text = told.translate({ord("年"): "-", ord("月"): "-", ord("日"): "", ord("/"): "-", ord("."): "-"})
    day, _, clock = text.replace("T", " ").partition(" ")
    try:
        year, month, number = (int(part) for part in day.split("-"))
        hour, minute = (int(part) for part in clock.split(":")[:2]) if clock.strip() else (12, 0)
        at = datetime(year, month, number, hour, minute, tzinfo=zone)
        if zoned is None or column == "birth" or (hour, minute) == (0, 0):
            return at
        return datetime.fromisoformat(f"{at:%Y-%m-%dT%H:%M}{zoned[1]}").astimezone(zone)
    except ValueError:
        raise _Wrong(column, "is no date: write the year first, as in 2026-11-25 or 2026-11-25 14:30") from None


def _columns(headings: list[str], known: ListWords) -> dict[str, int]:
    told = [heading.strip().lower() for heading in headings]
    words = {name: next((word for word in known.columns[name] if word in told), None) for name in COLUMNS}
    twice = [word for word in words.values() if word and told.count(word) > 1]
    if twice:
        raise ListRefused(f"the first row has the column {', '.join(twice)} twice: rename the one that is not meant.")
    found = {name: told.index(word) for name, word in words.items() if word}
    missing = [name for name in NEEDED if name not in found]
    if missing:
        raise ListRefused(
            f"the first row has no column {', '.join(missing)}. It must name the columns: {', '.join(COLUMNS)}."
        )
    return found
