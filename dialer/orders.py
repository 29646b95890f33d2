"""What the dialer asks of the database around an order to dial and its recording: a transaction each."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from hospital import agentless, attempts, campaigns, recordings
from hospital.accounts import Account
from hospital.attempts import Attempt
from hospital.calling_rules import CallingPolicy
from hospital.database import announce
from hospital.patients import Patient, PhoneNumber


def sip_username(session: Session, account_id: UUID) -> str | None:
    return session.get_one(Account, account_id).sip_username


def attempt(session: Session, attempt_id: UUID) -> Attempt:
    return session.get_one(Attempt, attempt_id)


def live_of(session: Session, attempt_id: UUID, account_id: UUID) -> Attempt | None:
    attempt = session.get(Attempt, attempt_id)
    if attempt is None or attempt.account_id != account_id or attempt.state not in attempts.LIVE:
        return None
    return attempt


def dialling(session: Session, attempt_id: UUID, at: datetime, ours: str) -> tuple[str, str, str] | None:
    """Marks the attempt as dialled and gives its number, the number of ours that is shown (its campaign's, else `ours`)
    and the language of whoever is called, for the order that follows the commit."""
    if not attempts.dialling(session, attempt_id, at):
        return None
    attempt = session.get_one(Attempt, attempt_id)
    number = session.get_one(PhoneNumber, attempt.number_id)
    language = number.language or session.get_one(Patient, number.patient_id).language
    return number.number, _shown(session, attempt, ours), language


def _shown(session: Session, attempt: Attempt, ours: str) -> str:
    attempt.caller_id = campaigns.caller_id(session, attempt.campaign_id) or ours
    return attempt.caller_id


def dialling_alone(session: Session, attempt_id: UUID, at: datetime, ours: str) -> tuple[Attempt, str, str, str] | None:
    """The same for a call without a nurse: the attempt, its number, and the language of whoever is called."""
    if not attempts.dialling(session, attempt_id, at):
        return None
    attempt = session.get_one(Attempt, attempt_id)
    contact = agentless.find(session, attempt.channel_id)
    shown = _shown(session, attempt, ours)
    return (attempt, contact.number, contact.language, shown) if contact is not None else None


def open_recording(session: Session, attempt_id: UUID, at: datetime) -> UUID | None:
    attempt = session.get_one(Attempt, attempt_id)
    made = recordings.open_for(
        session,
        call_id=attempt.channel_id,
        attempt_id=attempt.id,
        patient_id=attempt.patient_id,
        account_id=attempt.account_id,
        at=at,
    )
    announce(session, "task", attempt.task_id)
    return made


def no_recording(session: Session, attempt_id: UUID, reason: str, at: datetime) -> None:
    attempt = session.get_one(Attempt, attempt_id)
    recordings.none_because(
        session,
        call_id=attempt.channel_id,
        attempt_id=attempt.id,
        patient_id=attempt.patient_id,
        account_id=attempt.account_id,
        reason=reason,
        at=at,
    )
    announce(session, "task", attempt.task_id)


def being_recorded(session: Session, attempt_id: UUID) -> UUID | None:
    recording = recordings.of_attempt(session, attempt_id)
    return recording.id if recording is not None and recording.state == "open" else None


def settle(
    session: Session,
    attempt_id: UUID,
    line_result: str,
    at: datetime,
    policy: CallingPolicy,
    cause: int | None,
    sip_status: int | None,
) -> UUID | None:
    """Settles the attempt; returns its recording where one is to be sealed."""
    attempts.line_ended(session, attempt_id, line_result, at, policy, cause=cause, sip_status=sip_status)
    return being_recorded(session, attempt_id)
