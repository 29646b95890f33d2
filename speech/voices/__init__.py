"""One file an engine. A voice turns a sentence into sound in a child process, or raises `VoiceFailed`.

The recipe for the next one (Piper, a hospital's own server):

1. `speech/voices/<engine>.py` with a class of the shape `Voice`. `identity()` must name everything that changes the
   sound (engine and model version, a hash of the model and of the voice, speed): it is part of the cache's key.
2. Run the engine out of process with a time limit; text goes in by a pipe, never as an argument. Check what comes back.
   `espeak.py` is a child for each sentence; `kokoro.py` keeps a `worker.py`, because its model takes a second to load.
3. Its model, if it has one, goes into `hotline/model_catalogue.py`.
4. Put it before espeak-ng in `voices()` of `hotline/wiring.py`: the first that speaks a language is asked, the next
   ones are its fallback, and the last one must always be in time.
5. Show in a test what it does with hostile text, a missing program and a hung one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from speech.sound import Sound


class VoiceFailed(RuntimeError):
    """No sound came of a sentence. The message says what to do about it; it never holds the sentence."""


class Voice(Protocol):
    """An engine."""

    @property
    def name(self) -> str: ...

    def speaks(self, language: str) -> bool:
        """Whether it has a voice for the language that is good enough to be heard by patients."""
        ...

    @property
    def seconds_a_letter(self) -> float:
        """How long it takes to say a letter (as `speakable` counts), as measured; 0 where it is always in time."""
        ...

    async def identity(self, language: str, pace: float = 1.0) -> Mapping[str, str]:
        """All that the sound depends on but for the text. Raises `VoiceFailed` if the engine is not there."""
        ...

    async def say(self, text: str, language: str, pace: float = 1.0) -> Sound:
        """`pace`: 1 is the language's own, below it slower. Raises `VoiceFailed`. May be cancelled; the child dies
        with it.
        """
        ...

    async def close(self) -> None:
        """Ends what it keeps running."""
        ...


class Voices:
    """The engines of this site, best first."""

    def __init__(self, engines: Sequence[Voice]) -> None:
        self.engines = tuple(engines)

    def speak(self, language: str) -> bool:
        """Whether any engine speaks the language."""
        return any(engine.speaks(language) for engine in self.engines)

    async def close(self) -> None:
        for engine in self.engines:
            await engine.close()

    def of(self, language: str) -> tuple[Voice, ...]:
        """The engines that speak the language, best first. Raises `VoiceFailed` if there is none."""
        found = tuple(engine for engine in self.engines if engine.speaks(language))
        if not found:
            raise VoiceFailed(
                f"no voice speaks {language!r}: add recordings under sounds/recorded/{language}, "
                f"or an engine (the recipe is in speech/voices/__init__.py)"
            )
        return found
