"""Signing in and out."""

import re
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from hospital import accounts, stints
from hospital.accounts import LONGEST, Refused, SignedIn, Throttled
from web.doors import Door, Open, Visitor, cookie_name, from_our_page, pages_of, services, visitor_of
from web.refusals import Refusal

_OURS = re.compile(r"/[A-Za-z0-9._~/-]*")


def back_to(wanted: str) -> str:
    """Where to go after the sign-in: a path of ours, never another site's address."""
    return wanted if _OURS.fullmatch(wanted) and not wanted.startswith("//") else "/"


def told_to_wait(until: datetime, now: datetime) -> str:
    minutes = max(1, round((until - now).total_seconds() / 60))
    return f"Too many tries. Wait {minutes} minute{'s' if minutes > 1 else ''}, then try again."


routes = APIRouter()


def _form(request: Request, wanted: str, *, status: int = 200, username: str = "", wrong: str = "") -> Response:
    values = {"wanted": wanted, "username": username, "wrong": wrong}
    page = pages_of(request).show(request, "sign_in.html", status=status, **values)
    # a form of a page without referrer sends no origin, by which we know our own page
    page.headers["Referrer-Policy"] = "same-origin"
    return page


@routes.get("/sign-in", dependencies=[Depends(Open())])
async def form(request: Request, next: str = "/") -> Response:
    if await visitor_of(request) is not None:
        return RedirectResponse(back_to(next), 303)
    return _form(request, back_to(next))


@routes.post("/sign-in", dependencies=[Depends(Open())])
async def sign_in(
    request: Request,
    username: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
    next: Annotated[str, Form(max_length=500)] = "/",
) -> Response:
    if not from_our_page(request):
        raise Refusal(403, "This page is out of date. Reload it and try again.")
    house = services(request)
    now = house.clock()
    name = username.strip().lower().replace("\0", "")
    client = request.client.host if request.client else ""
    answer = await house.database.run(accounts.sign_in, name, password, now, client)
    match answer:
        case SignedIn():
            return _welcome(answer, back_to(next), house.facts.tls)
        case Throttled():
            status, wrong = 429, told_to_wait(answer.until, now)
        case Refused():
            status, wrong = 401, "The name or the password is not right."
    return _form(request, back_to(next), status=status, username=name[:64], wrong=wrong)


@routes.post("/sign-out")
async def sign_out(request: Request, visitor: Annotated[Visitor, Depends(Door(None))]) -> Response:
    house = services(request)
    await house.presence.become_away(visitor.account_id)
    await house.database.run(stints.pause, visitor.account_id, True)  # a talk goes on, and no call follows it
    if house.stints is not None:
        await house.stints.leave(visitor.account_id)
    await house.database.run(accounts.sign_out, visitor.token, house.clock())
    answer = Response(status_code=204, headers={"HX-Redirect": "/sign-in"})
    tls = house.facts.tls
    # as it was set: a browser takes no __Host- cookie without Secure, not even an empty one (RFC 6265bis)
    answer.delete_cookie(cookie_name(tls), path="/", secure=tls, httponly=True, samesite="strict")
    return answer


def _welcome(signed_in: SignedIn, wanted: str, tls: bool) -> Response:
    answer = RedirectResponse(wanted, 303)
    answer.set_cookie(
        cookie_name(tls),
        signed_in.token,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        secure=tls,
        httponly=True,
        samesite="strict",
    )
    return answer
