"""One question over a stream of sound: says the prompt at the pace of speech, listens all the while.

What is done with what comes is decided in `listening.py`; here are the clock, the tasks and the stream. Silence is sent
where there is nothing to say: Asterisk, and the caller, would take none at all for a dead line.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, Protocol

from ivr.audio_server import Stream
from ivr.audio_socket import FRAME, FRAME_S, Ended, Pressed, Sound
from ivr.listening import Answer, Order, Orders, Recognise
from ivr.turn import Heard
from speech.ears import EarsFailed, Understood

SILENCE = bytes(FRAME)
BEHIND_S = 0.06  # a pace that was lost for longer is not caught up: a burst would be thrown away
ECHO_FRAMES = 25  # of what was sent that wait for what was heard meanwhile
LEAD = 50  # frames that are still to be said when the next sound is asked for
LAST_KEYS_S = 1.0  # how long Asterisk may take to close the stream

Ask = Callable[[bytes], Awaitable[Understood]]


class Rules(Protocol):
    """`listening.Listening`, or `attending.Attending` for whom we have called."""

    deadline: float | None

    @property
    def holds(self) -> bool: ...

    def sound(self, frame: bytes, sent: bytes, now: float) -> Orders: ...

    def key(self, key: str) -> Orders: ...

    def prompt_over(self, now: float) -> None: ...

    def understood(self, understood: Understood) -> Orders: ...

    def tick(self, now: float) -> Orders: ...


class StreamLost(Exception):
    """Asterisk brought no sound, or no more in mid-turn: the caller left, or its AudioSocket() failed."""

    def __init__(self) -> None:
        super().__init__("Asterisk closed the stream of sound: its log says why")


class VoiceTurn:
    """Runs once."""

    def __init__(self, stream: Stream, listening: Rules, ask: Ask) -> None:
        self._stream = stream
        self._listening = listening
        self._ask = ask
        self._inbox = stream.inbox
        self._frames: deque[bytes] = deque()
        self._sent: deque[bytes] = deque(maxlen=ECHO_FRAMES)
        self._all_loaded = False
        self._low = asyncio.Event()  # of frames: LEAD or fewer
        self._hearing = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking: asyncio.Task[None] | None = None

    async def run(self, sounds: AsyncIterator[Path]) -> Heard:
        """`sounds`: the prompt's 8 kHz files, in order, as they get ready. Raises `EarsFailed`, `StreamLost`, what the
        rules raise, and what a sound's rendering raised; the stream stays open (`finish`).
        """
        self._begin(self._speak())
        loading = self._begin(self._load(sounds))
        try:
            while True:
                event = await self._next()
                for order in self._decide(event):
                    match order:
                        case Answer(heard):
                            return heard
                        case Recognise(pcm):
                            self._forget()
                            self._asking = self._begin(self._recognise(pcm))
                        case Order.FORGET:
                            self._forget()
                        case Order.STOP_PROMPT:
                            loading.cancel()
                            self._frames.clear()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def finish(self) -> str:
        """Ends the stream; the keys that were pressed until Asterisk had closed it."""
        self._stream.hang_up()
        keys = ""
        try:
            async with asyncio.timeout(LAST_KEYS_S):
                while not isinstance(event := await self._inbox.get(), Ended):
                    keys += event.key if isinstance(event, Pressed) else ""
        except TimeoutError:
            self._stream.drop()
        return keys

    async def _next(self) -> object:
        """What comes next; None when the listening's deadline has passed."""
        try:
            async with asyncio.timeout_at(self._listening.deadline):
                return await self._inbox.get()
        except TimeoutError:
            return None

    def _decide(self, event: object) -> Orders:
        now = asyncio.get_running_loop().time()
        match event:
            case Sound(pcm):
                if not self._hearing:  # the line was not yet open: nothing of what was sent so far can come back
                    self._hearing = True
                    self._sent.clear()
                return self._listening.sound(pcm, self._sent.popleft() if self._sent else b"", now)
            case Pressed(key):
                return self._listening.key(key)
            case Understood():
                return self._listening.understood(event)
            case Ended():
                self._inbox.put_nowait(event)  # for `finish`
                raise StreamLost
            case Exception():
                raise event
        return self._listening.tick(now)

    # Speaking

    async def _speak(self) -> None:
        """A frame every 20 ms: the prompt's, else silence."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        told = False
        while True:
            frame = self._frames.popleft() if self._frames and not self._listening.holds else b""
            if len(self._frames) <= LEAD:
                self._low.set()
            self._stream.say(frame or SILENCE)
            self._sent.append(frame)
            if not (frame or self._frames) and self._all_loaded and not told:
                told = True
                self._listening.prompt_over(loop.time())
                self._inbox.put_nowait(None)  # there is a deadline now
            due += FRAME_S
            if loop.time() - due > BEHIND_S:
                due = loop.time()
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def _load(self, sounds: AsyncIterator[Path]) -> None:
        """A sentence is asked for when the one before it is nearly over: its voice has until then."""
        try:
            async for path in sounds:
                pcm = await asyncio.to_thread(path.read_bytes)
                self._frames.extend(pcm[at : at + FRAME].ljust(FRAME, b"\0") for at in range(0, len(pcm), FRAME))
                self._low.clear()
                await self._low.wait()
        except Exception as error:
            self._inbox.put_nowait(error)
        finally:
            self._all_loaded = True

    # Understanding

    async def _recognise(self, pcm: bytes) -> None:
        try:
            self._inbox.put_nowait(await self._ask(pcm))
        except EarsFailed as error:
            self._inbox.put_nowait(error)

    def _forget(self) -> None:
        if self._asking is not None:
            self._asking.cancel()

    def _begin(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        return task
