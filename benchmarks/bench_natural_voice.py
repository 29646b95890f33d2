"""Of the times that a booking call offers, how many are spoken by the natural voice: foretold, and as somebody wishes.

    python -m benchmarks.bench_natural_voice [--json]

The whole house with a real SIP phone, in Spanish alone, so that its voice is through with the likeliest sentences in a
minute or two of a processor; what was heard is looked for in what the phone recorded. First the six times that a caller
without wishes is offered, which are spoken before the call (hotline/foretelling.py). Then times of next week, which
nobody has asked for before: the natural voice has for each as long as those before it are heard. The fast voice's share
is shown, which should be none of the first; there is no peer.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import table, whole_house
from benchmarks.table import Row
from hospital.booking import OwnDesk, Wish
from hospital.calls import CallStep
from hospital.slots import Opening
from hospital.wishes import week
from hotline import wiring
from ivr.dialogues.times import OFFERED
from scripts.placeholders import Doctor
from tests import listening
from tests.characters import LUCIA
from tests.house import House

PATIENCE_S = 900.0  # the voice yields to everybody
SPANISH = {
    "HOTLINE_VOICES__NATURAL": "true",
    "HOTLINE_SITE__LANGUAGES": '["es"]',
    "HOTLINE_SITE__DEFAULT_LANGUAGE": "es",
}


async def measure(house: House) -> list[Row]:
    now, zone = wiring.now(), wiring.zone(house.settings)
    desk = OwnDesk(house.database, zone=zone)
    likely = await desk.openings("cardiology", now, after=now, limit=2 * OFFERED)
    since, until = week(now, zone, ahead=1)
    wished = await desk.openings("cardiology", now, after=now, limit=OFFERED, wish=Wish(since=since, until=until))
    await _comes(lambda: all(_natural(house, _said(house, one)) for one in likely))
    async with whole_house.timed_phone(house, LUCIA.sip, 31) as phone:
        await phone.dials("600")
        await _comes(lambda: bool(house.calls()))
        await phone.presses("11" + LUCIA.birth_keys)
        await _comes(lambda: "identified" in house.journal())
        for keys in ("1", "4", "54"):
            before = _unanswered(house)
            await phone.presses(keys)
            await _comes(lambda before=before: _unanswered(house) > before)  # type: ignore[misc]
        heard = phone.heard_since(0)
        await phone.hangs_up()

    async def by_fast_voice(openings: list[Opening]) -> float:
        files = [_natural(house, _said(house, one)) for one in openings]
        found = [
            file is not None and bool(await asyncio.to_thread(listening.find, heard, listening.prompt(file)))
            for file in files
        ]
        return 100 * (1 - sum(found) / len(found))

    return [
        Row("offered times by the fast voice, foretold", None, await by_fast_voice(likely), None, "%", limit=0),
        Row("offered times by the fast voice, next week", None, await by_fast_voice(wished), None, "%"),
    ]


def _said(house: House, one: Opening) -> str:
    told = Doctor(one.doctor, one.feminine)
    return wiring.words(house.settings).text("time_with_doctor", "es", when=one.starts_at, doctor=told)


def _natural(house: House, text: str) -> Path | None:
    sounds = house.here.sounds
    for sidecar in (*(sounds / "cache").glob("*/*.json"), *(sounds / "passing").glob("*/*.json")):
        told = json.loads(sidecar.read_text())
        if (told.get("text"), told["engine"]) == (text, "kokoro"):
            return sidecar.with_suffix(".sln16")
    return None


def _unanswered(house: House) -> int:
    """How often times were offered to their end."""
    steps = [step.facts for step in house.rows(CallStep) if step.kind == "turn"]
    return sum(bool(facts.get("silence")) and "time_with_doctor" in facts["said"] for facts in steps)


async def _comes(true: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > until:
            raise TimeoutError
        await asyncio.sleep(0.5)


def main() -> int:
    with whole_house.running(**SPANISH) as house:
        return table.show(asyncio.run(measure(house)))


if __name__ == "__main__":
    sys.exit(main())
