"""What a patient wants to be contacted for, and when it suits them.

Rules: an opt-out is per purpose and takes effect at once: the dialer's rules ask the record when a call is claimed and
again when it is dialled, what rings is hung up, and what is queued does not leave. The patient can take it back. Calls
and messages about a patient's own booking are no contact of ours and have no opt-out. Each change is in the audit
chain, with the call in which it was said, or who was told.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import any_, func, literal, select, update
from sqlalchemy.orm import Session

from hospital import audit, outbox
from hospital.database import announce
from hospital.patients import Patient
from hospital.wishes import Part

PURPOSES = ("follow_up", "reminder", "survey", "education", "greeting")


def opted_out(session: Session, patient_id: UUID) -> frozenset[str]:
    return frozenset(session.scalars(select(func.unnest(Patient.opted_out)).where(Patient.id == patient_id)))


def set_consent(
    session: Session,
    patient_id: UUID,
    purpose: str,
    wanted: bool,
    at: datetime,
    *,
    call_id: str | None = None,
    by: UUID | None = None,
) -> bool:
    """Contacts for `purpose` are wanted, or not any more: told in the call, or to `by`. False where that was known
    already."""
    if purpose not in PURPOSES:
        raise ValueError(f"{purpose!r} is no purpose of a contact: {', '.join(PURPOSES)}")
    out = literal(purpose) == any_(Patient.opted_out)
    changed = session.execute(
        update(Patient)
        .where(Patient.id == patient_id, out if wanted else ~out)
        .values(
            opted_out=func.array_remove(Patient.opted_out, purpose)
            if wanted
            else func.array_append(Patient.opted_out, purpose)
        )
        .returning(Patient.id)
        .execution_options(synchronize_session=False)
    ).scalar()
    if changed is None:
        return False
    announce(session, "patient", patient_id)
    if not wanted:
        outbox.withdraw_of(session, patient_id, purpose)
    action = "consent.given" if wanted else "consent.withdrawn"
    facts = {"call": call_id} if call_id is not None else {}
    audit.record(session, by, action, f"patient:{patient_id}", at, purpose=purpose, **facts)
    return True


def reminded_by(session: Session, patient_id: UUID) -> str:
    """'call', or 'sms' for who would rather read."""
    return session.scalars(select(Patient.reminded_by).where(Patient.id == patient_id)).one()


def set_reminded_by(session: Session, patient_id: UUID, by: str, at: datetime, *, call_id: str) -> None:
    """How the patient is reminded from now on: 'call' or 'sms'."""
    session.execute(
        update(Patient)
        .where(Patient.id == patient_id)
        .values(reminded_by=by)
        .execution_options(synchronize_session=False)
    )
    announce(session, "patient", patient_id)
    audit.record(session, None, "patient.reminded_by", f"patient:{patient_id}", at, by=by, call=call_id)


def set_suits(session: Session, patient_id: UUID, part: Part | None, at: datetime, *, call_id: str) -> None:
    """The time of day that suits the patient; None: any."""
    session.execute(
        update(Patient).where(Patient.id == patient_id).values(suits=part).execution_options(synchronize_session=False)
    )
    announce(session, "patient", patient_id)
    audit.record(session, None, "patient.suits", f"patient:{patient_id}", at, part=part, call=call_id)
