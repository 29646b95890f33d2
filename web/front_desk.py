"""The front desk: today's appointments, who has arrived, is called in, was seen or did not come; and who walks in.

The list is a look that is written down, as is whoever was looked for. What a step may follow `hospital/arrivals.py`
says; of two who press at one moment one is told. Who walks in takes a free time over the same desk as every caller
(`booking_panel`), and has arrived with it where it is today's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from sqlalchemy.orm import Session

from hospital import arrivals, audit, patient_search, suspensions
from hospital.arrivals import Visit
from hospital.patients import Patient
from hospital.slots import Department
from web import booking_panel
from web.booking_panel import Booker, instant, part
from web.doors import Door, Visitor, pages_of, services
from web.looks import looked
from web.ports import Services
from web.refusals import Refusal

AtTheDesk = Annotated[Visitor, Depends(Door("desk.work"))]
Code = Annotated[str, Form(max_length=80)]
OTHERWISE = "It stands otherwise now: somebody was faster, or it is too early to say so. Look at the list."

routes = APIRouter()


@dataclass(frozen=True)
class Clinic:
    """A doctor's day, and whose turn is next."""

    visits: Sequence[Visit]
    next: UUID | None

    @property
    def first(self) -> Visit:
        return self.visits[0]

    def count(self, *standings: str) -> int:
        return sum(one.standing in standings for one in self.visits)


def clinics(visits: Sequence[Visit]) -> list[Clinic]:
    """`visits` are sorted by doctor."""
    found = []
    for _, those in groupby(visits, key=lambda one: one.doctor_id):
        theirs = list(those)
        line = sorted((one.turn, one.appointment_id) for one in theirs if one.turn is not None)
        found.append(Clinic(theirs, line[0][1] if line else None))
    return found


def _day(session: Session, house: Services, visitor: Visitor, code: str) -> tuple[list[Clinic], list[Department]]:
    at, zone = house.clock(), house.facts.zone
    visits = arrivals.today(session, at, zone)
    departments = list({one.department.id: one.department for one in visits}.values())
    shown = [one for one in visits if code in ("", one.department.code)]
    if shown:
        who = sorted({str(one.patient.id) for one in shown})
        looked(session, visitor.account_id, "desk.read", f"desk:{at.astimezone(zone).date()}", at, patients=who)
    return clinics(shown), departments


async def _list(request: Request, visitor: Visitor, code: str, template: str = "desk/list.html") -> Response:
    house = services(request)
    found, departments = await house.database.run(_day, house, visitor, code)
    pages = pages_of(request)
    show: Callable[..., Response] = pages.show if template.endswith("page.html") else pages.part
    values: dict[str, Any] = {"clinics": found, "departments": departments, "code": code, "now": house.clock()}
    return show(request, template, **values)


@routes.get("/desk")
async def page(request: Request, visitor: AtTheDesk, department: str = "") -> Response:
    return await _list(request, visitor, department, "desk/page.html")


@routes.get("/desk/list")
async def list_part(request: Request, visitor: AtTheDesk, department: str = "") -> Response:
    return await _list(request, visitor, department)


@routes.post("/desk/visits/{appointment_id}/{step}")
async def take_step(
    request: Request,
    visitor: AtTheDesk,
    appointment_id: UUID,
    step: str,
    shown: Code = "",
    department: Code = "",
) -> Response:
    """`shown`: how it stood on the page, for a step back."""
    house = services(request)
    by, at, zone = visitor.account_id, house.clock(), house.facts.zone

    def take(session: Session) -> bool:
        match step:
            case "arrived":
                return arrivals.arrive(session, appointment_id, by, at, zone) is not None
            case "called":
                return arrivals.call_in(session, appointment_id, by, at)
            case "seen":
                return arrivals.seen(session, appointment_id, by, at)
            case "missed":
                return arrivals.did_not_come(session, appointment_id, by, at)
            case "undone":
                return arrivals.undo(session, appointment_id, shown, by, at, zone)
        raise Refusal(404, "There is no such step.")

    if not await house.database.run(take):
        raise Refusal(409, OTHERWISE)
    return await _list(request, visitor, department)


@routes.post("/desk/find")
async def find(request: Request, visitor: AtTheDesk, said: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Whoever stands at the desk, with what they have today."""
    if not said.strip():
        raise Refusal(422, "Say who it is: a record number, a telephone number, or the whole name.")
    house = services(request)
    at, zone = house.clock(), house.facts.zone

    def look(session: Session) -> tuple[list[Patient], list[Visit]]:
        found = patient_search.find(session, said, None, house.facts.country or "ZZ")
        shown = sorted(str(one.id) for one in found)
        audit.record(session, visitor.account_id, "patients.find", "patients", at, patients=shown)
        return found, arrivals.today(session, at, zone, patient_ids=[one.id for one in found])

    found, visits = await house.database.run(look)
    more = len(found) > patient_search.MOST
    return pages_of(request).part(
        request, "desk/found.html", found=found[: patient_search.MOST], more=more, visits=visits, now=at
    )


@routes.post("/desk/told/{appointment_id}")
async def told(request: Request, visitor: AtTheDesk, appointment_id: UUID) -> Response:
    """That their clinic is suspended: nobody calls them about it any more."""
    house = services(request)

    def tell(session: Session) -> None:
        suspensions.told(session, appointment_id, house.clock())
        suspensions.acknowledged(session, appointment_id, house.clock())

    await house.database.run(tell)
    return pages_of(request).part(request, "desk/told.html")


# ── Who walks in ────────────────────────────────────────────────────────────────────────────────────────────────────


async def _booker(request: Request, visitor: Visitor, patient_id: UUID) -> Booker:
    def alive(session: Session) -> bool:
        one = session.get(Patient, patient_id)
        return one is not None and one.merged_into is None and one.deceased_at is None

    if not await services(request).database.run(alive):
        raise Refusal(409, "This record is not to be booked for. Look for the patient again.")
    return Booker(f"/desk/walk-in/{patient_id}", patient_id, f"desk:{visitor.account_id}:{patient_id}", "desk")


@routes.get("/desk/walk-in/{patient_id}")
async def walk_in(
    request: Request, visitor: AtTheDesk, patient_id: UUID, department: str = "", after: str = ""
) -> Response:
    booker, since = await _booker(request, visitor, patient_id), instant(after) if after else None
    return part(request, await booking_panel.panel(services(request), booker, department, since))


@routes.post("/desk/walk-in/{patient_id}/{slot_id}/hold")
async def hold(
    request: Request,
    visitor: AtTheDesk,
    patient_id: UUID,
    slot_id: UUID,
    department: Code,
    starts_at: Annotated[str, Form(max_length=40)],
) -> Response:
    booker, at = await _booker(request, visitor, patient_id), instant(starts_at)
    return part(request, await booking_panel.hold(services(request), booker, department, slot_id, at))


@routes.post("/desk/walk-in/{patient_id}/{slot_id}/confirm")
async def confirm(request: Request, visitor: AtTheDesk, patient_id: UUID, slot_id: UUID, department: Code) -> Response:
    """Booked; a time of today is an arrival, too."""
    booker, house = await _booker(request, visitor, patient_id), services(request)
    made = await booking_panel.confirm(house, booker, department, slot_id)
    if made.booked is None:
        return part(request, made)
    ticket = await house.database.run(_registered, visitor, patient_id, made.booked.appointment_id, house)
    return part(request, made if ticket is None else replace(made, told=f"Arrived, with number {ticket}."))


def _registered(
    session: Session, visitor: Visitor, patient_id: UUID, appointment_id: UUID, house: Services
) -> int | None:
    at: datetime = house.clock()
    ticket = arrivals.arrive(session, appointment_id, visitor.account_id, at, house.facts.zone)
    by, facts = visitor.account_id, {"appointment": str(appointment_id)}
    audit.record(session, by, "visit.booked", f"patient:{patient_id}", at, **facts)
    return ticket
