"""Coverage of follow-up: of what was due, what became of it, by ward, language or plan; and who picks up, by the number
of ours that was shown."""

from typing import Annotated, get_args

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session

from hospital import coverage
from hospital.coverage import By, Coverage, bar, total
from hospital.ratings import last_days
from hospital.reach import Reach, reach
from web.doors import Door, Visitor, pages_of, services

Reads = Annotated[Visitor, Depends(Door("coverage.read"))]
SPANS = (7, 30, 90)  # days
WIDTH = 480.0  # of the longest bar

routes = APIRouter()


@routes.get("/coverage")
async def page(request: Request, visitor: Reads, by: str = "ward", days: int = 30) -> Response:
    house = services(request)
    sorted_by: By = "language" if by == "language" else "plan" if by == "plan" else "ward"
    days = days if days in SPANS else 30

    def read(session: Session) -> tuple[list[Coverage], list[Reach]]:
        at = house.clock()
        since, until = last_days(at, days, house.facts.zone)
        return coverage.coverage(session, since, until, sorted_by, at), reach(session, at)

    groups, reached = await house.database.run(read)
    most = max((group.due for group in groups), default=1)
    return pages_of(request).show(
        request,
        "coverage/page.html",
        by=sorted_by,
        ways=get_args(By),
        days=days,
        spans=SPANS,
        groups=groups,
        whole=total(groups),
        bars=[(group, bar(group, most, WIDTH)) for group in groups],
        width=WIDTH,
        parts=coverage.PARTS,
        reached=reached,
    )
