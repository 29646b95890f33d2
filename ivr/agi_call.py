"""A call on an AGI channel: prompts by STREAM FILE, keys by WAIT FOR DIGIT.

Keys are never lost between commands: while no command runs, Asterisk reads the channel's frames and throws them
away. So whenever a conversation thinks (a database, a prompt being rendered), this line listens with short
WAIT FOR DIGIT commands; what is pressed then is typed ahead. On a machine that is slow there is a pause between two of
them, too, in which a key is lost: so they get longer the longer a conversation thinks, and while somebody types.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

import phonenumbers

from ivr import agi
from ivr.call import Call, HouseKeys, Journal, anything
from ivr.keypad import DTMF, Keypad
from ivr.line import Phrases
from ivr.turn import Expect, Heard, Prompt, Recorded
from scripts.placeholders import Value
from speech.ears.pickup import Verdict

log = logging.getLogger(__name__)

LISTEN_S = 0.04  # a turn begins at most this much later where nobody thinks for long; two frames of voice
LONGEST_S = 0.25  # where somebody does
TYPING_S = 0.5  # after a key, which is seldom the last
IDLE_S = 0.004  # shorter pauses between two commands are not worth a command of their own
BEEP = "/hotline/sounds/beep"  # speech/tones.py
RENDER_S = 10.0  # a prompt that is not there by then: the dialplan's apology is better than silence


class Speaker(Protocol):
    async def sound(self, key: str, language: str, params: Mapping[str, Value], pace: float) -> str:
        """The sound of a prompt as Asterisk sees it: an absolute name without extension. Renders it if need be.
        `pace` is 1, or less for slower speech."""

    async def ahead(self, key: str, language: str, params: Mapping[str, Value], pace: float) -> str:
        """The same for a prompt that will be needed in a while: it may take its time for a better voice."""


class Session(Protocol):
    """What of `ivr.session.AgiSession` a call needs."""

    @property
    def id(self) -> str: ...

    @property
    def environment(self) -> Mapping[str, str]: ...

    async def execute(self, command: agi.Command) -> agi.Reply: ...


class SoundMissing(Exception):
    """Asterisk could not open a sound that the speaker named."""

    def __init__(self, key: str) -> None:
        super().__init__(f"Asterisk cannot open the sound of prompt {key!r}: can it read the sounds folder?")


class AgiLine:
    """`ivr.call.Line` over AGI."""

    def __init__(self, session: Session, speaker: Speaker) -> None:
        self._session = session
        self._speaker = speaker
        self._keypad = Keypad()
        self._renders: set[asyncio.Task[str]] = set()
        self._idle: asyncio.Task[None] | None = None
        self._stop_idle = asyncio.Event()
        self._next: list[tuple[Prompt, str]] = []  # what was prepared: it waits for what is said before it

    async def play(self, prompts: Sequence[Prompt], language: str, expect: Expect) -> Heard:
        sounds, begun = self._sounds(prompts, language), False
        self._keypad.begins(expect)
        while not self._keypad.stops(expect):
            try:
                prompt, name = await anext(sounds)
            except StopAsyncIteration:
                break
            await self._stop_listening()
            if not begun:  # what was pressed while the first sound was made was pressed before it, too
                self._keypad.begins(expect)
                begun = True
            if self._keypad.stops(expect):
                break
            await self._stream(prompt.key, name, expect)
            self.listen()  # the next sound may not be there yet
        await self._stop_listening()
        heard = await self._keypad.answer(expect, self._next_keys)
        self.listen()
        return heard

    def prepare(self, prompts: Sequence[Prompt], language: str) -> None:
        self._next += [(prompt, prompt.language or language) for prompt in prompts]

    def hears(self, language: str) -> bool:
        return False

    async def record(self, path: str, ending: str, most_s: float, silence_s: int) -> Recorded:
        await self._stop_listening()
        self._keypad.forget()
        await self._session.execute(agi.stream_file(BEEP, ""))  # without a key that stops it: pressed now, none counts
        reply = await self._session.execute(agi.record_file(path.removesuffix(".wav"), ending, most_s, silence_s))
        self.listen()
        return Recorded(agi.key_pressed(reply))

    def forget_keys(self) -> None:
        self._keypad.forget()

    def attend(self, *, until_beep: bool, machine: bool = False) -> None:
        """The channel's sound is not ours here."""

    def attended(self) -> Verdict | None:
        return None

    async def somebody_is_there(self) -> None:
        await self._set("HL_PERSON", "1")

    async def set_language(self, language: str) -> None:
        await self._set("CHANNEL(language)", language)

    async def hand_over(self, queue: str | None, place: int | None = None) -> None:
        if queue is not None:
            await self._set("HL_QUEUE", queue)
            await self._set("HL_PLACE", str(place or ""))
        await self._set("HL_NEXT", "hangup" if queue is None else "queue")

    async def close(self) -> None:
        """Stops listening. Renderings go on: the next caller will want them. Raises `CallerLeft`."""
        await self._stop_listening()

    async def _set(self, name: str, value: str) -> None:
        await self._stop_listening()
        await self._session.execute(agi.set_variable(name, value))
        self.listen()

    async def _stream(self, key: str, sound: str, expect: Expect) -> None:
        """Plays one sound until a key; goes on where one stopped it that may not, or that means nothing."""
        offset = 0
        while True:
            reply = await self._session.execute(agi.stream_file(sound, DTMF, offset))
            pressed = agi.key_pressed(reply)
            if reply.result == "-1":
                await self._session.execute(agi.noop())  # CallerLeft, unless the caller is there and the file is not
                raise SoundMissing(key)
            if pressed is None:
                if not reply.endpos and not offset:
                    raise SoundMissing(key)
                return
            self._keypad.pressed(pressed)
            if self._keypad.stops(expect):
                return
            offset = max(offset, reply.endpos or 0)

    async def _next_keys(self, wait_s: float, most: int) -> str:
        """Several are collected by Asterisk itself: what is pressed between two commands it throws away."""
        if most == 1:
            return await self._next_key(wait_s) or ""
        reply = await self._session.execute(agi.get_data(wait_s, most))
        ended = reply.data != "timeout" and len(reply.result) < most
        return reply.result + ("#" if ended else "")

    async def _next_key(self, wait_s: float) -> str | None:
        return agi.key_pressed(await self._session.execute(agi.wait_for_digit(wait_s)))

    # Listening while the conversation thinks

    def listen(self) -> None:
        """From now on keys are kept until a turn asks for them; each turn begins it anew when it is over."""
        self._stop_idle.clear()
        self._idle = asyncio.create_task(self._listening())

    async def _listening(self) -> None:
        try:
            async with asyncio.timeout(IDLE_S):
                await self._stop_idle.wait()
        except TimeoutError:
            wait_s = LISTEN_S
            while not self._stop_idle.is_set():
                pressed = await self._next_key(wait_s)
                wait_s = min(2 * wait_s, LONGEST_S)
                if pressed is not None:
                    self._keypad.pressed(pressed)
                    wait_s = TYPING_S

    async def _stop_listening(self) -> None:
        """Raises what listening met: `CallerLeft` above all."""
        idle, self._idle = self._idle, None
        if idle is not None:
            self._stop_idle.set()
            await idle

    # Rendering ahead

    async def _sounds(self, prompts: Sequence[Prompt], language: str) -> AsyncIterator[tuple[Prompt, str]]:
        """Each sentence's sound, asked for when it is to be played: a better voice has for it as long as those before
        it are heard. What was prepared comes after them. Raises `TimeoutError`, and what a rendering raised."""
        spoken = [(prompt, prompt.language or language) for prompt in prompts]
        ahead, self._next = [*spoken[1:], *self._next], []
        for at, (prompt, tongue) in enumerate(spoken):
            sound = self._rendering(self._speaker.sound(prompt.key, tongue, prompt.params, prompt.pace))
            if at == 0:
                for later, its in ahead:
                    self._rendering(self._speaker.ahead(later.key, its, later.params, later.pace))
            async with asyncio.timeout(RENDER_S):
                name = await asyncio.shield(sound)
            yield prompt, name

    def _rendering(self, wanted: Coroutine[Any, Any, str]) -> asyncio.Task[str]:
        render = asyncio.create_task(wanted)
        self._renders.add(render)
        render.add_done_callback(self._rendered)
        return render

    def _rendered(self, render: asyncio.Task[str]) -> None:
        self._renders.discard(render)
        if not render.cancelled() and render.exception() is not None:
            # Who plays it hears of it, too; a prompt that was only prepared is tried again when it is played.
            log.error("a prompt could not be rendered (%s)", type(render.exception()).__name__)


def caller_number(environment: Mapping[str, str], country: str | None) -> str | None:
    """The caller's number in E.164; None if it is withheld, unknown, internal or no number at all.

    `country`: two letters, whose national numbers are taken as such. `agi_callingpres` holds the presentation in
    bits 6 and 7 (0x20: restricted), as in Q.931's octet 3a.
    """
    try:
        if int(environment.get("agi_callingpres", "0")) & 0x60:
            return None
        number = phonenumbers.parse(environment.get("agi_callerid", ""), country)
    except (ValueError, phonenumbers.NumberParseException):
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@asynccontextmanager
async def agi_call(
    session: Session,
    speaker: Speaker,
    journal: Journal,
    *,
    node: str,
    country: str | None,
    language: str | None = None,
    house: HouseKeys | None = None,
    line: AgiLine | None = None,
    phrases: Phrases | None = None,
    sayable: Callable[[str, str], bool] = anything,
) -> AsyncIterator[Call]:
    """The call of an AGI session, whose keys count from now on; `language` is the channel's where none is given. `line`
    is one with ears, if there are any (`voice_line.VoiceLine`), and `phrases` what may be said to it. `sayable`:
    `Call.sayable`."""
    environment = session.environment
    line = line or AgiLine(session, speaker)
    number = caller_number(environment, country)
    spoken = language or environment.get("agi_language") or "en"
    call = Call(session.id, node, number, line, journal, spoken, house or HouseKeys(), phrases, sayable)
    line.listen()
    try:
        yield call
    except BaseException:
        with suppress(Exception):  # what the line met while the conversation failed is not what it failed of
            await line.close()
        raise
    else:
        await line.close()
