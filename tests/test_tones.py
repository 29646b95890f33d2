"""The tone after which a caller speaks; how much of a file is louder than silence."""

from pathlib import Path

import numpy as np
import pytest

from recordings.wav import voiced_seconds
from speech.tones import RATE, publish_beep
from tests.test_recordings_sealing import wav_of


def test_the_beep_is_a_quarter_of_a_second_and_fades(tmp_path: Path) -> None:
    path = publish_beep(tmp_path)
    sound = np.frombuffer(path.read_bytes(), "<i2")
    assert len(sound) / RATE == pytest.approx(0.25)
    assert abs(int(sound[0])) < 100
    assert abs(int(sound[-1])) < 100
    before = path.stat().st_mtime_ns
    assert publish_beep(tmp_path).stat().st_mtime_ns == before, "made once"


@pytest.mark.parametrize(("loud", "seconds"), [(4000, 2.0), (100, 0.0)])
def test_only_what_is_louder_than_silence_counts(tmp_path: Path, loud: int, seconds: float) -> None:
    hum = np.tile(np.array([loud, -loud], "<i2"), 8000)  # two seconds at 8 kHz
    path = tmp_path / "said.wav"
    path.write_bytes(wav_of(np.concatenate([hum, np.zeros(8000, "<i2")]).tobytes()))
    with path.open("rb") as file:
        assert voiced_seconds(file) == pytest.approx(seconds, abs=0.05)
