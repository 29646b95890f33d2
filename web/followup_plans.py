"""What happened to the patient changes the plan; a clinician enrols in a plan by hand. On the form of a follow-up."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from hospital import audit, enrolling, patients, plan_changes
from hospital.calling_rules import is_a_child
from hospital.database import announce
from hospital.patients import Patient
from web import words
from web.doors import services
from web.followup_list import WorksFollowUps, own_task
from web.plans import plans
from web.refusals import Refusal

NOT_IN_THE_RECORD = "unknown"  # a stillbirth; a child who has no record here

routes = APIRouter()


@dataclass(frozen=True)
class Loss:
    """Which child a family may have lost, told on this patient's form. `own`: the patient is the child."""

    children: list[Patient]
    own: bool


def loss_of(session: Session, patient: Patient, at: datetime) -> Loss:
    if patient.guardian_id is not None and is_a_child(patient, at):
        return Loss([patient], True)
    theirs = patients.wards(session, patient.id, at)
    return Loss([one for one in theirs if one.birth_date is None or is_a_child(one, at)], False)


def _which(found: Loss, child: str) -> UUID | None:
    """The child that is meant; None: one who is not in the record."""
    if child == NOT_IN_THE_RECORD and not found.own:
        return None
    if not child and len(found.children) < 2:
        return found.children[0].id if found.children else None
    for one in found.children:
        if child == str(one.id):
            return one.id
    raise Refusal(422, "Say which child the family has lost.")


def _left(session: Session, patient_id: UUID, of: str, at: datetime) -> dict[str, str]:
    kind, _, name = of.partition(":")
    follows = plan_changes.follows(session, patient_id, at)
    if of and name not in {"plan": follows.plans, "study": follows.studies}.get(kind, []):
        raise Refusal(422, "Say what the patient wants no more of.")
    return {kind: name} if of else {}


@routes.post("/followups/{task_id}/changed")
async def changed(
    request: Request,
    visitor: WorksFollowUps,
    task_id: UUID,
    change: Annotated[str, Form()],
    child: Annotated[str, Form(max_length=40)] = "",
    ward: Annotated[str, Form(max_length=200)] = "",
    of: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """One of `plan_changes.Change`, or `ward`: to that `ward` of ours. `of`: what the patient wants no more of, as
    `plan:<id>` or `study:<name>`; '' for all. A death is confirmed by who may see every follow-up; a nurse reports
    it."""
    shown = await own_task(request, visitor, task_id)
    house = services(request)
    patient_id, at, by = shown.patient.id, house.clock(), visitor.account_id
    if change == "died" and not visitor.may("followups.all"):
        raise Refusal(403, "A supervisor confirms a death. Say it as the result of your call, and nobody is called.")

    def apply(session: Session) -> None:
        facts: dict[str, str] = {}
        match change:
            case "died":
                plan_changes.died(session, patient_id, at, by)
            case "child_lost":
                found = loss_of(session, session.get_one(Patient, patient_id), at)
                lost = _which(found, child)
                facts["child"] = str(lost) if lost else NOT_IN_THE_RECORD
                plan_changes.child_lost(session, None if found.own else patient_id, at, by, child_id=lost)
            case "readmitted":
                plan_changes.readmitted(session, patient_id, at, by)
            case "transferred":
                plan_changes.transferred(session, patient_id, None, at, by)
            case "ward":
                facts["ward"] = " ".join(ward.split())
                plan_changes.transferred(session, patient_id, ward, at, by)
            case "withdrawn":
                facts["of"] = of or "all"
                plan_changes.withdrawn(session, patient_id, at, by, **_left(session, patient_id, of, at))
            case _:
                raise Refusal(422, "Say what happened.")
        announce(session, "task", task_id)  # what is shown here may be about another's tasks
        audit.record(session, by, "plan.changed", f"patient:{patient_id}", at, change=change, **facts)

    try:
        await house.database.run(apply)
    except ValueError as wrong:
        raise Refusal(422, str(wrong)) from None
    return Response(status_code=204)  # the pages hear of it by the live stream


@routes.post("/followups/{task_id}/enrol")
async def enrol(request: Request, visitor: WorksFollowUps, task_id: UUID, plan: Annotated[str, Form()]) -> Response:
    shown = await own_task(request, visitor, task_id)
    if plan not in plans():
        raise Refusal(422, "Choose a plan.")
    house = services(request)
    patient_id, at, by = shown.patient.id, house.clock(), visitor.account_id
    site = house.facts.calendar

    try:
        _, left = await house.database.run(enrolling.enrol, plans()[plan], [patient_id], at, site, by)
    except LookupError as problem:
        raise Refusal(409, f"{problem}.") from None
    if left:
        raise Refusal(409, f"The patient {words.say(words.NOT_ENROLLED, left[patient_id])}.")
    return Response(status_code=204)
