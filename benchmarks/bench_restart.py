"""A process of the house that is killed: how long until it listens again, forked from the nursery and as a program.

    python -m benchmarks.bench_restart [--json]

The supervisor's back-off is in both.
"""

import asyncio
import statistics
import sys
import time

from benchmarks import table, whole_house
from benchmarks.table import Row

HOUSES = 3
CHILDREN = ("ivr", "core", "answers")
MOST_MS = 1000.0  # a caller who comes meanwhile hears the apology and is queued to a person


async def back_after(*, nursery: bool) -> dict[str, float]:
    """Milliseconds, of each child; killed once each, so that no back-off grows."""
    took = {}
    with whole_house.running(HOTLINE_NURSERY="yes" if nursery else "no") as house:
        for child in CHILDREN:
            old = house.children[child]
            assert old is not None
            before = time.perf_counter()
            house.kill(child)
            await house.restarted(child, old)
            took[child] = (time.perf_counter() - before) * 1000
    return took


async def measure() -> list[Row]:
    forked, programs = [], []
    for _ in range(HOUSES):
        forked.append(await back_after(nursery=True))
        programs.append(await back_after(nursery=False))
    return [
        Row(
            f"a killed {child} listens again",
            "a new program",
            statistics.median(one[child] for one in forked),
            statistics.median(one[child] for one in programs),
            "ms",
            limit=MOST_MS,
        )
        for child in CHILDREN
    ]


def main() -> int:
    return table.show(asyncio.run(measure()))


if __name__ == "__main__":
    sys.exit(main())
