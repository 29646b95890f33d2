"""The start: each role is taken to the page it works on."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from web.doors import Door, Open, Visitor, pages_of

# the first page whose right the account has
FIRST = (
    ("followups.work", "/followups"),
    ("calls.take", "/agent"),
    ("recordings.own", "/recordings"),
    ("audit.read", "/audit"),
    ("prompts.record", "/prompts"),
    ("questions.answer", "/questions"),
    ("screen.show", "/screen"),
)

routes = APIRouter()


@routes.get("/")
async def home(request: Request, visitor: Annotated[Visitor, Depends(Door(None))]) -> Response:
    for right, page in FIRST:
        if visitor.may(right):
            return RedirectResponse(page, 303)
    return pages_of(request).show(request, "no_role.html")


@routes.get("/health", dependencies=[Depends(Open())])
async def health() -> PlainTextResponse:
    return PlainTextResponse("ok\n")
