"""A call on an AGI channel whose sound comes to us: what may be said is asked over a stream, all else as `AgiLine`.

AGI stays in charge: a voice turn is `EXEC AudioSocket`, and its end comes back to the script. Ears that fail cost a
turn and no more: the same question is asked again by key, and so are all others of this call. Keys that were pressed
meanwhile are kept. The sound also tells who has picked up a call of ours, with ears or without (`attending.py`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ivr import agi
from ivr.agi_call import AgiLine, Session, Speaker
from ivr.attending import Attending, Pickup
from ivr.audio_server import AudioServer, Stream, Ticket
from ivr.listening import RECOGNITION_S, Activity, Late, Listening
from ivr.turn import DigitsOf, Expect, Heard, Key, Keys, Nothing, Notice, Prompt, Speech
from ivr.understanding import Certainty, certainty
from ivr.voice_turn import StreamLost, VoiceTurn
from speech.ears import Ears, EarsFailed, Grammar, Understood, plain
from speech.ears.activity import FREELY_S, PATIENCE_S, VoiceActivity
from speech.ears.pickup import Verdict, WhoAnswered
from speech.ears.voiced import RATE
from speech.ears.voicemail import announced

log = logging.getLogger(__name__)

CONNECT_S = 2.0  # until Asterisk has brought the sound: it takes milliseconds
LONGEST_S = 300.0  # of a turn


class VoiceLine(AgiLine):
    """`ivr.call.Line` over AGI and AudioSocket. `local`: a sound's name as a path on this machine, without extension;
    `ears`: None where callers answer by key; `new_activity`: one for each call; `recognition_s`: how long the engine
    may take after the end of speech."""

    def __init__(
        self,
        session: Session,
        speaker: Speaker,
        local: Callable[[str], Path],
        ears: Ears | None,
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
        self._pickup: Pickup | None = None
        self._heeding = False  # who it is

    def hears(self, language: str) -> bool:
        return not self._deaf and self._ears is not None and self._ears.hears(language)

    def attend(self, *, until_beep: bool, machine: bool = False) -> None:
        self._pickup, self._heeding = Pickup(WhoAnswered(), until_beep, known=machine), True

    def attended(self) -> Verdict | None:
        pickup, self._pickup, self._heeding = self._pickup, None, False
        return None if pickup is None or not pickup.who.evidence.heard else pickup.verdict

    async def play(self, prompts: Sequence[Prompt], language: str, expect: Expect) -> Heard:
        if isinstance(expect, Nothing | Notice):  # stopped by a key, and by no noise
            return await super().play(prompts, language, expect)
        if self._heeding or (_may_be_said(expect) and self.hears(language)):
            await self._stop_listening()
            if not self._keypad.waiting():
                heard = await self._by_voice(prompts, language, expect)
                if heard is not None:
                    if isinstance(heard, Key) or (isinstance(heard, Speech) and certainty(heard) is Certainty.SURE):
                        self._heeding = False  # it is a person
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
            self._deaf, self._heeding = True, False
            return None
        # A key beats what was said, also one that came when the turn was over.
        return await self._keypad.answer(expect, self._next_keys) if self._keypad.waiting() else heard

    async def _turn(self, prompts: Sequence[Prompt], language: str, expect: Keys | DigitsOf) -> Heard:
        rules = self._rules(language, expect)

        async def ask(pcm: bytes) -> Understood:
            assert self._ears is not None  # noqa: S101 - for the type checker: nothing is asked of none
            if isinstance(rules, Attending) and rules.asks_words:
                return await self._ears.open(pcm, RATE, language)
            return await self._understood(self._ears, pcm, self._ears.enough(language), expect)

        executing: asyncio.Task[agi.Reply] | None = None
        try:
            with self._audio.turn() as ticket:
                command = agi.audio_socket(str(ticket.id), ticket.where, LONGEST_S)
                executing = asyncio.create_task(self._session.execute(command))
                turn = VoiceTurn(await _stream(ticket, executing), rules, ask)
                try:
                    heard = await turn.run(self._paths(prompts, language))
                    if isinstance(heard, Key):
                        self._keypad.pressed(heard.key)
                finally:
                    for key in await turn.finish():
                        self._keypad.pressed(key)
        finally:
            if executing is not None:
                await executing  # the stream is closed or will be refused: AudioSocket() returns
        return heard

    def _rules(self, language: str, expect: Keys | DigitsOf) -> Listening | Attending:
        self._activity.forget(FREELY_S if isinstance(expect, DigitsOf) else PATIENCE_S)
        ears = self._ears if self.hears(language) and _may_be_said(expect) else None

        def question(activity: Activity) -> Listening:
            assert ears is not None  # noqa: S101 - for the type checker: asked of those who have some
            enough = ears.enough(language)
            grammar = expect.grammar if isinstance(expect, Keys) else None
            complete = _completing(grammar, enough) if grammar else None
            return Listening(activity, expect.wait_s, enough, self._recognition_s, complete)

        if self._pickup is None or not self._heeding:
            return question(self._activity)
        if self.hears(language):
            self._pickup.announced = partial(announced, language=language)
        return Attending(self._pickup, self._activity, expect.wait_s, question if ears is not None else None)

    async def _understood(self, ears: Ears, pcm: bytes, enough: float, expect: Keys | DigitsOf) -> Understood:
        """A phrase of the grammar; where none is sure, with the caller's own words: they are asked for, or may be an
        alarm that no grammar has. Raises `EarsFailed`."""
        grammar = expect.grammar if isinstance(expect, Keys) else None
        found = Understood(None, 0.0) if grammar is None else await ears.closed(pcm, RATE, grammar)
        if found.label is not None and found.margin >= enough:
            return found
        freely = expect.freely
        if freely is None and grammar is not None and not ears.writes(grammar.language):
            freely = grammar.language
        if freely is None:
            return found
        own = await ears.open(pcm, RATE, freely)
        return replace(found, text=own.text)

    async def _paths(self, prompts: Sequence[Prompt], language: str) -> AsyncIterator[Path]:
        """The sounds at 8 kHz, as `_sounds`."""
        async for _, name in self._sounds(prompts, language):
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
