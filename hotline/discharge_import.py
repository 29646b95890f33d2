"""`hotline discharges preview|import FILE`: a list of discharges, operations and visits becomes follow-up tasks."""

import argparse
import csv
import json
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from hospital import discharge_lists, discharges
from hospital.csv_files import ListRefused, Rejected
from hospital.database import Database
from hospital.discharge_lists import Rules
from hospital.discharges import Report
from hospital.plans import Calendar
from hotline import wiring
from hotline.places import places
from hotline.settings import Settings
from scripts.languages import TAGS
from scripts.plan_files import load_plans
from scripts.questionnaire_files import load_questionnaires
from scripts.vocabulary import list_words

T = TypeVar("T")
TOLD = 20  # refused rows that are printed
SIGN_OF_LIFE = 10_000  # rows
INTERRUPTED = "it was interrupted."
AGAIN = " What was taken over stays; take the same list over again, and it goes on there."


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """0 where every row was sound, 1 where some were refused, 2 where it ended before the last row, 130 where it was
    interrupted. What was taken over until then stays, and the same list again goes on from there."""
    database = wiring.open_database(settings, places(settings))
    report = Report()
    try:
        with closing(database), closing(Refusals(asked.file, asked.rejected)) as refusals:
            report.told = refusals.write
            ended = _read(settings, asked, _in(database), report)
    except OSError as problem:
        print(f"Nothing more was taken over: {asked.rejected} can't be written: {problem.strerror}.", file=sys.stderr)
        return 2
    if report.rows:
        _tell(report, asked, refusals.path)
    if ended is None:
        return 1 if report.refused else 0
    print(f"Nothing more was taken over: {ended}{AGAIN if report.rows else ''}", file=sys.stderr)
    return 130 if ended is INTERRUPTED else 2


def _read(settings: Settings, asked: argparse.Namespace, in_one: Callable[..., Any], report: Report) -> str | None:
    """Why it ended before the last row, if it did."""
    zone, at, country = wiring.zone(settings), wiring.now(), settings.site.country.upper()
    rows = discharge_lists.read(asked.file, Rules(zone, country, settings.site.languages[0], at, TAGS, list_words()))
    progress = Progress(asked.file)
    try:
        if asked.task == "preview":
            discharges.preview(rows, in_one, report, progress)
        else:
            plans, problems = load_plans(load_questionnaires()[0])
            for problem in problems:
                print(problem, file=sys.stderr)
            site = Calendar(zone, country)
            discharges.take_over(rows, list(plans.values()), at, site, in_one, report, progress)
    except (ListRefused, LookupError) as refused:
        return str(refused)
    except DBAPIError:
        return "the database does not answer. Start the hotline first (`hotline up --detach`)."
    except KeyboardInterrupt:
        return INTERRUPTED
    return None


def _in(database: Database) -> Callable[[Callable[[Session], T]], T]:
    def run_in(verb: Callable[[Session], T]) -> T:
        with database.transaction() as session:
            return verb(session)

    return run_in


class Refusals:
    """Every refused row, in a file as it is met: where it was asked for, or beside the list as soon as there are more
    than are printed. Says nothing of what stood in the row."""

    def __init__(self, listed: Path, asked: Path | None) -> None:
        """Raises OSError where the file that was asked for can't be written."""
        self.path: Path | None = None  # where they are, once there is such a file
        self._beside = listed.with_name(f"{listed.name}.refused.csv")
        self._few: list[Rejected] | None = []
        self._files = ExitStack()
        if asked is not None:
            self._open(asked)

    def write(self, row: Rejected) -> None:
        if self.path is not None:
            self._rows([row])
        elif self._few is not None:
            self._few.append(row)
            if len(self._few) > TOLD:
                self._open_beside()

    def _open_beside(self) -> None:
        try:
            self._open(self._beside)
        except OSError as problem:  # the folder may be read only: the list is taken over all the same
            self._few = None
            told = f"{self._beside} can't be written: {problem.strerror}. --rejected FILE names another place."
            print(told, file=sys.stderr)

    def _open(self, path: Path) -> None:
        sink = self._files.enter_context(open(path, "w", encoding="utf-8", newline=""))  # noqa: SIM115 - by close
        self.path, self._writer = path, csv.writer(sink)
        self._writer.writerow(["line", "column", "why"])
        self._rows(self._few or [])

    def _rows(self, rows: list[Rejected]) -> None:
        self._writer.writerows([row.line, row.column, row.why] for row in rows)

    def close(self) -> None:
        self._files.close()


class Progress:
    """A line each ten thousand rows: how many of about how many, and how many a second."""

    def __init__(self, path: Path) -> None:
        self._path, self._began, self._lines = path, time.monotonic(), 0

    def __call__(self, report: Report) -> None:
        if report.rows % SIGN_OF_LIFE:
            return
        self._lines = self._lines or _lines(self._path)
        rate = report.rows / max(time.monotonic() - self._began, 0.001)
        read = f"{report.rows:,} of about {self._lines:,} rows were read, {report.refused:,} of them refused"
        print(f"{read}; {rate:,.0f} a second …", file=sys.stderr, flush=True)


def _lines(path: Path) -> int:
    """About how many rows the list has: those that hold line breaks are fewer."""
    with open(path, "rb") as source:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: source.read(1 << 20), b""))


def _tell(report: Report, asked: argparse.Namespace, refused_in: Path | None) -> None:
    if asked.json:
        figures = {name: value for name, value in vars(report).items() if name != "told"}
        rows = {name: [asdict(row) for row in figures[name]] for name in ("rejected", "unchanged")}
        print(json.dumps({**figures, **rows, "refused_in": str(refused_in or "")}))
        return
    verb = "would be" if asked.task == "preview" else "were"
    told = f"{report.new} events {verb} taken over, {report.known} known, {report.refused} refused"
    print(f"{report.rows} rows: {told}.")
    made = f" {report.tasks} tasks were made." if report.tasks else ""
    print(f"{report.registered} patients {verb} registered, {report.guarded} given a guardian.{made}")
    for row in report.rejected[:TOLD] + report.unchanged[:TOLD]:
        print(f"  line {row.line}{', ' + row.column if row.column else ''}: {row.why}")
    if report.refused > TOLD:
        where = f"all are in {refused_in}" if refused_in else "--rejected FILE writes them all"
        print(f"  … and {report.refused - TOLD} more; {where}")
