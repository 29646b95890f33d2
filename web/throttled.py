"""Numbers that call too often, and how often they were turned away: for who must find out whether it is an attack, a
broken dialler, or a house with one line that should be exempt."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from hospital import throttling
from web.doors import Door, Visitor, pages_of, services

Reads = Annotated[Visitor, Depends(Door("throttle.read"))]

routes = APIRouter()


@routes.get("/throttled")
async def part(request: Request, visitor: Reads) -> Response:
    house = services(request)
    now = house.clock()
    numbers = await house.database.run(throttling.turned_away, now)
    return pages_of(request).part(request, "opening/throttled.html", numbers=numbers, now=now)
