"""Whether callers may answer by voice here: the engines that the settings name, their models, and the port for sound.

`ears = "vosk"`: Vosk answers the menus of each language that it has a model of; whisper, where it is installed, writes
down what is said freely and answers for the other languages. `ears = "whisper"`: whisper alone. Where the models lie is
in ears_installed.py.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from hotline import ears_installed, numbering
from hotline import models as installed
from hotline.places import Places
from hotline.settings import Settings
from ivr.audio_server import AudioServer
from ivr.house import HouseKeys
from ivr.phrasebook import Phrasebook
from ivr.session import AgiSession
from ivr.voice_line import VoiceLine
from scripts.wording import Wording
from speech.ears import Ears, EarsFailed
from speech.ears.engine import Engine, Several
from speech.ears.vosk import vosk
from speech.ears.whisper import whisper
from speech.speaker import SEEN_AS, Speaker

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hearing:
    """What the lines of all calls share."""

    ears: Ears | None
    audio: AudioServer
    speaker: Speaker
    phrases: Phrasebook
    patience_s: float

    def saying(self, speaker: Speaker, words: Wording) -> Hearing:
        """The same ears for other sentences."""
        return replace(self, speaker=speaker, phrases=Phrasebook(words, HouseKeys().urgent))

    def line(self, session: AgiSession, *, ours: bool) -> VoiceLine | None:
        """`ours`: we have called, and want to hear who picks up. None: by key alone."""
        if self.ears is None and not ours:
            return None
        return VoiceLine(session, self.speaker, self._local, self.ears, self.audio, recognition_s=self.patience_s)

    def _local(self, sound: str) -> Path:
        return self.speaker.cache.sounds / PurePosixPath(sound).relative_to(SEEN_AS)


Tell = Callable[[str, Sequence[str], str], Awaitable[None]]
"""Engine, languages in which callers are understood now, and what to do about those in which they are not."""


@asynccontextmanager
async def hearing(
    settings: Settings, here: Places, said: Speaker, words: Wording, tell: Tell
) -> AsyncIterator[Hearing | None]:
    """None where no sound is listened to: nothing that is wrong with the ears stops the telephone.

    Models are loaded while calls are taken already; a line hears as soon as a recogniser is ready."""
    off = settings.speech.ears == "off"
    if off:
        await _told(tell, "off", (), "")
    if not settings.listens:
        yield None
        return
    changed = asyncio.Event()
    async with AsyncExitStack() as stack:
        try:
            audio = await stack.enter_async_context(AudioServer(settings.audio_address, numbering.AUDIO_PORT))
        except OSError as failure:
            trouble = f"the port for sound can't be used ({failure.strerror})"
            log.error("callers answer by key, and no machine is known for one: %s", trouble)
            if not off:
                await _told(tell, settings.speech.ears, (), trouble)
            yield None
            return
        phrases = Phrasebook(words, HouseKeys().urgent)
        if off:
            yield Hearing(None, audio, said, phrases, settings.speech.patience_seconds)
            return
        engines = _engines(settings, here, changed.set)
        telling = asyncio.create_task(_watch(settings, here, engines, stack, changed, tell))
        try:
            yield Hearing(Several(engines), audio, said, phrases, settings.speech.patience_seconds)
        finally:
            telling.cancel()
            await asyncio.wait([telling])


async def _watch(
    settings: Settings,
    here: Places,
    engines: Sequence[Engine],
    stack: AsyncExitStack,
    changed: asyncio.Event,
    tell: Tell,
) -> None:
    """Starts the engines, and tells whenever what callers can do has changed."""
    problems = await _start(engines, ears_installed.models(settings, here), stack)
    last: tuple[Sequence[str], str] | None = None
    while True:
        changed.clear()
        heard = [tag for tag in settings.site.languages if Several(engines).hears(tag)]
        trouble = "; ".join(problems) or (
            "" if heard else "its recognisers end again and again: the ivr's log says why"
        )
        if (heard, trouble) != last:
            last = heard, trouble
            await _told(tell, settings.speech.ears, heard, trouble)
        await changed.wait()


async def _told(tell: Tell, engine: str, languages: Sequence[str], trouble: str) -> None:
    try:
        await tell(engine, languages, trouble)
    except Exception as error:
        log.error("the console is not told who hears (%s)", type(error).__name__)


async def _start(engines: Sequence[Engine], folder: Path, stack: AsyncExitStack) -> list[str]:
    """What is wrong, a sentence each. `folder`: where a model is missed, if there is none."""
    problems = []
    for engine in engines:
        broken = await asyncio.to_thread(installed.damaged, engine.model)
        if broken is not None:
            problem: str | None = (
                f"{broken} in {engine.model} is damaged: delete that folder and install the model again"
            )
        else:
            problem = await _started(engine, stack)
        problems += [problem] if problem else []
    if not engines:
        problems = [f"no model is installed in {folder}: install one, or name its folder in [speech] models"]
    for problem in problems:
        log.error("callers answer by key: %s", problem)
    return problems


async def _started(engine: Engine, stack: AsyncExitStack) -> str | None:
    try:
        await stack.enter_async_context(engine)
    except EarsFailed as failure:
        return str(failure)
    log.info("callers may answer by voice (%s)", engine.kind)
    return None


def _engines(settings: Settings, here: Places, changed: Callable[[], object]) -> list[Engine]:
    return _chosen(
        settings, here, workers=settings.speech.workers, deadline_s=settings.speech.patience_seconds, changed=changed
    )


def behind(settings: Settings, here: Places) -> list[Engine]:
    """Recognisers for work that nobody waits for, those for free speech first: one worker, a minute for a sentence.
    None without ears."""
    if settings.speech.ears == "off":
        return []
    return _chosen(settings, here, workers=1, deadline_s=60.0)[::-1]


def _chosen(settings: Settings, here: Places, **limits: Any) -> list[Engine]:
    """In the order of `Several`. Whisper that is named is asked for, also if it is missing; beside Vosk only where it
    is there."""
    general = ears_installed.whisper(settings, here)
    if settings.speech.ears == "whisper":
        return [whisper(general, **limits)]
    found = [vosk(language, folder, **limits) for language, folder in ears_installed.vosk(settings, here).items()]
    return [*found, *([whisper(general, **limits)] if (general / "model.bin").is_file() else [])]
