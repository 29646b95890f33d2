"""Asking a role from the follow-up form, and reading its answer to the patient."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from hospital import nurse_flags, questions
from hospital.accounts import Account
from hospital.calendars import Calendar
from hospital.cases import Case
from hospital.climbing import ward_of
from hospital.clocks import Due
from hospital.followups import FollowUpTask
from hospital.patients import Patient
from hospital.questions import Question
from hospital.rota import ROLES, Line
from web import words
from web.climbs import Climbs, climbs_of
from web.doors import Visitor, denied, pages_of, services
from web.followup_list import WorksFollowUps, own_task, viewer
from web.followup_view import Viewer
from web.questions import Line as Listed
from web.questions import line_of
from web.refusals import Refusal

NOW = 0  # hours: it is a red flag, and goes up the ladder

routes = APIRouter()


@dataclass(frozen=True)
class Asked:
    """What was asked for a task, and the ward that is asked unless another is named."""

    questions: list[tuple[Question, Account | None]]
    flags: list[tuple[Case, Climbs]]
    ward: str


@dataclass(frozen=True)
class ToTell:
    """An answer that its patient is waiting for."""

    line: Listed
    answered_by: Account
    number: str | None  # None: nobody is to be called
    dead: bool  # or reported so


def _asked(session: Session, task_id: UUID, account_id: UUID) -> Asked:
    task = session.get_one(FollowUpTask, task_id)
    rows = [
        (one, session.get(Account, one.answered_by) if one.answered_by else None)
        for one in questions.of_task(session, task_id)
    ]
    flags = [(one, climbs_of(session, one.id, account_id)) for one in nurse_flags.of_task(session, task_id)]
    return Asked(rows, flags, task.ward or ward_of(session, task.patient_id))


async def _part(request: Request, visitor: Visitor, task_id: UUID) -> Response:
    house = services(request)
    asked = await house.database.run(_asked, task_id, visitor.account_id)
    facts: dict[str, Any] = {"roles": ROLES, "deadlines": questions.DEADLINES, "now": house.clock()}
    return pages_of(request).part(request, "questions/asking.html", asked=asked, task_id=task_id, **facts)


@routes.get("/followups/{task_id}/questions")
async def part(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
    await own_task(request, visitor, task_id)
    return await _part(request, visitor, task_id)


@routes.post("/followups/{task_id}/questions")
async def ask(
    request: Request,
    visitor: WorksFollowUps,
    task_id: UUID,
    role: Annotated[str, Form()],
    hours: Annotated[int, Form()],
    text: Annotated[str, Form()],
    ward: Annotated[str, Form()] = "",
) -> Response:
    await own_task(request, visitor, task_id)
    house = services(request)
    try:
        line = Line(role, ward)
        if hours == NOW:
            await house.database.run(
                _raise, task_id, line, text, visitor.account_id, house.clock(), house.facts.red_flag
            )
        else:
            asked = (task_id, line, hours, text, visitor.account_id, house.clock())
            await house.database.run(_ask, asked, house.facts.calendar)
    except ValueError as wrong:
        raise Refusal(422, str(wrong)) from None
    return await _part(request, visitor, task_id)


def _ask(session: Session, asked: tuple[UUID, Line, int, str, UUID, datetime], calendar: Calendar) -> None:
    questions.ask(session, *asked)
    _, line, *_, at = asked
    if not questions.anybody(session, line, calendar, at):
        nobody = f"Nobody would see it: for {words.line(line.role, line.ward)}, nobody is on call or has that role."
        raise Refusal(422, f"{nobody} Ask another role, or at once.")


def _raise(session: Session, task_id: UUID, line: Line, text: str, by: UUID, at: datetime, clock: timedelta) -> None:
    task = session.get_one(FollowUpTask, task_id)
    number = _number(session.get_one(Patient, task.patient_id))
    nurse_flags.raise_flag(session, task, line, text, number, by, at, Due(at + clock))


def _number(patient: Patient) -> str | None:
    """Where they are to be called, if anywhere."""
    usable = [one for one in patient.numbers if one.safe_to_call and one.invalid_since is None]
    return usable[0].number if usable else None


@routes.post("/followups/{task_id}/questions/{question_id}/withdraw")
async def withdraw(request: Request, visitor: WorksFollowUps, task_id: UUID, question_id: UUID) -> Response:
    await own_task(request, visitor, task_id)
    house = services(request)
    if not await house.database.run(questions.withdraw, question_id, visitor.account_id, house.clock()):
        raise Refusal(409, "It is answered already, or somebody else asked it.")
    return await _part(request, visitor, task_id)


def _to_tell(session: Session, of: Viewer) -> list[ToTell]:
    found = []
    for one in questions.to_tell(session, None if of.sees_all else of.account_id):
        line = line_of(session, one, of.account_id, of.at)
        dead = line.patient.deceased_at is not None or line.patient.death_reported_at is not None
        number = None if dead else _number(line.patient)
        found.append(ToTell(line, session.get_one(Account, one.answered_by), number, dead))
    return found


async def _list(request: Request, visitor: Visitor) -> Response:
    found = await services(request).database.run(_to_tell, viewer(request, visitor))
    now: datetime = services(request).clock()
    return pages_of(request).part(request, "questions/to_tell.html", found=found, now=now)


@routes.get("/answers")
async def answers(request: Request, visitor: WorksFollowUps) -> Response:
    """Answers to be read to patients: a part of the follow-up list."""
    return await _list(request, visitor)


@routes.post("/answers/{question_id}/told")
async def told(
    request: Request, visitor: WorksFollowUps, question_id: UUID, outcome: Annotated[str, Form()]
) -> Response:
    house = services(request)
    mine = await house.database.run(_to_tell, viewer(request, visitor))
    if question_id not in {one.line.question.id for one in mine}:
        await denied(request, visitor, "followups.all", f"question:{question_id}")
        raise Refusal(403, "This answer is another nurse's to tell, or it was told.")
    if outcome not in words.ANSWER_OUTCOMES:
        raise Refusal(422, "Say what became of the answer.")
    if not await house.database.run(questions.told, question_id, outcome, visitor.account_id, house.clock()):
        raise Refusal(409, "Somebody else has told it.")
    return await _list(request, visitor)
