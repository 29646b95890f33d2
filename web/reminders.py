"""Reminders that repeat: of a medicine, a check-up, a revisit. Begun and stopped here, or stopped by telephone."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import reminders, vault
from hospital.booking import Department
from hospital.patients import Patient, PatientIdentifier
from hospital.reminders import RecurringReminder
from web import words
from web.doors import Door, Visitor, pages_of, services
from web.looks import looked
from web.refusals import Refusal

Reminds = Annotated[Visitor, Depends(Door("followups.work"))]

routes = APIRouter()


@dataclass(frozen=True)
class Line:
    reminder: RecurringReminder
    patient: Patient
    department: str
    last: UUID | None  # its newest contact


def _lines(session: Session, account_id: UUID, at: datetime) -> list[Line]:
    """The next one first; each name that is shown is a look."""
    found = []
    for one in reminders.running(session, at):
        looked(session, account_id, "reminder.read", f"patient:{one.patient_id}", at)
        where = session.get(Department, one.department_id) if one.department_id else None
        patient, leads = session.get_one(Patient, one.patient_id), where.name("en") if where else "a nurse"
        found.append(Line(one, patient, leads, reminders.newest_contact(session, one.id)))
    return found


def _departments(session: Session) -> list[tuple[str, str]]:
    rows = session.scalars(select(Department).where(Department.kind == "clinic").order_by(Department.position))
    return [(one.code, one.name("en")) for one in rows]


async def _shown(request: Request, visitor: Visitor, template: str) -> Response:
    house = services(request)
    now = house.clock()
    values: dict[str, Any] = {"lines": await house.database.run(_lines, visitor.account_id, now), "now": now}
    if template.endswith("list.html"):
        return pages_of(request).part(request, template, **values)
    values |= {"fewest": reminders.fewest_days(house.policy), "a_week": house.policy.cap_a_week}
    values |= {"abouts": words.REMINDER_ABOUT, "departments": await house.database.run(_departments)}
    return pages_of(request).show(request, template, **values)


@routes.get("/reminders")
async def page(request: Request, visitor: Reminds) -> Response:
    return await _shown(request, visitor, "reminders/page.html")


@routes.get("/reminders/list")
async def list_part(request: Request, visitor: Reminds) -> Response:
    return await _shown(request, visitor, "reminders/list.html")


@routes.post("/reminders/begin")
async def begin(
    request: Request,
    visitor: Reminds,
    record: Annotated[str, Form()],
    about: Annotated[str, Form()],
    every: Annotated[int, Form()],
    first: Annotated[date, Form()],
    last: Annotated[date, Form()],
    department: Annotated[str, Form()] = "",
) -> Response:
    """From the morning of the first day to the end of the last; the calling hours hold as well."""
    house = services(request)
    zone = house.facts.zone
    span = {
        "first_at": datetime.combine(first, time(9), tzinfo=zone),
        "until": datetime.combine(last, time.min, tzinfo=zone) + timedelta(days=1),
    }

    fewest = reminders.fewest_days(house.policy)
    if 1 <= every < fewest:
        told = f"The cap allows {house.policy.cap_a_week} contacts in seven days, reminders included"
        raise Refusal(422, f"{told}: let it repeat every {fewest} days or less often.")

    def write(session: Session) -> None:
        patient_id = session.scalar(
            select(PatientIdentifier.patient_id).where(
                PatientIdentifier.kind == "record", PatientIdentifier.token == vault.token("record", record.strip())
            )
        )
        if patient_id is None:
            raise Refusal(422, "There is no patient with this record number.")
        where = session.scalar(select(Department.id).where(Department.code == department)) if department else None
        if (where is None) != (about == "medication"):
            raise Refusal(422, "A check-up or a revisit has a department, a medicine has none.")
        try:
            reminders.begin(
                session,
                patient_id=patient_id,
                about=about,
                department_id=where,
                every_days=every,
                account_id=visitor.account_id,
                at=house.clock(),
                **span,
            )
        except ValueError:
            raise Refusal(422, "It repeats every 1 to 366 days, and ends after its first day.") from None

    await house.database.run(write)
    return await _shown(request, visitor, "reminders/list.html")


@routes.post("/reminders/{reminder_id}/stop")
async def stop(request: Request, visitor: Reminds, reminder_id: UUID) -> Response:
    house = services(request)
    if not await house.database.run(reminders.stop, reminder_id, house.clock(), by=visitor.account_id):
        raise Refusal(409, "It has stopped already.")
    return await _shown(request, visitor, "reminders/list.html")
