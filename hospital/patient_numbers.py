"""A patient's telephone numbers, as they tell us: whose each is, in which order they are dialled, which is safe.

Rules: a number is corrected by another one, and what was dialled before stays with the old: it counts as wrong from
then on and stands last. What is changed holds at once: the transaction before the order to dial asks again
(`attempts.dialling`), and what rings on a number that is not to be called any more is hung up
(`plan_changes.called_off`). Each change is in the audit chain, by the number's place and never with its digits.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hospital import audit
from hospital.followups import FollowUpTask
from hospital.patients import Patient, PhoneNumber, number_token

MOST = 8
OWNERS = ("self", "mother", "father", "partner", "child", "relative", "carer", "neighbour", "work")


@dataclass(frozen=True, slots=True)
class Told:
    """A number as the patient tells it. `number`: E.164. `language` None: the patient's."""

    number: str
    owner: str = "self"
    language: str | None = None
    safe: bool = True
    wrong: bool = False


def add(session: Session, patient_id: UUID, told: Told, by: UUID, at: datetime) -> str | None:
    """One more, dialled last; or why not: there_already, too_many."""
    numbers = _numbers(session, patient_id)
    if any(one.token == number_token(told.number) for one in numbers):
        return "there_already"
    if len(numbers) >= MOST:
        return "too_many"
    rank = max((one.rank for one in numbers), default=0) + 1
    session.add(_made(patient_id, told, rank))
    session.flush()
    _note(session, patient_id, by, at, "added", rank, told)
    return None


def change(session: Session, patient_id: UUID, number_id: UUID, told: Told, by: UUID, at: datetime) -> str | None:
    """What is told of it now; another number takes its place. Or why not: not_theirs, there_already, too_many."""
    numbers = _numbers(session, patient_id)
    number = next((one for one in numbers if one.id == number_id), None)
    if number is None:
        return "not_theirs"
    if number.token == number_token(told.number):
        number.owner, number.language, number.safe_to_call = told.owner, told.language, told.safe
        number.invalid_since = (number.invalid_since or at) if told.wrong else None
        _note(session, patient_id, by, at, "changed", number.rank, told)
        return None
    if any(one.token == number_token(told.number) for one in numbers):
        return "there_already"
    if len(numbers) >= MOST:
        return "too_many"
    place = numbers.index(number)
    number.invalid_since = number.invalid_since or at
    made = _made(patient_id, told, max(one.rank for one in numbers) + 1)
    session.add(made)
    session.flush()
    _in_order(session, patient_id, [*numbers[:place], made, *numbers[place + 1 :], number])
    _note(session, patient_id, by, at, "corrected", place + 1, told)
    return None


def first(session: Session, patient_id: UUID, number_id: UUID, by: UUID, at: datetime) -> bool:
    """This one is dialled before the others; False where it is not the patient's."""
    numbers = _numbers(session, patient_id)
    number = next((one for one in numbers if one.id == number_id), None)
    if number is None:
        return False
    before = number.rank
    _in_order(session, patient_id, [number, *(one for one in numbers if one is not number)])
    audit.record(session, by, "patient.number", f"patient:{patient_id}", at, what="first", rank=before)
    return True


def _numbers(session: Session, patient_id: UUID) -> list[PhoneNumber]:
    """In the order in which they are dialled; nobody else changes them meanwhile."""
    session.execute(select(Patient.id).where(Patient.id == patient_id).with_for_update())
    rows = select(PhoneNumber).where(PhoneNumber.patient_id == patient_id).order_by(PhoneNumber.rank)
    return list(session.scalars(rows, execution_options={"populate_existing": True}))


def _made(patient_id: UUID, told: Told, rank: int) -> PhoneNumber:
    return PhoneNumber(
        patient_id=patient_id,
        rank=rank,
        number=told.number,
        token=number_token(told.number),
        owner=told.owner,
        language=told.language,
        safe_to_call=told.safe,
    )


def _in_order(session: Session, patient_id: UUID, numbers: list[PhoneNumber]) -> None:
    """Ranks from 1 on; what was to be tried next by its old rank goes by the new order."""
    aside = max(one.rank for one in numbers) + len(numbers)  # a rank is one number's at any moment
    for start in (aside, 0):
        for rank, one in enumerate(numbers, start + 1):
            one.rank = rank
        session.flush()
    family = select(Patient.id).where((Patient.id == patient_id) | (Patient.guardian_id == patient_id))
    theirs = update(FollowUpTask).where(FollowUpTask.patient_id.in_(family), FollowUpTask.state == "open")
    session.execute(theirs.values(next_number_rank=None), execution_options={"synchronize_session": False})


def _note(session: Session, patient_id: UUID, by: UUID, at: datetime, what: str, rank: int, told: Told) -> None:
    facts = {"owner": told.owner, "safe": told.safe, "wrong": told.wrong}
    audit.record(session, by, "patient.number", f"patient:{patient_id}", at, what=what, rank=rank, **facts)
