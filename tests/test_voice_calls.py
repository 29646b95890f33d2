"""A patient answers by voice: a real phone that speaks, the real Asterisk, the whole house, whisper as its ears."""

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hospital.calls import CallStep
from hotline import processes
from tests.asterisk_instance import free_address, to_16k
from tests.characters import LUCIA
from tests.house import House

pytestmark = pytest.mark.asterisk


@pytest.fixture(scope="module")
def hearing_house(tmp_path_factory: pytest.TempPathFactory, whisper_model: Path) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("hearing-house")
    models = tmp_path_factory.mktemp("models")
    (models / "whisper").symlink_to(whisper_model)
    hears = {"EARS": "whisper", "MODELS": str(models), "PATIENCE_SECONDS": "20"}  # what is shown is that, not how fast
    house = House(folder, free_address(), **{f"HOTLINE_SPEECH__{name}": value for name, value in hears.items()})
    try:
        house.start()
        deadline = time.monotonic() + 60
        while "may answer by voice" not in (folder / "log" / "ivr.log").read_text():
            assert time.monotonic() < deadline, (folder / "log" / "ivr.log").read_text()
            time.sleep(0.1)  # the model is loaded while calls are taken already
        yield house
    finally:
        house.stop()
        if "HOTLINE_KEEP" not in os.environ:  # set it to read the logs of a failed run
            shutil.rmtree(folder, ignore_errors=True)


def says(house: House, words: str, language: str) -> Path:
    """A caller's voice, with the silence of somebody who waits for an answer behind it."""
    target = house.folder / f"{words.replace(' ', '-')}.sln16"
    said = ["espeak-ng", "-v", language, "-s", "140", "--stdout", words]
    to_16k(subprocess.run(said, capture_output=True, check=True).stdout, target)
    target.write_bytes(target.read_bytes() + bytes(1 * 16000 * 2))
    return target


def spoken(house: House) -> list[tuple[str, str]]:
    """What was asked and understood, from the journal."""
    facts = [step.facts for step in house.rows(CallStep) if "speech" in step.facts]
    return [(fact["said"][0], fact["speech"]) for fact in facts]


@pytest.mark.covers("H2", "H39")
async def test_lucia_says_what_she_wants_and_where(hearing_house: House) -> None:
    house = hearing_house
    house.reset()
    async with house.phone("lucia") as phone:
        await phone.dials("600")
        await phone.hears(await house.sound("welcome", "es"))
        await phone.presses("2")  # a language is chosen by key
        await phone.hears(await house.sound("main_menu", "es"), within=30)
        await phone.speaks(says(house, "una cita", "es"))
        await phone.hears(await house.sound("appointments_menu", "es"), within=30)
        await phone.presses("1")  # keys are answers as before
        await phone.hears(await house.sound("ask_birth_date", "es"), within=30)
        await phone.presses(LUCIA.birth_keys)
        await phone.hears(await house.sound("recognised", "es", given_name="Lucía"))
        await listens(house)
        await phone.speaks(says(house, "cardiología", "es"))
        await phone.hears(await house.sound("offer_slots_intro", "es", department="cardiología"), within=30)
        await phone.hangs_up()
    assert spoken(house) == [("main_menu", "1"), ("choose_department", "1")]
    written = (house.folder / "log" / "ivr.log").read_text()
    assert "cardiolog" not in written and "una cita" not in written
    await house.no_channels()


@pytest.mark.covers("H1", "H39")
async def test_a_recogniser_that_dies_in_mid_turn_costs_no_more_than_the_turn(hearing_house: House) -> None:
    house = hearing_house
    house.reset()
    async with house.phone("lucia") as phone:
        await phone.dials("600")
        await phone.hears(await house.sound("welcome", "es"))
        await phone.presses("2")
        await phone.hears(await house.sound("main_menu", "es"), within=30)
        worker = recogniser(house)
        os.kill(worker, signal.SIGSTOP)  # so that it is asked and cannot have answered
        await phone.speaks(says(house, "mis citas", "es"))
        os.kill(worker, signal.SIGKILL)
        await phone.hears(await house.sound("main_menu", "es"), within=30)  # the same question, by key
        await phone.presses("1")
        await phone.hears(await house.sound("appointments_menu", "es"), within=30)
        await phone.hangs_up()
    assert spoken(house) == []
    await house.no_channels()


async def listens(house: House, within: float = 15) -> None:
    """Waits until a voice turn is under way: a sentence that asks nothing is not listened in."""
    deadline = time.monotonic() + within
    while "AudioSocket" not in (shown := await house.cli("core show channels concise")):
        assert time.monotonic() < deadline, shown
        await asyncio.sleep(0.05)


def recogniser(house: House) -> int:
    """The process that listens."""
    ivr = house.children["ivr"]
    assert ivr is not None
    (worker,) = processes.descendants(ivr)
    return worker
