"""Whether a house has ears: what the settings name, what is installed, and that nothing of it stops the telephone."""

import logging
from pathlib import Path
from typing import Any

import pytest

from hotline import hearing, numbering, wiring
from hotline.hearing import told
from hotline.places import places
from hotline.settings import Settings
from hotline.settings_file import DEMO, SettingsRefused, build
from tests.asterisk_instance import network


def settings(folder: Path, **speech: Any) -> Settings:
    return build({**DEMO, "data": folder, "address": f"{network()}.9", "speech": speech})


def state(chosen: Settings) -> str:
    return told(chosen, places(chosen))


def test_callers_answer_by_key_unless_the_site_says_otherwise(tmp_path: Path) -> None:
    assert settings(tmp_path).speech.ears == "off"
    assert state(settings(tmp_path)).startswith("off: callers answer by key")


def test_a_model_that_is_not_installed_is_told(tmp_path: Path) -> None:
    chosen = settings(tmp_path, ears="vosk")
    assert state(chosen) == f"vosk is not installed in {tmp_path}/ears/vosk: callers answer by key"
    (tmp_path / "ears/vosk/es").mkdir(parents=True)
    assert state(chosen) == "vosk"


def test_an_engine_that_is_not_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused, match=r"speech\.ears"):
        settings(tmp_path, ears="big")


def test_sound_never_leaves_the_machine(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    assert chosen.audio_address == chosen.address  # loopback
    site = {**DEMO, "demo": False, "calling": {}, "data": tmp_path, "address": "192.0.2.10"}
    assert build(site).audio_address == "127.0.0.1"


async def test_a_house_without_a_model_takes_calls_by_key(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    chosen = settings(tmp_path, ears="whisper", models=tmp_path)
    here = places(chosen)
    said, words = wiring.speaker(chosen, here), wiring.words(chosen)
    async with hearing.hearing(chosen, here, said, words) as ears:
        assert ears is not None
        assert not ears.ears.hears("es")
        async with hearing.hearing(chosen, here, said, words) as second:
            assert second is None  # the port is taken: that stops no call either
    assert "the port for sound can't be used" in caplog.text


async def test_a_house_whose_ears_are_off_opens_no_port(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    here = places(chosen)
    async with hearing.hearing(chosen, here, wiring.speaker(chosen, here), wiring.words(chosen)) as ears:
        assert ears is None
    assert numbering.PORTS["AudioSocket"][0] == numbering.AUDIO_PORT
