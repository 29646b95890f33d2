"""One FastAGI connection: executes commands one after the other and says when the caller has left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from ivr import agi
from ivr.call import CallerLeft

MAY_FAIL = ("STREAM FILE", "EXEC")  # of these -1 need not mean that the caller left


class AsteriskSilent(Exception):
    """A reply did not come in the time that its command may take. The connection was dropped."""

    def __init__(self, verb: str, waited_s: float) -> None:
        super().__init__(f"Asterisk did not answer {verb} within {waited_s:.0f} s: is it alive? See its log")


class CommandRefused(Exception):
    """510 or 520: Asterisk does not know the command or its arguments. A mistake of ours."""

    def __init__(self, verb: str, code: int) -> None:
        super().__init__(f"Asterisk answered {code} to {verb}: see 'agi show commands topic {verb}'")


class AgiSession(asyncio.Protocol):
    """What a conversation has of its call. Not for several tasks at once.

    `environment` is what Asterisk told, without the two variables that hold the secret; `query` is what followed
    `?` in the address.
    """

    def __init__(self, on_connect: Callable[[AgiSession], None]) -> None:
        self.environment: Mapping[str, str] = {}
        self.query: Mapping[str, str] = {}
        self._on_connect = on_connect
        self._wire = agi.Wire()
        self._loop = asyncio.get_running_loop()
        self._greeting: asyncio.Future[agi.Environment] = self._loop.create_future()
        self._reply: asyncio.Future[agi.Reply] | None = None
        self._left = False
        self._command: agi.Command | None = None
        self._deadline = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None

    @property
    def id(self) -> str:
        """The channel's UNIQUEID; empty before the greeting."""
        return self.environment.get("agi_uniqueid", "")

    async def greeting(self) -> agi.Environment:
        """The environment as it came, secret included. Raises `CallerLeft`, `agi.ProtocolError`."""
        return await self._greeting

    async def execute(self, command: agi.Command) -> agi.Reply:
        """Raises `CallerLeft` (also for a result of -1 and for 511), `AsteriskSilent`, `CommandRefused`,
        `agi.ProtocolError`. STREAM FILE and EXEC may return -1: they say so of a file or a server that is not
        there, too."""
        while self._reply is not None:  # whoever sent it was cancelled; a second command would abort it
            await asyncio.wait([self._reply])
        if self._left or self._transport is None:
            raise CallerLeft
        waiting: asyncio.Future[agi.Reply] = self._loop.create_future()
        self._reply = waiting
        self._transport.write(self._wire.sending(command))
        self._watch(command)
        reply = await waiting
        if reply.dead or (reply.result == "-1" and command.verb not in MAY_FAIL):
            self._left = True
            raise CallerLeft
        if reply.code != 200:
            raise CommandRefused(command.verb, reply.code)
        return reply

    def close(self) -> None:
        """Ends the script: Asterisk goes on with the dialplan. What was sent is still delivered."""
        if self._transport is not None:
            self._transport.close()

    def drop(self) -> None:
        """Ends the connection at once, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - create_server gives no other kind
        self._transport = transport
        self._on_connect(self)

    def data_received(self, data: bytes) -> None:
        try:
            events = self._wire.feed(data)
        except agi.ProtocolError as error:
            self._end(error)
            self.drop()
            return
        for event in events:
            match event:
                case agi.Reply():
                    self._answer(event)
                case agi.Hangup():
                    self._left = True
                case agi.Environment():
                    if not self._greeting.done():
                        self._greeting.set_result(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(CallerLeft())

    def _answer(self, reply: agi.Reply) -> None:
        waiting, self._reply = self._reply, None
        if waiting is not None and not waiting.done():
            waiting.set_result(reply)

    def _watch(self, command: agi.Command) -> None:
        """One timer a connection, set anew only for a command that must be answered before it would ring."""
        self._command, self._deadline = command, self._loop.time() + command.may_take_s
        if self._alarm is None or self._alarm.when() > self._deadline:
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm = self._loop.call_at(self._deadline, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        if self._reply is None or self._command is None:
            return
        if self._loop.time() < self._deadline:
            self._alarm = self._loop.call_at(self._deadline, self._ring)
            return
        self._end(AsteriskSilent(self._command.verb, self._command.may_take_s))
        self.drop()

    def _end(self, why: Exception) -> None:
        self._left = True
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        waiting, self._reply = self._reply, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(why)
        if not self._greeting.done():
            self._greeting.set_exception(why)
            self._greeting.exception()  # nobody may be waiting for it: that is no mistake to be told of
