"""`hotline discharges preview|import FILE`: a list of discharges, operations and visits becomes follow-up tasks."""

import argparse
import csv
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

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


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """0 where every row was sound, 1 where some were refused, 2 where nothing was read."""
    database = wiring.open_database(settings, places(settings))
    zone, at = wiring.zone(settings), wiring.now()
    country = settings.site.country.upper()
    rows = discharge_lists.read(asked.file, Rules(zone, country, settings.site.languages[0], at, TAGS, list_words()))
    in_one = _in(database)
    try:
        with _written_down(asked) as report:
            if asked.task == "preview":
                discharges.preview(rows, in_one, report, _progress)
            else:
                plans, problems = load_plans(load_questionnaires()[0])
                for problem in problems:
                    print(problem, file=sys.stderr)
                site = Calendar(zone, country)
                discharges.take_over(rows, list(plans.values()), at, site, in_one, report, _progress)
    except (ListRefused, LookupError) as problem:
        print(f"Nothing more was taken over: {problem}", file=sys.stderr)
        return 2
    except OSError as problem:
        print(f"Nothing more was taken over: {asked.rejected} can't be written: {problem.strerror}.", file=sys.stderr)
        return 2
    except DBAPIError:
        print("The database does not answer. Start the hotline first (`hotline up --detach`).", file=sys.stderr)
        return 2
    finally:
        database.close()
    _tell(report, asked)
    return 1 if report.refused else 0


def _in(database: Database) -> Callable[[Callable[[Session], T]], T]:
    def run_in(verb: Callable[[Session], T]) -> T:
        with database.transaction() as session:
            return verb(session)

    return run_in


@contextmanager
def _written_down(asked: argparse.Namespace) -> Iterator[Report]:
    """Every refused row goes to `--rejected` as it is met: a list may have more of them than a report keeps."""
    if asked.rejected is None:
        yield Report()
        return
    with open(asked.rejected, "w", encoding="utf-8", newline="") as sink:
        writer = csv.writer(sink)
        writer.writerow(["line", "column", "why"])

        def write(row: Rejected) -> None:
            writer.writerow([row.line, row.column, row.why])

        yield Report(told=write)


def _progress(report: Report) -> None:
    if report.rows % SIGN_OF_LIFE == 0:
        print(f"{report.rows:,} rows were read, {report.refused:,} of them refused …", file=sys.stderr)


def _tell(report: Report, asked: argparse.Namespace) -> None:
    if asked.json:
        rejected = [{"line": row.line, "column": row.column, "why": row.why} for row in report.rejected]
        figures = {name: value for name, value in vars(report).items() if name != "told"}
        print(json.dumps({**figures, "rejected": rejected}))
        return
    verb = "would be" if asked.task == "preview" else "were"
    told = f"{report.new} events {verb} taken over, {report.known} known, {report.refused} refused"
    print(f"{report.rows} rows: {told}.")
    made = f" {report.tasks} tasks were made." if report.tasks else ""
    print(f"{report.registered} patients {verb} registered, {report.guarded} given a guardian.{made}")
    for row in report.rejected[:TOLD]:
        print(f"  line {row.line}{', ' + row.column if row.column else ''}: {row.why}")
    if report.refused > TOLD:
        print(f"  … and {report.refused - TOLD} more; --rejected FILE writes them all")
