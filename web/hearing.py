"""Whether callers may answer by voice, in which languages, and what to do where they may not."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from hospital import hearing
from web.doors import Door, Visitor, pages_of, services

Reads = Annotated[Visitor, Depends(Door("opening.switch"))]

routes = APIRouter()


@routes.get("/hearing")
async def part(request: Request, visitor: Reads) -> Response:
    house = services(request)
    nodes = await house.database.run(hearing.of_all)
    languages = house.facts.languages
    return pages_of(request).part(request, "opening/hearing.html", nodes=nodes, languages=languages, now=house.clock())
