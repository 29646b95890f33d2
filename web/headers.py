"""What every answer of the console says to the browser, in one place.

No inline script or style anywhere, nothing from another origin, no framing, no referrer (a page's address holds
ids), nothing kept in a cache but what has its content's hash in its address."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HASHED = "public, max-age=31536000, immutable"

_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
}


def policy(host: str, tls: bool) -> str:
    """The Content-Security-Policy of a page served to `host`.

    Some browsers do not count a WebSocket of the same host as 'self', so it is named."""
    socket = f"{'wss' if tls else 'ws'}://{host}"
    return (
        "default-src 'self'; "
        f"connect-src 'self' {socket}; "
        "media-src 'self'; img-src 'self'; style-src 'self'; script-src 'self'; font-src 'self'; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


class Headers:
    """ASGI middleware: refuses a Host that is not ours (DNS rebinding) and puts the headers on every answer."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str], tls: bool) -> None:
        self._app, self._hosts, self._tls = app, hosts, tls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        host = next((v.decode("latin-1").lower() for k, v in scope["headers"] if k == b"host"), "")
        if host not in self._hosts:
            return await self._not_ours(scope, send)
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _FIXED.items():
                    headers[name] = value
                headers["Content-Security-Policy"] = policy(host, self._tls)
                headers.setdefault("Referrer-Policy", "no-referrer")
                headers.setdefault("Cache-Control", "no-store")
                if self._tls:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        await self._app(scope, receive, with_headers)

    async def _not_ours(self, scope: Scope, send: Send) -> None:
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        body = b"This address is not the console's. Use the one that the hotline printed.\n"
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 421, "headers": headers})
        await send({"type": "http.response.body", "body": body})
