"""Who may enter. Deny by default: a route without a door is a bug, and `create_app` refuses to start with one.

A door names the right that a route needs (`hospital.accounts.RIGHTS`). It knows the visitor by the session's cookie,
asks for the anti-forgery token on every method that changes something, and writes each refusal to somebody who is
signed in into the audit chain. (Who is not signed in is sent to sign in, and refused sign-ins are audited there: a
stranger must not be able to make the chain grow as fast as the network allows.)"""

import hmac
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

from fastapi import Request
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute

from hospital import accounts, audit
from hospital.accounts import Account
from web.pages import Pages
from web.ports import Services
from web.refusals import Refusal, SignInFirst, is_part

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def services(connection: HTTPConnection) -> Services:
    return cast(Services, connection.app.state.services)


def pages_of(connection: HTTPConnection) -> Pages:
    return cast(Pages, connection.app.state.pages)


def cookie_name(tls: bool) -> str:
    """With TLS the browser itself guards the name: no other host and no http page can set it (RFC 6265bis)."""
    return "__Host-hotline" if tls else "hotline"


@dataclass(frozen=True)
class Visitor:
    """Who is signed in on this request."""

    account: Account
    csrf: str = field(repr=False)
    token: str = field(repr=False)

    @property
    def account_id(self) -> UUID:
        return self.account.id

    def may(self, right: str) -> bool:
        return self.account.may(right)

    @property
    def initials(self) -> str:
        return "".join(word[0] for word in self.account.display_name.split()[:2]).upper() or "?"


async def visitor_of(connection: HTTPConnection, used: bool = True) -> Visitor | None:
    """The visitor behind the cookie, if the session still holds. used: as `accounts.resume` has it."""
    house = services(connection)
    token = connection.cookies.get(cookie_name(house.facts.tls), "")
    if not 20 <= len(token) <= 100:
        return None
    found = await house.database.run(accounts.resume, token, house.clock(), used)
    return Visitor(found[0], found[1], token) if found else None


class Door:
    """The dependency that guards a route: `Depends(Door("followups.work"))`; Door(None) asks for a sign-in only.

    A whole page and a change are a person's; the parts that a page fetches may be fetched by itself, and are no use of
    the session. Who only clicks among parts is told of by the page (`sessions.py`)."""

    def __init__(self, right: str | None) -> None:
        self.right = right

    async def __call__(self, request: Request) -> Visitor:
        request.state.position = services(request).live.position  # before anything is read
        visitor = await visitor_of(request, request.method not in SAFE or not is_part(request))
        if visitor is None:
            raise SignInFirst
        request.state.visitor = visitor
        if request.method not in SAFE and not await _token_fits(request, visitor):
            await denied(request, visitor, "csrf")
            raise Refusal(403, "This page is out of date. Reload it and try again.")
        if self.right is not None and not visitor.may(self.right):
            await denied(request, visitor, self.right)
            raise Refusal(403, "Your account may not see this. If you need it for your work, ask your supervisor.")
        return visitor


class Open:
    """The mark of a route that anybody may reach: the sign-in page, static files, the health check."""

    async def __call__(self) -> None:
        return None


class OpenInTheDemo:
    """The mark of the demo's pages without sign-in: there in the demo only, and for this machine only."""

    async def __call__(self, connection: HTTPConnection) -> None:
        if not may_borrow_phones(connection):
            raise Refusal(404, "There is no such page. It may have been closed or moved.")


def may_borrow_phones(connection: HTTPConnection) -> bool:
    host = connection.client.host if connection.client else ""
    return services(connection).facts.demo and (host.startswith("127.") or host == "::1")


async def _token_fits(request: Request, visitor: Visitor) -> bool:
    """The token is in a header, or in the field `csrf` of a form that was sent without a script."""
    given = request.headers.get("x-csrf-token", "")
    if not given and request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        given = str((await request.form()).get("csrf", ""))
    return hmac.compare_digest(given.encode(), visitor.csrf.encode()) and from_our_page(request)


def from_our_page(request: Request) -> bool:
    """Whether the browser says that our own page asks.

    A form of a page without referrer sends `Origin: null` (Fetch standard, §3.1): then Sec-Fetch-Site says it."""
    origin = request.headers.get("origin")
    if origin in (None, "null"):
        unsaid = "same-origin" if origin is None else "unknown"  # no browser sends neither with a POST
        return request.headers.get("sec-fetch-site", unsaid) == "same-origin"
    ours = f"{'https' if services(request).facts.tls else 'http'}://{request.headers.get('host', '')}"
    return origin is not None and origin.lower() == ours.lower()


async def denied(request: Request, visitor: Visitor, right: str, subject: str = "") -> None:
    """Write a refusal into the audit chain: the route as it is declared (or `subject`), never the address."""
    house = services(request)
    route = f"{request.method} {getattr(request.scope.get('route'), 'path', '?')}"
    await house.database.run(
        audit.record, visitor.account_id, "denied", subject or route, house.clock(), right=right, route=route
    )


def without_a_door(routes: list[BaseRoute]) -> list[str]:
    """The routes that name nobody: must be none."""
    bare = []
    for route in routes:
        dependant = getattr(route, "dependant", None)
        calls = [inner.call for inner in dependant.dependencies] if dependant is not None else []
        if not any(isinstance(call, Door | Open | OpenInTheDemo) for call in calls):
            bare.append(getattr(route, "path", str(route)))
    return bare
