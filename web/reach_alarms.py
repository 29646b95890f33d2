"""The reach of a number of ours has fallen: on every page of who runs campaigns until one of them looks into it, and
above the campaigns, with the figures, until it has risen again."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from hospital import reach_watch
from hospital.reach_watch import Shown
from web.doors import Door, Visitor, pages_of, services
from web.refusals import Refusal

RunsCampaigns = Annotated[Visitor, Depends(Door("campaigns.run"))]

routes = APIRouter()


async def listed(request: Request) -> list[Shown]:
    return await services(request).database.run(reach_watch.standing)


@routes.get("/campaigns/alarm")
async def alarm(request: Request, visitor: RunsCampaigns) -> Response:
    """In the bar: what nobody has looked into."""
    found = [one for one in await listed(request) if one.alarm.acknowledged_at is None]
    return pages_of(request).part(request, "campaigns/alarm.html", alarms=found)


@routes.get("/campaigns/reach")
async def reach(request: Request, visitor: RunsCampaigns) -> Response:
    found, now = await listed(request), services(request).clock()
    return pages_of(request).part(request, "campaigns/reach.html", alarms=found, now=now)


@routes.post("/campaigns/reach/{alarm_id}/acknowledge")
async def acknowledge(request: Request, visitor: RunsCampaigns, alarm_id: UUID) -> Response:
    house = services(request)
    if not await house.database.run(reach_watch.acknowledge, alarm_id, visitor.account_id, house.clock()):
        raise Refusal(409, "Somebody looks into it already, or it is over.")
    return Response(status_code=204)  # the pages hear of it by the live stream
