"""Attempts: one try to reach a patient for a task, at most one call each (I3).

Rules: an attempt is claimed, with its channel ids, and committed before anything is dialled. The rules for calling are
asked in the claiming transaction and again in the one that precedes the order to dial, which comes when the nurse has
picked up, or at once where the hotline calls by itself (I4). Who is on the telephone with us already, in a call of
their own, is not dialled meanwhile, and who answered and found no nurse not by machine for a while. What is unknown
after a fault is marked for review, never redialled blindly. A task is locked before its attempts. The rows are in
`attempt_records`, what came of a call in `settling`; both are also reached here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hospital import calls, campaigns, joint_calls, lines, next_steps, opt_outs, outcomes, subjects
from hospital.attempt_records import LIVE, Attempt, abandoned_until, by_channel, contacts, live, of_task
from hospital.calling_hours import closes
from hospital.calling_rules import ENDS, PURPOSE, CallingPolicy, NotNow, never, wall_clock
from hospital.database import announce
from hospital.followups import URGENT, FollowUpTask, decide, not_given_to_another
from hospital.patients import Patient, PhoneNumber
from hospital.settling import abandoned, contact_result, line_ended, not_dialled, reviewed, to_review
from hospital.stint_records import Stint, current_stint
from hospital.verdicts import Verdict, judge

__all__ = ["LIVE", "Attempt", "Claimed"]
__all__ += ["abandoned", "answered", "claim", "contact_result", "dialling", "line_ended", "not_dialled", "rang"]
__all__ += ["reviewed", "to_review"]
__all__ += ["by_channel", "contacts", "live", "of_task"]


A_MINUTE = timedelta(minutes=1)  # by which a clock is put right without anybody having set it back
LOOK_AGAIN = timedelta(minutes=5)  # at a contact that could not be called for a reason that may pass
A_DAY = timedelta(days=1)  # that a clinician may take to confirm a death; taken back, it is due at once


@dataclass(frozen=True)
class Claimed:
    """An attempt that is committed and may be dialled, once."""

    attempt_id: UUID
    number: str
    channel_id: str
    nurse_channel_id: str | None


def claim(
    session: Session, task_id: UUID, account_id: UUID, node: str, at: datetime, policy: CallingPolicy
) -> Claimed | NotNow:
    """Claim an open follow-up for a nurse. A refusal is returned, not raised, so that its decision is committed.

    Where the patient opted out or has died, nobody is called for this task at all: it stops. Where the guardian did, it
    is held. What a person gave to another nurse is not hers to call. She does not wait for a line of the trunk: her
    call counts among those that machines leave free."""
    task = session.scalar(
        update(FollowUpTask)
        .where(FollowUpTask.id == task_id, FollowUpTask.kind == "follow_up", FollowUpTask.state == "open")
        .values(state="calling")
        .returning(FollowUpTask)
    )
    if task is None:
        return NotNow("not_open")
    if task.held_since is not None:
        return refuse(session, task, NotNow("guardian_opted_out"), at, False, policy)
    if not session.scalar(select(not_given_to_another(account_id)).where(FollowUpTask.id == task_id)):
        return refuse(session, task, NotNow("given_to_another"), at, False, policy)
    if current_stint(session, account_id) is not None:
        return refuse(session, task, NotNow("in_a_stint"), at, False, policy)
    trunk_line = lines.of_trunk(session, policy.trunk_lines) or 0
    campaign = campaigns.of_task(session, task)
    if campaign is None or (campaign.mode, campaign.state) != ("preview", "running"):
        return begin(session, task, node, at, policy, account_id, trunk_line=trunk_line)  # she calls by herself
    line = campaigns.a_line(session, campaign)
    if line is None:
        return refuse(session, task, NotNow("lines_busy"), at, False, policy)
    return begin(session, task, node, at, policy, account_id, campaign.id, line, trunk_line=trunk_line)


def begin(
    session: Session,
    task: FollowUpTask,
    node: str,
    at: datetime,
    policy: CallingPolicy,
    account_id: UUID | None,
    campaign_id: UUID | None = None,
    campaign_line: int = 0,
    *,
    trunk_line: int,
    line: int | None = None,
    stint: Stint | None = None,
    pooled: bool = False,
) -> Claimed | NotNow:
    """The attempt of a task that this transaction has claimed, or why not now. Without an account the hotline calls by
    itself: no nurse, and no channel of hers, on a `line` of its own. With a `stint` the nurse's leg is there already,
    and nobody has chosen the task: a refusal puts it off. `pooled`: a nurse is found when somebody has answered.
    `campaign_line`: one that `campaigns.a_line` gave, `trunk_line` one of `lines.of_trunk`; 0: none."""
    unattended = account_id is None or stint is not None
    follow_survivor(session, task, at)
    verdict = judge(session, task, at, policy)
    number, policy, refused = verdict.number, verdict.policy, verdict.refused
    if refused is not None or number is None:
        refused = refused or NotNow("no_usable_number")
        if unattended and task.kind == "follow_up" and refused.code == "no_usable_number":
            by_machine = account_id is None and not pooled
            return _without_a_number(session, task, refused, at, policy, by_machine=by_machine)
        return refuse(session, task, refused, at, unattended, policy)
    if calls.have_called(session, number.token, (task.patient_id, verdict.person.id), at):
        return refuse(session, task, NotNow("already_in_a_call"), at, unattended, policy)
    if account_id is None and task.kind not in URGENT:
        until = abandoned_until(session, task.patient_id, number.token, at)
        if until is not None:
            return refuse(session, task, NotNow("abandoned_lately", until), at, unattended, policy)
    attempt_id = uuid4()
    beginning = insert(Attempt).values(
        id=attempt_id,
        task_id=task.id,
        patient_id=task.patient_id,
        number_id=number.id,
        number_token=number.token,
        account_id=account_id,
        campaign_id=campaign_id,
        line=line,
        campaign_line=campaign_line or None,
        trunk_line=trunk_line or None,
        stint_id=stint.id if stint else None,
        pooled=pooled,
        channel_id=f"{node}-{attempt_id.hex}",
        nurse_channel_id=_nurses_leg(node, account_id, stint),
        claimed_at=at,
        dial_until=closes(at, policy.window, policy.zone),
        zone=policy.zone.key,
    )
    attempt = session.scalar(beginning.on_conflict_do_nothing().returning(Attempt))
    # The partial unique indexes: this patient, number or nurse is in a live attempt; or was in one since the verdict.
    if attempt is None or _has_rung_since(session, attempt, verdict, at):
        return refuse(session, task, NotNow("already_in_a_call"), at, unattended, policy)
    task.owner_id = account_id or task.owner_id
    facts = {"cap": "exempt"} if verdict.urgent else {}
    if verdict.person.id != task.patient_id:
        facts["reached"] = "guardian"
    decide(
        session,
        task.id,
        "called",
        at,
        rank=number.rank,
        attempt=str(attempt_id),
        **facts,
        **wall_clock(at, policy.zone),
    )
    if account_id is not None:
        joint_calls.join(session, attempt, task, at)
    subjects.changed(session, task)
    return Claimed(attempt_id, number.number, attempt.channel_id, attempt.nurse_channel_id)


def _has_rung_since(session: Session, attempt: Attempt, verdict: Verdict, at: datetime) -> bool:
    """Whether somebody else's call has begun and ended between the verdict and the attempt, from which on nobody else's
    can begin; the attempt is gone then."""
    if verdict.urgent or (verdict.policy.cap_a_day, verdict.policy.cap_a_week) == (None, None):
        return False
    if len(contacts(session, attempt.patient_id, attempt.number_token, at)) <= len(verdict.rung) + 1:
        return False
    session.delete(attempt)
    session.flush()
    return True


def _without_a_number(
    session: Session, task: FollowUpTask, refused: NotNow, at: datetime, policy: CallingPolicy, *, by_machine: bool
) -> NotNow:
    """No call can be made for it: its plan's next channel follows, as where a call shows its last number wrong."""
    task.state = "open"
    decide(session, task.id, refused.code, at, **wall_clock(at, policy.zone))
    next_steps.apply(session, task, outcomes.Stop(refused.code), at, refused.code, policy, by_machine=by_machine)
    return refused


def _nurses_leg(node: str, account_id: UUID | None, stint: Stint | None) -> str | None:
    if stint is not None:
        return stint.channel_id
    return f"{node}-{uuid4().hex}" if account_id is not None else None


def follow_survivor(session: Session, task: FollowUpTask, at: datetime) -> None:
    """A merged record's tasks are its survivor's."""
    survivor = task.patient
    for _ in range(10):  # records that were merged into one another in a circle are nobody's fault here
        if survivor.merged_into is None:
            break
        survivor = session.get_one(Patient, survivor.merged_into)
    if survivor is not task.patient:
        task.patient = survivor
        decide(session, task.id, "record_merged", at)
        session.flush()


def refuse(
    session: Session, task: FollowUpTask, refused: NotNow, at: datetime, automatic: bool, policy: CallingPolicy
) -> NotNow:
    """Writes down why a task is not contacted now; `automatic`: and when it is looked at again, or that it stops. What
    a guardian has refused of a patient's care is held for a nurse."""
    task.state = "open"
    held = refused.code == "guardian_opted_out" and task.purpose == PURPOSE
    stops = refused.code in ENDS or (automatic and refused.code == "no_usable_number")
    if stops and not held:
        task.stop(refused.code, at)
    elif automatic and not held:  # nobody looks at it again by himself
        task.next_try_at = refused.not_before or _looked_at_again(task, refused, at)
        if task.kind != "follow_up" and task.next_try_at >= task.due_until:
            task.stop("not_reached", at)
    until = refused.not_before.isoformat() if refused.not_before else None
    decide(session, task.id, refused.code, at, not_before=until, **wall_clock(at, policy.zone))
    if held:
        opt_outs.hold(session, task, at)
    if task.state == "stopped":
        subjects.not_reached(session, task, at)
    subjects.changed(session, task)
    return refused


def _looked_at_again(task: FollowUpTask, refused: NotNow, at: datetime) -> datetime:
    """What ends by itself is looked at once more before it does."""
    if refused.code != "death_reported":
        return at + LOOK_AGAIN
    tomorrow = at + A_DAY if task.kind == "follow_up" else min(at + A_DAY, task.due_until - LOOK_AGAIN)
    return max(tomorrow, at + LOOK_AGAIN)


def dialling(session: Session, attempt_id: UUID, at: datetime) -> bool:
    """Committed just before the patient is dialled. False where the attempt was cancelled meanwhile, or where the
    window has closed since the claim, or the clock was set back, or the patient, or who is called for them, has died or
    opted out (the decision log says which): `not_dialled` ends it.
    """
    attempt = session.scalar(
        select(Attempt).where(Attempt.id == attempt_id, Attempt.state == "claimed").with_for_update()
    )
    if attempt is None:
        return False
    patient = session.get_one(Patient, attempt.patient_id, populate_existing=True)
    number = session.get_one(PhoneNumber, attempt.number_id, populate_existing=True)
    session.get_one(Patient, number.patient_id, populate_existing=True)  # the guardian, as they are now
    task = session.get_one(FollowUpTask, attempt.task_id, populate_existing=True)
    why = never(patient, number, task.purpose) or ("outside_window" if at >= attempt.dial_until else None)
    if task.state == "stopped":
        why = task.stop_reason
    elif why is None and not subjects.still_to_call(session, task, at):
        why = "not_needed"
    elif why is None and campaigns.halted(session, attempt.campaign_id):
        why = "campaign_halted"
    elif why is None and at < attempt.claimed_at - A_MINUTE:  # `dial_until` was told by another clock
        why = "clock_set_back"
    if why is not None:
        decide(session, attempt.task_id, "not_dialled", at, because=why, **wall_clock(at, ZoneInfo(attempt.zone)))
    else:
        attempt.state, attempt.dialled_at = "dialling", at
    announce(session, "task", attempt.task_id)
    return why is None


def rang(session: Session, channel_id: str) -> None:
    _move(session, Attempt.channel_id == channel_id, rang=True)


def answered(session: Session, channel_id: str, at: datetime) -> bool:
    here = and_(Attempt.channel_id == channel_id, Attempt.state == "dialling")
    return _move(session, here, state="talking", rang=True, answered_at=at)


def _move(session: Session, which: ColumnElement[bool], **values: object) -> bool:
    moved = session.scalar(update(Attempt).where(which).values(**values).returning(Attempt.task_id))
    if moved is not None:
        announce(session, "task", moved)
    return moved is not None
