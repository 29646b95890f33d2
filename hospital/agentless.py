"""Calls that the hotline begins without a nurse: which contact is next, and to whom an answered call belongs.

Rules: the next due contact is claimed in one conditional statement, and never more than `most` at once, however many
dialers there are. Whoever answers belongs to an attempt that was committed before; what has become unwanted while it
rang (an opt-out, a death, a plan that has ended, an appointment that was moved meanwhile) is not said.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.orm import Session

from hospital import attempts, campaigns, lines, subjects
from hospital.attempt_records import Attempt
from hospital.attempts import Claimed
from hospital.calling_rules import CallingPolicy, NotNow, language_of, never
from hospital.followups import FollowUpTask, decide, not_given_to_another
from hospital.patients import Patient, PhoneNumber

CHANNEL = "automated_call"
_WHEN = func.coalesce(FollowUpTask.next_try_at, FollowUpTask.due_at)


def anything_due(session: Session, at: datetime, kinds: Collection[str]) -> bool:
    """Whether a contact of these kinds is due, in whatever campaign: a cheap look."""
    return session.scalar(select(exists().where(*_due(at, kinds)))) is True


def _due(at: datetime, kinds: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    return (
        FollowUpTask.channel == CHANNEL,
        FollowUpTask.kind.in_(kinds),
        FollowUpTask.state == "open",
        FollowUpTask.due_at <= at,
        at >= _WHEN,
        not_given_to_another(None),
    )


def claim_next(
    session: Session,
    node: str,
    at: datetime,
    policy: CallingPolicy,
    *,
    kinds: Collection[str],
    most: int,
    campaign_id: UUID | None = None,
) -> Claimed | NotNow | None:
    """The next due contact of these kinds, claimed: of this campaign, or of those that are in none. Or why it may not
    be called now (then it is due later, and another may be claimed). None: nothing is due, or `most` automatic calls,
    or as many as the campaign or the trunk may have, are under way."""
    line = lines.automatic(session, most)
    trunk_line = lines.of_trunk(session, policy.trunk_lines) if line is not None else None
    if trunk_line is None:
        return None
    standing = campaigns.in_force(session, CHANNEL)
    belongs, campaign_line = campaigns.in_none(session, standing), 0
    if campaign_id is not None:
        campaign = next((one for one in standing if one.id == campaign_id and one.state == "running"), None)
        taken = campaigns.a_line(session, campaign) if campaign is not None else None
        if campaign is None or taken is None:
            return None
        belongs, campaign_line = campaigns.within(session, campaign, standing), taken
    due = (
        select(FollowUpTask.id)
        .where(belongs, *_due(at, kinds))
        .order_by(FollowUpTask.priority, _WHEN, FollowUpTask.due_until, FollowUpTask.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    task = session.scalar(
        update(FollowUpTask)
        .where(FollowUpTask.id == due.scalar_subquery(), FollowUpTask.state == "open")
        .values(state="calling")
        .returning(FollowUpTask)
    )
    if task is None:
        return None
    if not subjects.still_needed(session, task, at):
        task.finish(at)
        decide(session, task.id, "not_needed", at)
        subjects.changed(session, task)
        return NotNow("not_needed")
    return attempts.begin(
        session, task, node, at, policy, None, campaign_id, campaign_line, trunk_line=trunk_line, line=line
    )


@dataclass(frozen=True)
class Contact:
    """Whom a call of ours has reached, as far as the number tells. `person` is asked for: the patient, or the guardian
    of `patient`. `number` is the one that was dialled, `may_leave_message` whether a machine there may be spoken to."""

    attempt_id: UUID
    task_id: UUID
    kind: str
    purpose: str
    patient: Patient = field(repr=False)
    person: Patient = field(repr=False)
    number: str = field(repr=False)
    language: str
    may_leave_message: bool = False


def find(session: Session, channel_id: str) -> Contact | None:
    """The contact of a call that is ringing or answered; None for a channel that is no automatic call, or an ended
    one."""
    attempt = session.scalar(
        select(Attempt).where(
            Attempt.channel_id == channel_id,
            Attempt.account_id.is_(None),
            Attempt.pooled.is_(False),
            Attempt.state.in_(("dialling", "talking", "review")),
        )
    )
    if attempt is None:
        return None
    task = session.get_one(FollowUpTask, attempt.task_id)
    patient = session.get_one(Patient, attempt.patient_id)
    number = session.get_one(PhoneNumber, attempt.number_id)
    person = session.get_one(Patient, number.patient_id)
    _ = person.identifiers, person.numbers  # loaded here: the dialogue has no session
    language = language_of(person, number)
    return Contact(
        attempt.id, task.id, task.kind, task.purpose, patient, person, number.number, language, number.may_leave_message
    )


def answered(session: Session, channel_id: str, at: datetime, policy: CallingPolicy) -> Contact | None:
    """Somebody has picked up. None: nothing may be said; where the patient opted out, the task has stopped or the call
    is not needed any more its result is written down."""
    its = select(Attempt.task_id).where(Attempt.channel_id == channel_id)
    session.scalar(select(FollowUpTask.id).where(FollowUpTask.id == its.scalar_subquery()).with_for_update())
    attempts.answered(session, channel_id, at)
    contact = find(session, channel_id)
    if contact is None:
        return None
    task = session.get_one(FollowUpTask, contact.task_id)
    number = session.get_one(PhoneNumber, session.get_one(Attempt, contact.attempt_id).number_id)
    why = never(contact.patient, number, task.purpose)
    if why is not None:
        decide(session, task.id, "nothing_said", at, because=why)
        # Neither refuses anything: another number may be called, or somebody else for the patient.
        meanwhile = {
            "no_usable_number": "call_later",
            "guardian_deceased": "hung_up",
            "guardian_changed": "hung_up",
        }.get(why, "refused")
        attempts.contact_result(session, contact.attempt_id, meanwhile, at, policy)
        return None
    if task.state == "stopped" and task.stop_reason != "fate_unknown":  # its plan has ended: the dialer calls it off
        decide(session, task.id, "nothing_said", at, because=task.stop_reason)
        attempts.contact_result(session, contact.attempt_id, "hung_up", at, policy)
        return None
    if not subjects.still_to_call(session, task, at):
        decide(session, task.id, "nothing_said", at, because="not_needed")
        attempts.contact_result(session, contact.attempt_id, "completed", at, policy)
        return None
    return contact


def is_noted(session: Session, attempt_id: UUID) -> bool:
    """Whether it is written down what came of the call."""
    return session.get_one(Attempt, attempt_id).contact_result is not None


def heard(session: Session, attempt_id: UUID, what: str | None) -> None:
    """What has picked up, by its sound: a machine, a fax; None where it was a person after all. It is the line result
    when the call has ended."""
    session.get_one(Attempt, attempt_id, with_for_update=True).heard = what
