"""The switch in the bar: taking calls, pausing, done with the write-up."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from web.doors import Door, Visitor, pages_of, services
from web.refusals import Refusal

TakesCalls = Annotated[Visitor, Depends(Door("calls.take"))]

routes = APIRouter()


@routes.get("/presence")
async def shown(request: Request, visitor: TakesCalls) -> Response:
    state = await services(request).presence.of(visitor.account_id)
    return pages_of(request).part(request, "presence.html", state=state)


@routes.post("/presence/{wish}")
async def wished(request: Request, visitor: TakesCalls, wish: str) -> Response:
    presence = services(request).presence
    match wish:
        case "available":
            why_not = await presence.become_available(visitor.account_id)
        case "away":
            why_not = await presence.become_away(visitor.account_id)
        case _:
            raise Refusal(404, "There is no such state.")
    if why_not is not None:
        raise Refusal(409, why_not)
    return await shown(request, visitor)
