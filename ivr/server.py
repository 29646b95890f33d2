"""The FastAGI server: one connection is one call, one task.

Rules:
- FastAGI has no authentication, so the first part of the address is a secret, new at each start. Who lacks it, says
  nothing, leaves or floods is dropped within `GREETING_S`; the others never notice.
- The first command says that we took the call (`HL_DONE` = started), the last one that the conversation came to its
  end (`HL_DONE` = 1). AGISTATUS lies: whatever happens in between, the dialplan sees `started` and keeps the caller.
- Asterisk waits for us for ever, so we never wait for ever: every command knows how long its reply may take.
- A hang-up is `CallerLeft`, logged once. What else a conversation raises is logged as kind and place: an exception's
  text may hold a name.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qsl

from ivr import agi
from ivr.call import CallerLeft
from ivr.session import AgiSession, AsteriskSilent, CommandRefused

log = logging.getLogger(__name__)

GREETING_S = 4.0  # to say who calls and why, with the secret

Handler = Callable[[AgiSession, str], Awaitable[None]]
"""Holds one conversation. The text is the address without the secret: `inbound`, `callback`."""


class NotAsterisk(Exception):
    """A client that is not to be served. The text says why in our words, nothing of its own."""


class AgiServer:
    """Listens on one address; `async with` it, or `start` and `stop`."""

    def __init__(self, handler: Handler, secret: str, host: str, port: int, *, greeting_s: float = GREETING_S) -> None:
        self._handler = handler
        self._secret = secret.encode()
        self._host, self._port = host, port
        self._greeting_s = greeting_s
        self._calls: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def calls(self) -> int:
        """Connections being served now."""
        return len(self._calls)

    async def start(self) -> None:
        """Raises `OSError` if the address is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: AgiSession(self._connected), self._host, self._port, backlog=1024
        )

    async def stop(self, grace_s: float = 0.0) -> None:
        """Takes no further call, lets those under way end within `grace_s`, then drops them: the dialplan, which
        sees HL_DONE = started, apologises and queues."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._calls and grace_s > 0:
            log.info("waiting up to %.0f s for %d calls to end", grace_s, self.calls)
            await asyncio.wait(self._calls, timeout=grace_s)
        for call in self._calls:
            call.cancel()
        if self._calls:
            await asyncio.wait(self._calls)

    async def __aenter__(self) -> AgiServer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _connected(self, session: AgiSession) -> None:
        call = asyncio.get_running_loop().create_task(self._serve(session))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _serve(self, session: AgiSession) -> None:
        try:
            async with asyncio.timeout(self._greeting_s):
                path = await self._greet(session)
        except (TimeoutError, NotAsterisk, CallerLeft, agi.ProtocolError, AsteriskSilent, CommandRefused) as error:
            log.warning("dropped a client: %s", _why(error))
            session.drop()
            return
        try:
            await self._hold(session, path)
        finally:
            session.close()

    async def _greet(self, session: AgiSession) -> str:
        """Reads who calls, checks the secret, tells the dialplan that we took the call. Returns the path."""
        environment = dict((await session.greeting()).variables)
        environment.pop("agi_request", None)  # it holds the secret, too
        address, _, query = environment.pop("agi_network_script", "").partition("?")
        secret, _, path = address.partition("/")
        if not hmac.compare_digest(secret.encode(), self._secret):
            raise NotAsterisk("it lacks the secret")
        session.environment = environment
        session.query = dict(parse_qsl(query))
        await session.execute(agi.set_variable("HL_DONE", "started"))
        # The dialplan takes back a caller whose ivr connects and stays silent; this one has spoken.
        await session.execute(agi.command("SET AUTOHANGUP", 0))
        return path

    async def _hold(self, session: AgiSession, path: str) -> None:
        log.info("call %s: %s begins", session.id, path)
        try:
            await self._handler(session, path)
            await session.execute(agi.set_variable("HL_DONE", "1"))
        except CallerLeft:
            log.info("call %s: the caller left", session.id)
        except asyncio.CancelledError:
            log.warning("call %s: cut off by our stop; the dialplan keeps the caller", session.id)
            raise
        except Exception as error:
            log.error("call %s: %s failed; the dialplan keeps the caller: %s", session.id, path, _where(error))
        else:
            log.info("call %s: %s ended", session.id, path)


def _why(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "it said nothing of use in time"
        case CallerLeft():
            return "it left"
        case _:
            return str(error)  # NotAsterisk, ProtocolError …: their texts are ours and hold nothing of the client's


def _where(error: BaseException) -> str:
    """Kind and places, never the text: that may hold a patient's name."""
    places = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
    told = f"{type(error).__name__} at {' < '.join(reversed(places))}"
    return f"{told}, because of {_where(error.__cause__)}" if error.__cause__ is not None else told
