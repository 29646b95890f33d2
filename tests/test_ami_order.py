"""Order for each call, no waiting between calls, and a limit to what waits."""

import asyncio
import resource
import time
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cti.ami import AmiEvent, Patience
from cti.lanes import Lanes, LanesFull
from tests.ami_peer import AmiPeer, event
from tests.test_ami_link import QUICK, Heard, linked, peer

__all__ = ["peer"]  # a fixture


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=60))
def test_each_call_hears_its_events_in_order_whatever_the_handlers_do(sent: list[tuple[int, int]]) -> None:
    """(call, how many turns of the loop its handler takes) in any order."""

    async def play() -> dict[int, list[int]]:
        done: dict[int, list[int]] = defaultdict(list)

        async def slow(number: int, call: int, turns: int) -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            done[call].append(number)

        def handle(e: tuple[int, int, int]) -> object:
            number, call, turns = e
            if turns:
                return slow(number, call, turns)
            done[call].append(number)
            return None

        lanes: Lanes[tuple[int, int, int]] = Lanes(handle, str, 1000)  # type: ignore[arg-type]
        for number, (call, turns) in enumerate(sent):
            lanes.put(str(call), f"leg{call}", (number, call, turns))
        await lanes.drained()
        assert lanes.lag == (0.0, 0)
        return done

    for call, numbers in asyncio.run(play()).items():
        assert numbers == [n for n, (c, _) in enumerate(sent) if c == call]


async def test_a_slow_call_holds_up_nobody_else(peer: AmiPeer) -> None:
    heard, gate = Heard(), asyncio.Event()

    async def handle(e: AmiEvent) -> None:
        if e.call == "slow":
            await gate.wait()
        heard.on_event(e)

    async with linked(peer, heard, on_event=handle) as ami:
        slow = b"".join(event("Newstate", Linkedid="slow", N=n) for n in range(3))
        await peer.send(slow + event("Hangup", Linkedid="quick"))
        await heard.until(lambda: heard.names() == ["Hangup"])
        assert ami.lag.waiting == 3
        assert ami.lag.seconds > 0
        gate.set()
        await heard.until(lambda: len(heard.names()) == 4)
        assert [e.fields["N"] for e in heard.events if e.call == "slow"] == ["0", "1", "2"]


async def test_a_leg_that_joins_another_call_does_not_overtake_itself() -> None:
    done: list[str] = []
    gate = asyncio.Event()

    async def handle(e: str) -> None:
        if e == "ringing":
            await gate.wait()
        done.append(e)

    lanes: Lanes[str] = Lanes(handle, str, 10)
    lanes.put("joao", "joao", "ringing")
    lanes.put("ana", "joao", "hung up")  # bridged: the leg's call is now the nurse's
    lanes.put("ana", "ana", "nurse")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert done == ["nurse"]
    gate.set()
    await lanes.drained()
    assert done == ["nurse", "ringing", "hung up"]
    lanes.put("ana", "joao", "later")  # nothing waits any more: from now on it is in its new call's lane
    await lanes.drained()
    assert lanes._lane_of_leg == {}


async def test_over_the_limit_is_an_error_and_not_a_longer_list() -> None:
    lanes: Lanes[int] = Lanes(lambda _: asyncio.sleep(60), str, 3)
    for n in range(3):
        lanes.put(str(n), "", n)
    with pytest.raises(LanesFull):
        lanes.put("9", "", 9)
    lanes.clear()
    assert lanes.lag == (0.0, 0)


@pytest.mark.covers("I10")
async def test_a_hundred_thousand_events_for_a_handler_that_sleeps_cost_a_new_link_and_no_memory(peer: AmiPeer) -> None:
    heard, most = Heard(), 0
    patience = Patience(most_waiting=2000, settle=0.1, first_wait=0.02, longest_wait=0.1)

    async def sleeps(e: AmiEvent) -> None:
        nonlocal most
        most = max(most, ami.lag.waiting)
        await asyncio.sleep(3600)

    storm = [
        b"".join(event("Newstate", Linkedid=f"{n}.{m}", Filler="x" * 200) for m in range(100)) for n in range(1000)
    ]
    async with linked(peer, heard, patience, on_event=sleeps) as ami:
        await asyncio.sleep(0)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for part in storm:
            if peer._writer is None or peer._writer.is_closing():
                await ami.wait_up()
            await peer.send_or_lose(part)
        await heard.until(lambda: ami.overflows >= 1)
        await ami.wait_up()
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert most <= patience.most_waiting + 1
        assert grown < 60_000  # kilobytes; the events alone are 30 MB on the wire and 150 MB as objects
        assert len(heard.ups) == ami.overflows + 1
        assert any("events waited: reading the state anew" in reason for reason in heard.downs)


async def test_a_storm_is_handled_without_a_new_link_when_the_handler_keeps_up(peer: AmiPeer) -> None:
    heard = Heard()
    async with linked(peer, heard, QUICK) as ami:
        for n in range(100):
            await peer.send(b"".join(event("Newstate", Linkedid=str(m % 7), N=n * 1000 + m) for m in range(1000)))
        await heard.until(lambda: len(heard.names()) == 100_000, within=30)
        for call in "0123456":
            numbers = [int(e.fields["N"]) for e in heard.events if e.call == call]
            assert numbers == sorted(numbers)
        assert ami.lag.waiting == 0
        assert heard.downs == []


async def test_the_lag_counts_what_lies_in_the_sockets_too(peer: AmiPeer) -> None:
    heard = Heard()
    async with linked(peer, heard) as ami:
        await peer.send(event("Newstate", Timestamp=f"{time.time() - 12:.6f}", Linkedid="1"))
        await heard.until(lambda: heard.names())
        assert 11 < ami.lag.seconds < 20
        await peer.gets("Ping")
        await ami.action("CoreStatus")  # answered after the ping: nothing lies there any more
        assert ami.lag.seconds == 0
