"""The telephone numbers of a patient, and of the guardian who is called for them, on the form of a follow-up."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from sqlalchemy.orm import Session

from hospital import patient_numbers, patients
from hospital.database import announce
from hospital.patient_numbers import OWNERS, Told
from hospital.patients import Patient, PhoneNumber, normalise_number
from web import words
from web.doors import pages_of, services
from web.followup_list import WorksFollowUps, own_task
from web.looks import looked
from web.refusals import Refusal

routes = APIRouter()

REFUSED = {
    "there_already": "This number stands there already.",
    "too_many": f"At most {patient_numbers.MOST} numbers are kept.",
    "not_theirs": "This number is not the patient's.",
}


Said = Annotated[str, Form(max_length=40)]


async def _person(request: Request, visitor: WorksFollowUps, task_id: UUID, whose: Said = "") -> UUID:
    """The patient of the task, or the guardian."""
    patient = (await own_task(request, visitor, task_id)).patient
    if whose == "guardian":
        if patient.guardian_id is None:
            raise Refusal(404, "This patient has no guardian.")
        house, who = services(request), f"patient:{patient.guardian_id}"
        await house.database.run(looked, visitor.account_id, "record.read", who, house.clock())
        return patient.guardian_id
    return patient.id


async def _told(
    request: Request, number: Said, owner: Said = "self", language: Said = "", safe: Said = "", wrong: Said = ""
) -> Told:
    raw = normalise_number(number, services(request).facts.country or "ZZ")
    if raw is None:
        raise Refusal(
            422, "This is a number of no country: write it with + and the country's code, or as it is dialled."
        )
    if owner not in OWNERS or (language and language not in words.LANGUAGES):
        raise Refusal(422, "Say whose number it is, and in which language it is answered.")
    return Told(raw, owner, language or None, safe == "on", wrong == "on")


async def _changed(
    request: Request, task_id: UUID, person_id: UUID, whose: str, apply: Callable[[Session], str | None]
) -> Response:
    """The numbers as they are now."""

    def run(session: Session) -> Patient:
        why = apply(session)
        if why is not None:
            raise Refusal(404 if why == "not_theirs" else 409, REFUSED[why])
        announce(session, "task", task_id)
        session.flush()
        session.expire_all()
        person = session.get_one(Patient, person_id)
        _ = person.numbers  # read now: the template has no session
        return person

    person = await services(request).database.run(run)
    return pages_of(request).part(request, "followups/numbers.html", person=person, whose=whose, task_id=task_id)


Person = Annotated[UUID, Depends(_person)]
Number = Annotated[Told, Depends(_told)]


@routes.post("/followups/{task_id}/numbers")
async def add(
    request: Request, visitor: WorksFollowUps, task_id: UUID, person: Person, told: Number, whose: Said = ""
) -> Response:
    at = services(request).clock()

    def apply(session: Session) -> str | None:
        return patient_numbers.add(session, person, told, visitor.account_id, at)

    return await _changed(request, task_id, person, whose, apply)


@routes.post("/followups/{task_id}/numbers/{number_id}")
async def change(
    request: Request,
    visitor: WorksFollowUps,
    task_id: UUID,
    number_id: UUID,
    person: Person,
    told: Number,
    whose: Said = "",
) -> Response:
    at = services(request).clock()

    def apply(session: Session) -> str | None:
        return patient_numbers.change(session, person, number_id, told, visitor.account_id, at)

    return await _changed(request, task_id, person, whose, apply)


@routes.post("/followups/{task_id}/numbers/{number_id}/first")
async def first(
    request: Request, visitor: WorksFollowUps, task_id: UUID, number_id: UUID, person: Person, whose: Said = ""
) -> Response:
    at = services(request).clock()

    def apply(session: Session) -> str | None:
        moved = patient_numbers.first(session, person, number_id, visitor.account_id, at)
        return None if moved else "not_theirs"

    return await _changed(request, task_id, person, whose, apply)


@routes.post("/followups/{task_id}/numbers/{number_id}/messages")
async def messages(
    request: Request,
    visitor: WorksFollowUps,
    task_id: UUID,
    number_id: UUID,
    on: Annotated[str, Form(max_length=2)] = "",
) -> Response:
    """Whether a message may be left on the machine of this number."""
    patient = (await own_task(request, visitor, task_id)).patient
    at, by = services(request).clock(), visitor.account_id

    def apply(session: Session) -> bool:
        number, person = session.get(PhoneNumber, number_id), session.get_one(Patient, patient.id)
        if number is None or number.patient_id not in (person.id, person.guardian_id):
            return False
        announce(session, "task", task_id)
        return patients.tell_messages(session, number.patient_id, number_id, on == "on", by, at)

    if not await services(request).database.run(apply):
        raise Refusal(404, REFUSED["not_theirs"])
    return Response(status_code=204)
