"""A hospital's own recordings, joined: the sentences (scripts), the takes (speech), the console's page (web)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from hotline.spoken import Spoken
from scripts.wording import STATIC_KEYS, Wording
from speech.publish import publish_static
from speech.recordings import RecordingRefused, decoded
from speech.sound import SoundRefused
from speech.speaker import Speaker
from speech.takes import Manifest, Takes, judge
from speech.voices import VoiceFailed
from web.ports import Progress, PromptLine, PromptTake

log = logging.getLogger(__name__)


class OwnPrompts:
    """`web.ports.OwnPrompts`. What is approved is heard at the next call, in every process."""

    def __init__(
        self, in_force: Callable[[], Awaitable[Wording]], speaker: Speaker, languages: tuple[str, ...]
    ) -> None:
        """`in_force`: the sentences as they are now. `languages`: those that callers can choose. One that no voice
        speaks needs this page most: it comes first."""
        self._in_force, self._speaker = in_force, speaker
        self._takes = Takes(speaker.recordings.folder)
        self.languages = tuple(sorted(languages, key=speaker.cache.voices.speak))

    async def has(self, language: str, key: str) -> bool:
        return language in self.languages and key in (await self._written(language))

    async def lines(self, language: str) -> tuple[list[PromptLine], Progress]:
        words = await self._in_force()
        return await asyncio.to_thread(self._lines, words, language)

    async def keep(self, language: str, key: str, content: bytes, by: UUID, at: datetime) -> str | None:
        """Why this sound can't be taken, as a sentence; None where it is kept."""
        text = (await self._written(language))[key]
        return await asyncio.to_thread(self._keep, language, key, text, content, str(by), at)

    async def approve(self, language: str, key: str, digest: str, speaker: str, by: UUID, at: datetime) -> bool:
        done = await asyncio.to_thread(self._takes.approve, language, key, digest, speaker, str(by), at)
        if done:
            await self._publish(language, key)
        return done

    async def withdraw(self, language: str, key: str) -> bool:
        done = await asyncio.to_thread(self._takes.withdraw, language, key)
        if done:
            await self._publish(language, key)
        return done

    async def _written(self, language: str) -> dict[str, str]:
        words = await self._in_force()
        return words.recordable(language) if language in words.languages else {}

    async def sound(self, language: str, key: str, digest: str) -> bytes | None:
        """The WAV of one of the prompt's takes; None where it is gone."""
        manifest = self._takes.of(language, key)
        takes = [manifest.new, manifest.approved.take if manifest.approved else None]
        take = next((one for one in takes if one is not None and one.digest == digest), None)
        try:
            return await asyncio.to_thread(self._takes.sound, language, take) if take else None
        except OSError:
            return None

    def _keep(self, language: str, key: str, text: str, content: bytes, by: str, at: datetime) -> str | None:
        try:
            sound = decoded(content)
            judge(sound, text)
        except RecordingRefused as refusal:
            return f"This sound can't be used: {refusal}."
        except SoundRefused as refusal:
            return f"This recording {refusal}. Record it again."
        try:
            self._takes.keep(language, key, sound, text, by, at)
        except OSError as error:
            log.error("a take could not be kept below %s (%s)", self._takes.folder, error.strerror)
            return "The recording could not be written. Tell your administrator that the disc may be full."
        return None

    async def _publish(self, language: str, key: str) -> None:
        """What the dialplan plays by itself is put in place now; the ivr finds the rest by itself."""
        if key not in STATIC_KEYS:
            return
        try:
            speaker = self._speaker.saying(await self._in_force())
            await publish_static(speaker, [key], [language])
        except (VoiceFailed, OSError) as failure:
            log.error("%s/%s: the dialplan keeps the sound that it has (%s)", language, key, failure)

    def _lines(self, words: Wording, language: str) -> tuple[list[PromptLine], Progress]:
        if language not in words.languages:
            return [], Progress(0, 0, False, False)
        written, whole = words.recordable(language), words.whole_call(language)
        needed = whole.keys() if whole is not None else written.keys()
        lines = [self._line(language, key, text, words.dialogue(key), key in needed) for key, text in written.items()]
        approved = sum(line.needed and line.state == "approved" for line in lines)
        spoken = language in Spoken(words, self._speaker.recordings)
        return lines, Progress(approved, sum(line.needed for line in lines), spoken, language in words.spoken)

    def _line(self, language: str, key: str, text: str, dialogue: str, needed: bool) -> PromptLine:
        found = self._takes.of(language, key)
        by_hand = self._takes.by_hand(language, key) is not None
        state = found.state(text)
        return PromptLine(
            key=key,
            dialogue=dialogue,
            text=text,
            needed=needed,
            state="by_hand" if by_hand and state == "missing" else state,
            new=_new(found, text),
            approved=_approved(found),
        )


def _new(found: Manifest, text: str) -> PromptTake | None:
    """A take of a sentence that has changed since can't be approved any more: it is not offered."""
    take = found.new
    return PromptTake(take.digest, take.seconds, take.at) if take and take.text == text else None


def _approved(found: Manifest) -> PromptTake | None:
    if found.approved is None:
        return None
    take = found.approved.take
    return PromptTake(take.digest, take.seconds, found.approved.at, found.approved.speaker, take.text)
