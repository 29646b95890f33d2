"""How many calls a second the whole house takes, beside the same menu in pure dialplan on the same Asterisk.

    python -m benchmarks.bench_capacity [--json]

Calls begin faster and faster, twice as fast every DOUBLES_S seconds, until the first one fails: it is not answered, is
cut off, or a key has no answer for four seconds. That only tells where to begin: HELD calls are made at BEGINS of that
rate, and again at LESS of the last until fewer than one in a thousand fail. That rate, and the calls that were up on
average meanwhile, are the capacity.
"""

import asyncio
import itertools
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks import same_menu, table, whole_house
from benchmarks.table import Row
from tests.house import House

FIRST, LAST = 2.0, 150.0  # calls a second; nothing faster is tried
DOUBLES_S = 2.5
BEGINS, LESS = 0.8, 0.85
HELD = 2000
OF_DIALPLAN = 0.1


@dataclass
class Run:
    """What became of calls that began at `rate`, the last one's, a second."""

    rate: float = 0.0
    calls: int = 0
    failed: int = 0
    why: str = ""
    up: int = 0
    ups: list[int] = field(default_factory=list)  # as each call began

    @property
    def together(self) -> float:
        return statistics.mean(self.ups)


async def calling(house: House, extension: str, last: int, rates: Iterator[float], bears: int) -> Run:
    """A call after the other at those rates, until more than `bears` have failed or the rates end."""
    run = Run()

    async with same_menu.phone(house, last) as line:

        async def one() -> None:
            run.up += 1
            try:
                await same_menu.whole_call(line, extension, [])
            except same_menu.CallFailed as failure:
                run.failed += 1
                run.why = str(failure)
            finally:
                run.up -= 1

        calls = []
        for rate in rates:
            run.rate, run.calls = rate, run.calls + 1
            run.ups.append(run.up)
            calls.append(asyncio.create_task(one()))
            await asyncio.sleep(1 / rate)
            if run.failed > bears:
                break
        await asyncio.gather(*calls)
    await house.no_channels(within=60)
    return run


def faster_and_faster() -> Iterator[float]:
    began = time.perf_counter()
    while (rate := FIRST * 2 ** ((time.perf_counter() - began) / DOUBLES_S)) < LAST:
        yield rate


async def capacity(house: House, extension: str, last: int) -> Run:
    run = await calling(house, extension, last, faster_and_faster(), bears=0)
    print(f"{extension}: {run.calls} calls up to {run.rate:.0f}/s, then {run.why or 'none failed'}", file=sys.stderr)
    rate = BEGINS * run.rate
    while True:
        run = await calling(house, extension, last, itertools.repeat(rate, HELD), bears=HELD // 1000 - 1)
        print(f"{extension}: {run.calls} calls at {rate:.1f}/s, {run.failed} failed {run.why}", file=sys.stderr)
        if run.failed < HELD / 1000:
            return run
        rate *= LESS


async def measure(house: House) -> list[Row]:
    await same_menu.add_dialplan(house)
    await same_menu.is_known(house)
    ours = await capacity(house, same_menu.OURS, 31)
    theirs = await capacity(house, same_menu.DIALPLAN, 32)
    return [
        Row("calls a second", "dialplan", ours.rate, theirs.rate, "/s", at_least=OF_DIALPLAN),
        Row("calls side by side", "dialplan", ours.together, theirs.together, "", at_least=OF_DIALPLAN),
    ]


def main() -> int:
    with whole_house.running(**same_menu.UNLIMITED) as house:
        return table.show(asyncio.run(measure(house)))


if __name__ == "__main__":
    sys.exit(main())
