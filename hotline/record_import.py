"""`hotline patients enrol|campaign NAME FILE --by USERNAME`: who is on a list of record numbers, of any length.

Rules: what the console does with a shorter list, by the same verbs, in the name of an account that may. Each part is a
transaction of its own: what was done before a cut stays, and who is in already is named when the list comes again.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from itertools import islice
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import campaign_lists, enrolling, record_lists
from hospital.accounts import Account
from hospital.calendars import Calendar
from hospital.campaigns import Campaign
from hospital.csv_files import Rejected
from hospital.database import Database
from hotline import opened
from hotline.long_lists import AGAIN, INTERRUPTED, TOLD, NotDone, Progress, Refusals, to_its_end
from hotline.places import places
from hotline.settings import Settings
from scripts.plan_files import load_plans
from scripts.questionnaire_files import load_questionnaires
from scripts.vocabulary import list_words
from web import words

PART = {"enrol": 500, "campaign": 5_000}  # patients in one transaction; the audit has a row for each of a campaign's
RIGHTS = {"enrol": "plans.enrol", "campaign": "campaigns.run"}
Put = Callable[[Session, Sequence[UUID]], tuple[int, Mapping[UUID, str]]]
"""How many were put in, and why the others were not, in words."""


@dataclass
class Report:
    rows: int = 0
    done: int = 0
    refused: int = 0
    rejected: list[Rejected] = field(default_factory=list)  # the first of them


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """0 where everybody was put in, 1 where some rows were refused, 2 where it ended before the last row, 130 where it
    was interrupted."""
    database = opened.open_database(settings, places(settings))
    report = Report()
    try:
        with closing(database), closing(Refusals(asked.file, asked.rejected)) as refusals:
            ended = to_its_end(lambda: _read(settings, asked, database, report, refusals))
            where = refusals.path
    except OSError as problem:
        print(f"Nothing more was done: {asked.rejected} can't be written: {problem.strerror}.", file=sys.stderr)
        return 2
    if asked.json:
        rejected = [asdict(row) for row in report.rejected]
        print(json.dumps({**vars(report), "rejected": rejected, "refused_in": str(where or "")}))
    elif report.rows or ended is None:
        verb = "were enrolled" if asked.task == "enrol" else "were put in"
        print(f"{report.rows} rows: {report.done} patients {verb}, {report.refused} rows not.")
        for row in report.rejected:
            print(f"  line {row.line}, {row.column}: {row.why}")
        if report.refused > TOLD:
            print(f"  … and {report.refused - TOLD} more{f'; all are in {where}' if where else ''}")
    if ended is None:
        return 1 if report.refused else 0
    print(f"Nothing more was done: {ended}{AGAIN if report.rows else ''}", file=sys.stderr)
    return 130 if ended is INTERRUPTED else 2


def _read(
    settings: Settings, asked: argparse.Namespace, database: Database, report: Report, refusals: Refusals
) -> None:
    """Raises ListRefused, LookupError, NotDone."""
    progress, seen = Progress(asked.file), set[int]()

    def refuse(row: Rejected) -> None:
        report.refused += 1
        report.rejected += [row] if len(report.rejected) < TOLD else []
        refusals.write(row)

    with database.transaction() as session:
        put = _put(settings, asked, session)
    rows = record_lists.records(asked.file, sys.maxsize, list_words().columns["record"])
    while part := list(islice(rows, PART[asked.task])):
        with database.transaction() as session:
            found = record_lists.people(session, part)
            new = [one for one in found.found if one.int not in seen]
            done, left = put(session, new)
        twice = {one: "stood in an earlier row" for one in found.found if one.int in seen}
        why = {**left, **twice}
        rejected = found.rejected + [Rejected(found.found[one], "record", told) for one, told in why.items()]
        for row in sorted(rejected, key=lambda row: row.line):
            refuse(row)
        seen |= {one.int for one in new}
        report.rows, report.done = report.rows + found.rows, report.done + done
        progress(report)


def _put(settings: Settings, asked: argparse.Namespace, session: Session) -> Put:
    """Raises NotDone."""
    by = session.scalar(select(Account).where(Account.username == asked.by))
    if by is None or not by.may(RIGHTS[asked.task]):
        raise NotDone(f"there is no account {asked.by!r} that may do this.")
    return _enrols(settings, asked.name, by.id) if asked.task == "enrol" else _puts_in(session, asked.name, by.id)


def _enrols(settings: Settings, name: str, by: UUID) -> Put:
    plans, problems = load_plans(load_questionnaires()[0])
    for problem in problems:
        print(problem, file=sys.stderr)
    if name not in plans:
        raise NotDone(f"there is no such plan. There are: {', '.join(sorted(plans))}.")
    at = opened.now()  # one instant is one decision, which the console takes back whole
    site = Calendar(opened.zone(settings), settings.site.country_code)

    def put(session: Session, ids: Sequence[UUID]) -> tuple[int, Mapping[UUID, str]]:
        done, left = enrolling.enrol(session, plans[name], ids, at, site, by)
        return len(done), {one: words.say(words.NOT_ENROLLED, code) for one, code in left.items()}

    return put


def _puts_in(session: Session, name: str, by: UUID) -> Put:
    found = session.scalars(select(Campaign.id).where(Campaign.name == name, Campaign.state != "stopped")).all()
    if len(found) != 1:
        raise NotDone(f"{len(found) or 'no'} campaigns that are not over have this name.")
    campaign_id = found[0]

    def put(session: Session, ids: Sequence[UUID]) -> tuple[int, Mapping[UUID, str]]:
        left = campaign_lists.why_not(session, session.get_one(Campaign, campaign_id), ids)
        able = [one for one in ids if one not in left]
        done = campaign_lists.put_in(session, campaign_id, able, by, opened.now())
        if done is None:
            raise NotDone("it is over, or runs for everybody: pause it first.")
        return done, {one: words.say(words.NOT_LISTED, code) for one, code in left.items()}

    return put
