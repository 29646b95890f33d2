"""What somebody waits for when something ends: the apology of a killed ivr, the recording of a call, a silent client.

    python -m benchmarks.bench_recovery [--json]

There is no peer: the limits are absolute. The apology counts from the kill to its first sample in the caller's ear;
the recording from the hang-up to the first bytes of its sound on the console, sealed by then; the client from its
connection to the ivr's port, on which it says nothing, to the end of it.
"""

import asyncio
import sys
import time

from benchmarks import table, whole_house
from benchmarks.table import Row
from hospital.recordings import Recording
from hotline import numbering
from tests.characters import LUCIA
from tests.console import console
from tests.house import House
from tests.listening import RATE
from tests.test_followup_calls import ana_calls, attempt

LIMIT_S = 5.0
CONVERSATION_S = 10.0


async def measure(house: House) -> list[Row]:
    return [
        Row("killed ivr to apology", None, await apology(house), None, "s", limit=LIMIT_S),
        Row("hang-up to play", None, await recording(house), None, "s", limit=LIMIT_S),
        Row("silent AGI client dropped", None, await dropped(house), None, "s", limit=LIMIT_S),
    ]


async def apology(house: House) -> float:
    """Seconds."""
    old = house.children["ivr"]
    assert old is not None
    async with whole_house.timed_phone(house, LUCIA.sip, 31) as lucia:
        await lucia.dials("600")
        await lucia.hears(await house.sound("welcome", LUCIA.language))
        killed = lucia.position / RATE
        house.kill("ivr")
        began = await lucia.hears(await house.sound("apology", LUCIA.language), within=30)
    await house.no_channels()
    await house.restarted("ivr", old)
    return began - killed


async def recording(house: House) -> float:
    """Seconds; of a talk of ten."""
    async with (
        whole_house.timed_phone(house, "ana", 32) as ana,
        whole_house.timed_phone(house, "joao", 33) as joao,
        console(house, "ana") as page,
    ):
        form = f"/followups/{(await ana_calls(house, page, ana, 'joao')).id}"
        await joao.rings()
        await joao.answers()
        await house.until("they talk", lambda: attempt(house).state == "talking")
        await page.post(f"{form}/ticks/name", on="on")
        await page.post(f"{form}/ticks/birth_date", on="on")
        await page.post(f"{form}/call/record")
        await asyncio.sleep(CONVERSATION_S)
        over = time.monotonic()
        await joao.hangs_up()
        await house.until("it is sealed", lambda: [one.state for one in house.rows(Recording)] == ["sealed"], within=30)
        await page.get(f"/recordings/{house.rows(Recording)[0].id}/sound", status=206, Range="bytes=0-9999")
        return time.monotonic() - over


async def dropped(house: House) -> float:
    """Seconds."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection(house.address, numbering.AGI_PORT)
    try:
        assert await reader.read() == b"", "the ivr speaks first to nobody"
        return time.monotonic() - began
    finally:
        writer.close()


def main() -> int:
    with whole_house.running() as house:
        rows = asyncio.run(asyncio.wait_for(measure(house), 2 * whole_house.PATIENCE_S))
    return table.show(rows)


if __name__ == "__main__":
    sys.exit(main())
