"""Takes: what a person has recorded for a prompt, and which of them callers hear.

A take is kept under the hash of its own sound and never changed. Beside it stands one manifest a prompt: the newest
take that nobody has approved yet, and the approved one with the speaker's name. Renaming the manifest into place is
the publication: whoever says prompts (`recordings.py`, in any process) sees it at the next one, and either the old or
the new, never half of it. Works synchronously: call it in a thread. One writer a process.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
import wave
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np

from speech.sound import Sound, SoundRefused, check, loudness, trimmed
from speech.store import write

TAKES = "takes"  # the folder of the sounds, beside the manifests
BEST_RATE = 48_000  # a second; what a telephone never carries is not kept
SILENT = 0.02  # of full scale: the peak of no speech
QUIET = 0.015  # of full scale (−36 dB): made as loud as the others, what is so quiet is mostly noise

State = Literal["missing", "recorded", "approved", "outdated", "by_hand"]


@dataclass(frozen=True, slots=True)
class Take:
    """A recorded sound. `text`: the sentence as it was read; `by`: whose account recorded it."""

    file: str
    digest: str
    text: str
    seconds: float
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Approval:
    """A take that callers hear. `speaker`: whose voice it is, who agreed to that and stands for the words."""

    take: Take
    speaker: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Manifest:
    """What there is of one prompt."""

    new: Take | None = None
    approved: Approval | None = None

    def state(self, text: str) -> State:
        """`text`: the sentence as it is now."""
        if self.approved is not None:
            return "approved" if self.approved.take.text == text else "outdated"
        if self.new is not None:
            return "recorded" if self.new.text == text else "outdated"
        return "missing"


class Takes:
    """The takes below `<sounds>/recorded`. Keys and languages are the caller's to know: they become file names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writing = threading.Lock()

    def of(self, language: str, key: str) -> Manifest:
        return read_manifest(self._manifest(language, key))

    def by_hand(self, language: str, key: str) -> Path | None:
        """A file that was put there without the console."""
        path = self.folder / language / f"{key}.wav"
        return path if path.is_file() else None

    def sound(self, language: str, take: Take) -> bytes:
        """The WAV. Raises `OSError`."""
        return (self.folder / language / take.file).read_bytes()

    def keep(self, language: str, key: str, sound: Sound, text: str, by: str, at: datetime) -> Take:
        """A new take, after `judge`. What is approved goes on being heard. Raises `OSError`."""
        content = _wav(sound)
        digest = hashlib.sha256(content).hexdigest()
        take = Take(f"{TAKES}/{key}.{digest[:16]}.wav", digest, text, round(sound.seconds, 2), by, at)
        with self._writing:
            path = self.folder / language / take.file
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, content)
            self._put(language, key, replace(self.of(language, key), new=take))
        return take

    def approve(self, language: str, key: str, digest: str, speaker: str, by: str, at: datetime) -> bool:
        """Callers hear this take from now on; False where it is not the newest one any more, or was replaced."""
        with self._writing:
            before = self.of(language, key)
            if before.new is None or before.new.digest != digest:
                return False
            self._put(language, key, Manifest(None, Approval(before.new, speaker, by, at)))
        return True

    def withdraw(self, language: str, key: str) -> bool:
        """Nobody hears it any more, and the sound is gone: consent can be taken back. False where none was approved."""
        with self._writing:
            before = self.of(language, key)
            if before.approved is None:
                return False
            self._put(language, key, Manifest(before.new, None))
            if before.new is None or before.new.file != before.approved.take.file:
                (self.folder / language / before.approved.take.file).unlink(missing_ok=True)
        return True

    def _put(self, language: str, key: str, manifest: Manifest) -> None:
        content = json.dumps(asdict(manifest), ensure_ascii=False, indent=1, default=datetime.isoformat)
        write(self._manifest(language, key), content.encode())

    def _manifest(self, language: str, key: str) -> Path:
        return self.folder / language / f"{key}.json"


def judge(sound: Sound, text: str) -> None:
    """Whether a recording may stand for a sentence; the silence around it does not count. Raises `SoundRefused`:
    silent, too quiet, clipped, or of a length that the text cannot have."""
    if not len(sound.samples) or float(np.abs(sound.samples).max()) < SILENT:
        raise SoundRefused("is silent: is the right microphone chosen?")
    speech = trimmed(sound)
    check(speech, text)
    if (heard := loudness(speech)) < QUIET:
        raise SoundRefused(f"is too quiet ({heard:.3f} of full scale): come closer to the microphone")


def read_manifest(path: Path) -> Manifest:
    """An empty one where there is none, or none that can be read: then nothing of it is heard."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        new, approved = found.get("new"), found.get("approved")
        return Manifest(_take(new) if new else None, _approval(approved) if approved else None)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Manifest()


def _take(found: dict[str, Any]) -> Take:
    return Take(**{**found, "at": datetime.fromisoformat(found["at"])})


def _approval(found: dict[str, Any]) -> Approval:
    at = datetime.fromisoformat(found["at"])
    return Approval(_take(found["take"]), str(found["speaker"]), str(found["by"]), at)


def _wav(sound: Sound) -> bytes:
    rate = min(sound.rate, BEST_RATE)
    sink = io.BytesIO()
    with wave.open(sink, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(sound.pcm16(rate))
    return sink.getvalue()
