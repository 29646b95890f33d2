"""The natural voice takes over behind a hotline that speaks already: nobody waits for it, and nobody misses it."""

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotline import processes, wiring
from scripts.placeholders import Doctor
from tests.asterisk_instance import free_address
from tests.characters import LUCIA
from tests.house import House
from tests.scenes import openings

pytestmark = pytest.mark.asterisk


@pytest.fixture
def natural_house(tmp_path_factory: pytest.TempPathFactory, kokoro_model: Path) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("natural"), free_address())
    house.environment["HOTLINE_VOICES__NATURAL"] = "true"
    house.start()
    yield house
    house.stop()


@pytest.mark.covers("H1", "H11")
async def test_callers_are_answered_while_the_natural_voice_comes(natural_house: House) -> None:
    house = natural_house
    first = house.here.sounds / "en/static/apology.sln16"
    async with house.phone(LUCIA.sip) as phone:
        await phone.dials("600")
        await phone.hears(await house.sound("welcome", LUCIA.language))
        await phone.hangs_up()
    await house.until("a static prompt is the natural voice's", lambda: voice_of(house, first) == "kokoro", within=300)

    supervisor = house._process.pid if house._process else 0
    job = [pid for pid in processes.descendants(supervisor) if command(pid) == "hotline run voices"]
    assert job, "the job is done already: it was to be killed at its work"
    before = house.children
    for pid in job:
        os.kill(pid, 9)
    await house.until("the supervisor has said so", lambda: "the fast one speaks" in up_log(house))
    assert house.children == before
    await asyncio.to_thread(house.stop)
    assert processes.descendants(supervisor) == []


@pytest.fixture
def spanish_house(tmp_path_factory: pytest.TempPathFactory, kokoro_model: Path) -> Iterator[House]:
    """Spanish alone, so that its voice is through with the likeliest sentences in a minute."""
    house = House(tmp_path_factory.mktemp("spanish"), free_address())
    house.environment["HOTLINE_VOICES__NATURAL"] = "true"
    house.environment |= {"HOTLINE_SITE__LANGUAGES": '["es"]', "HOTLINE_SITE__DEFAULT_LANGUAGE": "es"}
    house.start()
    yield house
    house.stop()


@pytest.mark.covers("H2", "H11")
async def test_offers_and_the_read_back_have_their_natural_voice_before_anybody_calls(spanish_house: House) -> None:
    house = spanish_house
    words = wiring.words(house.settings)
    free = [
        words.text("time_with_doctor", "es", when=one.starts_at, doctor=Doctor(one.doctor, one.feminine))
        for one in await openings(house)
    ]
    wanted = [*free, words.text("read_back", "es", department={"es": "cardiología"})]
    await house.until("a voice has spoken them", lambda: all(natural_sound(house, one) for one in wanted), within=500)
    async with house.phone(LUCIA.sip) as phone:
        await phone.dials("600")
        await phone.is_spoken_to()
        await phone.presses("11" + LUCIA.birth_keys)
        await house.until("she is recognised", lambda: "identified" in house.journal())
        await phone.is_spoken_to()  # by name
        await phone.presses("1")
        for sentence in free:
            await phone.hears(natural_sound(house, sentence) or Path(), within=30)
        await phone.presses("2")
        await phone.hears(natural_sound(house, wanted[-1]) or Path(), within=30)
        await phone.hears(natural_sound(house, free[1]) or Path(), within=30)
        await phone.hangs_up()


def natural_sound(house: House, text: str) -> Path | None:
    """A sentence as the natural voice has said it, if it has."""
    sounds = house.here.sounds
    for sidecar in (*(sounds / "cache").glob("*/*.json"), *(sounds / "passing").glob("*/*.json")):
        told = json.loads(sidecar.read_text())
        if (told.get("text"), told["engine"]) == (text, "kokoro"):
            return sidecar.with_suffix(".sln16")
    return None


def voice_of(house: House, sound: Path) -> str:
    """The voice whose sound a static prompt is: the entry of the cache that is the same file."""
    for sidecar in (house.here.sounds / "cache").glob("*/*.json"):
        if sidecar.with_suffix(".sln16").samefile(sound):
            return str(json.loads(sidecar.read_text())["engine"])
    return ""


def command(pid: int) -> str:
    """What a process is called; nothing of one that has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().strip("\0")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def up_log(house: House) -> str:
    return (house.folder / "up.log").read_text()
