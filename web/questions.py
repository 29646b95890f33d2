"""Questions for me: what nurses ask who has a role, with its deadline; one who answers is enough."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from sqlalchemy.orm import Session

from hospital import questions
from hospital.accounts import Account
from hospital.calendars import Calendar
from hospital.patients import Patient
from hospital.questions import Question
from web.doors import Door, Visitor, denied, pages_of, services
from web.looks import looked
from web.refusals import Refusal

Answers = Annotated[Visitor, Depends(Door("questions.answer"))]

routes = APIRouter()


@dataclass(frozen=True)
class Line:
    """A question on the page, with whom it is about."""

    question: Question
    patient: Patient
    asked_by: Account
    standing: str


@dataclass(frozen=True)
class Lists:
    waiting: list[Line]
    answered: list[Line]


def line_of(session: Session, question: Question, account_id: UUID, at: datetime) -> Line:
    """Each patient that is shown is a look."""
    patient = session.get_one(Patient, question.patient_id)
    looked(session, account_id, "question.read", f"patient:{patient.id}", at, question=str(question.id))
    return Line(question, patient, session.get_one(Account, question.asked_by), question.standing(at))


def _lists(session: Session, account: Account, calendar: Calendar, at: datetime) -> Lists:
    waiting = questions.for_account(session, account, calendar, at)
    before = questions.lately_answered(session, account.id)
    waiting_lines, answered = ([line_of(session, one, account.id, at) for one in found] for found in (waiting, before))
    return Lists(waiting_lines, answered)


async def _values(request: Request, visitor: Visitor) -> dict[str, Any]:
    house = services(request)
    now = house.clock()
    return {"lists": await house.database.run(_lists, visitor.account, house.facts.calendar, now), "now": now}


@routes.get("/questions")
async def page(request: Request, visitor: Answers) -> Response:
    return pages_of(request).show(request, "questions/page.html", **await _values(request, visitor))


@routes.get("/questions/list")
async def part(request: Request, visitor: Answers) -> Response:
    return pages_of(request).part(request, "questions/list.html", **await _values(request, visitor))


@routes.get("/questions/alarm")
async def alarm(request: Request, visitor: Answers) -> Response:
    """On every page: how many questions wait for the visitor, and whether one is late."""
    house = services(request)
    now = house.clock()
    waiting = await house.database.run(questions.for_account, visitor.account, house.facts.calendar, now)
    late = any(one.standing(now) == "overdue" for one in waiting)
    return pages_of(request).part(request, "questions/alarm.html", waiting=waiting, late=late)


@routes.post("/questions/{question_id}/answer")
async def answer(request: Request, visitor: Answers, question_id: UUID, text: Annotated[str, Form()]) -> Response:
    house = services(request)
    now = house.clock()
    mine = await house.database.run(questions.for_account, visitor.account, house.facts.calendar, now)
    if question_id not in {one.id for one in mine}:
        found = await house.database.run(_is_open, question_id)
        if found:
            await denied(request, visitor, "questions.answer", f"question:{question_id}")
            raise Refusal(403, "This question is not for your account.")
        raise Refusal(409, "Somebody else has answered it, or it was withdrawn.")
    try:
        done = await house.database.run(questions.answer, question_id, text, visitor.account_id, now)
    except ValueError as wrong:
        raise Refusal(422, str(wrong)) from None
    if not done:
        raise Refusal(409, "Somebody else has answered it, or it was withdrawn.")
    return pages_of(request).part(request, "questions/list.html", **await _values(request, visitor))


def _is_open(session: Session, question_id: UUID) -> bool:
    found = session.get(Question, question_id)
    return found is not None and found.state == "open"
