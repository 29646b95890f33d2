"""A hospital's own recorded prompts, found when they are to be said.

    <sounds>/recorded/<language>/<key>.json       what was recorded and approved at the console (`takes.py`)
    <sounds>/recorded/<language>/takes/…          its sound
    <sounds>/recorded/<language>/<key>.wav        put there by hand; `<key>.short.wav` for a form

A recording is said in place of the synthetic sentence wherever that sentence is the same for every caller. One that was
approved is said as long as the sentence is the one that was on the page when it was recorded: a menu whose keys have
changed must not be heard with the old ones. One that was put there by hand has no such knowledge and is said as it is;
an approved one comes before it. A file may be any 16-bit WAV; a bad one is told once in the log, and the voice speaks
instead.

A language that no voice speaks is heard from approved recordings alone; those put there by hand count where
`<sounds>/recorded/<language>/approved_by` names the speaker who has approved them.
"""

from __future__ import annotations

import hashlib
import io
import logging
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from speech.sound import Sound
from speech.takes import Manifest, read_manifest

log = logging.getLogger(__name__)

APPROVED_BY = "approved_by"  # a file beside the recordings; its first line is a name
LARGEST = 60_000_000  # bytes: five minutes of studio quality in stereo


class RecordingRefused(ValueError):
    """A WAV file that cannot be used; the message says why and what is expected."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A usable file, and the SHA-256 of its content. `approved`: by a named speaker, for this very sentence."""

    path: Path
    digest: str
    approved: bool = False

    async def sound(self) -> Sound:
        return read(self.path)


_Stamp = tuple[int, int]


class Recordings:
    """Finds the recording of a prompt; looks at the files' time and size each time, at their content when they
    change.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[Path, tuple[_Stamp, Recording | None]] = {}
        self._manifests: dict[Path, tuple[_Stamp, Manifest]] = {}
        self._whole: dict[str, tuple[int, Mapping[str, str], bool]] = {}
        self._told: set[str] = set()

    def of(self, key: str, language: str, text: str | None = None) -> Recording | None:
        """What is said for a prompt; `text` is its sentence now, None where the language has none."""
        approved = self._approved(key, language, text) if text is not None else None
        return approved or self._file(self.folder / language / f"{key}.wav")

    def stands_for(self, key: str, language: str, text: str | None) -> Recording | None:
        """The same where no voice speaks the language: somebody must stand for what is heard."""
        found = self.of(key, language, text)
        return found if found and (found.approved or self.approved_by(language)) else None

    def complete(self, language: str, texts: Mapping[str, str]) -> bool:
        """Whether each of these sentences can be heard in a language that no voice speaks.

        Looked for anew only when something in the language's folder was published or taken away, or for other texts.
        """
        try:
            stamp = (self.folder / language).stat().st_mtime_ns
        except OSError:
            return False
        known = self._whole.get(language)
        if known is None or known[0] != stamp or known[1] is not texts:
            whole = bool(texts) and all(self.stands_for(key, language, text) for key, text in texts.items())
            known = self._whole[language] = (stamp, texts, whole)
        return known[2]

    def any(self, language: str) -> bool:
        """Whether there is a folder for them: one look, cheap enough for the event loop."""
        return (self.folder / language).is_dir()

    def approved_by(self, language: str) -> str | None:
        """Who has approved what was put there by hand; None, and once a line in the log, when nobody has."""
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

    def _approved(self, key: str, language: str, text: str) -> Recording | None:
        path = self.folder / language / f"{key}.json"
        stamp = _stamp(path)
        if stamp is None:
            return None
        if path not in self._manifests or self._manifests[path][0] != stamp:
            self._manifests[path] = (stamp, read_manifest(path))
        approval = self._manifests[path][1].approved
        if approval is None or approval.take.text != text:
            return None
        found = self._file(path.parent / approval.take.file)
        # Another sound under the name of the approved one is nobody's.
        return Recording(found.path, found.digest, True) if found and found.digest == approval.take.digest else None

    def _file(self, path: Path) -> Recording | None:
        stamp = _stamp(path)
        if stamp is None:
            return None
        if path not in self._files or self._files[path][0] != stamp:
            self._files[path] = (stamp, self._judge(path))
        return self._files[path][1]

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
    return decoded(path.read_bytes())


def decoded(content: bytes) -> Sound:
    """A WAV file's sound. Raises `RecordingRefused`."""
    try:
        with wave.open(io.BytesIO(content), "rb") as file:
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


def _stamp(path: Path) -> _Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
