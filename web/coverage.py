"""Coverage of follow-up: of what was due, what became of it, by ward, language, plan or channel; and who picks up, by
the number of ours that was shown."""

from typing import Annotated, get_args

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session

from hospital import coverage
from hospital.coverage import By, Coverage, bar, total
from hospital.ratings import last_days
from hospital.reach import Reach, reach
from web import words
from web.doors import Door, Visitor, pages_of, services

Reads = Annotated[Visitor, Depends(Door("coverage.read"))]
SPANS = (7, 30, 90)  # days
WIDTH = 480.0  # of the longest bar
WAYS: tuple[By, ...] = get_args(By)

routes = APIRouter()


def _place(group: Coverage) -> int:
    """Of a channel, as they are told elsewhere: the nurse's first."""
    return list(words.CHANNELS).index(group.group)


@routes.get("/coverage")
async def page(request: Request, visitor: Reads, by: str = "ward", days: int = 30) -> Response:
    house = services(request)
    sorted_by: By = next((way for way in WAYS if way == by), "ward")
    days = days if days in SPANS else 30

    def read(session: Session) -> tuple[list[Coverage], Coverage, list[Reach]]:
        at = house.clock()
        since, until = last_days(at, days, house.facts.zone)
        groups = coverage.coverage(session, since, until, sorted_by, at)
        once = groups if sorted_by != "channel" else coverage.coverage(session, since, until, "ward", at)
        return sorted(groups, key=_place) if sorted_by == "channel" else groups, total(once), reach(session, at)

    groups, whole, reached = await house.database.run(read)
    most = max((group.due for group in groups), default=1)
    return pages_of(request).show(
        request,
        "coverage/page.html",
        by=sorted_by,
        ways=WAYS,
        days=days,
        spans=SPANS,
        groups=groups,
        whole=whole,
        bars=[(group, bar(group, most, WIDTH)) for group in groups],
        width=WIDTH,
        parts=[part for part in coverage.PARTS if part != "elsewhere" or sorted_by == "channel"],
        reached=reached,
    )
