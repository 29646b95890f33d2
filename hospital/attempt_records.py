"""An attempt's row, and what rows there are: who rang for us, what is under way."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, ForeignKey, String, and_, case, func, or_, select, union_all, update
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from hospital.database import Base, Id
from hospital.letter_records import written_to
from hospital.text_records import ReminderText, StepText, VideoMeeting, texted

LIVE = ("claimed", "dialling", "talking")
WRITE_UP = timedelta(hours=2)
"""How long after a call's end what was said in it is still written down."""
LEFT_ALONE = timedelta(hours=72)
"""For how long no machine dials who was abandoned."""


class Attempt(Base):
    __tablename__ = "attempt"
    id: Mapped[Id]
    task_id: Mapped[UUID] = mapped_column(ForeignKey("followup_task.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    number_id: Mapped[UUID] = mapped_column(ForeignKey("phone_number.id"))
    number_token: Mapped[bytes]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    campaign_id: Mapped[UUID | None] = mapped_column(ForeignKey("campaign.id"))
    line: Mapped[int | None]
    campaign_line: Mapped[int | None]
    trunk_line: Mapped[int | None]
    stint_id: Mapped[UUID | None] = mapped_column(ForeignKey("stint.id"))
    pooled: Mapped[bool] = mapped_column(default=False)
    channel_id: Mapped[str]
    nurse_channel_id: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="claimed")
    line_result: Mapped[str | None]
    contact_result: Mapped[str | None]
    on_form: Mapped[bool] = mapped_column(default=False)
    heard: Mapped[str | None]
    handed_at: Mapped[datetime | None]
    rang: Mapped[bool] = mapped_column(default=False)
    cause: Mapped[int | None]
    sip_status: Mapped[int | None]
    identified_by: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    call_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime]
    dial_until: Mapped[datetime]
    zone: Mapped[str] = mapped_column(default="UTC")
    returned: Mapped[bool] = mapped_column(default=False)
    video: Mapped[bool] = mapped_column(default=False)
    caller_id: Mapped[str | None]
    dialled_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    @property
    def automatic(self) -> bool:
        """No nurse has this call: the ivr speaks."""
        return self.account_id is None and not self.pooled


class JointTask(Base):
    """Another task that is worked on in the same call (`joint_calls.py`), with its own result."""

    __tablename__ = "joint_task"
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempt.id"), primary_key=True)
    task_id: Mapped[UUID] = mapped_column(ForeignKey("followup_task.id"), primary_key=True)
    contact_result: Mapped[str | None]
    on_form: Mapped[bool] = mapped_column(default=False)


def contacts(session: Session, patient_id: UUID, token: bytes, at: datetime) -> list[datetime]:
    """When the patient or the number rang for us, or was written to for a plan or as a reminder, in the eight days
    before `at`, earliest first.

    An attempt whose fate is unknown counts as rung. A call that the patient asked for ("call me later", on any of its
    forms) is theirs: the one before it does not count, nor does the one in which they call back. Whoever else answered
    a wrong number counts for that number only. A video call is counted by the message that asked for it."""
    theirs = and_(Attempt.patient_id == patient_id, Attempt.contact_result.is_distinct_from("wrong_person"))
    began = func.coalesce(Attempt.dialled_at, Attempt.claimed_at)
    later = select(JointTask.task_id).where(
        JointTask.attempt_id == Attempt.id, JointTask.contact_result == "call_later"
    )
    rows = select(began).where(
        or_(theirs, Attempt.number_token == token),
        Attempt.contact_result.is_distinct_from("call_later"),
        ~later.exists(),
        began > at - timedelta(days=8),
        ~Attempt.returned,
        ~Attempt.video,
        or_(Attempt.rang, Attempt.state.in_(("review", *LIVE)), Attempt.line_result == "answered"),
    )
    since = at - timedelta(days=8)
    texts = [texted(kind, patient_id, token, since) for kind in (StepText, VideoMeeting, ReminderText)]
    return sorted(session.scalars(union_all(rows, *texts, written_to(patient_id, since))))


def abandoned_until(session: Session, patient_id: UUID, token: bytes, at: datetime) -> datetime | None:
    """Until when no machine dials the patient or the number again, because somebody there answered and found nobody;
    None: they may be dialled."""
    theirs = or_(Attempt.patient_id == patient_id, Attempt.number_token == token)
    lately = and_(Attempt.contact_result == "abandoned", Attempt.ended_at > at - LEFT_ALONE)
    last = session.scalar(select(func.max(Attempt.ended_at)).where(theirs, lately))
    return last + LEFT_ALONE if last is not None else None


def live(session: Session) -> list[Attempt]:
    """What is under way by telephone as far as SQL knows; compared with Asterisk after a reconnect."""
    return list(session.scalars(select(Attempt).where(Attempt.state.in_(LIVE), ~Attempt.video)))


def failed_alone(session: Session, attempt_ids: Collection[UUID]) -> int:
    """How many of these found the line failing while it reached others: their phones rang within an hour of it."""
    other, about_then = aliased(Attempt), timedelta(hours=1)
    near = other.dialled_at.between(Attempt.dialled_at - about_then, Attempt.dialled_at + about_then)
    over_the_line = and_(other.caller_id.is_not(None), other.number_token != Attempt.number_token)
    reached = select(other.id).where(near, over_the_line, other.rang)
    rows = select(func.count()).select_from(Attempt).where(Attempt.id.in_(attempt_ids), reached.exists())
    return session.scalar(rows) or 0


def is_written_up(session: Session, task_id: UUID, at: datetime) -> bool:
    """Whether a call of the task has ended so lately that what was said in it is still being written down."""
    lately = select(Attempt.id).where(about(task_id), Attempt.ended_at > at - WRITE_UP)
    return session.scalar(lately.limit(1)) is not None


def by_channel(session: Session, channel_id: str) -> Attempt | None:
    """Whose leg it is; of a nurse's leg that has served several calls, the newest."""
    rows = select(Attempt).where(or_(Attempt.channel_id == channel_id, Attempt.nurse_channel_id == channel_id))
    came = func.coalesce(Attempt.answered_at, Attempt.claimed_at)
    return session.scalar(rows.order_by(came.desc()).limit(1))


def end_unknown(session: Session, task_id: UUID, at: datetime) -> list[Attempt]:
    """A person decided: a call of the task whose fate was unknown needs no decision any more."""
    was_answered = or_(Attempt.answered_at.is_not(None), Attempt.contact_result.is_not(None))
    ended = (
        update(Attempt)
        .where(Attempt.task_id == task_id, Attempt.state == "review")
        .values(state="ended", line_result=case((was_answered, "answered"), else_="cancelled"), ended_at=at)
    )
    return list(session.scalars(ended.returning(Attempt), execution_options={"populate_existing": True}))


def of_task(session: Session, task_id: UUID) -> list[Attempt]:
    """Also those that were begun for another task and are for this one, too."""
    return list(session.scalars(select(Attempt).where(about(task_id)).order_by(Attempt.claimed_at)))


def asked_for(session: Session, task_id: UUID) -> datetime | None:
    """When the patient asked to be called for a task, in the newest call of it."""
    of_it = select(JointTask.contact_result).where(JointTask.attempt_id == Attempt.id, JointTask.task_id == task_id)
    said = func.coalesce(of_it.scalar_subquery(), Attempt.contact_result)
    rows = select(case((said == "call_later", Attempt.call_at))).where(about(task_id))
    return session.scalar(rows.order_by(Attempt.claimed_at.desc()).limit(1))


def about(task_id: UUID) -> ColumnElement[bool]:
    together = select(JointTask.attempt_id).where(JointTask.task_id == task_id)
    return or_(Attempt.task_id == task_id, Attempt.id.in_(together))
