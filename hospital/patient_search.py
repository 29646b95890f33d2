"""A patient is looked for by what the staff have at hand: a record number, a telephone number, a name, a birth date.

Rules: found is who has all of it; keyed tokens are compared, so a part of a word finds nobody. Of a merged record its
survivor is found. A birth date narrows a name and finds nobody by itself. Who looks is audited by who calls.
"""

from datetime import date

from sqlalchemy import ARRAY, LargeBinary, cast, or_, select
from sqlalchemy.orm import Session, selectinload

from hospital import vault
from hospital.patients import Patient, PatientIdentifier, PhoneNumber, normalise_number, number_token
from hospital.record_lists import of_records

MOST = 20  # who are more must be told more of


def find(session: Session, said: str, born: date | None, country: str) -> list[Patient]:
    """At most MOST + 1 patients, the dead too, by name. `said`: a record number, a number or the words of a name."""
    said = " ".join(said.replace("\0", " ").split())[:200]
    if not said:
        return []
    by_record = of_records(session, [said]).values()
    parts = cast([vault.token("name", one) for one in said.split()], ARRAY(LargeBinary))
    ways = [Patient.id.in_(by_record), Patient.name_tokens.op("@>")(parts)]
    number = normalise_number(said, country)
    if number is not None:
        theirs = PhoneNumber.token == number_token(number)
        ways.append(Patient.id.in_(select(PhoneNumber.patient_id).where(theirs)))
    cards = PatientIdentifier.token.in_([vault.token(kind, said) for kind in ("card", "nhi", "cpf", "curp", "cn_id")])
    ways.append(Patient.id.in_(select(PatientIdentifier.patient_id).where(cards)))
    rows = select(Patient).where(or_(*ways), Patient.merged_into.is_(None))
    if born is not None:
        rows = rows.where(Patient.birth_token == vault.token("birth", born.isoformat()))
    rows = rows.options(selectinload(Patient.identifiers)).order_by(Patient.birth_year, Patient.id).limit(MOST + 1)
    found = session.scalars(rows).all()
    return sorted(found, key=lambda one: one.name)
