"""The natural voice takes over behind a hotline that speaks already: nobody waits for it, and nobody misses it."""

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


@pytest.fixture(scope="module")
def natural_house(tmp_path_factory: pytest.TempPathFactory, kokoro_model: Path) -> Iterator[House]:
    """Spanish alone, so that its voice is through with the likeliest sentences soon."""
    house = House(tmp_path_factory.mktemp("natural"), free_address())
    house.environment["HOTLINE_VOICES__NATURAL"] = "true"
    house.environment |= {"HOTLINE_SITE__LANGUAGES": '["es"]', "HOTLINE_SITE__DEFAULT_LANGUAGE": "es"}
    house.start()
    supervisor = house._process.pid if house._process else 0
    yield house
    house.stop()
    assert processes.descendants(supervisor) == []


@pytest.fixture(scope="module")
def said(natural_house: House) -> "Said":
    return Said(natural_house)


@pytest.mark.covers("H1", "H11")
async def test_callers_are_answered_while_the_natural_voice_comes(natural_house: House, said: "Said") -> None:
    house = natural_house
    async with house.phone(LUCIA.sip) as phone:
        await phone.dials("600")
        await phone.hears(await house.sound("welcome", LUCIA.language))
        await phone.hangs_up()
    await house.until("a static prompt is the natural voice's", said.a_static_prompt, within=300)

    supervisor = house._process.pid if house._process else 0
    job = [pid for pid in processes.descendants(supervisor) if command(pid) == "hotline run voices"]
    assert job, "the job is done already: it was to be killed at its work"
    before = house.children
    for pid in job:
        os.kill(pid, 9)
    await house.until("the supervisor has said so", lambda: "the fast one speaks" in up_log(house))
    assert house.children == before


@pytest.mark.covers("H2", "H11")
async def test_offers_and_the_read_back_have_their_natural_voice_before_anybody_calls(
    natural_house: House, said: "Said"
) -> None:
    house = natural_house
    words = wiring.words(house.settings)
    free = [
        words.text("time_with_doctor", "es", when=one.starts_at, doctor=Doctor(one.doctor, one.feminine))
        for one in await openings(house)
    ]
    wanted = [*free, words.text("read_back", "es", department={"es": "cardiología"})]
    await house.until("a voice has spoken them", lambda: said.by_now().keys() >= {*wanted}, within=500)
    async with house.phone(LUCIA.sip) as phone:
        await phone.dials("600")
        await phone.is_spoken_to()
        await phone.presses("11" + LUCIA.birth_keys)
        await house.until("she is recognised", lambda: "identified" in house.journal())
        await phone.is_spoken_to()  # by name
        await phone.presses("1")
        for sentence in free:
            await phone.hears(said.by_now()[sentence], within=30)
        await phone.presses("2")
        await phone.hears(said.by_now()[wanted[-1]], within=30)
        await phone.hears(said.by_now()[free[1]], within=30)
        await phone.hangs_up()


class Said:
    """What the natural voice has said in a house so far. An entry of a cache is read once: waiting for the voice is to
    take nothing from it."""

    def __init__(self, house: House) -> None:
        self._sounds = house.here.sounds
        self._seen: set[str] = set()
        self._natural: dict[str, Path] = {}

    def by_now(self) -> dict[str, Path]:
        """Its sounds, by their sentences."""
        caches = [self._sounds / "cache", self._sounds / "passing"]
        folders = [folder for cache in caches if cache.exists() for folder in os.scandir(cache) if folder.is_dir()]
        entries = {f"{folder.path}/{name}" for folder in folders for name in os.listdir(folder)}
        for sidecar in (Path(name) for name in entries - self._seen if name.endswith(".json")):
            told = json.loads(sidecar.read_text())
            if told["engine"] == "kokoro":
                self._natural[told["text"]] = sidecar.with_suffix(".sln16")
        self._seen = entries
        return self._natural

    def a_static_prompt(self) -> bool:
        """Whether one has its sound: the entry of the cache that is the same file."""
        published = {sound.stat().st_ino for sound in self._sounds.glob("*/static/*.sln16")}
        return any(sound.stat().st_ino in published for sound in self.by_now().values())


def command(pid: int) -> str:
    """What a process is called; nothing of one that has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().strip("\0")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def up_log(house: House) -> str:
    return (house.folder / "up.log").read_text()
