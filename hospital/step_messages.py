"""What a plan's text messages and its video links have in common: they are sent for a step, wait for somebody, may be
taken back until they leave, and the plan goes on where they led to nothing."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, false, func, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from hospital import attempts, next_steps, outbox
from hospital.calling_hours import first_allowed, may_call
from hospital.calling_rules import ENDS, CallingPolicy, NotNow, never, on_the_clock_of, where_reached
from hospital.followups import FollowUpTask, not_given_to_another
from hospital.outbox import FATE_UNKNOWN, OutboxRow
from hospital.patients import Patient, PhoneNumber
from hospital.text_records import StepText, VideoMeeting
from hospital.verdicts import Verdict, judge

Message = StepText | VideoMeeting
REPORTED_WITHIN = timedelta(minutes=10)  # of a message that was sent, as a rule within seconds


def next_task(
    session: Session, at: datetime, channel: str, kind: type[Message], waits_until: InstrumentedAttribute[datetime]
) -> FollowUpTask | None:
    """The next task of this channel whose message is due, did not arrive, or waited in vain; locked."""
    when = func.coalesce(FollowUpTask.next_try_at, FollowUpTask.due_at)
    rows = (
        select(FollowUpTask)
        .outerjoin(kind, kind.task_id == FollowUpTask.id)
        .outerjoin(OutboxRow, OutboxRow.id == kind.outbox_id)
        .where(
            FollowUpTask.channel == channel,
            FollowUpTask.kind == "follow_up",
            FollowUpTask.state == "open",
            FollowUpTask.due_at <= at,
            or_(
                and_(kind.task_id.is_(None), when <= at, not_given_to_another(None)),
                and_(FollowUpTask.held_since.is_(None), or_(waits_until <= at, failed(at))),
            ),
        )
        .order_by(FollowUpTask.priority, when, FollowUpTask.id)
        .limit(1)
        .with_for_update(of=FollowUpTask, skip_locked=True)
    )
    return session.scalar(rows, execution_options={"populate_existing": True})


def failed(at: datetime) -> ColumnElement[bool]:
    """Of a row of the outbox: whether it has reached nobody. What may have arrived all the same is given the time that
    its delivery report takes."""
    unknown = func.coalesce(OutboxRow.error, "").in_(FATE_UNKNOWN)
    return and_(OutboxRow.state == "failed", or_(not_(unknown), OutboxRow.due_at <= at - REPORTED_WITHIN))


def may_send(
    session: Session, task: FollowUpTask, at: datetime, policy: CallingPolicy, impossible: str
) -> tuple[Verdict, PhoneNumber] | None:
    """By which rules and to which number the task's message leaves now; None where it does not, and what follows from
    that has been done. `impossible`: the code where no number may be written to."""
    attempts.follow_survivor(session, task, at)
    verdict = judge(session, task, at, policy)
    if verdict.refused is not None and verdict.refused.code != "no_usable_number":
        attempts.refuse(session, task, verdict.refused, at, True, verdict.policy)
    elif verdict.number is None:
        next_steps.without_a_call(session, task, at, impossible)
    else:
        return verdict, verdict.number
    return None


def arrived(session: Session, message: Message) -> bool:
    """False where it is known to have failed."""
    return session.get_one(OutboxRow, message.outbox_id, populate_existing=True).state != "failed"


def came_to_nothing(
    session: Session,
    task: FollowUpTask,
    at: datetime,
    policy: CallingPolicy,
    because: str,
    number: PhoneNumber | None,
    person: Patient | None = None,
) -> None:
    """What was sent has led to nothing, `because` as a code: the next channel, unless nobody may be contacted any more.
    `number`: whose own opt-out counts too; a letter has none, but a `person` whom it went to."""
    why = never(task.patient, number, task.purpose, person)
    if why in ENDS:
        attempts.refuse(session, task, NotNow(why), at, True, policy)
    else:
        next_steps.without_a_call(session, task, at, because)


def first_number(session: Session, task: FollowUpTask, at: datetime) -> PhoneNumber | None:
    """The first of the numbers at which the patient, or who speaks for them, is reached now."""
    return next(iter(where_reached(session, task.patient, at).numbers), None)


def take_back(
    session: Session,
    at: datetime,
    policy: CallingPolicy,
    channel: str,
    kind: type[Message],
    too_late: ColumnElement[bool] | None = None,
) -> int:
    """Messages that are queued still and are not wanted any more, or not at this hour; how many. To be asked before
    the outbox sends. `too_late`: one that would be of no use now."""
    rows = (
        select(FollowUpTask, kind.number_token, OutboxRow, false() if too_late is None else too_late)
        .join(kind, kind.task_id == FollowUpTask.id)
        .join(OutboxRow, OutboxRow.id == kind.outbox_id)
        .where(OutboxRow.state == "queued", OutboxRow.due_at <= at)
        .with_for_update(of=OutboxRow, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    held = 0
    for task, token, message, late in session.execute(rows).all():
        reached = where_reached(session, task.patient, at)
        number = reached.number(token)
        there = on_the_clock_of(policy, reached.person, number)
        unwanted = task.state != "open" or task.channel != channel or never(task.patient, number, task.purpose)
        if unwanted or late:
            outbox.withdraw(session, message)
            held += 1
        elif not may_call(at, there.window, there.zone).allowed:
            outbox.put_off(message, first_allowed(at, there.window, there.zone))
            held += 1
    return held
