"""When somebody speaks: 20 ms frames of the caller's sound in; began, paused, resumed and ended out.

No I/O and no clock: time is the number of frames, so feed every frame, silent ones too. What is voiced is `voiced.py`'s
question, what is our own prompt coming back `echo.py`'s.

    activity = VoiceActivity(patience_s=0.8)
    match activity.feed(frame, sent):
        case Heard.BEGAN: stop the prompt
        case Heard.PAUSED: ask the engine already, with activity.utterance
        case Heard.RESUMED: cancel that
        case Heard.ENDED: the utterance is whole
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import Protocol

from speech.ears.voiced import FRAME_BYTES, Voiced

FRAMES_A_SECOND = 50
PAUSE_S = 0.12  # of silence; an engine that starts now has mostly answered when the answer may count
PATIENCE_S = 0.5  # of silence; less, and who pauses between two words has answered
FREELY_S = 0.9  # for digits and dates, between which people pause
LEAD_S = 0.3  # of sound kept from before speech was noticed: the first consonant is quiet
LONGEST_S = 15.0  # of an utterance: a radio in the room never pauses


class Heard(Enum):
    """What a frame changed."""

    BEGAN = "began"  # speech, for long enough to be no click
    PAUSED = "paused"  # 0.12 s of silence: perhaps the end
    RESUMED = "resumed"  # it was not the end
    ENDED = "ended"  # the utterance is whole


class Judge(Protocol):
    """Whether a frame is voiced."""

    @property
    def doubtful(self) -> bool: ...

    def __call__(self, frame: bytes, sent: bytes = b"") -> bool: ...

    def forget(self) -> None: ...


class VoiceActivity:
    """One caller's ear. Not for two callers, not for two threads."""

    def __init__(self, patience_s: float = PATIENCE_S, judge: Judge | None = None) -> None:
        """`patience_s`: the silence that ends an utterance, seconds, more than 0.12."""
        self._pause = round(PAUSE_S * FRAMES_A_SECOND)
        self._patience = _frames(patience_s)
        self._longest = round(LONGEST_S * FRAMES_A_SECOND)
        self._judge: Judge = judge or Voiced()
        self._lead: deque[bytes] = deque(maxlen=round(LEAD_S * FRAMES_A_SECOND))
        self._frames: list[bytes] = []
        self._speaking = False
        self._quiet = 0  # frames since the last voiced one

    @property
    def suspecting(self) -> bool:
        """Perhaps somebody begins to speak: 32 ms later it has BEGAN, or not."""
        return not self._speaking and self._judge.doubtful

    @property
    def utterance(self) -> bytes:
        """The present utterance, or, after ENDED, the last one: 8 kHz, 0.3 s before its beginning included."""
        return b"".join(self._frames)

    def feed(self, frame: bytes, sent: bytes = b"") -> Heard | None:
        """`frame`: 20 ms, 320 bytes of 8 kHz 16-bit little-endian mono. `sent`: what was played to the caller in the
        same 20 ms, if anything was, so that it is not taken for the caller when it comes back. Raises `ValueError` for
        a frame of another length (AudioSocket's may be: cut them first).
        """
        if len(frame) != FRAME_BYTES:
            raise ValueError(f"a frame has {FRAME_BYTES} bytes, not {len(frame)}")
        voiced = self._judge(frame, sent)
        return self._during(frame, voiced) if self._speaking else self._before(frame, voiced)

    def forget(self, patience_s: float | None = None) -> None:
        """Begin anew: the next frame belongs to another turn. What was speech until now is dropped. `patience_s` is
        another one from now on."""
        if patience_s is not None:
            self._patience = _frames(patience_s)
        self._speaking = False
        self._lead.clear()
        self._frames = []
        self._judge.forget()

    def _before(self, frame: bytes, voiced: bool) -> Heard | None:
        self._lead.append(frame)
        if not voiced:
            return None
        self._speaking, self._quiet = True, 0
        self._frames = list(self._lead)
        self._lead.clear()
        return Heard.BEGAN

    def _during(self, frame: bytes, voiced: bool) -> Heard | None:
        self._frames.append(frame)
        paused = self._quiet >= self._pause
        self._quiet = 0 if voiced else self._quiet + 1
        if self._quiet >= self._patience or len(self._frames) >= self._longest:
            self._speaking = False
            return Heard.ENDED
        if voiced and paused:
            return Heard.RESUMED
        return Heard.PAUSED if self._quiet == self._pause else None


def _frames(patience_s: float) -> int:
    if patience_s <= PAUSE_S:
        raise ValueError(f"patience must be more than {PAUSE_S:g} s: a shorter silence is only a pause")
    return round(patience_s * FRAMES_A_SECOND)
