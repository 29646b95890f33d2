"""Who is called for a patient: named, changed, ended.

Rules: a guardian is a person with a record of their own, found by name and number together or registered. One at a
time, of a kind, and where it is known until when: from then on nobody is called for the patient but the patient. It
holds at once, also for what rings (`calling_rules.never`), and what is queued to the one before does not leave. Another
guardian is asked anew what they want to be called for; what the one before had refused comes back (`opt_outs`). Nobody
is guardian of themselves or of their own. What staff have said, a list does not change (`by_staff`). Each change is in
the audit chain, by the records' ids.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, LargeBinary, cast, or_, select
from sqlalchemy.orm import Session

from hospital import audit, opt_outs, outbox, patients, vault
from hospital.audit import AuditRow
from hospital.database import announce
from hospital.followups import FollowUpTask, decide
from hospital.patients import Patient, PhoneNumber, number_token

RELATIONS = ("mother", "father", "partner", "child", "relative", "carer", "legal")


@dataclass(frozen=True, slots=True)
class Told:
    """A guardian as somebody tells of them. `number`: E.164. `until`: the first instant at which it ends."""

    name: str
    number: str
    language: str
    relation: str
    birth: date | None = None
    until: datetime | None = None


def name(session: Session, ward_id: UUID, told: Told, by: UUID, at: datetime) -> str | None:
    """From now on this is who is called for the patient; or why not: themselves, circle, died."""
    opt_outs.lock(session, ward_id)
    ward = session.get_one(Patient, ward_id, with_for_update=True, populate_existing=True)
    person = _found(session, told)
    if person is None:
        numbers = [told.number]
        person = patients.register(session, name=told.name, birth=told.birth, language=told.language, numbers=numbers)
    why = _why_not(ward, person)
    if why is not None:
        return why
    _in_place_of(session, ward, person.id, at)
    ward.guardian_relation, ward.guardian_until = told.relation, told.until
    _note(session, ward, by, at, "named")
    return None


def listed(session: Session, ward_id: UUID, person_id: UUID, by: UUID | None, at: datetime) -> str | None:
    """A list says that this is who is called for the patient; or why it does not count: by_staff, themselves, circle,
    died. `by`: who has sent the list; None: the command."""
    opt_outs.lock(session, ward_id)
    ward = session.get_one(Patient, ward_id, with_for_update=True, populate_existing=True)
    why = (
        "by_staff"
        if by_staff(session, ward_id)
        else _why_not(ward, session.get_one(Patient, person_id, populate_existing=True))
    )
    if why is not None:
        return why
    _in_place_of(session, ward, person_id, at)
    ward.guardian_relation, ward.guardian_until = None, None
    _note(session, ward, by, at, "listed")
    return None


def by_staff(session: Session, ward_id: UUID) -> bool:
    """Whether what is known of who is called for the patient was said by staff, of whichever record of theirs."""
    theirs = select(Patient.id).where(or_(Patient.id == ward_id, Patient.merged_into == ward_id))
    subjects = [f"patient:{one}" for one in session.scalars(theirs)]
    rows = select(AuditRow.detail["what"].astext).where(
        AuditRow.subject.in_(subjects), AuditRow.action == "patient.guardian"
    )
    return session.scalar(rows.order_by(AuditRow.seq.desc()).limit(1)) not in (None, "listed")


def change(
    session: Session, ward_id: UUID, relation: str, until: datetime | None, by: UUID, at: datetime
) -> str | None:
    """The kind of relation and until when; or why not: nobody."""
    ward = session.get_one(Patient, ward_id, with_for_update=True, populate_existing=True)
    if ward.guardian_id is None:
        return "nobody"
    ward.guardian_relation, ward.guardian_until = relation, until
    _note(session, ward, by, at, "changed")
    return None


def end(session: Session, ward_id: UUID, by: UUID, at: datetime) -> str | None:
    """Nobody speaks for the patient any more; or why not: nobody."""
    opt_outs.lock(session, ward_id)
    ward = session.get_one(Patient, ward_id, with_for_update=True, populate_existing=True)
    if ward.guardian_id is None:
        return "nobody"
    before = ward.guardian_id
    _in_place_of(session, ward, None, at)
    ward.guardian_relation, ward.guardian_until = None, None
    _note(session, ward, by, at, "ended", before)
    return None


def _found(session: Session, told: Told) -> Patient | None:
    """Who has all of the name and the number, and was not born on another day."""
    parts = cast([vault.token("name", one) for one in told.name.split()], ARRAY(LargeBinary))
    theirs = select(PhoneNumber.patient_id).where(PhoneNumber.token == number_token(told.number))
    rows = select(Patient).where(
        Patient.name_tokens.op("@>")(parts), Patient.id.in_(theirs), Patient.merged_into.is_(None)
    )
    found = [one for one in session.scalars(rows.order_by(Patient.created_at, Patient.id)) if _born_then(one, told)]
    return found[0] if found else None


def _born_then(person: Patient, told: Told) -> bool:
    return told.birth is None or person.birth_date in (None, told.birth)


def _why_not(ward: Patient, person: Patient) -> str | None:
    if person.id == ward.id:
        return "themselves"
    if person.guardian_id == ward.id:
        return "circle"
    return "died" if person.deceased_at is not None or person.death_reported_at is not None else None


def _in_place_of(session: Session, ward: Patient, person_id: UUID | None, at: datetime) -> None:
    """Nothing that the guardian before had said about the patient holds any more, and nothing goes to them."""
    if ward.guardian_id == person_id:
        return
    if ward.guardian_id is not None:
        before = session.get_one(Patient, ward.guardian_id)
        outbox.withdraw_to(session, ward.id, {one.number for one in before.numbers})
    ward.guardian_id, ward.guardian_declined = person_id, []
    session.flush()
    opt_outs.guardian_wants(session, ward.id, None, at, None)
    rows = select(FollowUpTask).where(FollowUpTask.patient_id == ward.id, FollowUpTask.state == "open")
    for task in session.scalars(rows.order_by(FollowUpTask.id).with_for_update()):
        task.next_number_rank = None
        if person_id is not None:
            decide(session, task.id, "guardian_named", at)
        else:
            decide(session, task.id, "guardian_ended", at)
        announce(session, "task", task.id)


def _note(
    session: Session, ward: Patient, by: UUID | None, at: datetime, what: str, before: UUID | None = None
) -> None:
    until = ward.guardian_until.isoformat() if ward.guardian_until else None
    facts = {"what": what, "guardian": str(before or ward.guardian_id), "relation": ward.guardian_relation}
    audit.record(session, by, "patient.guardian", f"patient:{ward.id}", at, until=until, **facts)
    announce(session, "patient", ward.id)
    session.flush()
