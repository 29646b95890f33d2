"""A nurse hears that a machine has picked up her call, and hands it over: who called is left on it without her.

Rules: as in calls without a nurse, nothing is said but the hospital's name and a number, only where
`phone_number.may_leave_message` says so, and the line result is `machine`; what follows is the outcome policy's. She is
free when Asterisk has taken the order, never before: who is still joined to a machine is not called for.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital.attempt_records import Attempt
from hospital.calling_rules import CallingPolicy, language_of
from hospital.database import announce
from hospital.patients import Patient, PhoneNumber
from hospital.settling import contact_result


@dataclass(frozen=True)
class OnAMachine:
    """A call of hers. `her_leg`: what ends with the call, None where it stays up for the next."""

    channel_id: str
    may_leave_message: bool
    her_leg: str | None


def picked_up(session: Session, attempt_id: UUID, account_id: UUID) -> OnAMachine | None:
    """She says so. None: it is no call of ours by telephone that she is in, or she has said whom she reached."""
    call = session.get(Attempt, attempt_id, with_for_update=True, populate_existing=True)
    if call is None or call.account_id != account_id or call.state != "talking" or call.returned or call.video:
        return None
    if call.contact_result is not None or call.handed_at is not None:
        return None
    call.heard = "machine"
    announce(session, "task", call.task_id)
    number = session.get_one(PhoneNumber, call.number_id)
    her_leg = call.nurse_channel_id if call.stint_id is None else None
    return OnAMachine(call.channel_id, number.may_leave_message, her_leg)


def handed_over(session: Session, attempt_id: UUID, at: datetime) -> None:
    """Asterisk has it: she is free."""
    call = session.get_one(Attempt, attempt_id, with_for_update=True, populate_existing=True)
    call.handed_at = at
    announce(session, "task", call.task_id)
    if call.stint_id is not None:
        announce(session, "stint", call.stint_id)


@dataclass(frozen=True)
class Message:
    """What is left, and in which language."""

    attempt_id: UUID
    language: str


def message(session: Session, channel_id: str) -> Message | None:
    """Of a call that was handed over; None where nothing may be left."""
    row = session.execute(
        select(Attempt.id, PhoneNumber, Patient)
        .join(PhoneNumber, PhoneNumber.id == Attempt.number_id)
        .join(Patient, Patient.id == PhoneNumber.patient_id)
        .where(
            Attempt.channel_id == channel_id,
            Attempt.state == "talking",
            Attempt.heard == "machine",
            Attempt.account_id.is_not(None),
            PhoneNumber.may_leave_message,
        )
    ).one_or_none()
    return None if row is None else Message(row[0], language_of(row[2], row[1]))


def left(session: Session, attempt_id: UUID, at: datetime, policy: CallingPolicy) -> None:
    contact_result(session, attempt_id, "left_message", at, policy)
