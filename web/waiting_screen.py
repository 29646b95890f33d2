"""The screen of a waiting room: which number is called at whose door, and which are next. Nothing of a patient.

It is signed in like any page, by an account of the role `screen` that sees nothing else. It says no word of any
language beside the department's names: numbers are read by everybody."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session

from hospital import waiting_rooms
from hospital.slots import Department, departments
from hospital.waiting_rooms import Counter
from web.doors import Door, Visitor, pages_of, services
from web.refusals import Refusal

Watches = Annotated[Visitor, Depends(Door("screen.show"))]

routes = APIRouter()


def _departments(session: Session) -> list[Department]:
    return [*departments(session), *departments(session, "examination")]


@routes.get("/screen")
async def choose(request: Request, visitor: Watches) -> Response:
    found = await services(request).database.run(_departments)
    return pages_of(request).show(request, "screen/choose.html", departments=found)


async def _counters(request: Request, code: str) -> list[Counter]:
    house = services(request)
    tickets = await house.database.run(waiting_rooms.tickets, code, house.clock(), house.facts.zone)
    return waiting_rooms.counters(tickets)


@routes.get("/screen/{code}")
async def screen(request: Request, visitor: Watches, code: str) -> Response:
    found = await services(request).database.run(_departments)
    department = next((one for one in found if one.code == code), None)
    if department is None:
        raise Refusal(404, "There is no such department.")
    languages = services(request).facts.languages
    names = list(dict.fromkeys(department.name(tag) for tag in languages))
    counters = await _counters(request, code)
    return pages_of(request).show(request, "screen/page.html", department=department, names=names, counters=counters)


@routes.get("/screen/{code}/list")
async def part(request: Request, visitor: Watches, code: str) -> Response:
    return pages_of(request).part(request, "screen/list.html", counters=await _counters(request, code))
