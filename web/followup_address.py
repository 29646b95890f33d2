"""Where letters go, on the form of a follow-up: to the patient, or to the guardian who is written to for them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from hospital import patients
from hospital.calling_rules import where_reached
from hospital.database import announce
from hospital.patients import ADDRESS_LENGTH, Patient
from web.doors import services
from web.followup_list import WorksFollowUps, own_task

routes = APIRouter()


@routes.post("/followups/{task_id}/address")
async def address(
    request: Request,
    visitor: WorksFollowUps,
    task_id: UUID,
    address: Annotated[str, Form(max_length=ADDRESS_LENGTH)] = "",
    on: Annotated[str, Form(max_length=2)] = "",
) -> Response:
    """The lines of the envelope, and whether letters may be sent there."""
    shown = await own_task(request, visitor, task_id)
    house = services(request)
    patient_id, at, by = shown.patient.id, house.clock(), visitor.account_id

    def apply(session: Session) -> None:
        person = where_reached(session, session.get_one(Patient, patient_id), at).person
        patients.tell_address(session, person.id, address, on == "on", by, at)
        announce(session, "task", task_id)

    await house.database.run(apply)
    return Response(status_code=204)
