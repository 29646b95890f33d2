"""A scripted manager interface, for what a healthy Asterisk will not do on demand: fall silent, cut a letter in two,
refuse a list, send a hundred thousand events at once, close the line with an order in flight.

It speaks as the protocol's documentation and captures of Asterisk 22 do: a banner, messages that end with an empty
line, responses with the action's ActionID, FullyBooted after the login."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from tests.late import in_time

Headers = dict[str, str]
BANNER = b"Asterisk Call Manager/11.0.0\r\n"


def message(*lines: str) -> bytes:
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def event(name: str, **fields: str | int) -> bytes:
    return message(f"Event: {name}", "Privilege: call,all", *(f"{key}: {value}" for key, value in fields.items()))


class AmiPeer:
    """`received` is every action of every connection, in order. `answers` maps an action's name to a coroutine that
    is called instead of the plain `Response: Success`."""

    def __init__(self) -> None:
        self.address, self.port = "127.0.0.1", 0
        self.received: list[Headers] = []
        self.raw = b""
        self.connections = 0
        self.connected_at: list[float] = []
        self.silent = False
        self.answers: dict[str, Callable[[Headers], Awaitable[None]]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._server: asyncio.Server | None = None
        self._changed = asyncio.Condition()
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "AmiPeer":
        self._server = await asyncio.start_server(self._accept, self.address, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for serving in self._serving:
            serving.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def names(self) -> list[str]:
        """Names of the actions received, without the pings."""
        return [action["Action"] for action in self.received if action["Action"] != "Ping"]

    async def gets(self, name: str, times: int = 1, within: float = 5) -> Headers:
        """Wait until an action was received so many times; returns the last one."""
        got: list[Headers] = []

        def there() -> bool:
            got[:] = [action for action in self.received if action["Action"] == name]
            return len(got) >= times

        async with in_time(within, f"{times} times {name}"), self._changed:
            await self._changed.wait_for(there)
        return got[-1]

    async def is_connected(self, times: int, within: float = 5) -> None:
        async with in_time(within, f"connection {times}"), self._changed:
            await self._changed.wait_for(lambda: self.connections >= times)

    async def send(self, data: bytes) -> None:
        assert self._writer is not None
        self._writer.write(data)
        await self._writer.drain()

    async def send_or_lose(self, data: bytes) -> None:
        """Send; if the other side has closed, or closes meanwhile, the data is lost."""
        with contextlib.suppress(ConnectionError):
            if self._writer is not None:
                await self.send(data)

    def cut(self) -> None:
        """Close the line at once, as a killed process does."""
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None

    async def reply(self, action: Headers, *lines: str) -> None:
        await self.send(message(lines[0], f"ActionID: {action['ActionID']}", *lines[1:]))

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.connected_at.append(time.monotonic())
        self._writer = writer
        async with self._changed:
            self._changed.notify_all()
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            writer.write(BANNER)
            while True:
                await self._one(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    async def _one(self, block: bytes) -> None:
        self.raw += block
        pairs = (line.split(": ", 1) for line in block.decode().split("\r\n") if ": " in line)
        action: Headers = dict(pairs)
        self.received.append(action)
        async with self._changed:
            self._changed.notify_all()
        if self.silent:
            return
        name = action["Action"]
        if name in self.answers:
            await self.answers[name](action)
        elif name == "Ping":
            await self.send(message("Response: Success", "Ping: Pong", f"Timestamp: {time.time():.6f}"))
        elif name == "CoreShowChannels":
            await self.reply(action, "Response: Success", "EventList: start", "Message: Channels will follow")
            await self.send(
                message("Event: CoreShowChannelsComplete", f"ActionID: {action['ActionID']}", "ListItems: 0")
            )
        else:
            await self.reply(action, "Response: Success", "Message: ok")
            if name == "Login":
                await self.send(event("FullyBooted", Status="Fully Booted", Uptime=60, LastReload=60))
