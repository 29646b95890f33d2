"""Classes, lectures, free clinics: how many places are left."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from hospital import booking
from web.doors import Door, Visitor, pages_of, services

Reads = Annotated[Visitor, Depends(Door("patients.read"))]

routes = APIRouter()


@routes.get("/groups")
async def page(request: Request, visitor: Reads) -> Response:
    house = services(request)
    groups = await house.database.run(booking.groups, house.clock())
    return pages_of(request).show(request, "groups/page.html", groups=groups, now=house.clock())


@routes.get("/groups/list")
async def part(request: Request, visitor: Reads) -> Response:
    house = services(request)
    groups = await house.database.run(booking.groups, house.clock())
    return pages_of(request).part(request, "groups/list.html", groups=groups, now=house.clock())
