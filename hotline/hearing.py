"""Whether callers may answer by voice here: the engine that the settings name, its models, and the port for sound.

ears/whisper/            model.bin, config.json, tokenizer.json, vocabulary.json
ears/vosk/<language>/    am/, conf/, graph/ …  (es, pt-BR, zh-CN, en)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

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

    ears: Ears
    audio: AudioServer
    speaker: Speaker
    phrases: Phrasebook
    patience_s: float

    def saying(self, speaker: Speaker, words: Wording) -> Hearing:
        """The same ears for other sentences."""
        return replace(self, speaker=speaker, phrases=Phrasebook(words, HouseKeys().urgent))

    def line(self, session: AgiSession) -> VoiceLine:
        return VoiceLine(session, self.speaker, self._local, self.ears, self.audio, recognition_s=self.patience_s)

    def _local(self, sound: str) -> Path:
        return self.speaker.cache.sounds / PurePosixPath(sound).relative_to(SEEN_AS)


@asynccontextmanager
async def hearing(settings: Settings, here: Places, said: Speaker, words: Wording) -> AsyncIterator[Hearing | None]:
    """None where callers answer by key: nothing that is wrong with the ears stops the telephone.

    Models are loaded while calls are taken already; a line hears as soon as a recogniser is ready."""
    if settings.speech.ears == "off":
        yield None
        return
    engines = _engines(settings, models(settings, here))
    async with AsyncExitStack() as stack:
        try:
            audio = await stack.enter_async_context(AudioServer(settings.audio_address, numbering.AUDIO_PORT))
        except OSError as failure:
            log.error("callers answer by key: the port for sound can't be used (%s)", failure.strerror)
            yield None
            return
        starting = asyncio.create_task(_start(engines, stack))
        try:
            phrases = Phrasebook(words, HouseKeys().urgent)
            yield Hearing(Several(engines), audio, said, phrases, settings.speech.patience_seconds)
        finally:
            starting.cancel()
            await asyncio.wait([starting])


async def _start(engines: Sequence[Engine], stack: AsyncExitStack) -> None:
    for engine in engines:
        try:
            await stack.enter_async_context(engine)
        except EarsFailed as failure:
            log.error("callers answer by key: %s", failure)
        else:
            log.info("callers may answer by voice (%s)", engine.kind)
    if not engines:
        log.error("callers answer by key: no model of the ears that the settings name is installed")


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


def _engines(settings: Settings, folder: Path) -> list[Engine]:
    workers, patience = settings.speech.workers, settings.speech.patience_seconds
    if settings.speech.ears == "whisper":
        return [whisper(folder, workers=workers, deadline_s=patience)]
    return [vosk(language, folder / language, workers=workers, deadline_s=patience) for language in _languages(folder)]


def _languages(folder: Path) -> list[str]:
    """The folders of models, for whisper its files: nothing if none is installed."""
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
