"""Tasks: for what a patient is due to be contacted, what was answered, why they were or weren't called.

Rules: a task is a fact of the hospital's; attempts are telephony facts (`attempts.py`). A follow-up asks a
questionnaire; the other kinds are about what names the task in a table of its own (`subjects.py`), and the hotline
makes their calls itself. Every answer is saved as it is given: the newest of an item counts, the older ones stay. Each
decision about a task is written down in codes that a nurse can read as a sentence.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, ForeignKey, String, and_, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from hospital import attempt_records, recordings
from hospital.accounts import Account
from hospital.database import Base, Id, announce, storable
from hospital.patients import Patient
from hospital.questionnaires import Questionnaire
from hospital.vault import Sealed

URGENT = frozenset({"suspension"})
"""Kinds of contact that the cap does not hold back (`verdicts.is_urgent`). The window does."""
PURPOSES = {"suspension": "appointment", "reminder": "reminder"}
"""Kind → what its contact is for. Of a call that an appointment is suspended nobody can opt out."""
SKIP_REASONS = ("readmitted", "not_needed", "done_elsewhere", "in_hospital", "other")
PLAN_CHANGES = ("died", "child_lost", "readmitted", "transferred", "withdrawn", "told_too_late", "taken_back", "merged")
"""What stops a task because its plan changed (`plan_changes.py`) or was begun too late (`enrolments.py`)."""
TAKES_PLACE = "takes_place"
"""What stops the call about a suspended clinic that takes place again (`lifted_suspensions.lift`)."""


class FollowUpTask(Base):
    __tablename__ = "followup_task"
    id: Mapped[Id]
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    kind: Mapped[str] = mapped_column(default="follow_up")
    questionnaire_id: Mapped[UUID | None] = mapped_column(ForeignKey("questionnaire.id"))
    reason: Mapped[str]
    stay_id: Mapped[UUID | None] = mapped_column(ForeignKey("stay.id"))
    priority: Mapped[int] = mapped_column(default=5)
    enrolment_id: Mapped[UUID | None] = mapped_column(ForeignKey("enrolment.id"))
    step: Mapped[str | None]
    ward: Mapped[str] = mapped_column(default="")
    channel: Mapped[str] = mapped_column(default="nurse_call")
    channels: Mapped[list[str]] = mapped_column(ARRAY(String), server_default="{}")
    fallback: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    announce_hours: Mapped[int | None]
    due_at: Mapped[datetime]
    due_until: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="open")
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    given_at: Mapped[datetime | None]
    held_since: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    max_tries: Mapped[int] = mapped_column(default=3)
    next_try_at: Mapped[datetime | None]
    next_number_rank: Mapped[int | None]
    stop_reason: Mapped[str | None]
    summary: Mapped[str] = mapped_column(default="")
    closed_at: Mapped[datetime | None]

    patient: Mapped[Patient] = relationship()
    questionnaire: Mapped[Questionnaire] = relationship()
    """Of a follow-up; the other kinds have none."""

    @property
    def purpose(self) -> str:
        """What the call is for, in the words of `patient.opted_out`, or `appointment`."""
        if self.kind in PURPOSES:
            return PURPOSES[self.kind]
        return self.questionnaire.purpose

    @property
    def given_up(self) -> bool:
        """Nobody was reached."""
        return (self.state, self.stop_reason) == ("stopped", "not_reached")

    def reopen(self) -> None:
        """It is to be done, whatever has ended it."""
        self.state, self.stop_reason, self.closed_at = "open", None, None

    def stop(self, reason: str, at: datetime) -> None:
        """Nobody is contacted for it any more; `reason` is coded."""
        self.state, self.stop_reason, self.closed_at = "stopped", reason, at

    def finish(self, at: datetime) -> None:
        """All of it is done."""
        self.state, self.stop_reason, self.closed_at = "done", None, at


def may_be_answered() -> ColumnElement[bool]:
    """What patients answer of their own accord counts: of an open task, and of one that was given up."""
    given_up = and_(FollowUpTask.state == "stopped", FollowUpTask.stop_reason == "not_reached")
    return or_(FollowUpTask.state == "open", given_up)


def not_given_to_another(account_id: UUID | None) -> ColumnElement[bool]:
    """Whether somebody may be called for a task: not while it is held, or a person has given it to another, whose
    account is open. Without an account: to nobody."""
    closed = select(Account.id).where(Account.disabled_at.is_not(None))
    hers = or_(FollowUpTask.given_at.is_(None), FollowUpTask.owner_id == account_id, FollowUpTask.owner_id.in_(closed))
    return and_(FollowUpTask.held_since.is_(None), hers)


class Answer(Base):
    __tablename__ = "answer"
    id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[UUID] = mapped_column(ForeignKey("followup_task.id"))
    questionnaire_id: Mapped[UUID] = mapped_column(ForeignKey("questionnaire.id"))
    attempt_id: Mapped[UUID | None] = mapped_column(ForeignKey("attempt.id"))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    via: Mapped[str] = mapped_column(default="telephone")
    item: Mapped[str]
    value: Mapped[str] = mapped_column("value_sealed", Sealed("answer.value"))
    at: Mapped[datetime]


class DecisionRow(Base):
    __tablename__ = "decision"
    id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[UUID] = mapped_column(ForeignKey("followup_task.id"))
    at: Mapped[datetime]
    code: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)


def plan(
    session: Session,
    *,
    patient_id: UUID,
    questionnaire_id: UUID,
    reason: str,
    due_at: datetime,
    due_until: datetime | None = None,
    stay_id: UUID | None = None,
    owner_id: UUID | None = None,
) -> FollowUpTask:
    """A new task, due from `due_at` until `due_until` (four days by default)."""
    task = FollowUpTask(
        patient_id=patient_id,
        questionnaire_id=questionnaire_id,
        reason=reason,
        due_at=due_at,
        due_until=due_until or due_at + timedelta(days=4),
        stay_id=stay_id,
        owner_id=owner_id,
    )
    session.add(task)
    session.flush()
    decide(session, task.id, "planned", due_at, reason=reason)
    announce(session, "task", task.id)
    return task


def plan_call(
    session: Session,
    *,
    patient_id: UUID,
    kind: str,
    at: datetime,
    due_at: datetime,
    due_until: datetime,
    priority: int,
    max_tries: int,
) -> FollowUpTask:
    """A contact of another kind than a follow-up: the hotline calls by itself from `due_at` on, until it is done or
    `due_until` has come."""
    task = FollowUpTask(
        patient_id=patient_id,
        kind=kind,
        reason=kind,
        channel="automated_call",
        priority=priority,
        due_at=due_at,
        due_until=due_until,
        max_tries=max_tries,
    )
    session.add(task)
    session.flush()
    decide(session, task.id, "planned", at, reason=kind)
    announce(session, "task", task.id)
    return task


def decide(session: Session, task_id: UUID, code: str, at: datetime, /, **facts: Any) -> None:
    """One line of the task's decision log; `facts` are codes, counts and instants (ISO)."""
    session.add(DecisionRow(task_id=task_id, at=at, code=code, facts=facts))


def decisions(session: Session, task_id: UUID) -> list[DecisionRow]:
    return list(session.scalars(select(DecisionRow).where(DecisionRow.task_id == task_id).order_by(DecisionRow.id)))


@dataclass(frozen=True)
class Listed:
    """A line of the follow-up list. `standing`: overdue | due | later | held | calling | wrap_up | review | done |
    stopped."""

    task: FollowUpTask
    standing: str


def worklist(
    session: Session, at: datetime, *, owner_id: UUID | None = None, ahead: timedelta = timedelta(days=1)
) -> list[Listed]:
    """What is not closed and due until `at + ahead`: what is under way first, then what is overdue, then by priority
    (1 before 9) and time. With `owner_id`: that nurse's own and nobody's."""
    rows = select(FollowUpTask).where(
        FollowUpTask.kind == "follow_up",
        FollowUpTask.state.in_(("open", "calling", "wrap_up", "review")),
        FollowUpTask.due_at <= at + ahead,
    )
    if owner_id is not None:
        rows = rows.where(or_(FollowUpTask.owner_id == owner_id, FollowUpTask.owner_id.is_(None)))
    listed = [Listed(task, _standing(task, at)) for task in session.scalars(rows)]
    order = ("calling", "wrap_up", "review", "held", "overdue", "due", "later")
    return sorted(listed, key=lambda line: (order.index(line.standing), line.task.priority, line.task.due_at))


def closed(session: Session, since: datetime, *, owner_id: UUID | None = None, limit: int = 200) -> list[Listed]:
    """What was done or stopped since, the newest first. With `owner_id`: that nurse's own and nobody's."""
    rows = select(FollowUpTask).where(
        FollowUpTask.kind == "follow_up",
        FollowUpTask.state.in_(("done", "stopped")),
        FollowUpTask.closed_at > since,
    )
    if owner_id is not None:
        rows = rows.where(or_(FollowUpTask.owner_id == owner_id, FollowUpTask.owner_id.is_(None)))
    found = session.scalars(rows.order_by(FollowUpTask.closed_at.desc()).limit(limit))
    return [Listed(task, task.state) for task in found]


def _standing(task: FollowUpTask, at: datetime) -> str:
    if task.state != "open":
        return task.state
    if task.held_since is not None:
        return "held"
    if max(task.due_at, task.next_try_at or task.due_at) > at:
        return "later"
    return "overdue" if task.due_until < at else "due"


def save_answer(
    session: Session,
    task_id: UUID,
    item: str,
    value: Any,
    at: datetime,
    *,
    account_id: UUID | None = None,
    attempt_id: UUID | None = None,
    via: str = "telephone",
) -> None:
    """One answer as it was given (JSON value); answered again it is another row, and the newest counts. `via`: on
    which way it came, telephone, text or web."""
    task = session.get_one(FollowUpTask, task_id)
    if task.questionnaire_id is None:
        raise ValueError(f"task {task_id} is no follow-up: it has no questions to be answered")
    session.add(
        Answer(
            task_id=task_id,
            questionnaire_id=task.questionnaire_id,
            attempt_id=attempt_id,
            account_id=account_id,
            via=via,
            item=item,
            value=json.dumps(value, ensure_ascii=False),
            at=at,
        )
    )


def answers(session: Session, task_id: UUID) -> dict[str, Any]:
    """The newest answer of each item."""
    rows = session.scalars(select(Answer).where(Answer.task_id == task_id).order_by(Answer.id))
    return {row.item: json.loads(row.value) for row in rows}


def ways(session: Session, task_id: UUID) -> dict[str, str]:
    """How the newest answer of each item came, of those that were not told by telephone."""
    rows = session.scalars(select(Answer).where(Answer.task_id == task_id).order_by(Answer.id))
    return {item: via for item, via in {row.item: row.via for row in rows}.items() if via != "telephone"}


def save_summary(session: Session, task_id: UUID, summary: str) -> None:
    session.execute(update(FollowUpTask).where(FollowUpTask.id == task_id).values(summary=storable(summary)[:4000]))
    announce(session, "task", task_id)


def skip(session: Session, task_id: UUID, reason: str, at: datetime, account_id: UUID) -> bool:
    """Stop an open task, or one in review, with a coded reason; False where it was being called or was closed."""
    if reason not in SKIP_REASONS:
        raise ValueError(f"{reason!r} is no reason to skip: {', '.join(SKIP_REASONS)}")
    stopped = session.scalar(
        update(FollowUpTask)
        .where(FollowUpTask.id == task_id, FollowUpTask.state.in_(("open", "review")))
        .values(state="stopped", stop_reason=reason, closed_at=at)
        .returning(FollowUpTask.id)
    )
    if stopped is None:
        return False
    for attempt in attempt_records.end_unknown(session, task_id, at):
        recordings.account_for(session, attempt, at)
    decide(session, task_id, "skipped", at, reason=reason, by=str(account_id))
    announce(session, "task", task_id)
    return True
