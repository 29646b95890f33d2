"""Two records of one patient become one, by a supervisor: what it does is said before, and it is for good."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from sqlalchemy.orm import Session

from hospital import audit, merging, patient_search
from hospital.merging import Foretold
from hospital.patients import Patient
from web import words
from web.doors import Door, Visitor, pages_of, services
from web.refusals import Refusal

Merges = Annotated[Visitor, Depends(Door("patients.merge"))]
Said = Annotated[str, Form(max_length=200)]

routes = APIRouter()


@dataclass(frozen=True)
class Both:
    duplicate: Patient
    survivor: Patient
    foretold: Foretold


@routes.get("/merge")
async def page(request: Request, visitor: Merges) -> Response:
    return pages_of(request).show(request, "merge/page.html")


@routes.post("/merge/preview")
async def preview(request: Request, visitor: Merges, survivor: Said = "", duplicate: Said = "") -> Response:
    house = services(request)

    def look(session: Session) -> Both:
        stays = _one(session, survivor, "The record that stays", house.facts.country)
        goes = _one(session, duplicate, "The duplicate", house.facts.country)
        shown = sorted({str(stays.id), str(goes.id)})
        audit.record(session, visitor.account_id, "patients.find", "patients", house.clock(), patients=shown)
        _ = [(one.numbers, one.identifiers) for one in (stays, goes)]  # read now: the template has no session
        return Both(goes, stays, merging.foretell(session, goes, stays, house.clock()))

    both = await house.database.run(look)
    return pages_of(request).part(request, "merge/foretold.html", both=both, now=house.clock())


@routes.post("/merge")
async def merge(
    request: Request, visitor: Merges, survivor: Annotated[UUID, Form()], duplicate: Annotated[UUID, Form()]
) -> Response:
    house = services(request)
    why = await house.database.run(merging.merge, duplicate, survivor, visitor.account_id, house.clock())
    if why is not None:
        raise Refusal(409, words.say(words.NOT_MERGED, why))
    return pages_of(request).part(request, "merge/done.html")


def _one(session: Session, said: str, which: str, country: str | None) -> Patient:
    """Exactly one patient. Raises Refusal."""
    found = patient_search.find(session, said, None, country or "ZZ")
    if not found:
        raise Refusal(422, f"{which} was not found. Say its record number.")
    if len(found) > 1:
        raise Refusal(422, f"{which} could be one of several. Say its record number.")
    return found[0]
