"""Whom a list names as who is called for a patient: by record number, or by name and number; and what comes of it.

Rules: a list fills in who has no guardian, and exchanges the one before where it tells of something new; told again it
changes nothing, so that an old list undoes nothing. What a nurse has said on a form stays: she has heard it, and a
hospital's system may not know of it. The row is taken over all the same, and says so. Each change is a guardian's
change like any other (`guardians.listed`): audited, held at once, asked anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import guardians, newcomers, vault
from hospital.csv_files import Rejected
from hospital.discharge_lists import Happened
from hospital.newcomers import Newcomer
from hospital.patients import Patient, PhoneNumber, number_token

GONE = "has died, or is reported to have: name who is called for the patient now"
ROUND = "is the patient, or somebody the patient speaks for"
NOT_CHANGED = {
    "by_staff": "taken over, but the guardian stays: staff have said who it is; change it on the follow-up's form",
    "themselves": f"taken over without the guardian, who {ROUND}",
    "circle": f"taken over without the guardian, who {ROUND}",
    "died": f"taken over without the guardian, who {GONE}",
}


@dataclass(frozen=True, slots=True)
class Known:
    """A record that is there. `gone`: died, or said to have."""

    id: UUID
    guardian_id: UUID | None
    gone: bool = False


Said = tuple[frozenset[bytes], bytes]
"""A name and a number, as tokens: in whatever order and spelling of accents the name is told."""


def said(row: Happened) -> Said:
    return frozenset(vault.token("name", part) for part in row.guardian_name.split()), number_token(row.guardian_number)


def column(row: Happened) -> str:
    """In which a row names somebody; '' where it names nobody."""
    return "guardian" if row.guardian else "guardian_name" if row.guardian_name else ""


def spoken_of(session: Session, rows: Iterable[Happened]) -> dict[Said, Known]:
    """Who is named by name and number and has a record with all of both, as a nurse's form finds them."""
    wanted: dict[bytes, set[Said]] = {}
    for row in rows:
        if row.guardian_name:
            wanted.setdefault(number_token(row.guardian_number), set()).add(said(row))
    if not wanted:
        return {}
    there = (
        select(PhoneNumber.token, Patient)
        .join(Patient, Patient.id == PhoneNumber.patient_id)
        .where(PhoneNumber.token.in_(wanted), Patient.merged_into.is_(None))
        .order_by(Patient.created_at.desc(), Patient.id.desc())
    )
    found = {}
    for token, person in session.execute(there):  # the oldest record last: it is the one that counts
        for one in wanted[token]:
            if one[0] <= set(person.name_tokens):
                found[one] = known(person)
    return found


def known(person: Patient) -> Known:
    return Known(person.id, person.guardian_id, person.deceased_at is not None or person.death_reported_at is not None)


def registered(session: Session, rows: Sequence[Happened], spoken: Mapping[Said, Known]) -> dict[Said, Known]:
    """Everybody whom the rows name by name and number; who has no record gets one, in the patient's language."""
    missing = [row for row in rows if row.guardian_name and said(row) not in spoken]
    found = {**spoken, **spoken_of(session, missing)}  # patients of the same rows have a record by now
    made: dict[Said, Newcomer] = {}
    for row in missing:
        if said(row) not in found and said(row) not in made:
            numbers = (row.guardian_number,)
            made[said(row)] = Newcomer(uuid4(), "", row.guardian_name, None, None, row.language, numbers, "")
    newcomers.register(session, list(made.values()))
    return found | {one: Known(person.id, None) for one, person in made.items()}


def of_newcomers(named: Sequence[tuple[UUID, Happened, UUID]]) -> tuple[dict[UUID, UUID], list[Rejected]]:
    """Patients who were registered just now → who is called for them; and the rows that name themselves or each
    other."""
    found: dict[UUID, UUID] = {}
    left = []
    for ward_id, row, person_id in named:
        if ward_id in (person_id, found.get(person_id)):
            left.append(Rejected(row.line, column(row), NOT_CHANGED["circle"]))
        else:
            found[ward_id] = person_id
    return found, left


def stays(session: Session, ward_id: UUID, row: Happened) -> Rejected | None:
    """Told before anything is changed: that staff have said who it is."""
    if not guardians.by_staff(session, ward_id):
        return None
    return Rejected(row.line, column(row), NOT_CHANGED["by_staff"])


def changed(
    session: Session, named: Sequence[tuple[UUID, Happened, UUID]], by: UUID | None, at: datetime
) -> tuple[int, list[Rejected]]:
    """Patient, row, and who is called by it, in one order for all who take lists over. How many have another guardian
    now, or one at all; and the rows of which that did not come, with why."""
    done, left = 0, []
    for ward_id, row, person_id in named:
        why = guardians.listed(session, ward_id, person_id, by, at)
        done += why is None
        left += [Rejected(row.line, column(row), NOT_CHANGED[why])] if why is not None else []
    return done, left
