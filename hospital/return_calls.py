"""Return calls: a patient calls back the hospital that called them, and is offered what that call was about.

Rules: recognised is the number that we dialled in the last seven days for something that is still to be done, or that
was given up because nobody was reached. That alone tells nobody anything: what it was about is found for the patient
who has proved who they are. What the machine asks, it asks now; what a nurse was to ask goes to a nurse, who takes the
task up in the call that she is in. That call is the patient's: it is no try, and no contact that the cap counts.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, CompoundSelect, ForeignKey, and_, case, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import joint_calls, subjects
from hospital.attempt_records import Attempt, JointTask
from hospital.calling_rules import never
from hospital.calls import Call
from hospital.database import Base, announce
from hospital.followups import FollowUpTask, decide, may_be_answered
from hospital.patients import PhoneNumber, number_token
from hospital.screen_pops import ScreenPop

RECENT = timedelta(days=7)
MOST = 3  # things in one call: who calls back has not set aside an hour


class ReturnCall(Base):
    __tablename__ = "return_call"
    call_id: Mapped[str] = mapped_column(ForeignKey("call.id"), primary_key=True)
    task_id: Mapped[UUID] = mapped_column(ForeignKey("followup_task.id"))


@dataclass(frozen=True)
class Returned:
    """What one of our calls was about."""

    task_id: UUID
    kind: str
    channel: str


def expected(session: Session, number: str | None, at: datetime) -> bool:
    """Whether a caller's number (E.164) is one that we called, about something that is still to be done."""
    if number is None:
        return False
    rows = select(FollowUpTask.id).where(_still_to_do(), FollowUpTask.id.in_(_called(number, at)))
    return bool(session.scalar(select(rows.exists())))


def of_patient(session: Session, patient_id: UUID, number: str, at: datetime) -> list[Returned]:
    """What we called this number for, of a patient who is known now: what the machine can do first."""
    rows = select(FollowUpTask).where(
        FollowUpTask.patient_id == patient_id, _still_to_do(), FollowUpTask.id.in_(_called(number, at))
    )
    found = session.scalars(rows.order_by(FollowUpTask.channel, FollowUpTask.priority, FollowUpTask.due_at)).all()
    wanted = [one for one in found if never(one.patient, None, one.purpose) in (None, "no_usable_number")]
    return [Returned(one.id, one.kind, one.channel) for one in wanted[:MOST]]


def _called(number: str, at: datetime) -> CompoundSelect[Any]:
    ours = and_(
        Attempt.number_token == number_token(number),
        Attempt.dialled_at > at - RECENT,
        Attempt.contact_result.is_distinct_from("wrong_person"),
    )
    joint = select(JointTask.task_id).join(Attempt, Attempt.id == JointTask.attempt_id).where(ours)
    return select(Attempt.task_id).where(ours).union(joint)


def _still_to_do() -> ColumnElement[bool]:
    return and_(may_be_answered(), FollowUpTask.channel.in_(("nurse_call", "automated_call")))


def noted(session: Session, call_id: str, task_id: UUID, at: datetime) -> None:
    """The caller waits for a nurse about this task: whoever takes the call sees it on their card."""
    session.merge(ReturnCall(call_id=call_id, task_id=task_id))
    decide(session, task_id, "called_back", at)
    announce(session, "call", call_id)
    announce(session, "task", task_id)


def take_up(session: Session, pop_id: UUID, account_id: UUID, at: datetime) -> UUID | None:
    """The nurse who talks to the caller works on the task in this very call; the task, or None where the call is over,
    or is another's, or the task is being worked on by somebody else or done."""
    row = session.execute(
        select(Call, ReturnCall.task_id)
        .join(ScreenPop, ScreenPop.call_id == Call.id)
        .join(ReturnCall, ReturnCall.call_id == Call.id)
        .where(ScreenPop.id == pop_id, ScreenPop.account_id == account_id, ScreenPop.state == "answered")
        .with_for_update(of=ScreenPop)  # that the talk is over is written down before this, or after it
    ).one_or_none()
    if row is None:
        return None
    call: Call = row[0]
    task_id: UUID = row[1]
    number = _number(session, call, task_id)
    if number is None:
        return None
    try:
        with session.begin_nested():  # what is not taken up stays as it was: given up, or another nurse's
            began = _begin(session, call, number, task_id, account_id, at)
    except IntegrityError:  # the patient or this nurse is in a call of ours at this moment
        return None
    if began is None:
        return _has_taken_up(session, call.id, task_id, account_id)
    task, attempt = began
    decide(session, task_id, "taken_up", at, attempt=str(attempt.id))
    joint_calls.join(session, attempt, task, at)
    subjects.changed(session, task)
    return task_id


def _begin(
    session: Session, call: Call, number: PhoneNumber, task_id: UUID, account_id: UUID, at: datetime
) -> tuple[FollowUpTask, Attempt] | None:
    """The task, hers from now on, and its attempt; None where the task is not to be done. Raises IntegrityError."""
    still_given = case((FollowUpTask.owner_id == account_id, FollowUpTask.given_at), else_=None)
    task = session.scalar(
        update(FollowUpTask)
        .where(FollowUpTask.id == task_id, FollowUpTask.kind == "follow_up", _still_to_do())
        .values(state="calling", stop_reason=None, closed_at=None, owner_id=account_id, given_at=still_given)
        .returning(FollowUpTask)
    )
    if task is None:
        return None
    attempt = Attempt(
        id=uuid4(),
        task_id=task.id,
        patient_id=task.patient_id,
        number_id=number.id,
        number_token=number.token,
        account_id=account_id,
        channel_id=call.id,  # the caller's leg: what it does settles the attempt, as with a call of ours
        nurse_channel_id=f"returned-{uuid4().hex}",  # hers is the queue's: nobody ends it when the patient has left
        state="talking",
        returned=True,
        claimed_at=at,
        dial_until=at,
        answered_at=call.answered_at or at,
    )
    session.add(attempt)
    session.flush()
    return task, attempt


def _number(session: Session, call: Call, task_id: UUID) -> PhoneNumber | None:
    """The number from which the patient, or whoever is called for them, calls."""
    theirs = select(FollowUpTask.patient_id).where(FollowUpTask.id == task_id).scalar_subquery()
    rows = select(PhoneNumber).where(PhoneNumber.token == call.number_token)
    return session.scalar(rows.order_by(PhoneNumber.patient_id != theirs).limit(1))


def _has_taken_up(session: Session, call_id: str, task_id: UUID, account_id: UUID) -> UUID | None:
    """Pressed twice: she has it already."""
    hers = exists().where(Attempt.task_id == task_id, Attempt.channel_id == call_id, Attempt.account_id == account_id)
    return task_id if session.scalar(select(hers)) is True else None


def nurses_leg(session: Session, attempt_id: UUID) -> str | None:
    """The channel of the nurse who has taken a returned call up; the queue's, which nobody here ends."""
    rows = (
        select(ScreenPop.channel)
        .join(Attempt, and_(Attempt.channel_id == ScreenPop.call_id, Attempt.account_id == ScreenPop.account_id))
        .where(Attempt.id == attempt_id, ScreenPop.answered_at.is_not(None))
    )
    return session.scalar(rows.order_by(ScreenPop.answered_at.desc()).limit(1))


def of_call(session: Session, call_id: str) -> FollowUpTask | None:
    """The follow-up that a caller returns our call about."""
    row = session.get(ReturnCall, call_id)
    return session.get(FollowUpTask, row.task_id) if row is not None else None
