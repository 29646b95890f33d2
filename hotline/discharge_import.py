"""`hotline discharges preview|import FILE`: a list of discharges becomes follow-up tasks."""

import argparse
import csv
import json
import sys
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from hospital import discharge_lists, discharges
from hospital.database import Database
from hospital.discharge_lists import ListRefused, Rules
from hospital.discharges import Report
from hospital.plans import Calendar
from hotline import wiring
from hotline.places import places
from hotline.settings import Settings
from scripts.plan_files import load_plans
from scripts.questionnaire_files import load_questionnaires

T = TypeVar("T")
TOLD = 20  # refused rows that are printed


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """0 where every row was sound, 1 where some were refused, 2 where nothing was read."""
    database = wiring.open_database(settings, places(settings))
    zone, at = wiring.zone(settings), wiring.now()
    country = settings.site.country.upper()
    rows = discharge_lists.read(asked.file, Rules(zone, country, settings.site.languages[0], at))
    in_one = _in(database)
    try:
        if asked.task == "preview":
            report = discharges.preview(rows, in_one)
        else:
            plans, problems = load_plans(load_questionnaires()[0])
            for problem in problems:
                print(problem, file=sys.stderr)
            report = discharges.take_over(rows, list(plans.values()), at, Calendar(zone, country), in_one)
    except (ListRefused, LookupError) as problem:
        print(f"Nothing more was taken over: {problem}", file=sys.stderr)
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


def _tell(report: Report, asked: argparse.Namespace) -> None:
    if asked.rejected is not None:
        with open(asked.rejected, "w", encoding="utf-8", newline="") as sink:
            writer = csv.writer(sink)
            writer.writerow(["line", "column", "why"])
            writer.writerows((row.line, row.column, row.why) for row in report.rejected)
    if asked.json:
        rejected = [{"line": row.line, "column": row.column, "why": row.why} for row in report.rejected]
        print(json.dumps({**vars(report), "rejected": rejected}))
        return
    verb = "would be" if asked.task == "preview" else "were"
    figures = f"{report.new} discharges {verb} taken over, {report.known} known, {report.refused} refused"
    print(f"{report.rows} rows: {figures}.")
    made = f" {report.tasks} tasks were made." if report.tasks else ""
    print(f"{report.registered} patients {verb} registered.{made}")
    for row in report.rejected[:TOLD]:
        print(f"  line {row.line}{', ' + row.column if row.column else ''}: {row.why}")
    if report.refused > TOLD:
        print(f"  … and {report.refused - TOLD} more; --rejected FILE writes them all")
