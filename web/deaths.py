"""Reported deaths: what a nurse was told on the telephone, confirmed or taken back by a clinician.

Until then nobody calls the patient; afterwards nobody ever does and all that was planned is stopped, or everything goes
on. Both are audited."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from sqlalchemy.orm import Session

from hospital import audit, patients, plan_changes
from hospital.patients import Patient
from web.doors import Door, Visitor, pages_of, services
from web.looks import looked
from web.refusals import Refusal

Settles = Annotated[Visitor, Depends(Door("deaths.settle"))]

routes = APIRouter()


async def _shown(request: Request, visitor: Visitor, template: str, whole: bool) -> Response:
    house = services(request)

    def read(session: Session) -> list[Patient]:
        found = patients.reported_deaths(session)
        if found:
            shown = sorted(str(one.id) for one in found)
            looked(session, visitor.account_id, "deaths.list", "deaths", house.clock(), patients=shown)
        return found

    reported = await house.database.run(read)
    pages = pages_of(request)
    show = pages.show if whole else pages.part
    return show(request, template, reported=reported, now=house.clock())


@routes.get("/deaths")
async def page(request: Request, visitor: Settles) -> Response:
    return await _shown(request, visitor, "deaths/page.html", whole=True)


@routes.post("/deaths/{patient_id}")
async def settle(request: Request, visitor: Settles, patient_id: UUID, died: Annotated[str, Form()]) -> Response:
    """died: yes, or no where it was a mistake."""
    if died not in ("yes", "no"):
        raise Refusal(422, "Say whether the patient has died.")
    house = services(request)

    def write(session: Session) -> bool:
        if not plan_changes.settle_death(session, patient_id, died == "yes", house.clock(), visitor.account_id):
            return False
        action = "death.confirmed" if died == "yes" else "death.taken_back"
        audit.record(session, visitor.account_id, action, f"patient:{patient_id}", house.clock())
        return True

    if not await house.database.run(write):
        raise Refusal(409, "Somebody else has settled this report already.")
    return await _shown(request, visitor, "deaths/list.html", whole=False)
