"""What a patient wants to be contacted for, and when it suits them.

Rules: an opt-out is per purpose and takes effect at once: what is open stops with it (`opt_outs`), the dialer's rules
ask the record when a call is claimed and again when it is dialled, what rings is hung up, and what is queued does not
leave. The patient can take it back. What a guardian says about a ward holds for the two of them: another guardian is
asked anew, and of the guardian's own contacts it says nothing. Calls and messages about a patient's own booking are no
contact of ours and have no opt-out. Each change is in the audit chain, with the call in which it was said, or who was
told.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import any_, func, literal, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from hospital import audit, opt_outs, outbox
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
    if not _noted(session, Patient.opted_out, patient_id, purpose, wanted):
        return False
    if wanted:
        opt_outs.wanted_again(session, patient_id, purpose, at, by)
    else:
        outbox.withdraw_of(session, patient_id, purpose)
        opt_outs.stop(session, patient_id, purpose, at, by)
    _record(session, patient_id, purpose, wanted, at, call_id, by)
    return True


def refused(session: Session, patient_id: UUID, speaker_id: UUID | None) -> frozenset[str]:
    """The purposes that `speaker_id` has refused for a patient; None: the patient."""
    if speaker_id in (None, patient_id):
        return opted_out(session, patient_id)
    return frozenset(session.scalars(select(func.unnest(Patient.guardian_declined)).where(Patient.id == patient_id)))


def tell(
    session: Session,
    patient_id: UUID,
    speaker_id: UUID | None,
    purpose: str,
    wanted: bool,
    at: datetime,
    *,
    call_id: str | None = None,
    by: UUID | None = None,
) -> bool:
    """What `speaker_id` wants of contacts about a patient: the patient (None), or the guardian, who speaks for this
    patient only. False where that was known already."""
    if speaker_id in (None, patient_id):
        return set_consent(session, patient_id, purpose, wanted, at, call_id=call_id, by=by)
    if not _noted(session, Patient.guardian_declined, patient_id, purpose, wanted):
        return False
    if wanted:
        opt_outs.guardian_wants(session, patient_id, purpose, at, by)
    else:
        outbox.withdraw_of(session, patient_id, purpose)
        opt_outs.guardian_declines(session, patient_id, purpose, at, by)
    _record(session, patient_id, purpose, wanted, at, call_id, by, guardian=str(speaker_id))
    return True


def _record(
    session: Session,
    patient_id: UUID,
    purpose: str,
    wanted: bool,
    at: datetime,
    call_id: str | None,
    by: UUID | None,
    **who: str,
) -> None:
    action = "consent.given" if wanted else "consent.withdrawn"
    told = {"call": call_id} if call_id is not None else {}
    audit.record(session, by, action, f"patient:{patient_id}", at, purpose=purpose, **who, **told)


def _noted(
    session: Session, where: InstrumentedAttribute[list[str]], patient_id: UUID, purpose: str, wanted: bool
) -> bool:
    """False where it stood there already."""
    if purpose not in PURPOSES:
        raise ValueError(f"{purpose!r} is no purpose of a contact: {', '.join(PURPOSES)}")
    opt_outs.lock(session, patient_id)
    out, change = literal(purpose) == any_(where), func.array_remove if wanted else func.array_append
    changed = session.scalar(
        update(Patient)
        .where(Patient.id == patient_id, out if wanted else ~out)
        .values({where: change(where, purpose)})
        .returning(Patient.id)
        .execution_options(synchronize_session=False)
    )
    if changed is not None:
        announce(session, "patient", patient_id)
    return changed is not None


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
