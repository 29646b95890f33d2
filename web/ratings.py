"""How callers rated their talks, with what each figure is a share of."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session

from hospital import ratings
from hospital.ratings import Figures
from web.doors import Door, Visitor, pages_of, services

Reads = Annotated[Visitor, Depends(Door("ratings.read"))]
SPANS = (7, 30)  # days

routes = APIRouter()


@routes.get("/ratings")
async def page(request: Request, visitor: Reads) -> Response:
    house = services(request)

    def read(session: Session) -> list[tuple[int, list[Figures]]]:
        spans = ((days, ratings.last_days(house.clock(), days, house.facts.zone)) for days in SPANS)
        return [(days, ratings.figures(session, since, until)) for days, (since, until) in spans]

    spans = await house.database.run(read)
    return pages_of(request).show(request, "ratings/page.html", spans=spans, fewest=ratings.FEWEST)
