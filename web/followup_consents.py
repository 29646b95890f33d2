"""What the patient, or who is called for them, may be contacted for: noted on the form, at once in force."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from hospital import consents
from hospital.calling_rules import where_reached
from hospital.database import announce
from hospital.patients import Patient
from web.doors import services
from web.followup_list import WorksFollowUps, own_task
from web.refusals import Refusal

routes = APIRouter()


@routes.post("/followups/{task_id}/consents/{person_id}/{purpose}")
async def consent(
    request: Request,
    visitor: WorksFollowUps,
    task_id: UUID,
    person_id: UUID,
    purpose: str,
    on: Annotated[str, Form(max_length=2)] = "",
    about: Annotated[str, Form(max_length=7)] = "",
) -> Response:
    """`on`: wanted. `person_id`: the patient's, or that of whom we reach for them; with `about` "patient": about this
    patient only."""
    shown = await own_task(request, visitor, task_id)
    house = services(request)
    patient_id, at, by = shown.patient.id, house.clock(), visitor.account_id

    def apply(session: Session) -> None:
        reached = where_reached(session, session.get_one(Patient, patient_id), at).person
        if person_id not in (patient_id, reached.id) or purpose not in consents.PURPOSES:
            raise Refusal(404, "There is nothing like that to be noted here.")
        announce(session, "task", task_id)
        if about == "patient":
            consents.tell(session, patient_id, person_id, purpose, on == "on", at, by=by)
        else:
            consents.set_consent(session, person_id, purpose, on == "on", at, by=by)

    await house.database.run(apply)
    return Response(status_code=204)
