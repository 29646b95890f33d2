"""A visit is booked, moved or cancelled from the agent's card, while the caller talks.

Nothing before two identifiers are ticked, as nothing of the record is shown before; and nothing on another's card (I9).
Each is audited with its card. The text message goes as after any booking."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from hospital import audit
from hospital.database import announce
from web import agent, booking_panel
from web.agent import TakesCalls
from web.agent_card import Card
from web.booking_panel import Booker, instant, part
from web.doors import Visitor, pages_of, services
from web.refusals import Refusal

Code = Annotated[str, Form(max_length=80)]
Instead = Annotated[UUID | None, Form()]

routes = APIRouter()


async def _opened(request: Request, visitor: Visitor, pop_id: UUID) -> tuple[Card, UUID]:
    """The card and its patient, whose appointments may be spoken of now."""
    card = await agent.card(request, visitor, pop_id)
    if card.patient is None or not card.opened or card.pop.state == "ringing":
        raise Refusal(409, "First answer, and tick two identifiers.")
    return card, card.patient.id


async def _booker(request: Request, visitor: Visitor, pop_id: UUID, instead: UUID | None) -> Booker:
    _, patient_id = await _opened(request, visitor, pop_id)
    given_up = None
    if instead is not None:
        booked = await booking_panel.booked_by(services(request), patient_id)
        given_up = next((one for one in booked if one.appointment_id == instead), None)
        if given_up is None:
            raise Refusal(409, booking_panel.GONE)
    holder = f"pop:{pop_id}:{visitor.account_id}"
    return Booker(f"/agent/pops/{pop_id}/booking", patient_id, holder, "agent", given_up)


@routes.get("/agent/visits")
async def visits(request: Request, visitor: agent.ReadsPatients) -> Response:
    """Beside the newest card; its key changes with the patient and with what may be shown of them."""
    card = await agent.newest(request, visitor)
    may = visitor.may("calls.take")
    if card is None or card.patient is None or not may:
        return pages_of(request).part(request, "agent/visits.html", key="none", card=None)
    opened = card.opened and card.pop.state != "ringing"
    key = f"{card.pop.id}:{card.patient.id}:{opened}"
    return pages_of(request).part(request, "agent/visits.html", key=key, card=card, opened=opened)


@routes.get("/agent/pops/{pop_id}/booked")
async def booked(request: Request, visitor: TakesCalls, pop_id: UUID) -> Response:
    card, patient_id = await _opened(request, visitor, pop_id)
    house = services(request)
    found = await booking_panel.booked_by(house, patient_id)
    return pages_of(request).part(request, "agent/booked.html", card=card, booked=found, now=house.clock())


@routes.get("/agent/pops/{pop_id}/booking")
async def free(
    request: Request,
    visitor: TakesCalls,
    pop_id: UUID,
    department: str = "",
    after: str = "",
    instead: UUID | None = None,
) -> Response:
    booker = await _booker(request, visitor, pop_id, instead)
    where = booker.instead.department_code if booker.instead is not None else department
    since = instant(after) if after else None
    return part(request, await booking_panel.panel(services(request), booker, where, since))


@routes.post("/agent/pops/{pop_id}/booking/{slot_id}/hold")
async def hold(
    request: Request,
    visitor: TakesCalls,
    pop_id: UUID,
    slot_id: UUID,
    department: Code,
    starts_at: Annotated[str, Form(max_length=40)],
    instead: Instead = None,
) -> Response:
    booker, at = await _booker(request, visitor, pop_id, instead), instant(starts_at)
    return part(request, await booking_panel.hold(services(request), booker, department, slot_id, at))


@routes.post("/agent/pops/{pop_id}/booking/{slot_id}/confirm")
async def confirm(
    request: Request, visitor: TakesCalls, pop_id: UUID, slot_id: UUID, department: Code, instead: Instead = None
) -> Response:
    booker, house = await _booker(request, visitor, pop_id, instead), services(request)
    shown = await booking_panel.confirm(house, booker, department, slot_id)
    if shown.booked is not None:
        what = "appointment.moved" if booker.instead is not None else "appointment.booked"
        await house.database.run(_note, visitor, pop_id, what, booker, shown.booked.appointment_id, house.clock())
    return part(request, shown)


@routes.post("/agent/pops/{pop_id}/visits/{appointment_id}/cancel")
async def cancel(request: Request, visitor: TakesCalls, pop_id: UUID, appointment_id: UUID) -> Response:
    """The patient does not come; the time is somebody else's."""
    booker, house = await _booker(request, visitor, pop_id, None), services(request)
    if not await booking_panel.cancel(house, booker.patient_id, appointment_id):
        raise Refusal(409, booking_panel.GONE)
    await house.database.run(_note, visitor, pop_id, "appointment.cancelled", booker, appointment_id, house.clock())
    return await booked(request, visitor, pop_id)


def _note(
    session: Session, visitor: Visitor, pop_id: UUID, what: str, booker: Booker, appointment_id: UUID, at: datetime
) -> None:
    facts = {"appointment": str(appointment_id), "pop": str(pop_id)}
    audit.record(session, visitor.account_id, what, f"patient:{booker.patient_id}", at, **facts)
    announce(session, "screen_pop", pop_id)  # the parts of the card follow
