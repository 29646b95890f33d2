"""A visit is booked on the form of a follow-up, in the call with its patient.

Nothing is booked before name and birth date are ticked, as nothing is written down. What was booked stands above the
summary and in the decision log, and its text message goes as after any booking."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from hospital import answer_rules, audit
from hospital.booking import Booked
from web import booking_panel, followup_view
from web.booking_panel import Booker, instant, part
from web.doors import Visitor, pages_of, services
from web.followup_form import identified
from web.followup_list import WorksFollowUps, own_task

Code = Annotated[str, Form(max_length=80)]

routes = APIRouter()


async def _booker(request: Request, visitor: Visitor, task_id: UUID) -> Booker:
    shown = await identified(request, visitor, task_id)
    holder = f"followup:{task_id}:{visitor.account_id}"
    return Booker(f"/followups/{task_id}/booking", shown.task.patient_id, holder, "nurse")


@routes.get("/followups/{task_id}/booking")
async def free(
    request: Request, visitor: WorksFollowUps, task_id: UUID, department: str = "", after: str = ""
) -> Response:
    booker = await _booker(request, visitor, task_id)
    since = instant(after) if after else None
    return part(request, await booking_panel.panel(services(request), booker, department, since))


@routes.post("/followups/{task_id}/booking/{slot_id}/hold")
async def hold(
    request: Request,
    visitor: WorksFollowUps,
    task_id: UUID,
    slot_id: UUID,
    department: Code,
    starts_at: Annotated[str, Form(max_length=40)],
) -> Response:
    booker, at = await _booker(request, visitor, task_id), instant(starts_at)
    return part(request, await booking_panel.hold(services(request), booker, department, slot_id, at))


@routes.post("/followups/{task_id}/booking/{slot_id}/confirm")
async def confirm(
    request: Request, visitor: WorksFollowUps, task_id: UUID, slot_id: UUID, department: Code
) -> Response:
    booker, house = await _booker(request, visitor, task_id), services(request)
    shown = await booking_panel.confirm(house, booker, department, slot_id)
    if shown.booked is not None:
        await house.database.run(_note, task_id, shown.booked, visitor.account_id, house.clock())
    return part(request, shown)


@routes.get("/followups/{task_id}/booked")
async def booked(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
    await own_task(request, visitor, task_id)
    found = await services(request).database.run(followup_view.booked, task_id)
    return pages_of(request).part(request, "followups/booked.html", booked=found, now=services(request).clock())


def _note(session: Session, task_id: UUID, booked: Booked, account_id: UUID, at: datetime) -> None:
    answer_rules.booked(session, task_id, booked, at)
    facts = {"appointment": str(booked.appointment_id)}
    audit.record(session, account_id, "appointment.booked", f"task:{task_id}", at, **facts)
