"""The prompt cache: one rendering for each sentence, voice and setting, for ever.

Rules: the key is the SHA-256 of the request as canonical JSON (text in NFC, language, all that the
voice's sound depends on, the verbaliser's version), never of the audio. A sentence is rendered once,
however many ask at the same time, in this process (they share a task) and in others (a lock in the file
system). At most `jobs` voices run at once. A rendering is judged before it is published; one that fails
is tried with the next voice. What holds something of one patient lives in a root of its own, is named by
a keyed hash (names stay in logs), says no text in its sidecar, and is purged.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
import unicodedata
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

from speech.sound import Sound, SoundRefused, check, levelled, speakable
from speech.store import FORMATS, Store
from speech.voices import Voice, VoiceFailed, Voices

LONGEST = 3000  # letters of one prompt, about four minutes of speech
LOCK_WAIT = 60.0  # seconds to wait for another process that renders the same
LOCK_POLL = 0.02
ABANDONED = 3600.0  # seconds after which a temporary file has no living writer

Maker = Callable[[], Awaitable[Sound]]


class PromptCache:
    """Sentences as sound files below `sounds`: `cache/` for everybody's, `personal/` for one patient's."""

    def __init__(self, sounds: Path, voices: Voices, *, verbaliser: str = "", jobs: int = 2) -> None:
        self.sounds = sounds
        self.voices = voices
        self.shared = Store(sounds / "cache")
        self.personal = Store(sounds / "personal", 0o640)
        self._verbaliser = verbaliser
        self._jobs = asyncio.Semaphore(jobs)
        self._making: dict[str, asyncio.Task[Path]] = {}
        self._salt: bytes | None = None

    async def render(self, text: str, language: str, *, personal: bool = False, pace: float = 1.0) -> Path:
        """The sound of a sentence: a path without extension, beside which `.sln16` and `.sln` are.
        `pace` is beside the voice's own: 0.85 is slower.

        Raises `VoiceFailed` when no voice can say it, or when the disk takes no more.
        """
        text = plain(text)
        if not speakable(text) or len(text) > LONGEST:
            raise VoiceFailed(
                f"a prompt has 1 to {LONGEST} letters, this one {len(text)}: mend it in scripts/languages"
            )
        failures: list[str] = []
        for voice in self.voices.of(language):
            try:
                request = {"text": text, "language": language, **await voice.identity(language, pace)}
                return await self._entry(request, partial(self._say, voice, text, language, pace), personal)
            except VoiceFailed as failure:
                failures.append(str(failure))
        raise VoiceFailed("; ".join(failures))

    async def recorded(self, recording: str, sound: Maker) -> Path:
        """The same for a hospital's own recording: `recording` is its hash, `sound` reads it."""
        return await self._entry({"recording": recording}, sound, personal=False)

    async def purge(self, older_than: float = 86_400.0) -> int:
        """Remove patients' prompts that are older than so many seconds, and abandoned temporary files."""
        await asyncio.to_thread(self.shared.sweep, ABANDONED)
        return await asyncio.to_thread(self.personal.purge, older_than)

    async def _entry(self, request: Mapping[str, str], make: Maker, personal: bool) -> Path:
        store = self.personal if personal else self.shared
        name = await self._name(request, personal)
        if store.has(name):
            return store.path(name)
        task = self._making.get(name)
        if task is None:
            task = asyncio.create_task(self._make(store, name, request, make))
            self._making[name] = task
            task.add_done_callback(lambda done: self._forget(name, done))
        # Shielded: one caller who hangs up does not take the prompt from the others.
        return await asyncio.shield(task)

    def _forget(self, name: str, task: asyncio.Task[Path]) -> None:
        self._making.pop(name, None)
        if not task.cancelled():
            task.exception()  # looked at: a failure whose askers have all hung up is nobody's loss

    async def _name(self, request: Mapping[str, str], personal: bool) -> str:
        canonical = {"verbaliser": self._verbaliser, "formats": sorted(FORMATS), **request}
        message = json.dumps(canonical, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        if not personal:
            return hashlib.sha256(message).hexdigest()
        if self._salt is None:
            self._salt = await asyncio.to_thread(self.personal.secret)
        return hmac.new(self._salt, message, hashlib.sha256).hexdigest()

    async def _make(self, store: Store, name: str, request: Mapping[str, str], make: Maker) -> Path:
        try:
            lock = await self._lock(store, name)
            try:
                if store.has(name):
                    return store.path(name)
                async with self._jobs:
                    sound = await make()
                    return await asyncio.to_thread(_publish, store, name, sound, request)
            finally:
                store.unlock(lock)
        except OSError as error:
            raise VoiceFailed(f"the prompt cache cannot write below {store.root}: {error.strerror}") from error

    async def _lock(self, store: Store, name: str) -> int:
        until = time.monotonic() + LOCK_WAIT
        while (handle := store.lock(name)) is None:
            if time.monotonic() > until:
                raise VoiceFailed(f"another process has held the prompt cache for {LOCK_WAIT:g} s: is it stopped?")
            await asyncio.sleep(LOCK_POLL)
        return handle

    async def _say(self, voice: Voice, text: str, language: str, pace: float) -> Sound:
        sound = await voice.say(text, language, pace)
        try:
            await asyncio.to_thread(check, sound, text, pace)
        except SoundRefused as refusal:
            raise VoiceFailed(f"what {voice.name} said in {language} {refusal}") from refusal
        return sound


def plain(text: str) -> str:
    """A text as it is keyed and spoken: NFC, one line, no control characters (NUL, escapes, lone
    surrogates).
    """
    known = "".join(" " if unicodedata.category(sign)[0] == "C" else sign for sign in text)
    return " ".join(unicodedata.normalize("NFC", known).split())


def _publish(store: Store, name: str, sound: Sound, request: Mapping[str, str]) -> Path:
    ready = levelled(sound)
    about: dict[str, object] = {key: value for key, value in request.items() if key != "text"}
    about["seconds"] = round(ready.seconds, 3)
    if store.root.name != "personal":
        about["text"] = request.get("text", "")
    return store.publish(name, {extension: ready.pcm16(rate) for extension, rate in FORMATS.items()}, about)
