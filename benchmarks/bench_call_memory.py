"""What a call costs in memory: the ivr and Asterisk with 1, 10, 100 and 400 calls up, beside the same menu in dialplan.

    python -m benchmarks.bench_call_memory [--json]

Calls listen to the menu while memory is looked at (the proportional set size of each process, from the kernel). A row
is what one more call took since the row before; the first includes what the first call loads.
"""

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks import same_menu, table, whole_house
from benchmarks.table import Row
from hotline import processes
from tests.house import House
from tests.light_phone import LightCall

CALLS = (1, 10, 100, 400)
A_SECOND = 25
MOST_KB = 400.0  # of ivr and Asterisk together, for each of the last 300 calls


def memory_kb(pids: list[int]) -> float:
    found = 0.0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                found += float(line.split()[1])
    return found


async def grown(house: House, extension: str, last: int) -> list[float]:
    """KB that one more call took, for each step of CALLS."""
    asterisk, ivr = house.children["asterisk"], house.children["ivr"]
    assert asterisk and ivr
    pids = [asterisk, *processes.descendants(asterisk), ivr]
    found, up, before = [], 0, memory_kb(pids)
    async with AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(same_menu.phone(house, last + n)) for n in range(4)]
        calls: list[LightCall] = []
        for step in CALLS:
            while len(calls) < step:
                begins = [lines[n % 4].dials(extension) for n in range(min(A_SECOND, step - len(calls)))]
                calls += await asyncio.gather(*begins, asyncio.sleep(1))  # type: ignore[arg-type]
                calls.pop()
            async with asyncio.timeout(20):
                await asyncio.gather(*(call.sounds.wait() for call in calls))
            assert not any(call.over.is_set() for call in calls), "a call ended while memory was looked at"
            now = memory_kb(pids)
            found.append((now - before) / (step - up))
            up, before = step, now
    await house.no_channels(within=30)
    return found


async def measure(house: House) -> list[Row]:
    await same_menu.add_dialplan(house)
    await same_menu.is_known(house)
    ours = await grown(house, same_menu.OURS, 31)
    theirs = await grown(house, same_menu.DIALPLAN, 41)
    return [
        Row(
            f"memory of a call, up to {calls}",
            "dialplan",
            mine,
            peer if peer > 0 else None,
            "KB",
            limit=MOST_KB if calls == CALLS[-1] else None,
        )
        for calls, mine, peer in zip(CALLS, ours, theirs, strict=True)
    ]


def main() -> int:
    with whole_house.running(**same_menu.UNLIMITED) as house:
        return table.show(asyncio.run(measure(house)))


if __name__ == "__main__":
    sys.exit(main())
