"""From Asterisk ringing the agent to the patient's card at the agent's page, and to a bare WebSocket.

    python -m benchmarks.bench_screen_pop [--json]

Every call is seen by both sides at once. Ours: the event becomes a row and a NOTIFY, the agent's signed-in page hears
of it on its live stream and fetches the whole card; the moment is when the card with the patient's name has arrived.
The peer: a raw AMI socket writes the same event, with the caller's number, into a WebSocket; no account, no rights, no
patient. Both count from Asterisk's own time stamp of its event AgentCalled.
"""

import asyncio
import contextlib
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

import httpx
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from benchmarks import table, whole_house
from benchmarks.table import Row
from hotline import numbering
from hotline.places import read_secrets
from tests.characters import LUCIA
from tests.console import Console
from tests.house import House
from tests.phone import Phone

CALLS = 5
WITHIN_MS = 500.0  # a phone's first ring lasts a second
Heard = asyncio.Queue[tuple[float, float]]
"""(when Asterisk says that it rang, when the WebSocket's client had it), seconds since 1970."""


async def measure(house: House) -> list[Row]:
    ours: list[float] = []
    bare: list[float] = []
    async with (
        whole_house.timed_phone(house, "lucia", 31) as lucia,
        whole_house.timed_phone(house, "tom", 32) as tom,
        httpx.AsyncClient(base_url=f"http://{house.address}:{house.settings.web.port}", timeout=20) as client,
        bare_socket(house) as heard,
    ):
        page = Console(client)
        await page.sign_in("tom")
        await page.post("/presence/available")
        async with client.stream("GET", "/live") as live:
            notices = live.aiter_lines()
            for _ in range(CALLS + 1):
                shown, (rang, told) = await one_call(house, lucia, tom, card_shown(page, notices), heard)
                ours.append((shown - rang) * 1000)
                bare.append((told - rang) * 1000)
    mine, theirs = statistics.median(ours[1:]), statistics.median(bare[1:])  # the first call opens connections
    return [Row("ringing to the patient's card", "raw AMI to WebSocket", mine, theirs, "ms", limit=WITHIN_MS)]


async def one_call(
    house: House, lucia: Phone, tom: Phone, card: Coroutine[None, None, float], heard: Heard
) -> tuple[float, tuple[float, float]]:
    """Lucía asks for a person and Tom's phone rings; when his page had the card, and what the WebSocket heard."""
    before = len(house.calls())
    await lucia.dials("600")
    await house.until("the ivr has the call", lambda: len(house.calls()) > before)
    async with asyncio.timeout(20), asyncio.TaskGroup() as both:
        shown, told = both.create_task(card), both.create_task(heard.get())
        await lucia.presses("0")  # a person, whether she is asked for her language or greeted in it
    await tom.rings()
    await lucia.hangs_up()
    await house.no_channels()
    return shown.result(), told.result()


async def card_shown(page: Console, notices: AsyncIterator[str]) -> float:
    """As the page's own script does: each notice of a screen-pop fetches the card. When it had Lucía's."""
    async for line in notices:
        popped = line.startswith("data: ") and json.loads(line[6:]).get("kind") == "screen_pop"
        if popped and LUCIA.name in (await page.get("/agent/pop")).text:
            return time.time()
    raise AssertionError("the live stream ended")


@asynccontextmanager
async def bare_socket(house: House) -> AsyncIterator[Heard]:
    """A WebSocket fed by a raw AMI socket, and a client of it."""
    heard: Heard = asyncio.Queue()

    async def feed(socket: ServerConnection) -> None:
        feeding = asyncio.create_task(_feed(house, socket))
        await socket.wait_closed()
        feeding.cancel()

    async def listen(port: int) -> None:
        async with connect(f"ws://{house.address}:{port}") as page:
            async for message in page:
                heard.put_nowait((json.loads(message)["rang"], time.time()))

    async with serve(feed, house.address, 0) as server:
        page = asyncio.create_task(listen(next(iter(server.sockets)).getsockname()[1]))
        try:
            yield heard
        finally:
            page.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await page


async def _feed(house: House, socket: ServerConnection) -> None:
    reader, writer = await asyncio.open_connection(house.address, numbering.AMI_PORT)
    secret = read_secrets(house.here).ami
    writer.write(f"Action: Login\r\nUsername: {numbering.AMI_USER}\r\nSecret: {secret}\r\n\r\n".encode())
    try:
        while True:
            block = (await reader.readuntil(b"\r\n\r\n")).decode(errors="replace")
            if "Event: AgentCalled\r\n" in block:
                event = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
                told = {"rang": float(event["Timestamp"]), "number": event["CallerIDNum"]}
                await socket.send(json.dumps({**told, "agent": event["Interface"]}))
    finally:
        writer.close()


def main() -> int:
    with whole_house.running() as house:
        rows = asyncio.run(asyncio.wait_for(measure(house), whole_house.PATIENCE_S))
    return table.show(rows)


if __name__ == "__main__":
    sys.exit(main())
