"""Callbacks: who asked to be called, or gave up waiting. Each has one owner at a time; what an owner leaves lying is
taken over."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from sqlalchemy.orm import Session

from hospital import callbacks
from hospital.accounts import Account
from hospital.callbacks import Callback
from hospital.patients import Patient
from web import words
from web.doors import Door, Visitor, pages_of, services
from web.looks import looked
from web.refusals import Refusal

Works = Annotated[Visitor, Depends(Door(callbacks.WORKS))]
SUPERVISES = "followups.all"


@dataclass(frozen=True)
class Line:
    callback: Callback
    patient: Patient | None
    owner: Account | None
    mine: bool

    @property
    def left_at(self) -> datetime | None:
        """When anybody may take it over from its owner."""
        since = self.callback.owned_at
        return since + callbacks.LEFT if self.owner is not None and since is not None else None


def _lines(session: Session, account_id: UUID, at: datetime) -> list[Line]:
    """Mine first, then the oldest; each name that is shown is a look."""
    found = []
    for callback in callbacks.still_open(session):
        patient = session.get(Patient, callback.patient_id) if callback.patient_id else None
        owner = session.get(Account, callback.owner_id) if callback.owner_id else None
        if patient is not None:
            looked(session, account_id, "callback.read", f"patient:{patient.id}", at)
        found.append(Line(callback, patient, owner, callback.owner_id == account_id))
    return sorted(found, key=lambda line: not line.mine)


routes = APIRouter()


async def shown(request: Request, visitor: Visitor) -> Response:
    house = services(request)
    now = house.clock()
    lines = await house.database.run(_lines, visitor.account_id, now)
    return pages_of(request).part(request, "agent/callbacks.html", lines=lines, now=now)


@routes.get("/callbacks")
async def part(request: Request, visitor: Works) -> Response:
    return await shown(request, visitor)


@routes.post("/callbacks/{callback_id}/own")
async def own(request: Request, visitor: Works, callback_id: UUID) -> Response:
    house = services(request)
    if not await house.database.run(callbacks.own, callback_id, visitor.account_id, house.clock()):
        raise Refusal(409, "Somebody else has taken it, or it is done.")
    return await shown(request, visitor)


@routes.post("/callbacks/{callback_id}/take-over")
async def take_over(request: Request, visitor: Works, callback_id: UUID, owner: Annotated[UUID, Form()]) -> Response:
    """From this owner, who has left it lying; who supervises does so at any time."""
    house, supervises = services(request), visitor.may(SUPERVISES)

    def write(session: Session) -> bool:
        return callbacks.take_over(
            session, callback_id, visitor.account_id, owner, house.clock(), supervises=supervises
        )

    if not await house.database.run(write):
        raise Refusal(409, "Its owner has had it for a short time only, or has it no more. Look at the list again.")
    return await shown(request, visitor)


@routes.post("/callbacks/{callback_id}/give-back")
async def give_back(request: Request, visitor: Works, callback_id: UUID) -> Response:
    if not await services(request).database.run(callbacks.give_back, callback_id, visitor.account_id):
        raise Refusal(409, "It is not yours any more.")
    return await shown(request, visitor)


@routes.post("/callbacks/{callback_id}/done")
async def done(request: Request, visitor: Works, callback_id: UUID, outcome: Annotated[str, Form()]) -> Response:
    if outcome not in words.CALLBACK_OUTCOMES:
        raise Refusal(422, "Say how the callback ended.")
    house = services(request)
    if not await house.database.run(callbacks.finish, callback_id, visitor.account_id, outcome, house.clock()):
        raise Refusal(409, "It is not yours any more.")
    return await shown(request, visitor)
