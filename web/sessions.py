"""Whether one is still signed in, asked by an open page.

A session ends an hour after its last use (`accounts.IDLE`). A page that stands there fetches its parts all day, which
is no use of it; a hand on the mouse or the keyboard is, and so is waiting for calls. Where the session has ended, the
page covers itself and keeps what is typed until the same person has signed in again."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse

from web.doors import Door, Visitor

SignedIn = Annotated[Visitor, Depends(Door(None))]

routes = APIRouter()


@routes.get("/session")
async def whose(visitor: SignedIn) -> Response:
    """`{"account": id, "csrf": token}`: a page that was made before this sign-in goes on with its token."""
    told = {"account": str(visitor.account_id), "csrf": visitor.csrf}
    return JSONResponse(told, headers={"Cache-Control": "no-store"})


@routes.post("/session")
async def used(visitor: SignedIn) -> Response:
    """Somebody is there. The door has written it down."""
    return Response(status_code=204)
