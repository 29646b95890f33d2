"""What a patient has said of a number, on the form of a follow-up: whether a message may be left on its machine."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from hospital import patients
from hospital.database import announce
from web.doors import services
from web.followup_list import WorksFollowUps, own_task
from web.refusals import Refusal

routes = APIRouter()


@routes.post("/followups/{task_id}/numbers/{number_id}/messages")
async def messages(
    request: Request,
    visitor: WorksFollowUps,
    task_id: UUID,
    number_id: UUID,
    on: Annotated[str, Form(max_length=2)] = "",
) -> Response:
    shown = await own_task(request, visitor, task_id)
    house = services(request)
    patient_id, at, by = shown.patient.id, house.clock(), visitor.account_id

    def apply(session: Session) -> bool:
        announce(session, "task", task_id)
        return patients.tell_messages(session, patient_id, number_id, on == "on", by, at)

    if not await house.database.run(apply):
        raise Refusal(404, "This number is not the patient's.")
    return Response(status_code=204)
