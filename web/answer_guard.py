"""What stands before the pages that anybody on the network may ask for: whose address it is, how often, how much.

Rules: nothing is kept in a browser or told to another site, nothing is run there, and no search engine is to list it.
A body is read whole, small and in time, before anything looks at it. Limits hold for each address and for all of them
together, in memory: these pages stay a small part of what the house has to do.
"""

import asyncio
import ipaddress
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hospital.throttling import Allowance, decide

OF_ONE = Allowance(240, timedelta(minutes=1))  # a carrier shows many telephones as one address
OF_ALL = Allowance(3000, timedelta(minutes=1))
ADDRESSES = 20_000  # that are remembered
LARGEST = 64 * 1024  # bytes: 4000 letters of any writing, as a form sends them
PATIENCE = 10.0  # seconds for a body to come

_FIXED = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(), camera=(), geolocation=(), payment=(), usb=()",
}

Refuse = Callable[[Scope, int], Awaitable[Response]]
"""(request, status 408, 413, 421, 429) → what its reader is told."""


class Rates:
    """How often each address and all together have asked lately."""

    def __init__(self, of_one: Allowance = OF_ONE, of_all: Allowance = OF_ALL) -> None:
        self._of_one, self._of_all = of_one, of_all
        self._spent: OrderedDict[str, datetime] = OrderedDict()
        self._all: datetime | None = None

    def admits(self, client: str, at: datetime) -> bool:
        client = _network(client)
        one = decide(self._spent.get(client, at), at, self._of_one)
        every = decide(self._all or at, at, self._of_all)
        if not one.allowed or not every.allowed:
            return False
        self._all = every.spent_until
        self._spent[client] = one.spent_until
        self._spent.move_to_end(client)
        if len(self._spent) > ADDRESSES:
            self._spent.popitem(last=False)
        return True


def _network(client: str) -> str:
    """An IPv6 host has as many addresses as it likes in its /64."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return ""
    if address.version == 4:
        return client
    return str(ipaddress.ip_network((address, 64), strict=False))


class Guard:
    """ASGI middleware. `hosts`: the Host headers that are answered."""

    def __init__(
        self,
        app: ASGIApp,
        hosts: frozenset[str],
        tls: bool,
        clock: Callable[[], datetime],
        rates: Rates,
        refuse: Refuse,
    ) -> None:
        self._app, self._hosts, self._tls = app, hosts, tls
        self._clock, self._rates, self._refuse = clock, rates, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _FIXED.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
                if self._tls:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        status, body = await self._admitted(scope, receive)
        if status:
            response = await self._refuse(scope, status)
            return await response(scope, receive, with_headers)
        given = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def again() -> Message:
            return next(given, None) or await receive()

        await self._app(scope, again, with_headers)

    async def _admitted(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        """The status of a refusal, 0 for none, and the body."""
        host = next((value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"), "")
        if host not in self._hosts:
            return 421, b""
        if not self._rates.admits(scope["client"][0] if scope.get("client") else "", self._clock()):
            return 429, b""
        body = b""
        try:
            async with asyncio.timeout(PATIENCE):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return 408, b""
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(body) > LARGEST:
                        return 413, b""
        except TimeoutError:
            return 408, b""
        return 0, body
