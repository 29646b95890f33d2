"""What is taken over from a list: patients by record number, events by the hospital's id, stays and visits, tasks.

Rules: what is known stays as it is: a list registers who is new, names a guardian for who has none, and changes nothing
else of a patient. Taken over again, nothing happens twice. A row waits until the row of its guardian was read, wherever
that stands; one whose guardian nobody knows is refused. Each part of some hundred rows is a transaction of its own, so
that a million rows hold no lock for long and what was taken over before a fault stays.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import blake2b
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hospital import enrolments
from hospital import newcomers as newcoming
from hospital.csv_files import Rejected
from hospital.discharge_lists import Happened
from hospital.enrolments import CareEvent, Told
from hospital.newcomers import Newcomer
from hospital.patients import Patient, Stay, Visit
from hospital.plans import Calendar, Plan
from hospital.record_lists import of_records

PART = 500
SHOWN = 10_000  # refused rows that are kept; more are counted only
MOST_WAITING = 20_000  # rows that stand before their guardian's
NOBODY = "no patient has this record number, and no row of the list that can be taken over"
TOO_MANY = f"stands before the row of the guardian, as {MOST_WAITING:,} others do: put the guardians first"


@dataclass
class Report:
    """What a list would do, or did. `told` hears of every refused row, also of those that are not kept."""

    rows: int = 0
    new: int = 0
    known: int = 0
    tasks: int = 0
    registered: int = 0
    guarded: int = 0  # patients who have a guardian by this list
    refused: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    told: Callable[[Rejected], None] | None = None

    def refuse(self, row: Rejected) -> None:
        self.refused += 1
        if len(self.rejected) < SHOWN:
            self.rejected.append(row)
        if self.told is not None:
            self.told(row)


@dataclass(slots=True)
class Part:
    """What came of one part. `waiting`: rows whose guardian is not known yet."""

    new: int = 0
    known: int = 0
    tasks: int = 0
    registered: int = 0
    guarded: int = 0
    waiting: list[Happened] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Known:
    id: UUID
    guardian_id: UUID | None


Transact = Callable[[Callable[[Session], Part]], Part]
Progress = Callable[[Report], None]


def take_over(
    rows: Iterable[Happened | Rejected],
    plans: Sequence[Plan],
    at: datetime,
    site: Calendar,
    transact: Transact,
    report: Report | None = None,
    progress: Progress | None = None,
) -> Report:
    """Take the sound rows over. `transact` runs one part in a transaction of its own and commits it."""

    def one(part: list[Happened]) -> Part:
        work = partial(_taken, part=part, plans=plans, at=at, site=site)
        try:
            return transact(work)
        except IntegrityError:  # whoever takes the same list over at this time has registered them: they are known now
            return transact(work)

    return _through(rows, report or Report(), one, progress)


def preview(
    rows: Iterable[Happened | Rejected], look: Transact, report: Report | None = None, progress: Progress | None = None
) -> Report:
    """What taking over would do; nothing is changed. `tasks` stays 0: the rules are asked when it is done."""
    there: set[bytes] = set()  # records that an earlier part would register
    return _through(rows, report or Report(), lambda part: look(partial(_seen, part=part, told=there)), progress)


def _through(
    rows: Iterable[Happened | Rejected],
    report: Report,
    one: Callable[[list[Happened]], Part],
    progress: Progress | None,
) -> Report:
    waiting: list[Happened] = []
    for part in _parts(rows, report):
        waiting += _counted(one(part), report)
        while len(waiting) > MOST_WAITING:
            report.refuse(Rejected(waiting.pop().line, "guardian", TOO_MANY))
        if progress is not None:
            progress(report)
    before = -1
    while waiting and len(waiting) != before:  # a guardian may have waited for theirs
        before, held, waiting = len(waiting), waiting, []
        for start in range(0, len(held), PART):
            waiting += _counted(one(held[start : start + PART]), report)
    for row in waiting:
        report.refuse(Rejected(row.line, "guardian", NOBODY))
    return report


def _parts(rows: Iterable[Happened | Rejected], report: Report) -> Iterator[list[Happened]]:
    source = iter(rows)
    while part := list(islice(source, PART)):
        report.rows += len(part)
        for row in part:
            if isinstance(row, Rejected):
                report.refuse(row)
        yield [row for row in part if isinstance(row, Happened)]


def _counted(part: Part, report: Report) -> list[Happened]:
    for name in ("new", "known", "tasks", "registered", "guarded"):
        setattr(report, name, getattr(report, name) + getattr(part, name))
    for row in part.rejected:
        report.refuse(row)
    return part.waiting


def _taken(session: Session, part: Sequence[Happened], plans: Sequence[Plan], at: datetime, site: Calendar) -> Part:
    there = _records(session, part)
    ready, done = _in_order(part, there, there.keys())
    newcomers: dict[str, Newcomer] = {}
    named: dict[UUID, UUID] = {}
    for row in ready:
        if row.record not in there:
            newcomers[row.record] = _newcomer(row)
            there[row.record] = _Known(newcomers[row.record].id, None)
    for row in ready:
        patient = there[row.record]
        if row.guardian and patient.guardian_id is None:
            named[patient.id] = there[row.guardian].id
            there[row.record] = _Known(patient.id, named[patient.id])
    newcoming.register(session, list(newcomers.values()))
    if named:
        session.execute(update(Patient), [{"id": ward, "guardian_id": guardian} for ward, guardian in named.items()])
    done.registered, done.guarded = len(newcomers), len(named)
    ids = {row.record: there[row.record].id for row in ready}
    stays = _past(session, ready, ids)
    told = [
        Told(_source(r), r.kind, ids[r.record], r.at, r.ward, r.diagnosis, r.study, stays.get(_source(r)))
        for r in ready
    ]
    telling = enrolments.tell(session, told, plans, at, site)
    done.new, done.known, done.tasks = telling.new, telling.known, telling.tasks
    return done


def _newcomer(row: Happened) -> Newcomer:
    return Newcomer(uuid4(), row.record, row.name, row.birth, row.sex, row.language, row.numbers, row.address)


def _past(session: Session, ready: Sequence[Happened], ids: Mapping[str, UUID]) -> dict[str, UUID]:
    """The stays that were written down now, by their source; an operation is kept as a visit. What an earlier list told
    stays as it is."""
    stays: list[dict[str, Any]] = []
    visits: list[dict[str, Any]] = []
    for row in ready:
        facts = {"patient_id": ids[row.record], "diagnosis": row.diagnosis, "source": _source(row)}
        if row.kind == "discharge":
            stays.append({**facts, "ward": row.ward, "admitted_at": row.admitted, "discharged_at": row.at})
        else:
            seen = {"at": row.at, "department": row.ward, "doctor": row.doctor, "reason": row.reason}
            visits.append({**facts, **seen})
    if visits:
        session.execute(insert(Visit).on_conflict_do_nothing(index_elements=["source"]), visits)
    if not stays:
        return {}
    made = insert(Stay).on_conflict_do_nothing(index_elements=["source"]).returning(Stay.source, Stay.id)
    return {str(source): stay_id for source, stay_id in session.execute(made, stays)}


def _seen(session: Session, part: Sequence[Happened], told: set[bytes]) -> Part:
    """How many events are known, how many patients would be registered, how many would have a guardian by it."""
    there = _records(session, part)
    named = {record for row in part for record in (row.record, row.guardian) if _digest(record) in told}
    ready, done = _in_order(part, there, there.keys() | named)
    sources = [_source(row) for row in ready]
    done.known = len(session.scalars(select(CareEvent.id).where(CareEvent.source.in_(sources))).all())
    done.new = len(ready) - done.known
    new = {row.record for row in ready} - there.keys() - named
    guarded = {row.record for row in ready if row.guardian}
    done.registered = len(new)
    done.guarded = len({one for one in guarded if one in new or (one in there and there[one].guardian_id is None)})
    told |= {_digest(record) for record in new}
    return done


def _in_order(
    part: Sequence[Happened], there: Mapping[str, _Known], named: Iterable[str]
) -> tuple[list[Happened], Part]:
    """The rows that can be taken over, guardians before whom they speak for; and in a part those that wait or can't."""
    known, ready, done = set(named), list[Happened](), Part()
    left = []
    for row in part:
        patient, guardian = there.get(row.record), there.get(row.guardian)
        if patient and guardian and patient.id in (guardian.id, guardian.guardian_id):
            done.rejected.append(Rejected(row.line, "guardian", "is the patient, or somebody the patient speaks for"))
        else:
            left.append(row)
    before = -1
    while left and len(left) != before:
        before = len(left)
        now = [row for row in left if not row.guardian or row.guardian in known]
        left = [row for row in left if row.guardian and row.guardian not in known]
        ready += now
        known |= {row.record for row in now}
    done.waiting = left
    return ready, done


def _source(row: Happened) -> str:
    return f"{row.kind}:{row.event}"


def _digest(record: str) -> bytes:
    return blake2b(record.encode(), digest_size=8).digest()


def _records(session: Session, part: Sequence[Happened]) -> dict[str, _Known]:
    """Record number → who has it, of patients and guardians that are known; of a merged record, its survivor."""
    found = of_records(session, {record for row in part for record in (row.record, row.guardian) if record})
    rows = session.execute(select(Patient.id, Patient.guardian_id).where(Patient.id.in_(found.values())))
    guardians = {patient_id: guardian_id for patient_id, guardian_id in rows}  # noqa: C416 - dict() loses the types
    return {record: _Known(patient_id, guardians[patient_id]) for record, patient_id in found.items()}
