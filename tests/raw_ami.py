"""AMI over a bare socket: an independent look at what Asterisk tells, without any of the product's code."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.asterisk_instance import AsteriskInstance
from tests.late import LATE

Message = dict[str, str]


class RawAmi:
    """A logged-in connection. `events` is all that came, oldest first."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._next = 0
        self.events: list[Message] = []
        self._came = asyncio.Condition()

    async def listen(self) -> None:
        await self._reader.readline()
        while True:
            block = await self._reader.readuntil(b"\r\n\r\n")
            message: Message = {}
            for line in block.decode(errors="replace").split("\r\n"):
                name, colon, value = line.partition(":")
                if colon:
                    message.setdefault(name, value.strip())
            async with self._came:
                self.events.append(message)
                self._came.notify_all()

    async def action(self, action: str, **fields: str | list[str]) -> Message:
        """Send an action (a list repeats its header) and return its Response."""
        self._next += 1
        number = str(self._next)
        lines = [f"Action: {action}", f"ActionID: {number}"]
        for name, values in fields.items():
            lines += [f"{name}: {value}" for value in ([values] if isinstance(values, str) else values)]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        return await self.message("Response", ActionID=number)

    async def event(self, name: str, *, within: float = 20, **fields: str) -> Message:
        """The first event of this name with these fields, already here or still to come."""
        return await self.message("Event", within=within, Event=name, **fields)

    async def message(self, key: str, *, within: float = 20, **fields: str) -> Message:
        found: Message = {}

        def came() -> bool:
            for one in self.events:
                if key in one and all(one.get(name) == value for name, value in fields.items()):
                    found.update(one)
                    return True
            return False

        try:
            async with asyncio.timeout(within), self._came:
                await self._came.wait_for(came)
                return found
        except TimeoutError:
            names = [message.get("Event", "a response") for message in self.events]
            raise AssertionError(f"{LATE}: no {fields} within {within} s; there came {names}") from None


@asynccontextmanager
async def raw_ami(asterisk: AsteriskInstance) -> AsyncIterator[RawAmi]:
    """Log in as the user of `asterisk`'s plan."""
    plan = asterisk.plan
    reader, writer = await asyncio.open_connection(plan.address, plan.ami_port, limit=1 << 20)
    ami = RawAmi(reader, writer)
    listening = asyncio.create_task(ami.listen())
    try:
        answer = await ami.action("Login", Username=plan.ami_user, Secret=plan.ami_secret)
        assert answer["Response"] == "Success", answer
        yield ami
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError):
            await listening
        writer.close()
