"""Callers' voices: natural ones that no prompt is spoken with, as files that a phone or an engine takes.

A sentence is rendered once on a machine and kept: to render costs a quarter of a second for a second of speech.
"""

import hashlib
import os
import tempfile
from pathlib import Path

import numpy as np
import soxr  # type: ignore[import-untyped]
from numpy.typing import NDArray

from hotline import models
from hotline.model_catalogue import KOKORO
from speech.voices.kokoro import RECIPE, Kokoro
from tests import phone_audio

VOICES = {
    "es": ("em_alex",),
    "en": ("am_michael", "bf_emma"),
    "pt-BR": ("pm_alex",),
    "zh-CN": ("zm_yunxi", "zf_xiaoyi"),
}
KEPT = Path(tempfile.gettempdir()) / f"hotline-test-callers-{os.geteuid()}"
RATE = 16_000


async def say(sentences: list[tuple[str, str, str]]) -> dict[tuple[str, str, str], Path]:
    """(language, voice, words) → a .sln16 file, as loud as `phone_audio.LOUDNESS`, without silence around it."""
    KEPT.mkdir(mode=0o700, exist_ok=True)
    files = {sentence: KEPT / f"{_name(*sentence)}.sln16" for sentence in sentences}
    missing = [sentence for sentence, file in files.items() if not file.exists()]
    for language, voice in dict.fromkeys((language, voice) for language, voice, _ in missing):
        speaker = Kokoro(models.install(KOKORO), {language: voice})
        try:
            for sentence in missing:
                if sentence[:2] == (language, voice):
                    sound = await speaker.say(sentence[2], language)
                    _keep(files[sentence], np.asarray(sound.samples, np.float32), sound.rate)
        finally:
            await speaker.close()
    return files


def samples(file: Path) -> NDArray[np.float32]:
    """What `say` has kept, at 16 kHz."""
    return np.frombuffer(file.read_bytes(), "<i2").astype(np.float32) / np.float32(32768)


def _keep(file: Path, sound: NDArray[np.float32], rate: int) -> None:
    wide = soxr.resample(sound, rate, RATE)
    spoken = np.flatnonzero(np.abs(wide) > 0.01)
    wide = wide[spoken[0] : spoken[-1]]
    loud = wide[np.abs(wide) > 0.01]
    level = wide * phone_audio.LOUDNESS / np.sqrt(np.mean(loud**2))
    being_written = file.with_suffix(f".{os.getpid()}")
    being_written.write_bytes((np.clip(level, -1, 1) * 32767).astype("<i2").tobytes())
    being_written.rename(file)


def _name(language: str, voice: str, words: str) -> str:
    return hashlib.sha256(f"{RECIPE} {language} {voice} {words}".encode()).hexdigest()[:32]
