"""Steps of a plan that are text messages: one neutral message, an answer by telephone, or the next channel.

Rules: a message is a contact like a call, judged by the same functions when it is sent: window, cap, opt-out, death,
guardian, numbers that are safe. A task has one at most (the key of `step_text`, and of the outbox), and it is a contact
that the cap counts. Until it leaves it may be taken back: for an opt-out, a death, a plan that has changed, hours that
are over. Who has answered nothing in time, or whom it did not reach, is contacted by the plan's next channel; without
one by a nurse, unless she has called for it already.
"""

from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from hospital import attempts, next_steps, outbox, subjects
from hospital.attempts import CallingPolicy, NotNow
from hospital.calling_hours import first_allowed, may_call
from hospital.calling_rules import never, on_the_clock_of, wall_clock, where_reached
from hospital.followups import FollowUpTask, decide, not_given_to_another
from hospital.outbox import OutboxRow
from hospital.text_records import StepText
from hospital.verdicts import judge

CHANNEL = "sms"
KEY = "questions_wait"


def work_next(session: Session, at: datetime, policy: CallingPolicy) -> bool:
    """The next task whose message is due, was not answered in time or did not arrive; False where there is none."""
    when = func.coalesce(FollowUpTask.next_try_at, FollowUpTask.due_at)
    rows = (
        select(FollowUpTask)
        .outerjoin(StepText, StepText.task_id == FollowUpTask.id)
        .outerjoin(OutboxRow, OutboxRow.id == StepText.outbox_id)
        .where(
            FollowUpTask.channel == CHANNEL,
            FollowUpTask.kind == "follow_up",
            FollowUpTask.state == "open",
            FollowUpTask.due_at <= at,
            or_(
                and_(StepText.task_id.is_(None), when <= at, not_given_to_another(None)),
                StepText.answer_by <= at,
                OutboxRow.state == "failed",
            ),
        )
        .order_by(FollowUpTask.priority, when, FollowUpTask.id)
        .limit(1)
        .with_for_update(of=FollowUpTask, skip_locked=True)
    )
    task = session.scalar(rows, execution_options={"populate_existing": True})
    if task is None:
        return False
    sent = session.get(StepText, task.id)
    if sent is None:
        _send(session, task, at, policy)
    else:
        failed = session.get_one(OutboxRow, sent.outbox_id, populate_existing=True).state == "failed"
        came_to_nothing(session, task, at, policy, "text_undelivered" if failed else "text_unanswered")
    return True


def _send(session: Session, task: FollowUpTask, at: datetime, policy: CallingPolicy) -> None:
    attempts.follow_survivor(session, task, at)
    verdict = judge(session, task, at, policy)
    if verdict.refused is not None and verdict.refused.code != "no_usable_number":
        attempts.refuse(session, task, verdict.refused, at, True, verdict.policy)
        return
    if verdict.number is None:
        next_steps.without_a_call(session, task, at, "text_impossible")
        return
    once = f"step/{task.id}"
    outbox.put(
        session,
        once=once,
        key=KEY,
        locale=verdict.number.language or verdict.person.language,
        number=verdict.number.number,
        at=at,
        patient_id=verdict.person.id,
    )
    message_id = session.scalars(select(OutboxRow.id).where(OutboxRow.once == once)).one()
    answer_by = _answer_by(task, at, policy)
    session.add(
        StepText(
            task_id=task.id,
            outbox_id=message_id,
            patient_id=task.patient_id,
            number_token=verdict.number.token,
            texted_at=at,
            answer_by=answer_by,
        )
    )
    task.next_try_at = answer_by
    facts = {"reached": "guardian"} if verdict.person.id != task.patient_id else {}
    decide(
        session,
        task.id,
        "texted",
        at,
        rank=verdict.number.rank,
        when=answer_by.isoformat(),
        **facts,
        **wall_clock(at, verdict.policy.zone),
    )
    session.flush()
    subjects.changed(session, task)


def _answer_by(task: FollowUpTask, at: datetime, policy: CallingPolicy) -> datetime:
    """Not longer than the task has; what is late already waits its whole time."""
    end = at + policy.text_answer_within
    return min(end, task.due_until) if at < task.due_until else end


def came_to_nothing(session: Session, task: FollowUpTask, at: datetime, policy: CallingPolicy, because: str) -> None:
    """A message has led to nothing, `because` as a code: the next channel, unless nobody may be contacted any more."""
    number = next(iter(where_reached(session, task.patient, at).numbers), None)
    why = never(task.patient, number, task.purpose)
    if why in ("opted_out", "deceased"):
        attempts.refuse(session, task, NotNow(why), at, True, policy)
    else:
        next_steps.without_a_call(session, task, at, because)


def take_back(session: Session, at: datetime, policy: CallingPolicy) -> int:
    """Messages that are queued still, and are not wanted any more or not at this hour; how many. To be asked before
    the outbox sends."""
    rows = (
        select(FollowUpTask, StepText, OutboxRow)
        .join(StepText, StepText.task_id == FollowUpTask.id)
        .join(OutboxRow, OutboxRow.id == StepText.outbox_id)
        .where(OutboxRow.state == "queued", OutboxRow.due_at <= at)
        .with_for_update(of=OutboxRow, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    held = 0
    for task, sent, message in session.execute(rows).all():
        reached = where_reached(session, task.patient, at)
        number = next((one for one in reached.numbers if one.token == sent.number_token), None)
        there = on_the_clock_of(policy, reached.person, number)
        if task.state != "open" or task.channel != CHANNEL or never(task.patient, number, task.purpose) is not None:
            outbox.withdraw(session, message)
            held += 1
        elif not may_call(at, there.window, there.zone).allowed:
            message.due_at = first_allowed(at, there.window, there.zone)
            held += 1
    return held
