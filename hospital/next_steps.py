"""The next step of a task, written down: what `outcomes` says follows, within the cap and by the channel that is next.

The task is locked by whoever settles its attempt (`settling`)."""

from datetime import datetime
from itertools import takewhile

from sqlalchemy import not_, or_, select
from sqlalchemy.orm import Session

from hospital import answer_rules, opt_outs, outcomes, plan_changes, subjects, verdicts
from hospital.attempt_records import Attempt, about, asked_for, contacts, failed_alone
from hospital.calling_rules import CallingPolicy, earliest, liked, on_the_clock_of, where_reached
from hospital.followups import URGENT, DecisionRow, FollowUpTask, decide
from hospital.patients import Patient, PhoneNumber
from hospital.text_records import VideoMeeting

OURS = ("network_failure", "not_allowed", "cancelled")  # line results that say nothing of the patient's number
GIVEN_UP = ("partly_answered", "not_reached", "no_usable_number")
NOT_BY_THIS_CHANNEL = ("not_reached", "no_usable_number")


def there(session: Session, attempt: Attempt, policy: CallingPolicy) -> CallingPolicy:
    """The policy on the clock of whoever was called."""
    number = session.get_one(PhoneNumber, attempt.number_id)
    return on_the_clock_of(policy, session.get_one(Patient, number.patient_id), number)


def standing(
    session: Session, task: FollowUpTask, attempt: Attempt, at: datetime, policy: CallingPolicy
) -> outcomes.Standing:
    not_allowed = select(Attempt.number_id).where(about(task.id), Attempt.line_result == "not_allowed")
    left = set(session.scalars(not_allowed))
    ranks = tuple(one.rank for one in where_reached(session, task.patient, at).numbers if one.id not in left)
    rank = session.get_one(PhoneNumber, attempt.number_id).rank
    by_nurses = or_(Attempt.account_id.is_not(None), Attempt.pooled)
    by_this_channel = not_(by_nurses) if attempt.automatic else by_nurses
    dialled = select(Attempt.id, Attempt.line_result).where(
        about(task.id), by_this_channel, Attempt.dialled_at.is_not(None), Attempt.id != attempt.id
    )
    before = session.execute(dialled.order_by(Attempt.claimed_at.desc())).all()
    failed = [one.id for one in takewhile(lambda one: one.line_result == "network_failure", before)]
    fails = attempt.line_result == "network_failure"
    return outcomes.Standing(
        task.tries,
        task.max_tries,
        rank,
        ranks,
        automatic=attempt.automatic,
        hurry=policy.urgent_again if task.kind in URGENT else None,
        latest=None if task.kind == "follow_up" else task.due_until,
        dials=sum(result not in OURS for result in (*(one.line_result for one in before), attempt.line_result)),
        failures=len(failed),
        alone=failed_alone(session, [attempt.id, *failed]) if fails else 0,
    )


def apply(
    session: Session,
    task: FollowUpTask,
    step: outcomes.Next,
    at: datetime,
    because: str,
    policy: CallingPolicy,
    *,
    by_machine: bool = False,
) -> None:
    """`by_machine`: no person of ours took part; what answers ask of one is then still to be done, and what a guardian
    has refused is for a nurse. So is what a red flag has made hers in the call: she has all its tries, from now on. And
    who can't be dialled, because no number of theirs is allowed here, is hers where no other channel follows."""
    if by_machine and task.held_since is not None and not isinstance(step, outcomes.Done):
        opt_outs.hold(session, task, at)
        return
    if isinstance(step, outcomes.TryAgain | outcomes.ToNurse) and task.max_tries == 0:
        step = outcomes.Stop(plan_changes.ended_by(session, task))
    if (
        by_machine
        and because == "not_allowed"
        and isinstance(step, outcomes.Stop)
        and not task.fallback
        and task.max_tries
    ):
        step = outcomes.ToNurse(at)
    if isinstance(step, outcomes.ToNurse) and task.kind != "follow_up":  # a person has what is left to do
        step = outcomes.Stop("not_reached")
    goes_on = _ends(step) or isinstance(step, outcomes.TryAgain | outcomes.ToNurse)
    if by_machine and task.max_tries and goes_on and _red_flag(session, task):
        step, because, task.tries = outcomes.ToNurse(at), "red_flag", 0
    elif by_machine and task.max_tries and _ends(step) and answer_rules.waits(session, task.id):
        step, because = outcomes.ToNurse(at), "answer_rule"
    elif isinstance(step, outcomes.Done):
        answer_rules.settle(session, task.id, at)
    match step:
        case outcomes.ToNurse(when):
            to_nurse(session, task, when, at, because)
        case outcomes.Stop(reason, False) if reason in NOT_BY_THIS_CHANNEL and task.fallback and task.max_tries:
            task.channel, task.fallback = task.fallback[0], task.fallback[1:]
            task.reopen()
            task.tries, task.next_try_at, task.next_number_rank = 0, None, None
            decide(session, task.id, "other_channel", at, because=because, channel=task.channel)
        case outcomes.TryAgain():
            when = _video_call_first(session, task, at, _within_cap(session, task, step, policy))
            task.reopen()
            task.next_try_at, task.next_number_rank = when, step.number_rank
            decide(
                session,
                task.id,
                "try_again",
                at,
                because=because,
                when=when.isoformat(),
                rank=step.number_rank,
                tries=task.tries,
                of=task.max_tries,
            )
        case outcomes.Stop():
            task.stop(step.reason, at)
            decide(session, task.id, "stopped", at, because=because, reason=step.reason)
            subjects.not_reached(session, task, at)
        case outcomes.Done():
            task.finish(at)
            decide(session, task.id, "done", at)
    subjects.changed(session, task)


def without_a_call(session: Session, task: FollowUpTask, at: datetime, because: str) -> None:
    """A step that was no call came to nothing: its plan's next channel; else a nurse, unless she has called for it."""
    following = task.fallback[0] if task.fallback else "nurse_call"
    by_nurses = select(Attempt.id).where(
        about(task.id), or_(Attempt.account_id.is_not(None), Attempt.pooled), Attempt.dialled_at.is_not(None)
    )
    if not task.fallback and session.scalar(by_nurses.limit(1)) is not None:
        task.stop("not_reached", at)
        decide(session, task.id, f"{because}_at_last", at, reason="not_reached")
    else:
        task.channel, task.fallback = following, task.fallback[1:]
        task.tries, task.next_try_at, task.next_number_rank = 0, None, None
        decide(session, task.id, because, at, channel=following)
    subjects.changed(session, task)


def after_video(session: Session, task: FollowUpTask, at: datetime) -> None:
    """A video call that took place is not repeated: what is left of its task is a nurse's call."""
    if task.state == "open" and task.channel == "video_link":
        task.channel, task.next_number_rank = "nurse_call", None
        task.fallback = [channel for channel in task.fallback if channel != "nurse_call"]
        decide(session, task.id, "after_video", at)


def _red_flag(session: Session, task: FollowUpTask) -> bool:
    """Whether one has made it a nurse's while the machine called."""
    if task.channel != "nurse_call":
        return False
    rows = select(DecisionRow.id).where(DecisionRow.task_id == task.id, DecisionRow.code == "red_flag")
    return session.scalar(rows.limit(1)) is not None


def _ends(step: outcomes.Next) -> bool:
    """Whether nothing follows although nobody has refused."""
    return isinstance(step, outcomes.Done) or (isinstance(step, outcomes.Stop) and step.reason in GIVEN_UP)


def to_nurse(session: Session, task: FollowUpTask, when: datetime, at: datetime, because: str) -> None:
    """An automatic call becomes a nurse's, with all its tries; her own is on her list again."""
    task.reopen()
    task.next_try_at, task.next_number_rank = when, None
    if task.channel != "nurse_call":
        task.channel, task.tries = "nurse_call", 0
        task.fallback = [channel for channel in task.fallback if channel != "nurse_call"]
    decide(session, task.id, "to_nurse", at, because=because)


def _video_call_first(session: Session, task: FollowUpTask, at: datetime, when: datetime) -> datetime:
    """Who was asked to a video call that is still to come is met there, also where a nurse has telephoned meanwhile."""
    meeting = session.get(VideoMeeting, task.id) if task.channel == "video_link" else None
    return min(when, meeting.starts_at) if meeting is not None and at < meeting.starts_at else when


def _within_cap(session: Session, task: FollowUpTask, step: outcomes.TryAgain, policy: CallingPolicy) -> datetime:
    """What is announced to the nurse is also allowed: the cap may move the next try to another day."""
    if verdicts.is_urgent(session, task):
        return step.at
    reached = where_reached(session, task.patient, step.at)
    number = next((number for number in reached.numbers if number.rank == step.number_rank), None)
    policy = on_the_clock_of(policy, reached.person, number)
    rung = contacts(session, task.patient_id, number.token if number else b"", step.at)
    asked = asked_for(session, task.id)

    def allowed(when: datetime) -> datetime:
        return earliest(when, rung, liked(policy, task.patient, when, task.due_until, asked))

    return allowed(allowed(step.at))  # of the day that they asked for, only that day is as they asked
