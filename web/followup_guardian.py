"""Who is called for the patient: named, changed and ended on the form of a follow-up."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from hospital import guardians
from hospital.database import announce, storable
from hospital.guardians import RELATIONS, Told
from hospital.patients import normalise_number
from web import words
from web.doors import Visitor, services
from web.followup_list import WorksFollowUps, own_task
from web.refusals import Refusal

LONGEST_NAME = 200

routes = APIRouter()

REFUSED = {
    "themselves": "This is the patient's own record.",
    "circle": "The patient speaks for this person: they can't speak for the patient, too.",
    "died": "This person has died, or is reported to have. Name somebody else.",
    "nobody": "Nobody speaks for this patient.",
}
Said = Annotated[str, Form(max_length=40)]


async def _changed(
    request: Request, visitor: Visitor, task_id: UUID, apply: Callable[[Session, UUID], str | None]
) -> Response:
    ward_id = (await own_task(request, visitor, task_id)).patient.id

    def run(session: Session) -> None:
        why = apply(session, ward_id)
        if why is not None:
            raise Refusal(409, REFUSED[why])
        announce(session, "task", task_id)

    await services(request).database.run(run)
    return Response(status_code=204)


@routes.post("/followups/{task_id}/guardian")
async def name(
    request: Request,
    visitor: WorksFollowUps,
    task_id: UUID,
    called: Annotated[str, Form(max_length=LONGEST_NAME)],
    number: Said,
    relation: Said,
    language: Said,
    born: Said = "",
    until: Said = "",
) -> Response:
    """Somebody is called for the patient from now on, in place of whoever was."""
    at, by, shown = services(request).clock(), visitor.account_id, " ".join(storable(called).split())
    dialled = normalise_number(number, services(request).facts.country or "ZZ")
    if not shown:
        raise Refusal(422, "Say what the guardian is called.")
    if dialled is None:
        raise Refusal(
            422, "This is a number of no country: write it with + and the country's code, or as it is dialled."
        )
    if language not in words.LANGUAGES:
        raise Refusal(422, "Say in which language the guardian is called.")
    birth, today = _day(born), at.astimezone(services(request).facts.zone).date()
    if birth is not None and not date(1880, 1, 1) <= birth <= today:
        raise Refusal(422, "Nobody was born on this day. Write the day, or leave it empty.")
    told = Told(shown, dialled, language, _relation(relation), birth, _until(request, until, at))
    return await _changed(request, visitor, task_id, lambda session, ward: guardians.name(session, ward, told, by, at))


@routes.post("/followups/{task_id}/guardian/change")
async def change(
    request: Request, visitor: WorksFollowUps, task_id: UUID, relation: Said, until: Said = ""
) -> Response:
    at, by = services(request).clock(), visitor.account_id
    kind, ends = _relation(relation), _until(request, until, at)
    return await _changed(
        request, visitor, task_id, lambda session, ward: guardians.change(session, ward, kind, ends, by, at)
    )


@routes.post("/followups/{task_id}/guardian/end")
async def end(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
    at, by = services(request).clock(), visitor.account_id
    return await _changed(request, visitor, task_id, lambda session, ward: guardians.end(session, ward, by, at))


def _relation(said: str) -> str:
    if said not in RELATIONS:
        raise Refusal(422, "Say what the guardian is to the patient.")
    return said


def _day(said: str) -> date | None:
    try:
        return date.fromisoformat(said) if said else None
    except ValueError:
        raise Refusal(422, "This is no day. Write it as 2026-12-31.") from None


def _until(request: Request, said: str, at: datetime) -> datetime | None:
    """The end of the last day, where the site is."""
    last, zone = _day(said), services(request).facts.zone
    if last is None:
        return None
    if not at.astimezone(zone).date() <= last <= date(2200, 1, 1):
        raise Refusal(422, "This day has passed. End the guardian instead, or name a day to come.")
    return datetime.combine(last + timedelta(days=1), time.min, tzinfo=zone)
