"""Events a second: through our manager link, through bare panoramisk, and through a loop that only cuts the bytes.

    python -m benchmarks.bench_ami

The stream is a real queue call (tests/captures/queue_call.ami, 31 events) repeated with its own ids, twenty calls
interleaved, fed in segments of 16 KiB as a socket would. All sides get the same bytes in the same process, in turn;
the median of several rounds counts. `switchboard` is the whole way: live calls followed, translated into our words,
and told to an async handler.
"""

import asyncio
import logging
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager

from benchmarks.table import Row, show
from cti.ami import AmiEvent
from cti.ami_link import Link
from cti.events import AgentRinging
from cti.lanes import Lanes
from cti.switchboard import Switchboard

CAPTURE = Path(__file__).parent.parent / "tests" / "captures" / "queue_call.ami"
CALLS, TOGETHER, SEGMENT, ROUNDS = 1000, 20, 16384, 5
OF_PANORAMISK = 0.6  # ours may cost so much and no more
EVENTS_A_SECOND = 10_000  # one Asterisk at its limit (400 calls/s) makes fewer of them


def main() -> int:
    """Prints the rows; the exit status is 1 if a limit is not kept."""
    logging.disable(logging.WARNING)
    events, segments = stream()
    sides: dict[str, Callable[[list[bytes]], Awaitable[int]]] = {
        "link": through_link,
        "switchboard": through_switchboard,
        "panoramisk": through_panoramisk,
        "splitter": through_splitter,
    }
    took: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, side in sides.items():
            begun = time.perf_counter()
            seen = asyncio.run(side(segments))  # type: ignore[arg-type]
            took[name].append(time.perf_counter() - begun)
            assert seen == (CALLS if name == "switchboard" else events), f"{name} lost events: {seen} of {events}"
    speed = {name: events / statistics.median(times) for name, times in took.items()}
    link, whole = speed["link"], speed["switchboard"]
    return show(
        [
            Row("AMI link", "panoramisk alone", link, speed["panoramisk"], "/s", at_least=OF_PANORAMISK),
            Row("AMI link", "byte splitter", link, speed["splitter"], "/s"),
            Row(
                "AMI to our words and a handler",
                "panoramisk alone",
                whole,
                speed["panoramisk"],
                "/s",
                limit=EVENTS_A_SECOND,
            ),
        ]
    )


def stream() -> tuple[int, list[bytes]]:
    """How many events, and the bytes of CALLS calls, TOGETHER of them at a time, in segments."""
    text = CAPTURE.read_bytes()
    caller = text.split(b"Uniqueid: ")[1].split(b"\r\n")[0]
    agent = text.split(b"DestUniqueid: n1-1")[1].split(b"\r\n")[0]
    one = [message + b"\r\n\r\n" for message in text.split(b"\r\n\r\n") if message]
    parts: list[bytes] = []
    for first in range(0, CALLS, TOGETHER):
        for message in one:
            for n in range(first, first + TOGETHER):
                told = message.replace(caller, b"n1-%032x" % n).replace(b"n1-1" + agent, b"n1-2%09d.1" % n)
                parts.append(told)
    whole = b"".join(parts)
    return len(one) * CALLS, [whole[at : at + SEGMENT] for at in range(0, len(whole), SEGMENT)]


async def through_link(segments: list[bytes]) -> int:
    seen = 0

    def handle(_: AmiEvent) -> None:
        nonlocal seen
        seen += 1

    lanes: Lanes[AmiEvent] = Lanes(handle, lambda e: e.name, 20_000)
    link = Link(lambda e: lanes.put(e.call, e.fields.get("Uniqueid", ""), e))
    for segment in segments:
        link.data_received(segment)
    return seen


async def through_switchboard(segments: list[bytes]) -> int:
    rang = 0

    async def ringing(_: AgentRinging) -> None:
        nonlocal rang
        rang += 1

    board = Switchboard("127.0.0.1", 5038, "core", "none")
    board.on(AgentRinging, ringing)
    lanes: Lanes[AmiEvent] = Lanes(board.hear, lambda e: e.name, 20_000)
    link = Link(lambda e: lanes.put(e.call, e.fields.get("Uniqueid", ""), e))
    for segment in segments:
        link.data_received(segment)
        await asyncio.sleep(0)  # as between two reads of a socket
    await lanes.drained()
    return rang


async def through_panoramisk(segments: list[bytes]) -> int:
    seen = 0

    def handle(_manager: Any, _message: Any) -> None:
        nonlocal seen
        seen += 1

    manager: Any = Manager(loop=asyncio.get_running_loop())
    manager.register_event("*", handle)
    protocol: Any = AMIProtocol()
    protocol.connection_made(None)
    protocol.factory = manager
    protocol.encoding = "utf8"
    for segment in segments:
        protocol.data_received(segment)
    return seen


async def through_splitter(segments: list[bytes]) -> int:
    seen, rest = 0, b""
    for segment in segments:
        *messages, rest = (rest + segment).split(b"\r\n\r\n")
        for message in messages:
            dict(line.partition(b": ")[::2] for line in message.split(b"\r\n"))
            seen += 1
    return seen


if __name__ == "__main__":
    sys.exit(main())
