"""`hotline discharges preview|import FILE`: a list of discharges, operations and visits becomes follow-up tasks."""

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from hospital import discharge_lists, discharges
from hospital.calendars import Calendar
from hospital.database import Database
from hospital.discharge_lists import Rules
from hospital.discharges import Report
from hotline import opened
from hotline.long_lists import AGAIN, INTERRUPTED, TOLD, Progress, Refusals, digest_of, to_its_end
from hotline.places import places
from hotline.settings import Settings
from scripts.languages import TAGS
from scripts.plan_files import load_plans
from scripts.questionnaire_files import load_questionnaires
from scripts.vocabulary import list_words

T = TypeVar("T")


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """0 where every row was sound, 1 where some were refused, 2 where it ended before the last row, 130 where it was
    interrupted. What was taken over until then stays, and the same list again goes on from there."""
    database = opened.open_database(settings, places(settings))
    report = Report()
    try:
        with closing(database), closing(Refusals(asked.file, asked.rejected)) as refusals:
            report.told = refusals.write
            ended = to_its_end(lambda: _read(settings, asked, _in(database), report))
            if asked.task == "import" and report.rows:
                _write_down(database, asked.file, report)
    except OSError as problem:
        print(f"Nothing more was taken over: {asked.rejected} can't be written: {problem.strerror}.", file=sys.stderr)
        return 2
    if report.rows or ended is None or asked.json:
        _tell(report, asked, refusals.path)
    if ended is None:
        return 1 if report.refused else 0
    print(f"Nothing more was taken over: {ended}{AGAIN if report.rows else ''}", file=sys.stderr)
    return 130 if ended is INTERRUPTED else 2


def _read(settings: Settings, asked: argparse.Namespace, in_one: Callable[..., Any], report: Report) -> None:
    """Raises ListRefused, LookupError."""
    zone, at, country = opened.zone(settings), opened.now(), settings.site.country_code
    rows = discharge_lists.read(asked.file, Rules(zone, country, settings.site.languages[0], at, TAGS, list_words()))
    progress = Progress(asked.file)
    plans, problems = load_plans(load_questionnaires()[0])
    if asked.task == "preview":
        discharges.preview(rows, in_one, report, progress, list(plans.values()))
    else:
        for problem in problems:
            print(problem, file=sys.stderr)
        site = Calendar(zone, country)
        discharges.take_over(rows, list(plans.values()), at, site, in_one, report, progress)


def _write_down(database: Database, path: Path, report: Report) -> None:
    """In the audit chain, as the console's are; nobody's account."""
    with suppress(DBAPIError), database.transaction() as session:  # it was said already that it does not answer
        discharges.written_down(session, report, digest_of(path), opened.now(), None)


def _in(database: Database) -> Callable[[Callable[[Session], T]], T]:
    def run_in(verb: Callable[[Session], T]) -> T:
        with database.transaction() as session:
            return verb(session)

    return run_in


def _tell(report: Report, asked: argparse.Namespace, refused_in: Path | None) -> None:
    if asked.json:
        figures = {name: value for name, value in vars(report).items() if name != "told"}
        rows = {name: [asdict(row) for row in figures[name]] for name in ("rejected", "unchanged", "wards")}
        print(json.dumps({**figures, **rows, "refused_in": str(refused_in or "")}))
        return
    verb = "would be" if asked.task == "preview" else "were"
    told = f"{report.new} events {verb} taken over, {report.known} known, {report.refused} refused"
    print(f"{report.rows} rows: {told}.")
    made = f" {report.tasks} tasks were made." if report.tasks else ""
    print(f"{report.registered} patients {verb} registered, {report.guarded} given a guardian.{made}")
    for row in report.rejected[:TOLD] + report.unchanged[:TOLD] + report.wards[:TOLD]:
        print(f"  line {row.line}{', ' + row.column if row.column else ''}: {row.why}")
    if report.refused > TOLD:
        where = f"all are in {refused_in}" if refused_in else "--rejected FILE writes them all"
        print(f"  … and {report.refused - TOLD} more; {where}")
