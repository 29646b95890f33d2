"""Conversations by text message: a questionnaire is asked question by question, and a reply answers it.

Rules: a task is asked so once, and a number one questionnaire at a time. Each question is one row of the outbox; the
next goes when the reply is saved. What is clinical begins with the birth date, asks nobody whose number others have
too, and names neither patient nor illness before. A reply that is no answer is met once with what is allowed, a birth
date that is not theirs twice; then the task goes on by its plan's next channel, as it does when nobody replies in time.
A task that was closed, or went on without it, is asked nothing more. What was written before the question left is no
answer to it, and no miss.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String, cast, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import number_locks, outbox, patients
from hospital.calling_hours import first_allowed, may_call
from hospital.calling_rules import CallingPolicy, never, on_the_clock_of, where_reached
from hospital.database import Base
from hospital.followups import FollowUpTask
from hospital.outbox import FATE_UNKNOWN, OutboxRow
from hospital.patients import PhoneNumber
from hospital.text_records import StepText
from hospital.text_stops import CONFIRMS
from hospital.vault import Sealed

CHANNEL = "sms"
MISSES = 2  # replies to one question that are no answer
PROOFS = 3  # birth dates that do not match
UNANSWERED = ("stop", "expired", "overtaken")
AT_ONCE = timedelta(hours=1)
"""So long after a reply the hospital may answer at any hour: they have just written themselves."""


class TextTalk(Base):
    __tablename__ = "text_talk"
    task_id: Mapped[UUID] = mapped_column(ForeignKey("followup_task.id"), primary_key=True)
    questionnaire_id: Mapped[UUID] = mapped_column(ForeignKey("questionnaire.id"))
    number: Mapped[str] = mapped_column("number_sealed", Sealed("text_talk.number"))
    number_token: Mapped[bytes]
    locale: Mapped[str]
    state: Mapped[str]
    item: Mapped[str | None]
    misses: Mapped[int] = mapped_column(default=0)
    sent: Mapped[int] = mapped_column(default=1)
    begun_at: Mapped[datetime]
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]


@dataclass(frozen=True)
class Opening:
    """The first text of a conversation: its wording, and what it asks; `item` None: for the birth date."""

    key: str
    item: str | None
    params: dict[str, Any] = field(default_factory=dict, repr=False)


Begin = Callable[[Session, FollowUpTask, PhoneNumber, str, datetime], Opening | None]
"""(session, task, the number, its locale, now) → how the task is asked by text; None: it is not, and the text only says
that the hospital would like to ask."""


def may_prove(session: Session, task: FollowUpTask, number: PhoneNumber, at: datetime) -> bool:
    """Whether clinical questions may begin with the birth date on this number: it is the patient's own and nobody
    else's, the date is known, and nobody has guessed from there just now."""
    known = patients.candidates(session, number.number)
    alone = [one.patient.id for one in known] == [task.patient_id] and number.patient_id == task.patient_id
    return alone and task.patient.birth_date is not None and not number_locks.is_locked(session, number.number, at)


def busy_until(session: Session, token: bytes, at: datetime) -> datetime | None:
    """Until when this number is asked something else; None where it is not."""
    rows = select(TextTalk.expires_at).where(TextTalk.number_token == token, TextTalk.state != "ended")
    return session.scalar(rows.where(TextTalk.expires_at > at))


def begin(
    session: Session,
    task: FollowUpTask,
    number: PhoneNumber,
    locale: str,
    opening: Opening,
    at: datetime,
    expires_at: datetime,
) -> None:
    """Writes down what was asked. Whatever ran out on this number has ended."""
    for old in session.scalars(
        select(TextTalk).where(TextTalk.number_token == number.token, TextTalk.state != "ended").with_for_update()
    ):
        end(old, "expired", at)
    session.flush()
    session.add(
        TextTalk(
            task_id=task.id, questionnaire_id=task.questionnaire_id, number=number.number, number_token=number.token,
            locale=locale, state="asking" if opening.item else "proving", item=opening.item, begun_at=at, asked_at=at,
            expires_at=expires_at,
        )
    )  # fmt: skip
    session.flush()


def of_number(session: Session, token: bytes, at: datetime) -> tuple[TextTalk, FollowUpTask] | None:
    """The conversation that a reply of this number belongs to, and its task, both locked. One that has run out, or
    whose task went on without it, is ended, and the reply belongs to nothing."""
    task_id = session.scalar(select(TextTalk.task_id).where(TextTalk.number_token == token, TextTalk.state != "ended"))
    if task_id is None:
        return None
    task = session.get_one(FollowUpTask, task_id, with_for_update=True, populate_existing=True)
    talk = session.get_one(TextTalk, task_id, with_for_update=True, populate_existing=True)
    if talk.state == "ended":
        return None
    if talk.expires_at <= at:
        end(talk, "expired", at)
        return None
    number = where_reached(session, task.patient, at).number(token)
    if task.state != "open" or task.channel != CHANNEL or never(task.patient, number, task.purpose) is not None:
        end(talk, "overtaken", at)
        return None
    return talk, task


def has_asked(session: Session, talk: TextTalk) -> bool:
    """Whether what it asks now has left us: nothing that is written before that can be an answer to it. A question that
    had a reply already has."""
    once = f"talk/{talk.task_id}/{talk.sent}" if talk.sent > 1 else f"step/{talk.task_id}"
    left = or_(OutboxRow.state.in_(("sent", "delivered")), OutboxRow.error.in_(FATE_UNKNOWN))
    return talk.misses > 0 or session.scalar(select(OutboxRow.id).where(OutboxRow.once == once, left)) is not None


def asked(session: Session, talk: TextTalk, item: str, at: datetime, within: timedelta) -> None:
    """The next question goes out; the plan waits for its answer."""
    if talk.item != item or talk.state == "proving":
        talk.misses = 0
    talk.state, talk.item, talk.asked_at = "asking", item, at
    _waits_until(session, talk, at + within)


def _waits_until(session: Session, talk: TextTalk, end: datetime) -> None:
    talk.expires_at = end
    session.get_one(StepText, talk.task_id).answer_by = end
    session.get_one(FollowUpTask, talk.task_id).next_try_at = end
    session.flush()


def end(talk: TextTalk, by: str, at: datetime) -> None:
    talk.state, talk.ended_by, talk.ended_at = "ended", by, at


def say(session: Session, talk: TextTalk, key: str, at: datetime, patient_id: UUID, **params: Any) -> None:
    """One more text of ours in the conversation."""
    talk.sent += 1
    outbox.put(
        session, once=f"talk/{talk.task_id}/{talk.sent}", key=key, locale=talk.locale, number=talk.number, at=at,
        patient_id=patient_id, **params,
    )  # fmt: skip


def end_forgotten(session: Session, at: datetime) -> int:
    """Conversations that have run out, or whose task went on without them; how many. To be called now and then."""
    gone = or_(TextTalk.expires_at <= at, FollowUpTask.state != "open", FollowUpTask.channel != CHANNEL)
    rows = (
        select(TextTalk)
        .join(FollowUpTask, FollowUpTask.id == TextTalk.task_id)
        .where(TextTalk.state != "ended", gone)
        .with_for_update(of=TextTalk, skip_locked=True)
    )
    found = session.scalars(rows, execution_options={"populate_existing": True}).all()
    for talk in found:
        end(talk, "expired" if talk.expires_at <= at else "overtaken", at)
    return len(found)


def hold_back(session: Session, at: datetime, policy: CallingPolicy) -> int:
    """Questions that could not leave within the hour wait for the hours of whoever is asked, and for a reply as long
    after them; they leave not at all where the conversation is over. How many. To be asked before the outbox sends."""
    newest = func.concat("talk/", cast(TextTalk.task_id, String), "/", TextTalk.sent)
    rows = (
        select(TextTalk, FollowUpTask, OutboxRow)
        .join(FollowUpTask, FollowUpTask.id == TextTalk.task_id)
        .join(OutboxRow, OutboxRow.once == newest)
        .where(OutboxRow.state == "queued", OutboxRow.due_at <= at, OutboxRow.key.not_in(CONFIRMS))
        .where(TextTalk.asked_at < at - AT_ONCE)
        .with_for_update(of=OutboxRow, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    held = 0
    for talk, task, message in session.execute(rows).all():
        reached = where_reached(session, task.patient, at)
        there = on_the_clock_of(policy, reached.person, reached.number(talk.number_token))
        if talk.ended_by in UNANSWERED:
            outbox.withdraw(session, message)
            held += 1
        elif not may_call(at, there.window, there.zone).allowed:
            leaves = first_allowed(at, there.window, there.zone)
            outbox.put_off(message, leaves)
            if talk.state != "ended":
                _waits_until(session, talk, talk.expires_at + (leaves - at))
            held += 1
    return held
