"""The browser phone's WebSocket on the console's own origin, passed on to Asterisk's.

So a browser needs one address, one certificate and no second permission; and only who is signed in reaches the
SIP port at all (the demo's patients too, on loopback). What is passed is SIP text (RFC 7118), unread."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import websockets
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from websockets.asyncio.client import ClientConnection
from websockets.typing import Subprotocol

SUBPROTOCOL = "sip"
_LARGEST = 65_536  # bytes; an INVITE with many ICE candidates has about 4,000
_RECHECK = 30.0  # seconds between two looks whether the session still holds

_POLICY_VIOLATION, _TOO_BIG, _TRY_AGAIN = 1008, 1009, 1013  # RFC 6455 §7.4.1 and IANA's registry

log = logging.getLogger(__name__)


def same_origin(socket: WebSocket, tls: bool) -> bool:
    """Whether the page that opens the socket is the console's own (RFC 6455 §10.2)."""
    host = socket.headers.get("host", "")
    return socket.headers.get("origin", "").lower() == f"{'https' if tls else 'http'}://{host}".lower()


async def carry(socket: WebSocket, target: str, still_welcome: Callable[[], Awaitable[bool]]) -> None:
    """Joins an accepted-to-be browser socket with Asterisk at `target` until either side leaves.

    still_welcome: asked twice a minute; when it says no, the phone is cut off."""
    if SUBPROTOCOL not in socket.scope.get("subprotocols", []):
        return await socket.close(_POLICY_VIOLATION)
    try:
        asterisk = await websockets.connect(
            target, subprotocols=[Subprotocol(SUBPROTOCOL)], max_size=_LARGEST, open_timeout=5, proxy=None
        )
    except (OSError, TimeoutError, websockets.WebSocketException) as error:
        log.warning("browser phone: Asterisk's WebSocket does not answer (%s)", type(error).__name__)
        await socket.accept(SUBPROTOCOL)
        return await socket.close(_TRY_AGAIN, "the telephone system is starting")
    async with asterisk:
        await socket.accept(SUBPROTOCOL)
        tasks = [
            asyncio.create_task(_to_asterisk(socket, asterisk)),
            asyncio.create_task(_to_browser(asterisk, socket)),
            asyncio.create_task(_watch(still_welcome)),
        ]
        _, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if socket.application_state is WebSocketState.CONNECTED and socket.client_state is WebSocketState.CONNECTED:
        await socket.close(_TRY_AGAIN)


async def _to_asterisk(socket: WebSocket, asterisk: ClientConnection) -> None:
    while True:
        try:
            text = await socket.receive_text()
        except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame, which SIP over WebSocket here never is
            return
        if len(text) > _LARGEST:
            return await socket.close(_TOO_BIG)
        try:
            await asterisk.send(text)
        except websockets.ConnectionClosed:
            return


async def _to_browser(asterisk: ClientConnection, socket: WebSocket) -> None:
    async for message in asterisk:
        await socket.send_text(message if isinstance(message, str) else message.decode("utf-8", "replace"))


async def _watch(still_welcome: Callable[[], Awaitable[bool]]) -> None:
    while True:
        await asyncio.sleep(_RECHECK)
        if not await still_welcome():
            return
