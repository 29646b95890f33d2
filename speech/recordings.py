"""A hospital's own recorded prompts: `<sounds>/recorded/<language>/<key>.wav`, and `<key>.short.wav` for
a form.

A recording is said in place of the synthetic sentence wherever that sentence is the same for every caller. It may be
any 16-bit WAV; a bad one is told once in the log, and the voice speaks instead. A language that no voice speaks is
heard from its recordings alone: they are used when `<sounds>/recorded/<language>/approved_by` names the speaker who
has approved them.
"""

from __future__ import annotations

import hashlib
import logging
import wave
from dataclasses import dataclass
from pathlib import Path

from speech.sound import Sound

log = logging.getLogger(__name__)

APPROVED_BY = "approved_by"  # a file beside the recordings; its first line is a name
LARGEST = 60_000_000  # bytes: five minutes of studio quality in stereo


class RecordingRefused(ValueError):
    """A WAV file that cannot be used; the message says why and what is expected."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A usable file, and the SHA-256 of its content."""

    path: Path
    digest: str

    async def sound(self) -> Sound:
        return read(self.path)


class Recordings:
    """Finds the recording of a prompt; looks at the file's time and size each time, at its content
    when they change.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: dict[Path, tuple[tuple[int, int], Recording | None]] = {}
        self._told: set[str] = set()

    def of(self, key: str, language: str) -> Recording | None:
        path = self.folder / language / f"{key}.wav"
        try:
            status = path.stat()
        except OSError:
            return None
        stamp = (status.st_mtime_ns, status.st_size)
        if path not in self._seen or self._seen[path][0] != stamp:
            self._seen[path] = (stamp, self._judge(path))
        return self._seen[path][1]

    def approved_by(self, language: str) -> str | None:
        """The speaker who has approved a language's recordings; None, and once a line in the log, when nobody has."""
        try:
            name = (self.folder / language / APPROVED_BY).read_text(encoding="utf-8").strip().partition("\n")[0]
        except (OSError, UnicodeDecodeError):
            name = ""
        if not name and language not in self._told:
            self._told.add(language)
            log.warning(
                "recordings in %s are not used: write the approving speaker's name to %s", language, APPROVED_BY
            )
        return name or None

    def _judge(self, path: Path) -> Recording | None:
        try:
            read(path)
            return Recording(path, hashlib.sha256(path.read_bytes()).hexdigest())
        except (RecordingRefused, OSError) as error:
            log.warning("recording %s/%s is not used: %s", path.parent.name, path.name, error)
            return None


def read(path: Path) -> Sound:
    """Raises `RecordingRefused`, or `OSError`."""
    if path.stat().st_size > LARGEST:
        raise RecordingRefused(f"it is larger than {LARGEST // 1_000_000} MB")
    try:
        with wave.open(str(path), "rb") as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            pcm = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise RecordingRefused(f"it is no WAV file of plain samples ({error}): save it as WAV, 16 bit") from error
    if width != 2 or not 8000 <= rate <= 192_000 or channels > 2:
        raise RecordingRefused(
            f"{8 * width} bit, {rate} Hz, {channels} channels: save it as 16 bit, mono, 16000 Hz or more"
        )
    sound = Sound.from_pcm16(pcm, rate, channels)
    if not len(sound.samples) or float(abs(sound.samples).max()) < 0.02:
        raise RecordingRefused("it is empty or silent: record it again")
    return sound
