"""Whether a house has ears: what the settings name, what is installed, and that nothing of it stops the telephone."""

import asyncio
import ipaddress
import logging
import os
import shutil
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from hotline import hearing, models, numbering, wiring
from hotline.ears_installed import told
from hotline.places import places
from hotline.settings import Settings
from hotline.settings_file import DEMO, SettingsRefused, build
from ivr.session import AgiSession
from tests.asterisk_instance import network


def settings(folder: Path, **speech: Any) -> Settings:
    return build({**DEMO, "data": folder, "address": f"{network()}.9", "speech": speech})


def state(chosen: Settings) -> str:
    return told(chosen, places(chosen))


def test_callers_answer_by_key_unless_the_site_says_otherwise(tmp_path: Path) -> None:
    assert settings(tmp_path).speech.ears == "off"
    assert state(settings(tmp_path)).startswith("off: callers answer by key")


def test_a_model_that_is_not_installed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_CACHE", str(tmp_path / "cache"))
    chosen = settings(tmp_path, ears="vosk")
    assert state(chosen) == f"vosk is not installed in {tmp_path}/ears/vosk: callers answer by key"
    (tmp_path / "ears/vosk/es").mkdir(parents=True)
    assert state(chosen) == "vosk es"


def test_an_engine_that_is_not_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused, match=r"speech\.ears"):
        settings(tmp_path, ears="big")


def test_sound_never_leaves_the_machine(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    assert chosen.audio_address == chosen.address  # loopback
    site = {**DEMO, "demo": False, "calling": {}, "data": tmp_path, "address": "192.0.2.10"}
    assert ipaddress.ip_address(build(site).audio_address).is_loopback


def test_two_houses_of_a_machine_take_sound_at_addresses_of_their_own(tmp_path: Path) -> None:
    site = {**DEMO, "demo": False, "calling": {}}
    first, again, second = (
        build({**site, "data": tmp_path / data, "address": address}).audio_address
        for data, address in (("a", "192.0.2.10"), ("a", "192.0.2.11"), ("b", "192.0.2.11"))
    )
    assert first == again != second
    with socket.create_server((first, numbering.AUDIO_PORT)), socket.create_server((second, numbering.AUDIO_PORT)):
        pass


class Board:
    """What the console is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, list[str], str]] = []
        self.came = asyncio.Event()

    async def tell(self, engine: str, languages: Sequence[str], trouble: str) -> None:
        self.told.append((engine, list(languages), trouble))
        self.came.set()


@pytest.mark.covers("H1")
async def test_a_house_without_a_model_takes_calls_by_key(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    chosen = settings(tmp_path, ears="whisper", models=tmp_path)
    here = places(chosen)
    said, words, board = wiring.speaker(chosen, here), wiring.words(chosen), Board()
    async with hearing.hearing(chosen, here, said, words, board.tell) as ears:
        assert ears is not None
        assert not ears.ears.hears("es")
        async with asyncio.timeout(10):
            await board.came.wait()
        missing = f"there is no whisper model in {tmp_path}/whisper: install it there, or name its folder"
        assert board.told == [("whisper", [], missing)]
        async with hearing.hearing(chosen, here, said, words, board.tell) as second:
            assert second is None  # the port is taken: that stops no call either
    assert "the port for sound can't be used" in caplog.text
    assert board.told[1][:2] == ("whisper", []) and "port for sound" in board.told[1][2]


@pytest.mark.covers("H1")
async def test_a_damaged_model_is_not_loaded_and_the_console_says_so(tmp_path: Path, whisper_model: Path) -> None:
    """A file that loads and is not what was installed would understand something else."""
    folder = Path(shutil.copytree(whisper_model, tmp_path / "whisper", copy_function=os.symlink))
    assert models.damaged(folder) is None
    content = (folder / "vocabulary.json").read_bytes()
    (folder / "vocabulary.json").unlink()
    (folder / "vocabulary.json").write_bytes(content.replace(b"a", b"b", 1))
    chosen = settings(tmp_path, ears="whisper", models=tmp_path)
    here, board = places(chosen), Board()
    async with hearing.hearing(chosen, here, wiring.speaker(chosen, here), wiring.words(chosen), board.tell) as ears:
        async with asyncio.timeout(30):
            await board.came.wait()
        assert ears is not None and not ears.ears.hears("es")
    trouble = f"vocabulary.json in {folder} is damaged: delete that folder and install the model again"
    assert board.told == [("whisper", [], trouble)]


async def test_the_console_hears_of_recognisers_that_come_and_go(tmp_path: Path, whisper_model: Path) -> None:
    (tmp_path / "whisper").symlink_to(whisper_model)
    chosen = settings(tmp_path, ears="whisper", models=tmp_path)
    here, board = places(chosen), Board()
    async with hearing.hearing(chosen, here, wiring.speaker(chosen, here), wiring.words(chosen), board.tell) as ears:
        assert ears is not None
        async with asyncio.timeout(60):
            await board.came.wait()
            assert board.told == [("whisper", ["en", "es", "pt-BR"], "")]
            board.came.clear()
            (engine,) = ears.ears.engines  # type: ignore[attr-defined]
            os.kill(engine.workers.processes[0], signal.SIGKILL)
            await board.came.wait()
    assert board.told[1][1] == [] and "the ivr's log" in board.told[1][2]


async def test_a_house_without_ears_hears_who_picks_up_when_it_calls(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    here, board, session = places(chosen), Board(), cast(AgiSession, object())
    said, words = wiring.speaker(chosen, here), wiring.words(chosen)
    async with hearing.hearing(chosen, here, said, words, board.tell) as ears:
        assert ears is not None and ears.line(session, ours=False) is None
        line = ears.line(session, ours=True)
        assert line is not None and not line.hears("es")
    assert board.told == [("off", [], "")]


async def test_a_house_that_neither_hears_nor_calls_opens_no_port(tmp_path: Path) -> None:
    chosen = build({**DEMO, "data": tmp_path, "address": f"{network()}.9", "automatic": {"lines": 0}})
    here, board = places(chosen), Board()
    said, words = wiring.speaker(chosen, here), wiring.words(chosen)
    async with hearing.hearing(chosen, here, said, words, board.tell) as ears:
        assert ears is None
    assert board.told == [("off", [], "")]
    assert numbering.PORTS["AudioSocket"][0] == numbering.AUDIO_PORT
