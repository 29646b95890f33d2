"""Whether callers may answer by voice here: the engine that the settings name, its models, and the port for sound.

ears/whisper/            model.bin, config.json, tokenizer.json, vocabulary.json
ears/vosk/<language>/    am/, conf/, graph/ …  (es, pt-BR, zh-CN, en)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from hotline import models as installed
from hotline import numbering
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
        engines = _engines(settings, models(settings, here), changed.set)
        telling = asyncio.create_task(_watch(settings, engines, models(settings, here), stack, changed, tell))
        try:
            yield Hearing(Several(engines), audio, said, phrases, settings.speech.patience_seconds)
        finally:
            telling.cancel()
            await asyncio.wait([telling])


async def _watch(
    settings: Settings,
    engines: Sequence[Engine],
    folder: Path,
    stack: AsyncExitStack,
    changed: asyncio.Event,
    tell: Tell,
) -> None:
    """Starts the engines, and tells whenever what callers can do has changed."""
    problems = await _start(engines, folder, stack)
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
    """What is wrong, a sentence each."""
    broken = await asyncio.to_thread(installed.damaged, folder)
    if broken is not None:
        problems = [f"{broken} in {folder} is damaged: delete that folder and install the model again"]
    elif not engines:
        problems = [f"no model is installed in {folder}: install one, or name its folder in [speech] models"]
    else:
        problems = [problem for engine in engines if (problem := await _started(engine, stack))]
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


def models(settings: Settings, here: Places) -> Path:
    """The engine's folder; it need not be there."""
    speech = settings.speech
    if speech.models is None and speech.ears == "whisper":
        return installed.folder("whisper-base")
    return (speech.models or here.ears).absolute() / speech.ears


def told(settings: Settings, here: Places) -> str:
    """For `hotline status`: what the settings say, and whether its model is there."""
    name = settings.speech.ears
    if name == "off":
        return "off: callers answer by key; [speech] ears in the settings"
    folder = models(settings, here)
    return name if _languages(folder) else f"{name} is not installed in {folder}: callers answer by key"


def _engines(settings: Settings, folder: Path, changed: Callable[[], object]) -> list[Engine]:
    limits: dict[str, Any] = {
        "workers": settings.speech.workers,
        "deadline_s": settings.speech.patience_seconds,
        "changed": changed,
    }
    if settings.speech.ears == "whisper":
        return [whisper(folder, **limits)]
    return [vosk(language, folder / language, **limits) for language in _languages(folder)]


def behind(settings: Settings, here: Places) -> list[Engine]:
    """Recognisers for work that nobody waits for: one worker, a minute for a sentence. None without ears."""
    folder = models(settings, here)
    limits: dict[str, Any] = {"workers": 1, "deadline_s": 60.0}
    if settings.speech.ears == "off":
        return []
    if settings.speech.ears == "whisper":
        return [whisper(folder, **limits)]
    return [vosk(language, folder / language, **limits) for language in _languages(folder)]


def _languages(folder: Path) -> list[str]:
    """The folders of models, for whisper its files: nothing if none is installed."""
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
