"""From a prompt's key to a sound that Asterisk can play: recording, else voice, else the reference
language.

    speaker = Speaker(wording, PromptCache(sounds, Voices([Espeak()])))
    await speaker.sound("time_with_doctor", "es", {"when": starts_at, "doctor": "la doctora Vega"})
    → "/hotline/sounds/cache/3f/3f…"            # no extension: Asterisk takes the format that suits
    the call

The wording comes in by a Protocol, because rooms at the same height do not import one another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from speech.cache import AT_LEISURE, PromptCache
from speech.recordings import Recordings

SEEN_AS = "/hotline/sounds"  # the sounds' folder in Asterisk's root
AHEAD_S = 10.0  # seconds in which a prompt that was prepared may be needed


class Sentence(Protocol):
    """What is said, in which language at last, and whether it holds something of one patient, or a day that passes."""

    @property
    def text(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def personal(self) -> bool: ...
    @property
    def passing(self) -> bool: ...


class Sentences(Protocol):
    """Satisfied by `scripts.wording.Wording`. Values are whatever it can word."""

    def sentence(self, key: str, language: str, params: Mapping[str, Any], can_speak: bool = True) -> Sentence: ...

    def is_static(self, key: str) -> bool: ...

    def pace(self, language: str) -> float: ...


class Speaker:
    """Says prompts. One for each process."""

    def __init__(
        self,
        sentences: Sentences,
        cache: PromptCache,
        *,
        seen_as: str = SEEN_AS,
        within: float = AT_LEISURE,
        pace: float = 1.0,
    ) -> None:
        """`within`: seconds that a caller may wait for a better voice. `pace`: the house's, beside each language's."""
        self.sentences = sentences
        self.cache = cache
        self.recordings = Recordings(cache.sounds / "recorded")
        self._seen_as = PurePosixPath(seen_as)
        self._within = within
        self._pace = pace

    async def sound(self, key: str, language: str, params: Mapping[str, Any] | None = None, pace: float = 1.0) -> str:
        """The absolute name of a prompt's sound as Asterisk sees it, without extension. `pace` is beside the
        house's and the language's own; a recording has its own.

        A caller waits for it: a better voice that is not there in time does not say it this time. Raises `VoiceFailed`
        (what to do is in it), and what the wording raises for an unknown key or a missing value.
        """
        return self._seen(await self.file(key, language, params or {}, pace, within=self._within))

    async def ahead(self, key: str, language: str, params: Mapping[str, Any] | None = None, pace: float = 1.0) -> str:
        """The same for a prompt that is likely to be played in a while: a better voice has time for it."""
        within = max(AHEAD_S, self._within)
        return self._seen(await self.file(key, language, params or {}, pace, within=within))

    async def at_leisure(
        self, key: str, language: str, params: Mapping[str, Any] | None = None, pace: float = 1.0
    ) -> Path:
        """The same for a prompt that may be played some day: by the best voice, when nobody else waits for any."""
        await self.cache.at_rest()
        return await self.file(key, language, params or {}, pace)

    def _seen(self, path: Path) -> str:
        return str(self._seen_as / path.relative_to(self.cache.sounds).as_posix())

    async def file(
        self,
        key: str,
        language: str,
        params: Mapping[str, Any],
        pace: float = 1.0,
        *,
        within: float = AT_LEISURE,
    ) -> Path:
        """The same as a path on this machine, without extension."""
        speaks = self.cache.voices.speak(language)
        if (own := await self._recorded(key, language, speaks)) is not None:
            return own
        sentence = self.sentences.sentence(key, language, params, speaks)
        if sentence.language != language:
            own = await self._recorded(key, sentence.language)
            if own is not None:
                return own
        pace *= self._pace * self.sentences.pace(sentence.language)
        return await self.cache.render(
            sentence.text,
            sentence.language,
            personal=sentence.personal,
            passing=sentence.passing,
            pace=pace,
            within=within,
        )

    def saying(self, sentences: Sentences) -> Speaker:
        """The same voices and the same cache for other sentences."""
        return Speaker(sentences, self.cache, seen_as=str(self._seen_as), within=self._within, pace=self._pace)

    async def close(self) -> None:
        """Ends what the voices keep running."""
        await self.cache.voices.close()

    async def _recorded(self, key: str, language: str, speaks: bool = True) -> Path | None:
        """`speaks`: whether a voice does; where none does, a recording needs somebody who stands for it."""
        if not self.sentences.is_static(key) or not self.recordings.any(language):
            return None
        sentence = self.sentences.sentence(key, language, {})
        text = sentence.text if sentence.language == language else None
        find = self.recordings.of if speaks else self.recordings.stands_for
        recording = await asyncio.to_thread(find, key, language, text)
        return await self.cache.recorded(recording.digest, recording.sound) if recording is not None else None
