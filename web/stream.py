"""The live stream's address, and who may be told of what."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from hospital.database import Database
from hospital.screen_pops import ScreenPop
from web.doors import Door, Visitor, services, visitor_of
from web.live import Audience, stream
from web.notices import Notice

# kind of notice → the right of those who may know that it happened. `screen_pop` and `presence` are told to one
# account only; a kind that is not here is told to nobody.
TOLD_BY_RIGHT = {
    "call": "calls.take",
    "callback": "callbacks.work",
    "task": "followups.work",
    "recording": "recordings.own",
    "audit": "audit.read",
}


class Audiences:
    """`await audiences(notice)`: give it to the Hub."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, notice: Notice) -> Audience:
        if notice.kind == "presence":
            return Audience(_account(notice.id))
        if notice.kind == "screen_pop":
            return Audience(await self._database.run(_ringing_agent, notice.id))
        return Audience(right=TOLD_BY_RIGHT.get(notice.kind))


def _account(ident: str) -> frozenset[UUID]:
    try:
        return frozenset({UUID(ident)})
    except ValueError:
        return frozenset()


def _ringing_agent(session: Session, ident: str) -> frozenset[UUID]:
    """The one account that a screen-pop belongs to (I9)."""
    pops = [session.get(ScreenPop, pop_id) for pop_id in _account(ident)]
    return frozenset(pop.account_id for pop in pops if pop is not None)


def router() -> APIRouter:
    routes = APIRouter()

    @routes.get("/live")
    async def live(
        request: Request, visitor: Annotated[Visitor, Depends(Door(None))], after: str = ""
    ) -> StreamingResponse:
        house = services(request)
        seen = request.headers.get("last-event-id", after)[:64]

        async def still_signed_in() -> bool:
            return await visitor_of(request) is not None

        return StreamingResponse(
            stream(house.live, visitor, seen, still_signed_in),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return routes
