"""Patients who are registered many at a time, as a long list does: a statement for each table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from hospital.patients import Patient, PatientIdentifier, PhoneNumber, facts, identifier_facts, number_facts


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Numbers are E.164, first to be dialled first; `record` is the hospital's number of them, '' for none."""

    id: UUID
    record: str
    name: str
    birth: date | None
    sex: str | None
    language: str
    numbers: tuple[str, ...]
    address: str


def register(session: Session, newcomers: Sequence[Newcomer]) -> None:
    """As `patients.register` does one. Raises IntegrityError where a record number is known."""
    people, numbers, identifiers = [], [], []
    for one in newcomers:
        theirs = {"patient_id": one.id}
        people.append({"id": one.id, **facts(one.name, one.birth, one.language, one.sex, one.address)})
        numbers += [theirs | number_facts(rank, number) for rank, number in enumerate(one.numbers, 1)]
        identifiers += [theirs | identifier_facts("record", one.record)] if one.record else []
    for table, rows in ((Patient, people), (PhoneNumber, numbers), (PatientIdentifier, identifiers)):
        if rows:
            session.execute(insert(table), rows)
