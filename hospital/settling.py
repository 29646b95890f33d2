"""Settling an attempt: what the line did, whom the nurse reached, and what a person decides of an unknown fate.

Rules: an attempt ends once. Two results, never one: the line's comes from signalling, the contact's from the nurse.
What follows is `outcomes`' business (pure); here it is written down. A task is locked before its attempts. In a joint
call each task has its contact result: what is said on one form is that form's patient's, and stands.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hospital import joint_calls, next_steps, outbox, outcomes, recordings, subjects, unsaid
from hospital.attempt_records import LIVE, Attempt, about, end_unknown
from hospital.calling_rules import CallingPolicy
from hospital.database import announce
from hospital.followups import PLAN_CHANGES, SKIP_REASONS, TAKES_PLACE, FollowUpTask, decide
from hospital.outcome_rules import PUTS_AWAY, OutcomeRules
from hospital.patients import Patient, PhoneNumber

UNDECIDED = ("calling", "review", "wrap_up")
"""States of a task that its call still decides: in the others its plan has changed, or a person has decided."""


def _locked(session: Session, attempt_id: UUID) -> tuple[FollowUpTask, Attempt] | None:
    """The task, then the attempt, both locked as they are now."""
    task_id = session.scalar(select(Attempt.task_id).where(Attempt.id == attempt_id))
    if task_id is None:
        return None
    task = session.get_one(FollowUpTask, task_id, with_for_update=True, populate_existing=True)
    return task, session.get_one(Attempt, attempt_id, with_for_update=True, populate_existing=True)


def line_ended(
    session: Session,
    attempt_id: UUID,
    line_result: str,
    at: datetime,
    policy: CallingPolicy,
    *,
    cause: int | None = None,
    sip_status: int | None = None,
) -> bool:
    """Settle an attempt once with its line result. Answered: what the nurse has pressed decides the task, else it
    waits for her; of an automatic call what the dialogue wrote down, else somebody hung up. Not answered: the next try
    is planned. False where it was settled before."""
    found = _locked(session, attempt_id)
    if found is None or found[1].state == "ended":
        return False
    task, attempt = found
    policy = next_steps.there(session, attempt, policy)
    counted = attempt.state == "review"  # it counted when its fate became unknown
    attempt.state, attempt.ended_at, attempt.cause, attempt.sip_status = "ended", at, cause, sip_status
    attempt.line_result = _settled_result(attempt, line_result)
    nobody_came = attempt.pooled and attempt.account_id is None and attempt.contact_result is None
    if attempt.line_result == "answered" and nobody_came:
        _note_contact(session, task, attempt, "abandoned", at, policy.outcomes)
    ours = counted or attempt.returned or attempt.contact_result == "abandoned"
    counts = not ours and outcomes.counts(attempt.line_result, attempt.rang)
    task.tries += counts
    if attempt.line_result == "invalid_number":
        _note_invalid(session, attempt, at)
    session.flush()
    recordings.account_for(session, attempt, at)
    if task.state in ("calling", "review"):  # else a person has closed it meanwhile, and that stands
        if attempt.contact_result is not None:
            _decide_by_contact(session, task, attempt, at, policy)
        elif attempt.line_result == "answered" and attempt.automatic:
            _note_contact(session, task, attempt, "hung_up", at, policy.outcomes)
            _decide_by_contact(session, task, attempt, at, policy)
        elif attempt.line_result == "answered":
            unsaid.waits(session, task, attempt, at)
        else:
            standing = next_steps.standing(session, task, attempt, at, policy)
            step = outcomes.after_line(attempt.line_result, standing, at, policy.window, policy.zone, policy.outcomes)
            next_steps.apply(session, task, step, at, attempt.line_result, policy, by_machine=attempt.automatic)
    _others_follow(session, joint_calls.others(session, attempt.id), attempt, at, policy, counts)
    subjects.changed(session, task)
    return True


def _others_follow(
    session: Session,
    others: Collection[FollowUpTask],
    attempt: Attempt,
    at: datetime,
    policy: CallingPolicy,
    counts: bool = False,
) -> None:
    """The other tasks of a joint call (`joint_calls`) go where it goes, each by its own tries and result."""
    for other in others:
        if other.state not in UNDECIDED:
            continue
        other.tries += counts
        result = joint_calls.result(session, attempt, other.id)
        standing = next_steps.standing(session, other, attempt, at, policy)
        if result is None and attempt.line_result == "answered":
            unsaid.waits(session, other, attempt, at)
            subjects.changed(session, other)
            continue
        if result is None:
            step = outcomes.after_line(
                attempt.line_result or "", standing, at, policy.window, policy.zone, policy.outcomes
            )
        else:
            step = outcomes.after_contact(
                result, standing, at, policy.window, policy.zone, attempt.call_at, policy.outcomes
            )
        next_steps.apply(session, other, step, at, result or attempt.line_result or "", policy)


def not_dialled(session: Session, attempt_id: UUID, at: datetime, policy: CallingPolicy) -> bool:
    """Cancel an attempt for which no order to dial was given; False where there was one, or where it has ended."""
    found = _locked(session, attempt_id)
    return (
        found is not None and found[1].state == "claimed" and line_ended(session, attempt_id, "cancelled", at, policy)
    )


def _settled_result(attempt: Attempt, line_result: str) -> str:
    """An answered call stays answered, however it ended, unless a machine was heard; and a nurse who spoke with
    somebody knows best."""
    if attempt.answered_at is not None and attempt.heard is not None:
        line_result = attempt.heard
    if attempt.contact_result is not None:
        return "machine" if line_result == "machine" and attempt.contact_result == "left_message" else "answered"
    if attempt.answered_at is not None and line_result not in ("machine", "fax"):
        return "answered"
    return line_result


def contact_result(
    session: Session,
    attempt_id: UUID,
    result: str,
    at: datetime,
    policy: CallingPolicy,
    *,
    call_at: datetime | None = None,
    task_id: UUID | None = None,
    complete: Collection[UUID] = (),
) -> bool:
    """What the nurse says of whom she reached. While they talk it is noted, and decides the task when the line ends;
    afterwards it decides at once, also a call whose fate was unknown. A second press corrects the first until the
    task is done, skipped or called again; where its plan ended while it rang, it decides nothing. `call_at`: when the
    patient asked to be called. `task_id`: on whose form she says it, in a joint call; `complete`: the tasks whose
    questions are all answered. False: too late.

    Raises ValueError where `result` is none of CONTACT_RESULTS."""
    if result not in outcomes.CONTACT_RESULTS:
        raise ValueError(f"{result!r} is no contact result: {', '.join(sorted(outcomes.CONTACT_RESULTS))}")
    found = _locked(session, attempt_id)
    if found is None:
        return False
    leads, attempt = found
    policy = next_steps.there(session, attempt, policy)
    together = [leads, *joint_calls.others(session, attempt.id)]
    task = next((one for one in together if one.id == (task_id or leads.id)), None)
    if task is None:
        return False
    call_at = call_at if result == "call_later" else None
    others = [one for one in together if one is not task]
    if attempt.state == "talking":
        _say(session, task, others, attempt, result, call_at, at, policy.outcomes, complete)
        return True
    before = joint_calls.result(session, attempt, task.id)
    decides = _may_decide(task, result, before)
    if not _may_say(session, task, attempt, result) or not (decides or before is None):
        return False
    said_before = result == before and (result != "call_later" or call_at == attempt.call_at)
    if said_before and task.state not in ("wrap_up", "review"):
        return True
    if attempt.state == "review":
        attempt.state, attempt.line_result, attempt.ended_at = "ended", "answered", at
        recordings.account_for(session, attempt, at)
    _say(session, task, others, attempt, result, call_at, at, policy.outcomes, complete)
    if decides:
        _decide_by_contact(session, task, attempt, at, policy)
    _others_follow(session, others, attempt, at, policy)
    return True


def _say(
    session: Session,
    task: FollowUpTask,
    others: Collection[FollowUpTask],
    attempt: Attempt,
    result: str,
    call_at: datetime | None,
    at: datetime,
    rules: OutcomeRules,
    complete: Collection[UUID],
) -> None:
    """Write down what was said of this task, and what that says of those of the others that are not decided, and of
    which nothing was said on their own forms. Of the one that leads something is said in any case."""
    _note_contact(session, task, attempt, result, at, rules)
    for other in others:
        undecided = other.state in UNDECIDED or (other.id == attempt.task_id and attempt.contact_result is None)
        if undecided and not joint_calls.stands(session, attempt, other.id):
            same = other.patient_id == task.patient_id
            of_it = outcomes.of_another(result, same_person=same, complete=other.id in complete)
            joint_calls.say(session, attempt, other.id, of_it, on_form=False)
            subjects.changed(session, other)
    results = [joint_calls.result(session, attempt, one.id) for one in (task, *others)]
    if result == "call_later" or "call_later" not in results:
        attempt.call_at = call_at


def abandoned(session: Session, channel_id: str, at: datetime, policy: CallingPolicy) -> None:
    """Whoever answered heard whom to call back: the nurse's leg had ended. That is the contact's result."""
    attempt_id = session.scalar(select(Attempt.id).where(Attempt.channel_id == channel_id))
    found = _locked(session, attempt_id) if attempt_id else None
    if found is not None and found[1].state in ("dialling", "talking") and found[1].contact_result is None:
        task, attempt = found
        attempt.state, attempt.rang, attempt.answered_at = "talking", True, attempt.answered_at or at
        _note_contact(session, task, attempt, "abandoned", at, policy.outcomes)


def _may_say(session: Session, task: FollowUpTask, attempt: Attempt, result: str) -> bool:
    """Whether it is the newest call of the task, and has reached somebody."""
    reached = attempt.line_result == "answered" or (attempt.line_result == "machine" and result == "left_message")
    if attempt.state != "review" and not (attempt.state == "ended" and reached):
        return False
    newest = select(Attempt.id).where(about(task.id)).order_by(Attempt.claimed_at.desc()).limit(1)
    return session.scalar(newest) == attempt.id


def _may_decide(task: FollowUpTask, result: str, before: str | None) -> bool:
    if task.state == "done":
        return before == result
    return task.state != "stopped" or task.stop_reason not in (*SKIP_REASONS, *PLAN_CHANGES, TAKES_PLACE)


def _note_contact(
    session: Session,
    task: FollowUpTask,
    attempt: Attempt,
    result: str,
    at: datetime,
    rules: OutcomeRules,
) -> None:
    """Write the result down, with what it says of the number and of the task's patient; take back what the one before
    said."""
    before = joint_calls.result(session, attempt, task.id)
    joint_calls.say(session, attempt, task.id, result, on_form=True)
    session.flush()
    number, patient = session.get_one(PhoneNumber, attempt.number_id), session.get_one(Patient, task.patient_id)
    if result in rules.contact and rules.contact[result].puts_number_away:
        number.invalid_since = number.invalid_since or at
        decide(session, task.id, "number_put_away", at, rank=number.rank, because=result)
    elif before in PUTS_AWAY:  # it was valid when it was dialled, so it is this press that is taken back
        number.invalid_since = None
        decide(session, task.id, "number_kept", at, rank=number.rank)
    if result == "deceased" and before != "deceased":
        # The task stops and nobody is called; a clinician confirms before the record says so.
        patient.death_reported_at = patient.death_reported_at or at
        outbox.withdraw_of(session, patient.id)
        decide(session, task.id, "deceased_to_be_confirmed", at)
    elif before == "deceased" and result != "deceased":
        patient.death_reported_at = None
        decide(session, task.id, "death_report_withdrawn", at)
    subjects.changed(session, task)


def _decide_by_contact(
    session: Session, task: FollowUpTask, attempt: Attempt, at: datetime, policy: CallingPolicy
) -> None:
    result = joint_calls.result(session, attempt, task.id) or ""
    standing = next_steps.standing(session, task, attempt, at, policy)
    step = outcomes.after_contact(result, standing, at, policy.window, policy.zone, attempt.call_at, policy.outcomes)
    next_steps.apply(session, task, step, at, result, policy, by_machine=attempt.automatic)
    if attempt.video:
        next_steps.after_video(session, task, at)


def _note_invalid(session: Session, attempt: Attempt, at: datetime) -> None:
    """A number becomes invalid only after two attempts a day apart say so, with nothing better between: carriers
    err."""
    mine = select(func.max(Attempt.ended_at)).where(Attempt.number_id == attempt.number_id)
    alive = session.scalar(mine.where(Attempt.rang, Attempt.line_result != "invalid_number"))
    said = select(func.min(Attempt.ended_at)).where(
        Attempt.number_id == attempt.number_id, Attempt.line_result == "invalid_number"
    )
    first = session.scalar(said.where(Attempt.ended_at > alive) if alive else said)
    if first is not None and at - first >= timedelta(days=1):
        number = session.get_one(PhoneNumber, attempt.number_id)
        number.invalid_since = at
        decide(session, attempt.task_id, "number_put_away", at, rank=number.rank, because="invalid_number")


def to_review(session: Session, attempt_id: UUID, at: datetime, why: str) -> bool:
    """The fate of the call is unknown: it counts as rung and a person decides."""
    found = _locked(session, attempt_id)
    if found is None or found[1].state not in LIVE:
        return False
    task, attempt = found
    attempt.state, attempt.rang = "review", True
    task.tries += 1
    decide(session, task.id, "to_review", at, why=why)
    if task.state == "calling":
        _before_a_person(session, task, at)
    for other in joint_calls.others(session, attempt.id):
        if other.state == "calling":
            other.tries += 1
            decide(session, other.id, "to_review", at, why=why)
            _before_a_person(session, other, at)
            subjects.changed(session, other)
    subjects.changed(session, task)
    return True


def _before_a_person(session: Session, task: FollowUpTask, at: datetime) -> None:
    """A follow-up is on the nurses' list. Of the other kinds a person gets what is left to do, and nobody is called by
    the machine again."""
    if task.kind == "follow_up":
        task.state = "review"
    else:
        task.stop("fate_unknown", at)
        subjects.not_reached(session, task, at)


def reviewed(session: Session, task_id: UUID, call_again: bool, at: datetime, account_id: UUID) -> bool:
    """A person settles a task in review: it is open again, or stopped."""
    task = session.scalar(
        select(FollowUpTask).where(FollowUpTask.id == task_id, FollowUpTask.state == "review").with_for_update()
    )
    if task is None:
        return False
    unknown = end_unknown(session, task_id, at)
    for attempt in unknown:
        recordings.account_for(session, attempt, at)
    for other in [other for attempt in unknown for other in joint_calls.others(session, attempt.id)]:
        if other.state == "review":  # each of them can be skipped by itself
            other.state = "open"
            decide(session, other.id, "reviewed", at, again=True, by=str(account_id))
            announce(session, "task", other.id)
    if call_again:
        task.reopen()
    else:
        task.stop("not_needed", at)
    decide(session, task_id, "reviewed", at, again=call_again, by=str(account_id))
    announce(session, "task", task_id)
    return True
