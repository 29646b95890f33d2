"""From the caller's INVITE to the first prompt in their ear: the whole house, and a bare Playback of the same file.

    python -m benchmarks.bench_first_prompt [--json]

Both are extensions of the same Asterisk, called in turn by the same real SIP phone, and both answer and wait the 0.3 s
that a line needs to open. What the house does more: it asks the ivr over FastAGI, makes the call's row, words the
welcome and looks it up in the cache. The moment is that of the prompt's first sample in what the phone recorded.
"""

import asyncio
import statistics
import sys
import time
from pathlib import Path

from benchmarks import table, whole_house
from benchmarks.table import Row
from benchmarks.whole_house import TimedPhone
from tests.characters import LUCIA
from tests.house import House

CALLS = 5
BARE = "699"  # an extension that only this benchmark's Asterisk has
BEGINNING_S = 2  # of the welcome is looked for: the rest of it need not be waited for
WITHIN_MS = 1000.0  # a second of silence is when a caller begins to say hello
CACHED_MS = 20.0  # what asking the ivr and finding the sound may cost
OF_PLAYBACK = 1.3  # of which the line takes 0.3 s on both sides


async def measure(house: House) -> list[Row]:
    welcome = await house.sound("welcome", LUCIA.language)
    await _bare_extension(house, welcome)
    beginning = house.folder / "beginning.sln16"
    beginning.write_bytes(welcome.read_bytes()[: BEGINNING_S * 16000 * 2])
    took: dict[str, list[float]] = {"600": [], BARE: []}
    async with whole_house.timed_phone(house, LUCIA.sip, 31) as phone:
        for _ in range(CALLS + 1):
            for number, each in took.items():
                each.append(await _first_sound(phone, number, beginning))
                await house.no_channels()
    ours, bare = (statistics.median(each[1:]) for each in took.values())  # the first call opens connections
    return [
        Row("INVITE to first prompt", "Playback", ours, bare, "ms", at_most=OF_PLAYBACK, limit=WITHIN_MS),
        Row("a cached prompt begins later than Playback by", None, ours - bare, None, "ms", limit=CACHED_MS),
    ]


async def _bare_extension(house: House, sound: Path) -> None:
    inside = Path("/hotline/sounds") / sound.relative_to(house.here.sounds).with_suffix("")
    for step, what in enumerate(("Answer()", "Wait(0.3)", f"Playback({inside})", "Hangup()"), 1):
        await house.cli(f"dialplan add extension {BARE},{step},{what} into patients")
    assert str(inside) in await house.cli(f"dialplan show {BARE}@patients"), "Asterisk did not take the extension"


async def _first_sound(phone: TimedPhone, number: str, sound: Path) -> float:
    """Milliseconds."""
    dialled = time.time()
    await phone.dials(number)
    began = await phone.hears(sound)
    took = phone.told_at["media"] + began - dialled
    await phone.hangs_up()
    return took * 1000


def main() -> int:
    with whole_house.running() as house:
        rows = asyncio.run(asyncio.wait_for(measure(house), whole_house.PATIENCE_S))
    return table.show(rows)


if __name__ == "__main__":
    sys.exit(main())
