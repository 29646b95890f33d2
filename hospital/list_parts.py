"""The rows of a part of a list against what is known: which can be taken over, in which order, which wait or can't."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from hospital import listed_guardians
from hospital.csv_files import Rejected
from hospital.discharge_lists import Happened
from hospital.enrolment_records import CareEvent
from hospital.listed_guardians import Known, Said, said
from hospital.patients import Patient
from hospital.record_lists import of_records


@dataclass(slots=True)
class Here:
    """What is known of the rows: records by their number, whom they name by name and number, the events that were
    told."""

    records: dict[str, Known]
    spoken: dict[Said, Known]
    told: set[str]

    def guardian(self, row: Happened) -> Known | None:
        if row.guardian:
            return self.records.get(row.guardian)
        return self.spoken.get(said(row)) if row.guardian_name else None


def here(session: Session, part: Sequence[Happened]) -> Here:
    """Of a merged record, its survivor."""
    found = of_records(session, {record for row in part for record in (row.record, row.guardian) if record})
    gone = or_(Patient.deceased_at.is_not(None), Patient.death_reported_at.is_not(None))
    rows = session.execute(select(Patient.id, Patient.guardian_id, gone).where(Patient.id.in_(found.values())))
    people = {patient_id: Known(patient_id, guardian_id, dead) for patient_id, guardian_id, dead in rows}
    events = select(CareEvent.source).where(CareEvent.source.in_([source(row) for row in part]))
    return Here(
        {record: people[patient_id] for record, patient_id in found.items()},
        listed_guardians.spoken_of(session, part),
        set(session.scalars(events)),
    )


def source(row: Happened) -> str:
    """By which its event is known."""
    return f"{row.kind}:{row.event}"


def in_order(
    part: Sequence[Happened], here: Here, known: Iterable[str]
) -> tuple[list[Happened], list[Happened], list[Rejected]]:
    """The rows that can be taken over, guardians before whom they speak for; those that wait for their guardian's; and
    those that can't. `known`: record numbers."""
    there, ready, rejected = set(known), list[Happened](), list[Rejected]()
    left = []
    for row in part:
        patient, guardian = here.records.get(row.record), here.guardian(row)
        if patient and guardian and patient.id in (guardian.id, guardian.guardian_id):
            rejected.append(Rejected(row.line, listed_guardians.column(row), listed_guardians.ROUND))
        elif guardian and guardian.gone and source(row) not in here.told:
            rejected.append(Rejected(row.line, listed_guardians.column(row), listed_guardians.GONE))
        else:
            left.append(row)
    before = -1
    while left and len(left) != before:
        before = len(left)
        now = [row for row in left if not row.guardian or row.guardian in there]
        left = [row for row in left if row.guardian and row.guardian not in there]
        ready += now
        there |= {row.record for row in now}
    return ready, left, rejected


def named(ready: Sequence[Happened], here: Here) -> dict[UUID, Happened]:
    """Patient who is known → the row that says something new of who is called for them. Of several rows the latest
    event counts; an event that was told before only fills in."""
    found: dict[UUID, Happened] = {}
    for row in ready:
        patient, guardian = here.records.get(row.record), here.guardian(row)
        if patient is None or not listed_guardians.column(row):
            continue
        if guardian is not None and guardian.id == patient.guardian_id:
            continue
        if patient.guardian_id is not None and source(row) in here.told:
            continue
        if patient.id not in found or found[patient.id].at < row.at:
            found[patient.id] = row
    return found
