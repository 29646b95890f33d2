"""What happened to the patient changes the plan; a clinician enrols in a plan by hand. On the form of a follow-up."""

from functools import cache
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from hospital import audit, enrolments, plan_changes
from hospital.plans import Calendar, Plan
from scripts.plan_files import load_plans
from scripts.questionnaire_files import load_questionnaires
from web.doors import services
from web.followup_list import WorksFollowUps, own_task
from web.refusals import Refusal

routes = APIRouter()


@cache
def plans() -> dict[str, Plan]:
    """The plans that a clinician can enrol in, by id. They are read once; a changed file counts from the next start."""
    return load_plans(load_questionnaires()[0])[0]


@routes.post("/followups/{task_id}/changed")
async def changed(request: Request, visitor: WorksFollowUps, task_id: UUID, change: Annotated[str, Form()]) -> Response:
    """One of `plan_changes.Change`. A death is confirmed by who may see every follow-up; a nurse reports it."""
    shown = await own_task(request, visitor, task_id)
    house = services(request)
    patient_id, at, by = shown.patient.id, house.clock(), visitor.account_id
    if change == "died" and not visitor.may("followups.all"):
        raise Refusal(403, "A supervisor confirms a death. Say it as the result of your call, and nobody is called.")

    def apply(session: Session) -> None:
        match change:
            case "died":
                plan_changes.died(session, patient_id, at, by)
            case "child_lost":
                plan_changes.child_lost(session, patient_id, at, by)
            case "readmitted":
                plan_changes.readmitted(session, patient_id, at, by)
            case "transferred":
                plan_changes.transferred(session, patient_id, None, at, by)
            case "withdrawn":
                plan_changes.withdrawn(session, patient_id, at, by)
            case _:
                raise Refusal(422, "Say what happened.")
        audit.record(session, by, "plan.changed", f"patient:{patient_id}", at, change=change)

    await house.database.run(apply)
    return Response(status_code=204)  # the pages hear of it by the live stream


@routes.post("/followups/{task_id}/enrol")
async def enrol(request: Request, visitor: WorksFollowUps, task_id: UUID, plan: Annotated[str, Form()]) -> Response:
    shown = await own_task(request, visitor, task_id)
    if plan not in plans():
        raise Refusal(422, "Choose a plan.")
    house = services(request)
    patient_id, at, by = shown.patient.id, house.clock(), visitor.account_id
    site = Calendar(house.facts.zone, house.facts.country)

    def apply(session: Session) -> int:
        audit.record(session, by, "plan.enrolled", f"patient:{patient_id}", at, plan=plan)
        return enrolments.enrol(session, plans()[plan], [patient_id], at, site, by).tasks

    try:
        made = await house.database.run(apply)
    except LookupError as problem:
        raise Refusal(409, f"{problem}.") from None
    if not made:
        raise Refusal(409, "The patient was enrolled in this plan today already.")
    return Response(status_code=204)
