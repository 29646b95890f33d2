"""A call on an AGI channel that has ears: what may be said is asked over a stream of sound, all else as `AgiLine` does.

AGI stays in charge: a voice turn is `EXEC AudioSocket`, and its end comes back to the script. Ears that fail cost a
turn and no more: the same question is asked again by key, and so are all others of this call. Keys that were pressed
meanwhile are kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ivr import agi
from ivr.agi_call import RENDER_S, AgiLine, Session, Speaker
from ivr.audio_server import AudioServer, Stream, Ticket
from ivr.listening import RECOGNITION_S, Activity, Late, Listening
from ivr.turn import DigitsOf, Expect, Heard, Key, Keys, Nothing, Prompt
from ivr.voice_turn import StreamLost, VoiceTurn
from speech.ears import Ears, EarsFailed, Grammar, Understood, plain
from speech.ears.activity import FREELY_S, PATIENCE_S, VoiceActivity
from speech.ears.voiced import RATE

log = logging.getLogger(__name__)

CONNECT_S = 2.0  # until Asterisk has brought the sound: it takes milliseconds
LONGEST_S = 300.0  # of a turn


class VoiceLine(AgiLine):
    """`ivr.call.Line` over AGI and AudioSocket. `local`: a sound's name as a path on this machine, without extension;
    `new_activity`: one for each call; `recognition_s`: how long the engine may take after the end of speech."""

    def __init__(
        self,
        session: Session,
        speaker: Speaker,
        local: Callable[[str], Path],
        ears: Ears,
        audio: AudioServer,
        new_activity: Callable[[], Activity] = VoiceActivity,
        recognition_s: float = RECOGNITION_S,
    ) -> None:
        super().__init__(session, speaker)
        self._local = local
        self._ears = ears
        self._audio = audio
        self._activity = new_activity()
        self._recognition_s = recognition_s
        self._deaf = False

    def hears(self, language: str) -> bool:
        return not self._deaf and self._ears.hears(language)

    async def play(self, prompts: Sequence[Prompt], language: str, expect: Expect) -> Heard:
        if not isinstance(expect, Nothing) and _may_be_said(expect) and self.hears(language):
            await self._stop_listening()
            if not self._keypad.waiting():
                heard = await self._by_voice(prompts, language, expect)
                if heard is not None:
                    self.listen()
                    return heard
        return await super().play(prompts, language, expect)

    async def _by_voice(self, prompts: Sequence[Prompt], language: str, expect: Keys | DigitsOf) -> Heard | None:
        """None: the ears or the stream failed, and the question is to be asked by key. Raises `CallerLeft`."""
        try:
            heard = await self._turn(prompts, language, expect)
        except (EarsFailed, Late, StreamLost) as failure:
            await self._session.execute(agi.noop())  # CallerLeft, if that is why
            log.warning("call %s goes on by key: %s", self._session.id, failure)
            self._deaf = True
            return None
        # A key beats what was said, also one that came when the turn was over.
        return await self._keypad.answer(expect, self._next_keys) if self._keypad.waiting() else heard

    async def _turn(self, prompts: Sequence[Prompt], language: str, expect: Keys | DigitsOf) -> Heard:
        async def ask(pcm: bytes) -> Understood:
            return await self._understood(pcm, enough, expect)

        enough = self._ears.enough(language)
        self._activity.forget(FREELY_S if isinstance(expect, DigitsOf) else PATIENCE_S)
        grammar = expect.grammar if isinstance(expect, Keys) else None
        complete = _completing(grammar, enough) if grammar else None
        listening = Listening(self._activity, expect.wait_s, enough, self._recognition_s, complete)
        renders = [self._render(prompt, language) for prompt in prompts]
        executing: asyncio.Task[agi.Reply] | None = None
        try:
            with self._audio.turn() as ticket:
                command = agi.audio_socket(str(ticket.id), ticket.where, LONGEST_S)
                executing = asyncio.create_task(self._session.execute(command))
                turn = VoiceTurn(await _stream(ticket, executing), listening, ask)
                try:
                    heard = await turn.run(self._sounds(renders))
                    if isinstance(heard, Key):
                        self._keypad.pressed(heard.key)
                finally:
                    for key in await turn.finish():
                        self._keypad.pressed(key)
        finally:
            if executing is not None:
                await executing  # the stream is closed or will be refused: AudioSocket() returns
        return heard

    async def _understood(self, pcm: bytes, enough: float, expect: Keys | DigitsOf) -> Understood:
        """A phrase of the grammar; where none is sure, with the caller's own words. Raises `EarsFailed`."""
        grammar = expect.grammar if isinstance(expect, Keys) else None
        found = Understood(None, 0.0) if grammar is None else await self._ears.closed(pcm, RATE, grammar)
        if expect.freely is None or (found.label is not None and found.margin >= enough):
            return found
        own = await self._ears.open(pcm, RATE, expect.freely)
        return replace(found, text=own.text)

    async def _sounds(self, renders: Sequence[asyncio.Task[str]]) -> AsyncIterator[Path]:
        """The sounds at 8 kHz, as they get ready. Raises `TimeoutError`, and what a rendering raised."""
        for render in renders:
            async with asyncio.timeout(RENDER_S):
                name = await asyncio.shield(render)
            yield Path(f"{self._local(name)}.sln")


def _completing(grammar: Grammar, enough: float) -> Callable[[Understood], bool]:
    """Whether an answer needs no more silence behind it: it is sure, and nothing else that may be said begins so."""
    said = [(label, f"{plain(way)} ") for label, ways in grammar.phrases.items() for way in ways]
    open_ended = {label for label, way in said for other, longer in said if other != label and longer.startswith(way)}

    def complete(understood: Understood) -> bool:
        return understood.label is not None and understood.label not in open_ended and understood.margin >= enough

    return complete


def _may_be_said(expect: Keys | DigitsOf) -> bool:
    return expect.freely is not None or (isinstance(expect, Keys) and expect.grammar is not None)


async def _stream(ticket: Ticket, executing: asyncio.Task[agi.Reply]) -> Stream:
    """The sound that Asterisk brings. Raises `StreamLost`."""
    either: list[asyncio.Future[Any]] = [ticket.stream, executing]
    await asyncio.wait(either, timeout=CONNECT_S, return_when=asyncio.FIRST_COMPLETED)
    if not ticket.stream.done():
        raise StreamLost
    return ticket.stream.result()
