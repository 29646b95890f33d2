"""Discharges that are taken over from a list: patients by their record number, events by the hospital's id, then tasks.

Rules: what is known stays as it is: a list registers who is new and changes no patient. Taken over again, nothing
happens twice. Each part of some hundred rows is a transaction of its own, so that a million rows hold no lock for long
and what was taken over before a fault stays.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import enrolments, patients, vault
from hospital.discharge_lists import Discharge, Rejected
from hospital.enrolments import CareEvent, Telling, Told
from hospital.patients import PatientIdentifier
from hospital.plans import Calendar, Plan

PART = 500
SHOWN = 10_000  # refused rows that are kept; more are counted only


@dataclass
class Report:
    """What a list would do, or did."""

    rows: int = 0
    new: int = 0
    known: int = 0
    tasks: int = 0
    registered: int = 0
    refused: int = 0
    rejected: list[Rejected] = field(default_factory=list)

    def refuse(self, row: Rejected) -> None:
        self.refused += 1
        if len(self.rejected) < SHOWN:
            self.rejected.append(row)


def take_over(
    rows: Iterable[Discharge | Rejected],
    plans: Sequence[Plan],
    at: datetime,
    site: Calendar,
    transact: Callable[[Callable[[Session], tuple[int, Telling]]], tuple[int, Telling]],
) -> Report:
    """Take the sound rows over. `transact` runs one part in a transaction of its own and commits it."""
    report = Report()
    for part in _parts(rows, report):
        registered, telling = transact(partial(_taken, part=part, plans=plans, at=at, site=site))
        report.registered += registered
        report.new += telling.new
        report.known += telling.known
        report.tasks += telling.tasks
    return report


def preview(
    rows: Iterable[Discharge | Rejected], look: Callable[[Callable[[Session], tuple[int, int]]], tuple[int, int]]
) -> Report:
    """What taking over would do; nothing is changed. `tasks` stays 0: the rules are asked when it is done."""
    report = Report()
    for part in _parts(rows, report):
        known, registered = look(partial(_seen, part=part))
        report.known += known
        report.new += len(part) - known
        report.registered += registered
    return report


def _parts(rows: Iterable[Discharge | Rejected], report: Report) -> Iterator[list[Discharge]]:
    source = iter(rows)
    while part := list(islice(source, PART)):
        report.rows += len(part)
        for row in part:
            if isinstance(row, Rejected):
                report.refuse(row)
        yield [row for row in part if isinstance(row, Discharge)]


def _taken(
    session: Session, part: Sequence[Discharge], plans: Sequence[Plan], at: datetime, site: Calendar
) -> tuple[int, Telling]:
    there = _records(session, part)
    new = 0
    for row in part:
        if row.record not in there:
            patient = patients.register(
                session,
                name=row.name,
                birth=row.birth,
                language=row.language,
                numbers=list(row.numbers),
                identifiers={"record": row.record},
                sex=row.sex,
                address=row.address,
            )
            there[row.record] = patient.id
            new += 1
    told = [
        Told(_source(row), "discharge", there[row.record], row.at, row.ward, row.diagnosis, row.study) for row in part
    ]
    return new, enrolments.tell(session, told, plans, at, site)


def _seen(session: Session, part: Sequence[Discharge]) -> tuple[int, int]:
    """How many events are known, and how many patients would be registered."""
    sources = [_source(row) for row in part]
    known = len(session.scalars(select(CareEvent.id).where(CareEvent.source.in_(sources))).all())
    there = _records(session, part)
    return known, len({row.record for row in part} - there.keys())


def _source(row: Discharge) -> str:
    return f"discharge:{row.event}"


def _records(session: Session, part: Sequence[Discharge]) -> dict[str, UUID]:
    """Record number → patient, of those that are known; a merged record's survivor is found when it is dialled."""
    tokens = {vault.token("record", row.record): row.record for row in part}
    rows = select(PatientIdentifier.token, PatientIdentifier.patient_id).where(
        PatientIdentifier.kind == "record", PatientIdentifier.token.in_(tokens)
    )
    return {tokens[token]: patient_id for token, patient_id in session.execute(rows)}
