"""What a question by voice does with what comes: rules without I/O; times are seconds of any steady clock.

- Speech stops the prompt; what may be its beginning holds it for the moment until that is sure.
- 0.12 s after the caller falls silent, the engine is asked already; when speech goes on, that is forgotten. A complete
  answer counts after 0.35 s of silence, any other when the utterance has ended.
- A key beats what is said, at any time.
- The caller has `wait_s` from the prompt's end on to begin; who speaks is not hurried.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from ivr.turn import Heard, Key, Silence, Speech
from speech.ears import Understood
from speech.ears import activity as ears

SETTLED_S = 0.35  # of silence: what is complete may go on until then, and would answer the next question
SPEAKING_S = 20.0  # from its beginning on; a line that brings no more sound while somebody speaks is as good as silent
RECOGNITION_S = 4.0  # from the end of speech on; engines answer in a fraction of it, or not at all


class Late(Exception):
    """The engine did not answer in time: the question is asked by key."""

    def __init__(self, waited_s: float) -> None:
        super().__init__(f"what was said was not understood within {waited_s:g} s: are the ears overloaded?")


@dataclass(frozen=True, slots=True)
class Recognise:
    """Ask the engine, in place of what it was asked before."""

    pcm: bytes = field(repr=False)


class Order(Enum):
    STOP_PROMPT = "stop"
    FORGET = "forget"  # what the engine was asked


@dataclass(frozen=True, slots=True)
class Answer:
    """The turn is over."""

    heard: Heard


Orders = list[Recognise | Order | Answer]


class Activity(Protocol):
    """`speech.ears.activity.VoiceActivity`."""

    @property
    def suspecting(self) -> bool: ...

    @property
    def utterance(self) -> bytes: ...

    def feed(self, frame: bytes, sent: bytes = b"") -> ears.Heard | None: ...

    def forget(self, patience_s: float | None = None) -> None: ...


class Listening:
    """One question. `deadline` is when `tick` wants to be called, None for not at all."""

    def __init__(
        self,
        activity: Activity,
        wait_s: float,
        enough: float,
        recognition_s: float = RECOGNITION_S,
        complete: Callable[[Understood], bool] | None = None,
    ) -> None:
        """`complete`: whether nothing can follow that would make another answer of it."""
        self._complete = complete
        self._settled = 0.0
        self.deadline: float | None = None
        self._activity = activity
        self._wait_s = wait_s
        self._enough = enough
        self._recognition_s = recognition_s
        self._speaking = False  # the caller, in this turn
        self._asked = False  # the engine, about the utterance as it is
        self._understood: Understood | None = None
        self._over = False  # the utterance

    @property
    def holds(self) -> bool:
        """Nothing more of the prompt is said for now."""
        return self._activity.suspecting

    def sound(self, frame: bytes, sent: bytes, now: float) -> Orders:
        """`frame`: 20 ms of the caller; `sent`: what they heard meanwhile."""
        if self._over:
            return []
        match self._activity.feed(frame, sent):
            case ears.Heard.BEGAN:
                self._speaking = True
                self.deadline = now + SPEAKING_S
                return [Order.STOP_PROMPT]
            case ears.Heard.PAUSED:
                self._settled = now + SETTLED_S - ears.PAUSE_S
                return [self._recognise()]
            case ears.Heard.RESUMED:
                self._asked, self._understood = False, None
                return [Order.FORGET]
            case ears.Heard.ENDED:
                self._over = True
                self.deadline = now + self._recognition_s
                return self._answered() if self._asked else [self._recognise()]
            case None:
                return self._answered(settled=now >= self._settled)

    def key(self, key: str) -> Orders:
        return [Order.STOP_PROMPT, Order.FORGET, Answer(Key(key))]

    def prompt_over(self, now: float) -> None:
        """It was spoken to its end."""
        if not self._speaking:
            self.deadline = now + self._wait_s

    def understood(self, understood: Understood) -> Orders:
        self._understood = understood
        return self._answered()

    def tick(self, now: float) -> Orders:
        """The deadline has passed. Raises `Late`."""
        if self.deadline is None or now < self.deadline:
            return []
        if self._over:
            raise Late(self._recognition_s)
        return [Answer(Silence())]

    def _recognise(self) -> Recognise:
        self._asked, self._understood = True, None
        return Recognise(self._activity.utterance)

    def _answered(self, settled: bool = False) -> Orders:
        understood = self._understood
        if understood is None:
            return []
        if not self._over and not (settled and self._complete is not None and self._complete(understood)):
            return []
        return [Answer(Speech(understood.label, understood.margin, self._enough, understood.text))]
