"""Lists of patients by record number: CSV with a column `record`, or one number a line. Who they are, or why not.

Rules: as a list of discharges is read: a row is taken or refused with its line and why, never with what stood there. A
merged record stands for its survivor.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hospital import vault
from hospital.csv_files import ListRefused, Rejected, dialect, opened
from hospital.patients import Patient, PatientIdentifier

PART = 500
BY_COMMAND = "Give it in parts, or on the hospital's server: hotline patients, which reads any length."


@dataclass
class People:
    """Whom a list names: patient → the line of the row. `rows`: how many there were."""

    rows: int = 0
    found: dict[UUID, int] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)


def records(source: Path | bytes, most: int, headings: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Line and record number of every row that is not empty; '' where the cell is. `headings`: what the column may be
    called, in small letters. Raises ListRefused."""
    with opened(source) as stream:
        rows = csv.reader(stream, dialect(stream))
        try:
            first = next(rows, [])
            told = [cell.strip().lower() for cell in first]
            place = next((told.index(word) for word in headings if word in told), None)
            if place is not None and told.count(told[place]) > 1:
                twice = f"the first row has the column {told[place]} twice: rename the one that is not meant."
                raise ListRefused(twice)
            if place is None and len(first) > 1:
                raise ListRefused("the first row has no column record. Name it, or give one record number a line.")
            if place is None and told and told[0]:
                yield rows.line_num, first[0].strip()
            counted = 0
            for row in rows:
                if any(cell.strip() for cell in row):
                    counted += 1
                    if counted > most:
                        raise ListRefused(f"It has more than {most:,} rows. {BY_COMMAND}")
                    yield rows.line_num, row[place or 0].strip() if len(row) > (place or 0) else ""
        except csv.Error as error:
            raise ListRefused(f"line {rows.line_num} is no CSV: {error}. Export the list again.") from None


def people(
    session: Session, rows: Iterable[tuple[int, str]], reached: Callable[[int, int], None] = lambda *_: None
) -> People:
    """Who they are. `reached` is told how many rows were read, and how many of them refused, part by part."""
    told = People()
    part: list[tuple[int, str]] = []
    for row in rows:
        part.append(row)
        if len(part) == PART:
            _add(session, told, part)
            part = []
            reached(told.rows, len(told.rejected))
    _add(session, told, part)
    reached(told.rows, len(told.rejected))
    return told


def _add(session: Session, told: People, part: Sequence[tuple[int, str]]) -> None:
    known = of_records(session, {record for _, record in part if record and "\0" not in record})
    told.rows += len(part)
    for line, record in part:
        patient_id = known.get(record)
        if not record:
            told.rejected.append(Rejected(line, "record", "is empty"))
        elif patient_id is None:
            told.rejected.append(Rejected(line, "record", "no patient has this record number"))
        elif patient_id in told.found:
            told.rejected.append(Rejected(line, "record", f"is the patient of line {told.found[patient_id]}"))
        else:
            told.found[patient_id] = line


def of_records(session: Session, numbers: Iterable[str]) -> Mapping[str, UUID]:
    """Record number → patient, of those that are known; of a merged record, its survivor."""
    tokens = {vault.token("record", number): number for number in numbers}
    rows = session.execute(
        select(PatientIdentifier.token, func.coalesce(Patient.merged_into, Patient.id))
        .join(Patient, Patient.id == PatientIdentifier.patient_id)
        .where(PatientIdentifier.kind == "record", PatientIdentifier.token.in_(tokens))
    )
    return {tokens[token]: patient_id for token, patient_id in rows}
