"""An ivr that does what a test says, line by line: the other end of AGI() without any of the product's code."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

from tests.asterisk_instance import AsteriskInstance


@dataclass
class AgiTalk:
    """One connection from Asterisk."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    environment: dict[str, str] = field(default_factory=dict)

    async def greet(self) -> Self:
        while line := (await self.reader.readline()).decode().strip():
            name, _, value = line.partition(": ")
            self.environment[name] = value
        return self

    async def says(self, command: str) -> str:
        """Send a command, return its answer."""
        self.writer.write(command.encode() + b"\n")
        await self.writer.drain()
        return (await self.reader.readline()).decode().strip()

    async def takes_over(self) -> None:
        """What the ivr begins with."""
        await self.says("SET VARIABLE HL_DONE started")
        await self.says("SET AUTOHANGUP 0")

    def dies(self) -> None:
        """As after kill -9: the system resets or closes the socket, nobody says goodbye."""
        self.writer.transport.abort()


@asynccontextmanager
async def ivr_that(
    asterisk: AsteriskInstance, conduct: Callable[[AgiTalk], Awaitable[None]]
) -> AsyncIterator[list[AgiTalk]]:
    """Listen where `asterisk` looks for its ivr; yields the list of connections so far, newest last."""
    talks: list[AgiTalk] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = await AgiTalk(reader, writer).greet()
        talks.append(talk)
        await conduct(talk)
        writer.close()

    async with await asyncio.start_server(serve, asterisk.address, asterisk.plan.agi_port) as server:
        yield talks
        server.close()
        for talk in talks:
            talk.writer.close()


async def finishing(talk: AgiTalk) -> None:
    """Take the caller and end properly: on to the nurses' queue, in Spanish."""
    await talk.takes_over()
    await talk.says("SET VARIABLE CHANNEL(language) es")
    await talk.says("SET VARIABLE HL_NEXT queue")
    await talk.says("SET VARIABLE HL_QUEUE nurses")
    await talk.says("SET VARIABLE HL_DONE 1")


async def saying_nothing(talk: AgiTalk) -> None:
    """Accept and never answer, until Asterisk gives up."""
    while await talk.reader.read(100):
        continue
