"""Speech as a telephone carries it: espeak-ng voices that no prompt uses, 300 to 3400 Hz, noise, µ-law, 8 kHz."""

import subprocess

import numpy as np
import soxr  # type: ignore[import-untyped]
from numpy.typing import NDArray

RATE = 8000
VOICES = {
    "es": ("es+m3", "es-419+f3"),
    "en": ("en-us+m3", "en-us+f2"),
    "pt-BR": ("pt-br+m3", "pt-br+f3"),
    "zh-CN": ("cmn+m3", "cmn+f3"),
}
LOUDNESS = 0.1  # of full scale, of the spoken parts
AROUND_S = 0.3  # of line before and after


def spoken(text: str, voice: str) -> NDArray[np.float32]:
    """Clean, at 8 kHz."""
    made = subprocess.run(
        ["espeak-ng", "-v", voice, "-s", "140", "--stdin", "--stdout"],
        input=text.encode(),
        capture_output=True,
        check=True,
    ).stdout
    pcm = made[made.find(b"data") + 8 :]
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float32) / 32768
    narrow = soxr.resample(samples, int.from_bytes(made[24:28], "little"), RATE)
    loud = narrow[np.abs(narrow) > 0.01]
    return np.asarray(narrow * LOUDNESS / np.sqrt(np.mean(loud**2)), np.float32)


def line(samples: NDArray[np.float32], noise_db: float = 15.0, seed: int = 1) -> bytes:
    """What arrives: 16-bit little-endian, 8 kHz. `noise_db`: how far white noise lies below the speech."""
    around = np.zeros(round(AROUND_S * RATE))
    wide = np.concatenate((around, samples, around))
    noise = np.random.default_rng(seed).standard_normal(len(wide)) * LOUDNESS * 10 ** (-noise_db / 20)
    bands = np.fft.rfft(wide + noise)
    at = np.fft.rfftfreq(len(wide), 1 / RATE)
    bands[(at < 300) | (at > 3400)] = 0
    return _mu_law(np.fft.irfft(bands, len(wide)))


def said(text: str, voice: str, noise_db: float = 15.0) -> bytes:
    return line(spoken(text, voice), noise_db)


def _mu_law(samples: NDArray[np.float64]) -> bytes:
    """There and back, by the curve of G.711."""
    bare = np.clip(samples, -1, 1)
    steps = np.round(np.sign(bare) * np.log1p(255 * np.abs(bare)) / np.log(256) * 127) / 127
    back = np.sign(steps) * (256 ** np.abs(steps) - 1) / 255
    return bytes((back * 32767).astype("<i2").tobytes())
