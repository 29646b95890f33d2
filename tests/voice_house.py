"""Calls to 600 on a real Asterisk whose line has ears, without the rest of the house."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from ivr.agi_call import agi_call
from ivr.audio_server import AudioServer
from ivr.call import Call
from ivr.conversation import converse
from ivr.listening import Activity
from ivr.server import AgiServer
from ivr.session import AgiSession
from ivr.voice_line import VoiceLine
from scripts.placeholders import Value
from speech.ears import Ears
from speech.ears.activity import VoiceActivity
from tests.asterisk_instance import AsteriskInstance
from tests.listening import prompt


class StaticVoice:
    """The prompts that are there already."""

    def __init__(self, asterisk: AsteriskInstance) -> None:
        self._asterisk = asterisk

    async def sound(self, key: str, language: str, params: Mapping[str, Value], pace: float) -> str:
        return f"/hotline/sounds/en/static/{key}"

    def local(self, sound: str) -> Path:
        """Where the sound is here; `.sln`, 8 kHz, is made from what there is."""
        path = self._asterisk.folder / sound.rpartition("/")[2]
        if not path.with_suffix(".sln").exists():
            samples = prompt(self._asterisk.sound(path.name))
            path.with_suffix(".sln").write_bytes(samples.astype("<i2").tobytes())
        return path


class Notebook:
    async def step(self, kind: str, **facts: object) -> None:
        """What a call does is seen from its phone."""


@asynccontextmanager
async def calls_with_ears(
    asterisk: AsteriskInstance,
    ears: Ears,
    dialogue: Callable[[Call], Awaitable[object]],
    new_activity: Callable[[], Activity] = VoiceActivity,
) -> AsyncIterator[AgiServer]:
    """Whoever calls 600 talks to `dialogue`."""
    voice = StaticVoice(asterisk)
    async with AudioServer(asterisk.address, 0) as audio:

        async def handler(session: AgiSession, path: str) -> None:
            line = VoiceLine(session, voice, voice.local, ears, audio, new_activity)
            async with agi_call(session, voice, Notebook(), node="n1", country="CO", line=line) as call:
                await converse(call, dialogue)

        async with AgiServer(handler, asterisk.plan.agi_secret, asterisk.address, asterisk.plan.agi_port) as server:
            yield server
            await server.stop(grace_s=5)
