"""A thousand calls from one number: what another patient waits for the first prompt meanwhile, and on a quiet line.

    python -m benchmarks.bench_flood [--json]

The number has the demo's allowance: after its first thirty calls it hears one sentence instead of the menu, and what
it does leaves no rows. It has as many calls up as Asterisk lets it have, and one more begins whenever one has ended;
each listens for a second, as a machine that dials on and on does. Mei's calls are served as ever.
"""

import asyncio
import statistics
import sys
import time
from contextlib import suppress

from benchmarks import same_menu, table, whole_house
from benchmarks.table import Row
from hospital.throttling import CallingRate
from hotline.places import read_secrets
from tests.characters import MEI
from tests.house import House
from tests.light_phone import LightPhone

FLOOD, SIDE_BY_SIDE = 1000, 10
LISTENS_S = 1.0
QUIET_CALLS = 20
OF_QUIET = 2.0
WITHIN_MS = 1000.0


def mei(house: House) -> LightPhone:
    address = f"{house.address.rpartition('.')[0]}.41"
    secret = read_secrets(house.here).sip[MEI.sip]
    return LightPhone(address, server=house.address, username=MEI.sip, secret=secret, listens=True)


async def first_prompt(line: LightPhone) -> float:
    """Milliseconds from the INVITE to the first sound."""
    dialled = time.perf_counter()
    call = await line.dials(same_menu.OURS)
    async with asyncio.timeout(10):
        await call.sounds.wait()
    took = (call.heard_at - dialled) * 1000
    await call.hangs_up()
    return took


async def flood(house: House) -> int:
    """How many of its calls were answered with a sound."""
    left, heard = FLOOD, 0

    async with same_menu.phone(house, 31) as line:

        async def one_after_the_other() -> None:
            nonlocal left, heard
            while left > 0:
                left -= 1
                call = await line.dials(same_menu.OURS)
                with suppress(TimeoutError):
                    async with asyncio.timeout(10):
                        await call.sounds.wait()
                        heard += 1
                await asyncio.sleep(LISTENS_S)
                await call.hangs_up()

        await asyncio.gather(*(one_after_the_other() for _ in range(SIDE_BY_SIDE)))
    return heard


async def measure(house: House) -> list[Row]:
    async with mei(house) as line:
        await first_prompt(line)  # opens connections
        quiet = [await first_prompt(line) for _ in range(QUIET_CALLS)]
        calling, meanwhile = asyncio.create_task(flood(house)), list[float]()
        while not calling.done():
            meanwhile.append(await first_prompt(line))
            await asyncio.wait([calling], timeout=LISTENS_S)
    await house.no_channels(within=20)
    heard = await calling
    (rate,) = [row for row in house.rows(CallingRate) if row.turned_away]
    print(f"{FLOOD} calls: {rate.turned_away} turned away, {len(meanwhile)} of Mei's meanwhile", file=sys.stderr)
    middle, longest = (statistics.median(meanwhile), statistics.median(quiet)), (max(meanwhile), max(quiet))
    return [
        Row("first prompt during a flood, p50", "quiet", *middle, "ms", at_most=OF_QUIET),
        Row("first prompt during a flood, longest", "quiet", *longest, "ms", limit=WITHIN_MS),
        Row("calls of the flood without an answer", None, 100 * (1 - heard / FLOOD), None, "%", limit=0.0),
    ]


def main() -> int:
    # Mei calls more often than a patient may; as a hospital's own numbers are, hers is exempt.
    with whole_house.running(HOTLINE_THROTTLE__EXEMPT=f'["{MEI.numbers[0]}"]') as house:
        return table.show(asyncio.run(measure(house)))


if __name__ == "__main__":
    sys.exit(main())
