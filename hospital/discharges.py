"""What is taken over from a list: patients by record number, events by the hospital's id, stays and visits, tasks.

Rules: what is known stays as it is: a list registers who is new, says who is called for a patient (`listed_guardians`),
and changes nothing else of them. Taken over again, nothing happens twice. A row waits until the row of its guardian was
read, wherever that stands; one whose guardian nobody knows is refused. Each part of some hundred rows is a transaction
of its own, so that a million rows hold no lock for long and what was taken over before a fault stays.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import blake2b
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from hospital import audit, enrolments, list_parts, listed_guardians, next_stays
from hospital import newcomers as newcoming
from hospital.calendars import Calendar
from hospital.csv_files import Rejected
from hospital.discharge_lists import KINDS, Happened
from hospital.enrolments import Told
from hospital.list_parts import Here, source
from hospital.listed_guardians import Known
from hospital.newcomers import Newcomer
from hospital.patients import Patient, Stay, Visit
from hospital.plans import Plan
from hospital.wards import each, plain

PART = 500
SHOWN = 10_000  # refused rows that are kept; more are counted only
MOST_WARDS = 100  # that are told of
MOST_WAITING = 20_000  # rows that stand before their guardian's
HELD = (LockNotAvailable, DeadlockDetected)
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
    guarded: int = 0  # patients who have a guardian by this list, or another one
    refused: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    unchanged: list[Rejected] = field(default_factory=list)  # rows taken over, without what they say of a guardian
    wards: list[Rejected] = field(default_factory=list)  # of those that no plan names, each once
    told: Callable[[Rejected], None] | None = None

    def refuse(self, row: Rejected) -> None:
        self.refused += 1
        if len(self.rejected) < SHOWN:
            self.rejected.append(row)
        if self.told is not None:
            self.told(row)

    def remark(self, row: Rejected) -> None:
        if len(self.unchanged) < SHOWN:
            self.unchanged.append(row)
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
    unchanged: list[Rejected] = field(default_factory=list)


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
    by: UUID | None = None,
) -> Report:
    """Take the sound rows over. `transact` runs one part in a transaction of its own and commits it. `by`: who has sent
    the list; None: the command."""

    def one(part: list[Happened]) -> Part:
        work = partial(_taken, part=part, plans=plans, at=at, site=site, by=by)
        try:
            return transact(work)
        except (IntegrityError, OperationalError) as fault:
            # whoever takes the same list over at this time has registered them: they are known now. Or somebody held
            # one of them for too long
            if isinstance(fault, OperationalError) and not isinstance(fault.orig, HELD):
                raise
            return transact(work)

    report = report or Report()
    return _through(_wards_told(rows, plans, report), report, one, progress)


def written_down(session: Session, report: Report, digest: str, at: datetime, by: UUID | None) -> None:
    """In the audit chain: what came of a list, which is known by its digest."""
    figures = {"rows": report.rows, "new": report.new, "refused": report.refused, "tasks": report.tasks}
    audit.record(session, by, "discharges.imported", f"list:{digest[:16]}", at, **figures)


def preview(
    rows: Iterable[Happened | Rejected],
    look: Transact,
    report: Report | None = None,
    progress: Progress | None = None,
    plans: Sequence[Plan] = (),
) -> Report:
    """What taking over would do; nothing is changed. `tasks` stays 0: the rules are asked when it is done. `plans`:
    whose wards are looked for."""
    there: set[bytes] = set()  # records that an earlier part would register
    report = report or Report()
    told = _wards_told(rows, plans, report)
    return _through(told, report, lambda part: look(partial(_seen, part=part, told=there)), progress)


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


def _wards_told(
    rows: Iterable[Happened | Rejected], plans: Sequence[Plan], report: Report
) -> Iterator[Happened | Rejected]:
    """The rows, as they come. Of a ward that none of the plans names which choose by ward, the first row is told: it
    may be such a ward, written otherwise."""
    chosen = {kind: [ward for plan in plans if plan.begins == kind for ward in _chosen(plan)] for kind in KINDS}
    named = {kind: {plain(ward) for ward in wards} for kind, wards in chosen.items()}
    seen: set[tuple[str, str]] = set()
    for row in rows:
        if isinstance(row, Happened) and row.ward and named[row.kind]:
            one = row.kind, plain(row.ward)
            if one[1] not in named[row.kind] and one not in seen and len(seen) < MOST_WARDS:
                seen.add(one)
                why = f"is a ward that no plan names; they name {', '.join(each(chosen[row.kind]))}"
                report.wards.append(Rejected(row.line, "ward", why))
        yield row


def _chosen(plan: Plan) -> Iterable[str]:
    return plan.rule.wards if plan.rule is not None else ()


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
    for row in part.unchanged:
        report.remark(row)
    return part.waiting


def _taken(
    session: Session, part: Sequence[Happened], plans: Sequence[Plan], at: datetime, site: Calendar, by: UUID | None
) -> Part:
    here = list_parts.here(session, part)
    ready, done = _sorted(part, here, here.records.keys())
    next_stays.lock(session, _home_again(ready, here))
    newcomers = {row.record: _newcomer(row) for row in reversed(ready) if row.record not in here.records}
    newcoming.register(session, list(newcomers.values()))
    here.records |= {record: Known(one.id, None) for record, one in newcomers.items()}
    here.spoken = listed_guardians.registered(session, ready, here.spoken)
    named = [
        (ward_id, row, person.id)
        for ward_id, row in sorted(list_parts.named(ready, here).items())
        if (person := here.guardian(row)) is not None
    ]
    new = {one.id for one in newcomers.values()}
    first, round_ones = listed_guardians.of_newcomers([one for one in named if one[0] in new])
    if first:
        session.execute(update(Patient), [{"id": ward, "guardian_id": person} for ward, person in first.items()])
    ids = {row.record: here.records[row.record].id for row in ready}
    stays = _past(session, ready, ids)
    told = [
        Told(source(r), r.kind, ids[r.record], r.at, r.ward, r.diagnosis, r.study, stays.get(source(r))) for r in ready
    ]
    telling = enrolments.tell(session, told, plans, at, site)
    done.new, done.known, done.tasks = telling.new, telling.known, telling.tasks
    others = [one for one in named if one[0] not in new]
    changed, stayed = listed_guardians.changed(session, others, by, at)  # last: it locks the audit chain
    done.unchanged = round_ones + stayed
    done.registered, done.guarded = len(newcomers), len(first) + changed
    return done


def _home_again(ready: Sequence[Happened], here: Here) -> set[UUID]:
    """Patients who were known, and of whom a discharge is new."""
    new = {row.record for row in ready if row.kind == "discharge" and source(row) not in here.told}
    return {here.records[record].id for record in new & here.records.keys()}


def _newcomer(row: Happened) -> Newcomer:
    return Newcomer(uuid4(), row.record, row.name, row.birth, row.sex, row.language, row.numbers, row.address)


def _past(session: Session, ready: Sequence[Happened], ids: Mapping[str, UUID]) -> dict[str, UUID]:
    """The stays that were written down now, by their source; an operation is kept as a visit. What an earlier list told
    stays as it is."""
    stays: list[dict[str, Any]] = []
    visits: list[dict[str, Any]] = []
    for row in ready:
        facts = {"patient_id": ids[row.record], "diagnosis": row.diagnosis, "source": source(row)}
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
    return {str(event): stay_id for event, stay_id in session.execute(made, stays)}


def _seen(session: Session, part: Sequence[Happened], told: set[bytes]) -> Part:
    """How many events are known, how many patients would be registered, how many would have a guardian by it."""
    here = list_parts.here(session, part)
    before = {record for row in part for record in (row.record, row.guardian) if _digest(record) in told}
    ready, done = _sorted(part, here, here.records.keys() | before)
    done.known = len({source(row) for row in ready} & here.told)
    done.new = len(ready) - done.known
    new = {row.record for row in ready} - here.records.keys() - before
    done.registered = len(new)
    done.guarded = len({row.record for row in ready if row.record in new and listed_guardians.column(row)})
    for ward_id, row in list_parts.named(ready, here).items():
        stays = listed_guardians.stays(session, ward_id, row)
        done.guarded += stays is None
        done.unchanged += [stays] if stays is not None else []
    told |= {_digest(record) for record in new}
    return done


def _sorted(part: Sequence[Happened], here: Here, known: Iterable[str]) -> tuple[list[Happened], Part]:
    ready, waiting, rejected = list_parts.in_order(part, here, known)
    return ready, Part(waiting=waiting, rejected=rejected)


def _digest(record: str) -> bytes:
    return blake2b(record.encode(), digest_size=8).digest()
