"""Answers that change the plan: what a rule asks for is done once for each task, whatever is answered later.

Rules: what a nurse answers changes the plan when she says whom she reached, since she may still correct it; what the
machine was told, at once, since its caller may hang up. The next step is the plan's next open one; without one the same
questions are asked again, as a step of the same enrolment, so that what ends the plan ends it, too. A follow-up that
the machine has asked, and that waits for a nurse or for a visit that was not booked in the call, is a nurse's
afterwards instead of done.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, and_, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import answer_flags, cases, followups
from hospital.answer_changes import Change, Window, brought_forward, case_code, in_days
from hospital.appointments import Booked
from hospital.calendars import Calendar
from hospital.calling_rules import where_reached
from hospital.cases import Case, Teller
from hospital.clocks import Clocks, due
from hospital.database import Base, announce
from hospital.enrolment_records import Enrolment
from hospital.enrolments import calendar_of
from hospital.followups import FollowUpTask, decide

CASE_OF_TASK = "rating/task/"  # how the origin of such a case begins


class AnswerRule(Base):
    __tablename__ = "answer_rule"
    task_id: Mapped[UUID] = mapped_column(ForeignKey("followup_task.id"), primary_key=True)
    rule: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    nurse: Mapped[bool] = mapped_column(default=False)
    department: Mapped[str] = mapped_column(default="")
    booked_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]


_OFFERED = and_(AnswerRule.department != "", AnswerRule.booked_at.is_(None), AnswerRule.settled_at.is_(None))
_WAITS = and_(AnswerRule.settled_at.is_(None), or_(AnswerRule.nurse, _OFFERED))


def apply(
    session: Session,
    task_id: UUID,
    changes: Iterable[Change],
    at: datetime,
    site: Calendar,
    clocks: Clocks | None = None,
) -> None:
    """What these rules ask for and was not done before. `clocks`: the site's, of cases; None: the shipped ones."""
    for change in changes:
        values = {"nurse": change.nurse, "department": change.revisit or ""}
        made = insert(AnswerRule).values(task_id=task_id, rule=change.rule, at=at, **values).on_conflict_do_nothing()
        if session.scalar(made.returning(AnswerRule.rule)) is None:
            continue
        task = session.get_one(FollowUpTask, task_id)
        if change.sooner is not None:
            _sooner(session, task, change.rule, change.sooner, at, site)
        if change.nurse:
            decide(session, task_id, "answer_to_nurse", at, rule=change.rule)
        if change.revisit is not None:
            decide(session, task_id, "answer_revisit", at, rule=change.rule, department=change.revisit)
        if change.case:
            _open_case(session, task, change.rule, at, clocks or Clocks(site.zone, site.country))
        announce(session, "task", task_id)


def _open_case(session: Session, task: FollowUpTask, rule: str, at: datetime, clocks: Clocks) -> None:
    """One for each task, whatever rules ask for it. Its page shows the answers."""
    number = answer_flags.number_of(session, task.patient_id, at)
    teller = Teller("", number, task.patient_id, where_reached(session, task.patient, at).language)
    origin, until = f"{CASE_OF_TASK}{task.id}", due("rating", at, clocks)
    cases.open_case(session, "rating", origin, teller, at, until, case_code(rule))
    decide(session, task.id, "answer_case", at, rule=rule)


def task_of_case(session: Session, case_id: UUID) -> FollowUpTask | None:
    """Whose answers have opened it; None where none have."""
    origin = session.get_one(Case, case_id).origin
    if not origin.startswith(CASE_OF_TASK):
        return None
    return session.get(FollowUpTask, UUID(origin.removeprefix(CASE_OF_TASK)))


def _sooner(session: Session, task: FollowUpTask, rule: str, days: int, at: datetime, site: Calendar) -> None:
    calendar = calendar_of(task.patient, site)
    following = _next_of_plan(session, task)
    if following is None:
        _ask_again(session, task, rule, in_days(days, at, calendar), at)
        return
    moved = brought_forward(Window(following.due_at, following.due_until), days, at, calendar)
    if moved is None:
        decide(session, task.id, "answer_soon_enough", at, rule=rule, when=following.due_at.isoformat())
        return
    before = following.due_at
    following.due_at, following.due_until, following.next_try_at = moved.due_at, moved.due_until, None
    facts = {"rule": rule, "when": moved.due_at.isoformat()}
    decide(session, following.id, "brought_forward", at, **facts, was=before.isoformat())
    decide(session, task.id, "answer_sooner", at, **facts)
    announce(session, "task", following.id)


def _ask_again(session: Session, task: FollowUpTask, rule: str, again: Window, at: datetime) -> None:
    """The same questions once more. Not where the plan has ended, or ends now, while they talk."""
    if task.max_tries == 0 or not _goes_on(session, task):
        decide(session, task.id, "answer_plan_ended", at, rule=rule)
        return
    made = followups.plan(
        session,
        patient_id=task.patient_id,
        questionnaire_id=task.questionnaire.id,
        reason="answer_rule",
        due_at=again.due_at,
        due_until=again.due_until,
        owner_id=task.owner_id,
    )
    made.ward = task.ward
    if task.enrolment_id is not None:
        made.enrolment_id, made.step = task.enrolment_id, f"again.{task.id}.{rule}"
    decide(session, task.id, "answer_again", at, rule=rule, when=again.due_at.isoformat())


def _goes_on(session: Session, task: FollowUpTask) -> bool:
    """Whoever ends the enrolment changes its row first and then stops its tasks: while it is held here, they wait, and
    find the new task; while they have it, nobody waits for them with a task locked."""
    if task.enrolment_id is None:
        return True
    rows = select(Enrolment.id).where(Enrolment.id == task.enrolment_id, Enrolment.ended_at.is_(None))
    return session.scalar(rows.with_for_update(read=True, skip_locked=True)) is not None


def _next_of_plan(session: Session, task: FollowUpTask) -> FollowUpTask | None:
    if task.enrolment_id is None:
        return None
    rows = select(FollowUpTask).where(
        FollowUpTask.enrolment_id == task.enrolment_id,
        FollowUpTask.id != task.id,
        FollowUpTask.state == "open",
        FollowUpTask.due_at >= task.due_at,
    )
    return session.scalar(rows.order_by(FollowUpTask.due_at).limit(1).with_for_update())


def offered(session: Session, task_id: UUID) -> list[AnswerRule]:
    """Visits that are still to be offered, in the order in which answers asked for them."""
    rows = select(AnswerRule).where(AnswerRule.task_id == task_id, _OFFERED)
    return list(session.scalars(rows.order_by(AnswerRule.at, AnswerRule.rule)))


def booked(session: Session, task_id: UUID, booked: Booked, at: datetime) -> None:
    """A visit was booked in a call about this task; told again it is one."""
    appointment = str(booked.appointment_id)
    rows = followups.decisions(session, task_id)
    if any(row.code == "visit_booked" and row.facts.get("appointment") == appointment for row in rows):
        return
    facts = {"appointment": appointment, "department": booked.department_code, "when": booked.starts_at.isoformat()}
    decide(session, task_id, "visit_booked", at, **facts)
    asked = (AnswerRule.task_id == task_id, AnswerRule.department == booked.department_code, _OFFERED)
    session.execute(update(AnswerRule).where(*asked).values(booked_at=at))
    announce(session, "task", task_id)


def not_booked(session: Session, task_id: UUID, department: str, at: datetime) -> None:
    """It was offered by the machine, and a nurse has to see to it."""
    decide(session, task_id, "visit_not_booked", at, department=department)


def waits(session: Session, task_id: UUID) -> bool:
    """Whether answers ask for a nurse, or for a visit that nobody has booked."""
    return session.scalar(select(AnswerRule.rule).where(AnswerRule.task_id == task_id, _WAITS).limit(1)) is not None


def settle(session: Session, task_id: UUID, at: datetime) -> None:
    """A nurse has spoken with the patient, and has seen what the answers ask for."""
    session.execute(update(AnswerRule).where(AnswerRule.task_id == task_id, _WAITS).values(settled_at=at))
