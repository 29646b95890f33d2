"""The prompt cache: one rendering for each sentence, voice and setting, for ever.

Rules: the key is the SHA-256 of the request as canonical JSON (text in NFC, language, all that the
voice's sound depends on, the verbaliser's version), never of the audio. A sentence is rendered once,
however many ask at the same time, in this process (they share a task) and in others (a lock in the file
system). Of each voice at most `jobs` run at once. A rendering is judged before it is published; one that fails
is tried with the next voice.

Nobody waits long for a better voice: who asks says within which time the sound is needed. A voice that is expected to
take longer (letters before it and its own, by what a letter took of late), or does, goes on behind for the next time,
and the next voice speaks now. What holds something of one patient lives in a root of its own, is named by
a keyed hash (names stay in logs), says no text in its sidecar, and is purged. What names a day lives in another, and is
purged when it was not asked for any more: a house has new days every day.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import math
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from speech.sound import LOUDNESS, Sound, SoundRefused, check, levelled, speakable
from speech.store import FORMATS, Store
from speech.voices import Voice, VoiceFailed, Voices

LONGEST = 3000  # letters of one prompt, about four minutes of speech
LOCK_WAIT = 60.0  # seconds to wait for another process that renders the same
LOCK_POLL = 0.02
ABANDONED = 3600.0  # seconds after which a temporary file has no living writer
UNUSED = 14 * 86_400.0  # seconds after which a sentence with a day in it will not be said again
AT_LEISURE = math.inf  # `within` of who can wait
NOTHING_NEW = 0.0  # `within` of who takes a better voice only where its sound is there already
MOST_WAITING = 1500  # letters that may wait for a slow voice, about a minute of its work; more are not begun behind

Maker = Callable[[], Awaitable[Sound]]


@dataclass(frozen=True, slots=True)
class _Entry:
    """One sound to be: where, of what, by whom, and how many letters its maker has to say."""

    store: Store
    name: str
    request: Mapping[str, str]
    by: str
    make: Maker
    letters: int = 0

    @property
    def path(self) -> Path | None:
        return self.store.path(self.name) if self.store.has(self.name) else None


class PromptCache:
    """Sentences as sound files below `sounds`: `cache/` for everybody's, `passing/` for those with a day in them,
    `personal/` for one patient's."""

    def __init__(self, sounds: Path, voices: Voices, *, verbaliser: str = "", jobs: int = 2) -> None:
        self.sounds = sounds
        self.voices = voices
        self.shared = Store(sounds / "cache")
        self.passing = Store(sounds / "passing")
        self.personal = Store(sounds / "personal", 0o640)
        self._verbaliser = verbaliser
        self._jobs: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(jobs))
        self._making: dict[str, asyncio.Task[Path]] = {}
        self._waiting: Counter[str] = Counter()  # letters, by voice
        self._salt: bytes | None = None

    async def render(
        self,
        text: str,
        language: str,
        *,
        personal: bool = False,
        passing: bool = False,
        pace: float = 1.0,
        within: float = AT_LEISURE,
    ) -> Path:
        """The sound of a sentence: a path without extension, beside which `.sln16` and `.sln` are.

        `pace` is beside the voice's own: 0.85 is slower. `within`: seconds; a better voice that takes longer does not
        speak this time. Raises `VoiceFailed` when no voice can say it, or when the disk takes no more.
        """
        text = plain(text)
        if not speakable(text) or len(text) > LONGEST:
            raise VoiceFailed(
                f"a prompt has 1 to {LONGEST} letters, this one {len(text)}: mend it in scripts/languages"
            )
        failures: list[str] = []
        voices = self.voices.of(language)
        for voice in voices:
            try:
                entry = await self._entry(voice, text, language, pace, personal, passing)
                if voice is voices[-1] or within == AT_LEISURE:
                    return await self._made(entry)
                if (path := await self._in_time(voice, entry, within)) is not None:
                    return path
            except VoiceFailed as failure:
                failures.append(str(failure))
        raise VoiceFailed("; ".join(failures))

    def better(self, language: str) -> bool:
        """Whether a voice speaks the language that may be too slow for who waits, and is worth preparing for."""
        return len([voice for voice in self.voices.engines if voice.speaks(language)]) > 1

    async def at_rest(self) -> None:
        """Until nothing is being rendered here."""
        while self._making:
            await asyncio.wait(set(self._making.values()))

    async def recorded(self, recording: str, sound: Maker) -> Path:
        """The same for a hospital's own recording: `recording` is its hash, `sound` reads it."""
        request = {"recording": recording}
        return await self._made(_Entry(self.shared, await self._name(request, False), request, "recorded", sound))

    async def purge(self, older_than: float = 86_400.0, unused_for: float = UNUSED) -> int:
        """Remove patients' prompts that are older than so many seconds, those with a day in them that were not used for
        so many, and abandoned temporary files."""
        await asyncio.to_thread(self.shared.sweep, ABANDONED)
        passed = await asyncio.to_thread(self.passing.purge, unused_for)
        return passed + await asyncio.to_thread(self.personal.purge, older_than)

    async def _entry(
        self, voice: Voice, text: str, language: str, pace: float, personal: bool, passing: bool
    ) -> _Entry:
        request = {"text": text, "language": language, **await voice.identity(language, pace)}
        store = self.personal if personal else self.passing if passing else self.shared
        name = await self._name(request, personal)
        if store is self.passing:
            store.used(name)
        make = partial(self._say, voice, text, language, pace)
        return _Entry(store, name, request, voice.name, make, speakable(text))

    async def _made(self, entry: _Entry) -> Path:
        if (path := entry.path) is not None:
            return path
        # Shielded: one caller who hangs up does not take the prompt from the others.
        return await asyncio.shield(self._begun(entry))

    async def _in_time(self, voice: Voice, entry: _Entry, within: float) -> Path | None:
        """None: the next voice must speak now. This one's sound is made for the next time, unless too much waits."""
        if entry.path is not None or within <= NOTHING_NEW:
            return entry.path
        if entry.name not in self._making:
            letters = self._waiting[voice.name]
            if letters > MOST_WAITING:
                return None
            expected = voice.seconds_a_letter * (letters + entry.letters)
            self._begun(entry)
            if expected > within:
                return None
        making = self._making[entry.name]
        await asyncio.wait({making}, timeout=within)
        return making.result() if making.done() else None

    def _begun(self, entry: _Entry) -> asyncio.Task[Path]:
        task = self._making.get(entry.name)
        if task is None:
            task = asyncio.create_task(self._make(entry))
            self._making[entry.name] = task
            self._waiting[entry.by] += entry.letters
            task.add_done_callback(partial(self._forget, entry))
        return task

    def _forget(self, entry: _Entry, task: asyncio.Task[Path]) -> None:
        self._making.pop(entry.name, None)
        self._waiting[entry.by] -= entry.letters
        if not task.cancelled():
            task.exception()  # looked at: a failure whose askers have all hung up is nobody's loss

    async def _name(self, request: Mapping[str, str], personal: bool) -> str:
        canonical = {"verbaliser": self._verbaliser, "formats": sorted(FORMATS), "loudness": LOUDNESS, **request}
        message = json.dumps(canonical, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        if not personal:
            return hashlib.sha256(message).hexdigest()
        if self._salt is None:
            self._salt = await asyncio.to_thread(self.personal.secret)
        return hmac.new(self._salt, message, hashlib.sha256).hexdigest()

    async def _make(self, entry: _Entry) -> Path:
        store, name = entry.store, entry.name
        try:
            async with self._jobs[entry.by]:
                lock = await self._lock(entry)
                try:
                    if store.has(name):
                        return store.path(name)
                    sound = await entry.make()
                    return await asyncio.to_thread(_publish, store, name, sound, entry.request)
                finally:
                    store.unlock(lock)
        except OSError as error:
            raise VoiceFailed(f"the prompt cache cannot write below {store.root}: {error.strerror}") from error

    async def _lock(self, entry: _Entry) -> int:
        until = time.monotonic() + LOCK_WAIT
        while (handle := entry.store.lock(entry.name, entry.by)) is None:
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
