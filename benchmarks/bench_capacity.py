"""How many calls a second the whole house takes, beside the same menu in pure dialplan on the same Asterisk.

    python -m benchmarks.bench_capacity [--json]

Calls begin faster and faster, twice as fast every DOUBLES_S seconds, until the first one fails: it is not answered, is
cut off, or a key has no answer for four seconds. The rate at that moment, and the calls that were up, are the capacity;
a hundred calls and more went before it. One failure ends it, as less than one in a thousand may fail.
"""

import asyncio
import sys
import time
from dataclasses import dataclass

from benchmarks import same_menu, table, whole_house
from benchmarks.table import Row
from tests.house import House

FIRST, LAST = 2.0, 150.0  # calls a second; nothing faster is tried
DOUBLES_S = 2.5
OF_DIALPLAN = 0.1


@dataclass
class Found:
    rate: float = 0.0
    together: int = 0
    calls: int = 0
    why: str = ""


async def capacity(house: House, extension: str, last: int) -> Found:
    found, up, failed = Found(), 0, asyncio.Event()

    async with same_menu.phone(house, last) as line:

        async def one() -> None:
            nonlocal up
            up += 1
            try:
                await same_menu.whole_call(line, extension, [])
            except same_menu.CallFailed as failure:
                failed.set()
                found.why = str(failure)
            finally:
                up -= 1

        calls: list[asyncio.Task[None]] = []
        began = time.perf_counter()
        while not failed.is_set():
            rate = FIRST * 2 ** ((time.perf_counter() - began) / DOUBLES_S)
            if rate > LAST:
                break
            found.rate, found.together, found.calls = rate, up, found.calls + 1
            calls.append(asyncio.create_task(one()))
            await asyncio.sleep(1 / rate)
        await asyncio.gather(*calls)
    await house.no_channels(within=20)
    return found


async def measure(house: House) -> list[Row]:
    await same_menu.add_dialplan(house)
    await same_menu.is_known(house)
    ours = await capacity(house, same_menu.OURS, 31)
    theirs = await capacity(house, same_menu.DIALPLAN, 32)
    for name, found in (("house", ours), ("dialplan", theirs)):
        print(f"{name}: {found.calls} calls, then one failed {found.why or '– none did'}", file=sys.stderr)
    return [
        Row("calls a second", "dialplan", ours.rate, theirs.rate, "/s", at_least=OF_DIALPLAN),
        Row("calls side by side", "dialplan", ours.together, theirs.together, "", at_least=OF_DIALPLAN),
    ]


def main() -> int:
    with whole_house.running(**same_menu.UNLIMITED) as house:
        return table.show(asyncio.run(measure(house)))


if __name__ == "__main__":
    sys.exit(main())
