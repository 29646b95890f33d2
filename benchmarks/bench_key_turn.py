"""From a key to the next prompt's first sound, in RTP packets: the house beside the same menu in dialplan.

    python -m benchmarks.bench_key_turn [--json]

CALLERS on each side listen at the same time until the question has been spoken and the line is silent, then press:
what is heard next is the next prompt. The key lasts 0.1 s and counts when it ends; the time is counted from its
beginning, on both sides.
"""

import asyncio
import statistics
import sys
import time

from benchmarks import same_menu, table, whole_house
from benchmarks.table import Row
from tests.house import House
from tests.light_phone import LightCall

CALLERS = 12
QUIET_S = 1.1  # longer than any pause within a question
OF_DIALPLAN = 3.0
WITHIN_MS = 500.0


async def _has_spoken(call: LightCall) -> None:
    """Waits for the end of the question."""
    async with asyncio.timeout(60):
        await call.sounds.wait()
        while True:
            left = call.last_sound + QUIET_S - time.perf_counter()
            if left <= 0:
                return
            await asyncio.sleep(left)


async def turns(house: House, extension: str, last: int) -> list[float]:
    """Milliseconds of a turn of each of CALLERS calls."""
    found = []

    async def one() -> None:
        call = await line.dials(extension)
        await _has_spoken(call)
        pressed = await call.presses("2")
        async with asyncio.timeout(10):
            await call.sounds.wait()
        found.append((call.heard_at - pressed) * 1000)
        await call.hangs_up()

    async with same_menu.phone(house, last, fades=0.0) as line:
        await asyncio.gather(*(one() for _ in range(CALLERS)))
    return found


async def measure(house: House) -> list[Row]:
    await same_menu.add_dialplan(house)
    await same_menu.is_known(house)
    ours, theirs = await asyncio.gather(turns(house, same_menu.OURS, 31), turns(house, same_menu.DIALPLAN, 32))
    rows = []
    for name, of in (("p50", statistics.median), ("p95", lambda took: sorted(took)[round(0.95 * (len(took) - 1))])):
        limit = WITHIN_MS if name == "p95" else None
        rows.append(
            Row(f"key to next prompt, {name}", "dialplan", of(ours), of(theirs), "ms", at_most=OF_DIALPLAN, limit=limit)
        )
    return rows


def main() -> int:
    with whole_house.running(**same_menu.UNLIMITED) as house:
        return table.show(asyncio.run(measure(house)))


if __name__ == "__main__":
    sys.exit(main())
