"""espeak-ng: fast (3 ms a second of speech), deterministic, everywhere; not beautiful. The fallback of
every language.

One short-lived child for each sentence. The text goes in by --stdin, because one that begins with "-w"
would be taken as an option; markup (-m) stays off, and "[[", which starts phonemes, is taken out. Never
for Māori: its synthetic Māori is worse than none.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from speech.sound import Sound
from speech.voices import VoiceFailed

# Our language → espeak-ng's voice, and the dictionary that its pronunciation depends on.
VOICES = {
    "es": ("es-419", "es_dict"),
    "en": ("en-gb", "en_dict"),
    "pt-BR": ("pt-br", "pt_dict"),
    "zh-CN": ("cmn", "cmn_dict"),
}
NO_MORE: Mapping[str, tuple[str, str]] = {}
WORDS_A_MINUTE = 150  # espeak-ng's own is 175; elders and bad lines need less
SECONDS = 20.0  # a prompt takes about 0.02 s; ten thousand letters 2 s
MISSING = "espeak-ng is not installed: install the package espeak-ng (Debian: apt-get install espeak-ng)"


class Espeak:
    """Speaks es, en, pt-BR, zh-CN and what more it is told by the espeak-ng command."""

    name = "espeak-ng"

    def __init__(
        self,
        command: str = "espeak-ng",
        speed: int = WORDS_A_MINUTE,
        seconds: float = SECONDS,
        more: Mapping[str, tuple[str, str]] = NO_MORE,
    ) -> None:
        """`more`: its voices for other languages, as `VOICES`."""
        self._command = command
        self._voices = {**VOICES, **more}
        self._speed = speed
        self._seconds = seconds
        self._data: dict[str, Mapping[str, str]] = {}
        self._looking = asyncio.Lock()

    def speaks(self, language: str) -> bool:
        return language in self._voices

    @property
    def seconds_a_letter(self) -> float:
        return 0.0

    async def identity(self, language: str, pace: float = 1.0) -> Mapping[str, str]:
        if language not in self._data:
            async with self._looking:  # at a start hundreds of prompts ask at once
                if language not in self._data:
                    self._data[language] = await self._looked_at(language)
        return {**self._data[language], "speed": str(round(self._speed * pace))}

    async def _looked_at(self, language: str) -> Mapping[str, str]:
        voice, dictionary = self._voice(language)
        said = (await self._run(["--version"], b"")).decode("utf-8", "replace")
        version = re.search(r"text-to-speech: *(\S+)", said)
        data = re.search(r"Data at: *(.+)", said)
        if not version or not data:
            raise VoiceFailed(f"{self._command} --version answers what espeak-ng does not: check what it is")
        digest = await asyncio.to_thread(_digest, Path(data[1].strip()), dictionary)
        return {"engine": self.name, "version": version[1], "voice": voice, "model": digest}

    async def close(self) -> None:
        """Nothing of it outlives a sentence."""

    async def say(self, text: str, language: str, pace: float = 1.0) -> Sound:
        voice, _ = self._voice(language)
        safe = re.sub(r"\[{2,}", "[", text.replace("\0", " "))
        wav = await self._run(
            ["-v", voice, "-s", str(round(self._speed * pace)), "-b", "1", "--stdin", "--stdout"],
            safe.encode("utf-8", "replace"),
        )
        return _from_wav_stream(wav)

    def _voice(self, language: str) -> tuple[str, str]:
        if language not in self._voices:
            raise VoiceFailed(
                f"espeak-ng is not used for {language!r}; it speaks {', '.join(self._voices)} here. "
                "ESPEAK of scripts/languages/<language>/__init__.py names its voice for another"
            )
        return self._voices[language]

    async def _run(self, arguments: list[str], given: bytes) -> bytes:
        if shutil.which(self._command) is None:
            raise VoiceFailed(MISSING)
        with os.fdopen(os.memfd_create("said"), "rb") as said:  # a pipe would wake us for each 4 kB of sound
            code, complaints = await self._ended(arguments, given, said.fileno())
            said.seek(0)
            out = said.read()
        if code != 0 or not out:
            # Its complaints name voices and files, never the text.
            told = complaints.decode("utf-8", "replace").strip()[:200] or "nothing"
            raise VoiceFailed(f"espeak-ng ended with {code} and said {told!r}: try it by hand")
        return out

    async def _ended(self, arguments: list[str], given: bytes, into: int) -> tuple[int | None, bytes]:
        """Its exit code, and its complaints."""
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(
            self._command, *arguments, stdin=pipe, stdout=into, stderr=pipe, env={"LC_ALL": "C.UTF-8"}
        )
        try:
            async with asyncio.timeout(self._seconds):
                _, complaints = await child.communicate(given)
        except TimeoutError:
            raise VoiceFailed(
                f"espeak-ng did not finish within {self._seconds:g} s: is the machine overloaded, or the text endless?"
            ) from None
        finally:
            if child.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    child.kill()
                await child.wait()
        return child.returncode, complaints


def _digest(data: Path, dictionary: str) -> str:
    """Of what makes the sound: the phonemes' data and the language's dictionary."""
    digest = hashlib.sha256()
    try:
        for name in ("phondata", "phonindex", "phontab", "intonations", dictionary):
            digest.update(hashlib.sha256((data / name).read_bytes()).digest())
    except OSError as error:
        raise VoiceFailed(f"espeak-ng's data is incomplete ({error.filename}): install espeak-ng-data again") from error
    return digest.hexdigest()


def _from_wav_stream(wav: bytes) -> Sound:
    """espeak-ng's WAV on a pipe: its lengths are placeholders, so the samples are all that follows
    the data header.
    """
    data = wav.find(b"data")
    if wav[:4] != b"RIFF" or wav[8:16] != b"WAVEfmt " or data < 36:
        raise VoiceFailed("espeak-ng gave no WAV: try it by hand with --stdout")
    return Sound.from_pcm16(wav[data + 8 :], int.from_bytes(wav[24:28], "little"))
