"""Questions to a role: a nurse asks the doctor of the ward, the answer comes back and is told to the patient.

Rules: a question has a role, a ward and a deadline. It is for who is ever on call for that line, or leads it; where the
line has nobody, for everybody of that role; where that is nobody either, it can't be asked. One who answers is enough.
The answer is the follow-up's again: it stays on the list until somebody has told the patient, with an outcome. A
question that is not answered in time climbs to the supervisors, once; its clock runs on. Question and answer are
sealed, and every step is in the audit chain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import audit, clocks, rota_records
from hospital.accounts import Account
from hospital.calendars import Calendar
from hospital.database import Base, Id, announce, storable
from hospital.followups import FollowUpTask
from hospital.rota import ROLES, Line
from hospital.rota_records import WARD_LENGTH, OnCallShift
from hospital.vault import Sealed

DEADLINES = (1, 4, 24, 72)
"""Hours that a nurse may give."""
LENGTH = 4000
OUTCOMES = ("told", "told_carer", "not_needed")
ANSWERS, SEES_LATE = "questions.answer", "questions.late"


class Question(Base):
    __tablename__ = "question"
    id: Mapped[Id]
    task_id: Mapped[UUID] = mapped_column(ForeignKey("followup_task.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    role: Mapped[str]
    ward: Mapped[str]
    state: Mapped[str] = mapped_column(default="open")
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    asked_at: Mapped[datetime]
    asked: Mapped[str] = mapped_column("asked_sealed", Sealed("question.asked"))
    answer_by: Mapped[datetime]
    climbed_at: Mapped[datetime | None]
    answered_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    answered_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column("answer_sealed", Sealed("question.answer"))
    closed_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str | None]

    @property
    def line(self) -> Line:
        return Line(self.role, self.ward)

    def standing(self, at: datetime) -> str:
        """'in_time', 'due_soon', 'overdue'; of an answered one 'closed'."""
        return clocks.standing(self.asked_at, self.answer_by, at) if self.state == "open" else "closed"


# ── Whom a question is for ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Holders:
    """Line → who is ever on call for it, or leads it."""

    of: dict[Line, frozenset[UUID]]

    def are(self, account: Account, line: Line) -> bool:
        """Whether a question to `line` is for `account`."""
        if not account.may(ANSWERS):
            return False
        held = {one for there, people in self.of.items() if there.covers(line.role, line.ward) for one in people}
        return account.id in held if held else account.role == line.role


def holders(session: Session, calendar: Calendar, at: datetime) -> Holders:
    today = calendar.date_of(at)
    found: dict[Line, frozenset[UUID]] = {}
    for line in rota_records.open_lines(session):
        rows = select(OnCallShift).where(OnCallShift.line_id == line.id)
        rows = rows.where(or_(OnCallShift.last_day.is_(None), OnCallShift.last_day >= today))
        people = {shift.account_id for shift in session.scalars(rows)} | ({line.lead_id} if line.lead_id else set())
        present = [session.get_one(Account, one) for one in people]
        found[line.line] = frozenset(one.id for one in present if one.may(ANSWERS))
    return Holders(found)


def anybody(session: Session, line: Line, calendar: Calendar, at: datetime) -> bool:
    """Whether a question to `line` is for anybody."""
    held = holders(session, calendar, at)
    return any(held.are(one, line) for one in session.scalars(select(Account).where(Account.disabled_at.is_(None))))


def for_account(session: Session, account: Account, calendar: Calendar, at: datetime) -> list[Question]:
    """What is open for `account`, the earliest deadline first; for supervisors also what has climbed."""
    held = holders(session, calendar, at)
    rows = session.scalars(select(Question).where(Question.state == "open").order_by(Question.answer_by))
    late = account.may(SEES_LATE)
    return [one for one in rows if held.are(account, one.line) or (late and one.climbed_at is not None)]


def lately_answered(session: Session, account_id: UUID, limit: int = 20) -> list[Question]:
    """By `account_id`, newest first."""
    rows = select(Question).where(Question.answered_by == account_id).order_by(Question.answered_at.desc())
    return list(session.scalars(rows.limit(limit)))


# ── Asking, answering, telling ──────────────────────────────────────────────────────────────────────────────────────


def ask(session: Session, task_id: UUID, line: Line, hours: int, text: str, by: UUID, at: datetime) -> UUID:
    """Raises ValueError with what is wrong."""
    written, ward = storable(text).strip(), " ".join(storable(line.ward).split())
    if line.role not in ROLES or hours not in DEADLINES:
        raise ValueError("Choose whom you ask, and until when.")
    if not 0 < len(written) <= LENGTH or len(ward) > WARD_LENGTH:
        raise ValueError(f"A question has 1 to {LENGTH} letters.")
    task = session.get_one(FollowUpTask, task_id)
    made = Question(
        id=uuid4(), task_id=task_id, patient_id=task.patient_id, role=line.role, ward=ward, asked_by=by, asked_at=at,
        asked=written, answer_by=at + timedelta(hours=hours),
    )  # fmt: skip
    session.add(made)
    session.flush()
    _written(session, by, "question.asked", made.id, at, task=str(task_id), role=line.role, hours=hours)
    return made.id


def answer(session: Session, question_id: UUID, text: str, by: UUID, at: datetime) -> bool:
    """False where somebody else has answered, or it was withdrawn. Raises ValueError without words."""
    written = storable(text).strip()
    if not 0 < len(written) <= LENGTH:
        raise ValueError(f"An answer has 1 to {LENGTH} letters.")
    these = (Question.id == question_id, Question.state == "open")
    values = {"state": "answered", "answered_by": by, "answered_at": at, "answer": written}
    return _moved(session, these, values, by, "question.answered", question_id, at)


def told(session: Session, question_id: UUID, outcome: str, by: UUID, at: datetime) -> bool:
    """The patient knows the answer, or need not any more; False where it is closed. Raises ValueError for another
    outcome."""
    if outcome not in OUTCOMES:
        raise ValueError("Say what became of the answer.")
    these = (Question.id == question_id, Question.state == "answered")
    values = {"state": "closed", "closed_by": by, "closed_at": at, "outcome": outcome}
    return _moved(session, these, values, by, "question.closed", question_id, at, outcome=outcome)


def withdraw(session: Session, question_id: UUID, by: UUID, at: datetime) -> bool:
    """Who asked needs no answer any more; False where there is one, or for anybody else."""
    these = (Question.id == question_id, Question.state == "open", Question.asked_by == by)
    values = {"state": "withdrawn", "closed_by": by, "closed_at": at}
    return _moved(session, these, values, by, "question.withdrawn", question_id, at)


def _moved(
    session: Session,
    these: Sequence[object],
    values: dict[str, object],
    by: UUID,
    action: str,
    question_id: UUID,
    at: datetime,
    /,
    **detail: str,
) -> bool:
    moved = session.scalar(update(Question).where(*these).values(**values).returning(Question.id))  # type: ignore[arg-type]
    if moved is not None:
        _written(session, by, action, question_id, at, **detail)
    return moved is not None


def of_task(session: Session, task_id: UUID) -> list[Question]:
    """Newest first."""
    return list(session.scalars(select(Question).where(Question.task_id == task_id).order_by(Question.asked_at.desc())))


def to_tell(session: Session, account_id: UUID | None) -> list[Question]:
    """Answers that a patient is waiting for, the oldest first; of `account_id`: what they asked, and what was asked for
    their follow-ups and those that nobody owns."""
    rows = select(Question).join(FollowUpTask, FollowUpTask.id == Question.task_id).where(Question.state == "answered")
    if account_id is not None:
        rows = rows.where(
            or_(
                Question.asked_by == account_id,
                FollowUpTask.owner_id == account_id,
                FollowUpTask.owner_id.is_(None),
            )
        )
    return list(session.scalars(rows.order_by(Question.answered_at)))


def climb(session: Session, at: datetime) -> list[UUID]:
    """What was not answered in time goes to the supervisors, once. To be called about once a minute."""
    late = session.scalars(
        update(Question)
        .where(Question.state == "open", Question.climbed_at.is_(None), Question.answer_by <= at)
        .values(climbed_at=at)
        .returning(Question.id)
    ).all()
    for question_id in late:
        _written(session, None, "question.climbed", question_id, at)
    return list(late)


def _written(
    session: Session, by: UUID | None, action: str, question_id: UUID, at: datetime, /, **detail: str | int
) -> None:
    announce(session, "question", question_id)
    audit.record(session, by, action, f"question:{question_id}", at, **detail)
