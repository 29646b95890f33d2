"""The agent's page: the card of the call that rings or is talked, and the callbacks.

The card is made of parts with addresses of their own, so that each follows what concerns it (a notice `screen_pop` or
`call`) and a note that is being typed is left alone. Another agent's card is refused, and the try is audited (I9)."""

import asyncio
import logging
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response

from hospital import return_calls, screen_pops
from hospital.booking import Booked
from hospital.patients import Patient
from web import agent_card
from web.agent_card import Card
from web.doors import Door, Visitor, denied, pages_of, services
from web.followup_list import WorksFollowUps
from web.ports import Services
from web.refusals import Refusal

log = logging.getLogger(__name__)

TakesCalls = Annotated[Visitor, Depends(Door("calls.take"))]
ReadsPatients = Annotated[Visitor, Depends(Door("patients.read"))]
DESK_PATIENCE = 2.0  # seconds; whoever owns the slots must not hold up the card
LONGEST_NOTE = 4000


async def _not_yours(request: Request, visitor: Visitor, pop_id: UUID) -> Refusal:
    if await services(request).database.run(agent_card.was_theirs, pop_id, visitor.account_id):
        # a page that asks once more for what rang out a moment ago: nothing to hold against anybody
        return Refusal(410, "This call is not on your page any more.")
    await denied(request, visitor, "own", f"screen_pop:{pop_id}")
    return Refusal(403, "This call is not yours.")


async def _booked(house: Services, patient: Patient | None) -> list[Booked] | None:
    """What the patient has booked; None where the desk does not answer."""
    if patient is None:
        return []
    try:
        async with asyncio.timeout(DESK_PATIENCE):
            return await house.desk.appointments(patient.id, house.clock())
    except Exception as error:
        # any desk may be behind this Protocol, and the caller is on the line: the card comes without it
        log.warning("the booking desk did not answer (%s)", type(error).__name__)
        return None


routes = APIRouter()


async def card(request: Request, visitor: Visitor, pop_id: UUID) -> Card:
    house = services(request)
    found = await house.database.run(agent_card.card, pop_id, visitor.account_id, house.clock())
    if found is None:
        raise await _not_yours(request, visitor, pop_id)
    return found


async def newest(request: Request, visitor: Visitor) -> Card | None:
    """The card that is on this agent's page now."""
    house = services(request)
    pop_id = await house.database.run(agent_card.newest, visitor.account_id, house.clock())
    return await card(request, visitor, pop_id) if pop_id is not None else None


async def who(request: Request, visitor: Visitor, pop_id: UUID) -> Response:
    shown = await card(request, visitor, pop_id)
    booked = await _booked(services(request), shown.patient)
    return pages_of(request).part(request, "agent/who.html", card=shown, booked=booked, now=services(request).clock())


@routes.get("/agent")
async def page(request: Request, visitor: ReadsPatients) -> Response:
    return pages_of(request).show(request, "agent/page.html")


@routes.get("/agent/pop")
async def pop(request: Request, visitor: ReadsPatients) -> Response:
    """The newest card, whole. Its key is the pop's id: while it stays, its parts follow by themselves."""
    shown = await newest(request, visitor)
    if shown is None:
        return pages_of(request).part(request, "agent/no_call.html", key="none")
    booked = await _booked(services(request), shown.patient)
    now = services(request).clock()
    return pages_of(request).part(request, "agent/card.html", key=str(shown.pop.id), card=shown, booked=booked, now=now)


@routes.get("/agent/pops/{pop_id}/who")
async def who_part(request: Request, visitor: ReadsPatients, pop_id: UUID) -> Response:
    return await who(request, visitor, pop_id)


@routes.get("/agent/pops/{pop_id}/journey")
async def journey(request: Request, visitor: ReadsPatients, pop_id: UUID) -> Response:
    house = services(request)
    steps = await house.database.run(agent_card.journey, pop_id, visitor.account_id, house.clock())
    if steps is None:
        raise await _not_yours(request, visitor, pop_id)
    return pages_of(request).part(request, "agent/journey.html", steps=steps)


@routes.get("/agent/pops/{pop_id}/record")
async def record(request: Request, visitor: ReadsPatients, pop_id: UUID) -> Response:
    house = services(request)
    shown = await card(request, visitor, pop_id)
    found = await house.database.run(agent_card.record, pop_id, visitor.account_id, house.clock())
    history, notes = (found.history, found.notes) if found is not None else (None, [])
    return pages_of(request).part(request, "agent/record.html", card=shown, history=history, notes=notes)


@routes.post("/agent/pops/{pop_id}/patient")
async def choose(request: Request, visitor: ReadsPatients, pop_id: UUID, patient: Annotated[UUID, Form()]) -> Response:
    await card(request, visitor, pop_id)
    if not await services(request).database.run(screen_pops.choose_patient, pop_id, visitor.account_id, patient):
        raise Refusal(422, "This number is not that patient's.")
    return await who(request, visitor, pop_id)


@routes.post("/agent/pops/{pop_id}/ticks/{identifier}")
async def tick(
    request: Request, visitor: ReadsPatients, pop_id: UUID, identifier: str, on: Annotated[str, Form()] = ""
) -> Response:
    shown = await card(request, visitor, pop_id)
    if identifier not in {code for code, _ in shown.identifiers}:
        raise Refusal(422, "The record has nothing to compare this with.")
    await services(request).database.run(screen_pops.tick, pop_id, visitor.account_id, identifier, on == "on")
    return await who(request, visitor, pop_id)


@routes.post("/followups/returned/{pop_id}")
async def take_up(request: Request, visitor: WorksFollowUps, pop_id: UUID) -> Response:
    """The caller returns our call: the nurse goes to the follow-up's form, and works on it in this call."""
    await card(request, visitor, pop_id)
    house = services(request)
    task_id = await house.database.run(return_calls.take_up, pop_id, visitor.account_id, house.clock())
    if task_id is None:
        raise Refusal(409, "It can't be taken up: the call is over, or the follow-up is being worked on or done.")
    return Response(status_code=204, headers={"HX-Location": f"/followups/{task_id}"})


@routes.post("/agent/pops/{pop_id}/note")
async def note(
    request: Request, visitor: TakesCalls, pop_id: UUID, note: Annotated[str, Form(max_length=2 * LONGEST_NOTE)] = ""
) -> Response:
    house = services(request)
    text = note.replace("\r\n", "\n")
    if len(text) > LONGEST_NOTE:
        raise Refusal(422, f"A note has at most {LONGEST_NOTE} characters.")
    if not await house.database.run(agent_card.save_note, pop_id, visitor.account_id, text, house.clock()):
        raise await _not_yours(request, visitor, pop_id)
    return Response(status_code=204)
