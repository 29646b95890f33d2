"""PostgreSQL's notifications on channel `hotline`, as an endless stream that survives a lost connection.

A payload is `<kind>:<id>` and never data: whoever hears it reads the row, with its own rights."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass

import psycopg
from psycopg import sql

CHANNEL = "hotline"
_QUIET = 20.0  # seconds without a notice after which the connection has to answer a question

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Notice:
    """Something changed: `kind` is what ("task", "screen_pop", "call" …), `id` which one."""

    kind: str
    id: str


#: What was notified while the connection was down is lost, so every page has to look again.
LOOK_AGAIN = Notice("look_again", "")


def read(payload: str) -> Notice | None:
    """A payload as a notice; None for one that is not `<kind>:<id>`."""
    kind, colon, ident = payload.partition(":")
    if not colon or not kind.replace("_", "").isalnum() or not 0 < len(ident) <= 200:
        return None
    return Notice(kind, ident)


class PostgresNotices:
    """`listen()` yields notices for ever; after each reconnect it yields LOOK_AGAIN first."""

    def __init__(self, conninfo: str) -> None:
        """conninfo: a libpq URL or key=value string (without SQLAlchemy's `+psycopg`)."""
        self._conninfo = conninfo.replace("postgresql+psycopg://", "postgresql://", 1)

    async def listen(self) -> AsyncIterator[Notice]:
        wait, first = 0.1, True
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
                    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
                    if not first:
                        yield LOOK_AGAIN
                    wait, first = 0.1, False
                    async for notice in _of(connection):
                        yield notice
            except psycopg.Error as error:
                # the class only: a message could quote the address, which may hold a password
                log.warning("live stream: lost the database (%s), again in %.1f s", type(error).__name__, wait)
            first = False
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret
            wait = min(wait * 2, 5.0)


async def _of(connection: psycopg.AsyncConnection[tuple[object, ...]]) -> AsyncIterator[Notice]:
    while True:
        async for notify in connection.notifies(timeout=0):
            notice = read(notify.payload)
            if notice is not None:
                yield notice
        try:
            async with asyncio.timeout(_QUIET):
                await _readable(connection.fileno())
        except TimeoutError:
            # a peer that vanished without a FIN is found here
            async with asyncio.timeout(5):  # and not wait_for, which before Python 3.12 may lose that we are to end
                await connection.execute("SELECT 1")


async def _readable(descriptor: int) -> None:
    """psycopg's own waiting looks ten times a second whether it was interrupted."""
    loop, said = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, said.set)
    try:
        await said.wait()
    finally:
        loop.remove_reader(descriptor)
