"""The live stream's address. Who may be told of what is in `audiences.py`."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from web.doors import Door, Visitor, services, visitor_of
from web.live import stream

routes = APIRouter()


@routes.get("/live")
async def live(
    request: Request, visitor: Annotated[Visitor, Depends(Door(None))], after: str = ""
) -> StreamingResponse:
    house = services(request)
    seen = request.headers.get("last-event-id", after)[:64]

    return StreamingResponse(
        stream(house.live, visitor, seen, partial(visitor_of, request, used=False)),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
