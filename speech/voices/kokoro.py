"""Kokoro-82M, a natural voice for es, pt-BR, zh-CN and en; its model is installed by `hotline model install kokoro`.

The model runs in a worker (`kokoro_worker.py`), never here. Its death or silence costs one sentence: `VoiceFailed`, and
the next voice speaks. Sentences are given piece by piece, so that a long text does not keep a short one waiting.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from speech.sound import Sound, speakable
from speech.voices import VoiceFailed
from speech.voices.espeak import Espeak
from speech.voices.kokoro_worker import MODEL, RATE, joined
from speech.voices.phonemes import pieces
from speech.voices.worker import ANSWER_S, RESTS, Worker

VOICES = {"es": "ef_dora", "pt-BR": "pf_dora", "zh-CN": "zf_xiaoxiao", "en": "af_heart"}
# A voice's first letter tells whose pronunciation it learned: espeak-ng's voice for it.
ACCENTS = {"a": "en-us", "b": "en-gb", "e": "es-419", "p": "pt-br", "z": "cmn"}
# Of the model's own: elders and bad lines need less, Chinese (307 characters a minute) above all.
SPEEDS = {"es": 0.92, "pt-BR": 0.92, "zh-CN": 0.82, "en": 0.92}
RECIPE = "1"  # of phonemes.py, mandarin.py and the worker: another one makes another sound
BETWEEN = 0.15  # seconds between two pieces, beside the silence around each
NEWEST = 0.3  # weight of the newest measurement
COMMAND = (sys.executable, "-m", "speech.voices.kokoro_worker")


class Kokoro:
    """`folder`: the model as `hotline model install` leaves it. `voices`: its names, by language."""

    name = "kokoro"

    def __init__(
        self,
        folder: Path,
        voices: Mapping[str, str] | None = None,
        *,
        threads: int = 1,
        command: Sequence[str] = COMMAND,
        answer_s: float = ANSWER_S,
        rests: Sequence[float] = RESTS,
    ) -> None:
        self._folder = folder
        self._voices = {**VOICES, **(voices or {})}
        self.worker = Worker(self.name, (*command, str(folder), str(threads)), answer_s=answer_s, rests=rests)
        self._reader = Espeak()  # its phonemes are part of the sound
        self._files: Mapping[str, str] = {}
        self._measured: float | None = None

    def speaks(self, language: str) -> bool:
        return language in VOICES and f"voices/{self._voices[language]}.bin" in self._model()

    @property
    def seconds_a_letter(self) -> float:
        """As measured of late; endless while no worker is there, for it takes a second to start."""
        return math.inf if self.worker.process is None or self._measured is None else self._measured

    async def identity(self, language: str, pace: float = 1.0) -> Mapping[str, str]:
        voice, files = self._voices[language], self._model()
        reader = await self._reader.identity(language)
        phonemes = f"{reader['version']} {reader['model']}"
        if ACCENTS[voice[0]] == "cmn":
            phonemes += "".join(f" {name} {version(name)}" for name in ("rjieba", "pypinyin", "pinyin-to-ipa"))
        return {
            "engine": self.name,
            "version": RECIPE,
            "voice": f"{voice} {files[f'voices/{voice}.bin']}",
            "model": files[MODEL],
            "phonemes": phonemes,
            "speed": f"{SPEEDS[language] * pace:.3g}",
        }

    async def say(self, text: str, language: str, pace: float = 1.0) -> Sound:
        voice = self._voices[language]
        asked = {"accent": ACCENTS[voice[0]], "voice": voice, "speed": SPEEDS[language] * pace}
        said = [await self._piece({"text": piece, **asked}) for piece in pieces(text) if speakable(piece)]
        if not said:
            raise VoiceFailed("kokoro was given nothing to say")
        return Sound(joined(said, BETWEEN / pace), RATE)

    async def close(self) -> None:
        """End the worker."""
        await self.worker.close()

    async def _piece(self, asked: Mapping[str, object]) -> NDArray[np.float32]:
        warm, began = self.worker.process is not None, time.monotonic()
        answer, sound = await self.worker.ask(asked)
        if "samples" not in answer:
            raise VoiceFailed(f"kokoro could not say a sentence ({answer.get('failed')}): look at its prompt")
        if warm:
            self._measure((time.monotonic() - began) / speakable(str(asked["text"])))
        return np.frombuffer(sound, "<f4").astype(np.float32)

    def _measure(self, now: float) -> None:
        self._measured = now if self._measured is None else (1 - NEWEST) * self._measured + NEWEST * now

    def _model(self) -> Mapping[str, str]:
        """File → SHA-256 of the installed model; nothing until there is one."""
        if not self._files:
            try:
                told = json.loads((self._folder / "model.json").read_text(encoding="utf-8"))
            except FileNotFoundError:
                return {}
            self._files = {str(name): str(digest) for name, digest in told["files"].items()}
        return self._files
