"""A question to whom we have called, while it is not known who has picked up: rules without I/O, as `listening.py`.

- We speak at once; nobody waits for a verdict. A hello at the beginning neither stops us nor is it an answer.
- What is likely a machine is not spoken over: we are silent until it beeps or is known for one. If it falls silent
  without a beep it was a person after all, who is asked again.
- A machine or a fax, once that is sure, is `NotAPerson`; where a message may be left, when its beep is over.
- A key beats everything: it is a person's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from ivr.audio_socket import FRAME_S
from ivr.leaving import NotAPerson
from ivr.listening import Activity, Answer, Listening, Order, Orders, Recognise
from ivr.turn import Key, Silence, Speech
from speech.ears import Understood
from speech.ears import activity as ears
from speech.ears.pickup import HELLO_S, LATE_BEEP_S, Verdict, WhoAnswered

ANSWERS_FROM_S = 3.0  # of the call: before that people say hello
WORDS_AFTER_S = (3.5, 7.5)  # of speech at a stretch: what machines say is in it, and people rarely get there
WORDS_S = 5.0  # of it are written down: what came last, and a breath before it
MOST_S = 60.0  # of a greeting


@dataclass
class Pickup:
    """What is known of whom we have called, over all questions until a key. `until_beep`: a message may be left.
    `announced`: whether what was said is what machines say, in this call's language; None without a recogniser.
    `known`: somebody has heard that it is a machine."""

    who: WhoAnswered
    until_beep: bool
    announced: Callable[[str], bool] | None = None
    known: bool = False
    words_asked: int = 0
    heard: deque[bytes] = field(default_factory=lambda: deque(maxlen=round(WORDS_S / FRAME_S)), repr=False)

    @property
    def verdict(self) -> Verdict:
        return self.who.verdict


class Attending:
    """One question of those; the shape of `Listening`. `question`: what may be answered by voice, if anything, made
    with the ear that it is to hear by."""

    def __init__(
        self, pickup: Pickup, activity: Activity, wait_s: float, question: Callable[[Activity], Listening] | None = None
    ) -> None:
        self.deadline: float | None = None
        self.asks_words = False
        """What the engine is asked are the words of whom we have called, not an answer."""
        self._pickup = pickup
        self._activity = activity
        self._wait_s = wait_s
        self._ear = Ear(activity)
        self._question = question(self._ear) if question is not None else None
        self._answers = False  # what is being said
        self._holding = False  # our tongue

    @property
    def holds(self) -> bool:
        """The prompt, for what may be the beginning of an answer; a hello is none."""
        late = self._pickup.who.evidence.heard >= ANSWERS_FROM_S
        return self._question is not None and late and self._activity.suspecting

    def sound(self, frame: bytes, sent: bytes, now: float) -> Orders:
        """`frame`: 20 ms of theirs; `sent`: what they heard meanwhile. Raises `NotAPerson`."""
        heard = self._activity.feed(frame, sent)
        self._pickup.heard.append(frame)
        verdict = self._pickup.who.feed(frame, heard)
        if verdict.sure or verdict.likely_machine or self._pickup.known:
            return self._machine(verdict, now)
        if self._holding:
            return [Answer(Silence())]
        return [*self._words(), *self._answer(frame, sent, heard, now)]

    def key(self, key: str) -> Orders:
        return [Order.STOP_PROMPT, Order.FORGET, Answer(Key(key))]

    def prompt_over(self, now: float) -> None:
        """It was spoken to its end."""
        if self._holding:
            return
        self.deadline = now + self._wait_s
        if self._question is not None:
            self._question.prompt_over(now)
            self.deadline = self._question.deadline

    def understood(self, understood: Understood) -> Orders:
        if self.asks_words:
            self.asks_words = False
            if self._pickup.announced is not None:
                self._pickup.who.words(self._pickup.announced(understood.text))
            return []
        return self._taken(self._question.understood(understood)) if self._question is not None else []

    def tick(self, now: float) -> Orders:
        """The deadline has passed. Raises `NotAPerson`, and what `Listening` does."""
        if self.deadline is None or now < self.deadline:
            return []
        if self._holding and self._pickup.verdict.sure:
            raise NotAPerson("machine", hears=False)
        if self._holding or self._question is None:
            return [Answer(Silence())]
        return self._taken(self._question.tick(now))

    def _machine(self, verdict: Verdict, now: float) -> Orders:
        """Raises `NotAPerson` when there is nothing more to wait for."""
        who, leaves = self._pickup.who, self._pickup.until_beep
        if verdict.who == "fax":
            raise NotAPerson("fax", hears=False)
        if leaves and who.beeped:
            raise NotAPerson("machine", hears=True)
        nobody = not leaves or who.evidence.no_service
        if (verdict.sure or self._pickup.known) and (nobody or who.evidence.quiet >= LATE_BEEP_S):
            raise NotAPerson("machine", hears=not nobody)
        if self._holding:
            return self._words()
        self._holding, self.deadline = True, now + MOST_S
        return [Order.STOP_PROMPT, Order.FORGET, *self._words()]

    def _words(self) -> Orders:
        """What is said at length is written down, twice in a call at most, where there is a recogniser."""
        pickup, told = self._pickup, self._pickup.who.evidence
        if pickup.announced is None or told.words or self.asks_words or pickup.words_asked >= len(WORDS_AFTER_S):
            return []
        if told.stretch < WORDS_AFTER_S[pickup.words_asked]:
            return []
        pickup.words_asked += 1
        self.asks_words = True
        return [Recognise(b"".join(pickup.heard))]

    def _answer(self, frame: bytes, sent: bytes, heard: ears.Heard | None, now: float) -> Orders:
        if heard is ears.Heard.BEGAN:
            self._answers = self._pickup.who.evidence.heard >= ANSWERS_FROM_S
        if self._question is None or self.asks_words or not self._answers:
            return []
        self._ear.heard = heard
        return self._taken(self._question.sound(frame, sent, now))

    def _taken(self, orders: Orders) -> Orders:
        """Nobody answers a question with as many words as a machine says."""
        if self._question is not None:
            self.deadline = self._question.deadline
        if self._pickup.who.evidence.stretch <= HELLO_S:
            return orders
        return [_not_understood(order) if isinstance(order, Answer) else order for order in orders]


class Ear:
    """The question's share of an activity that is fed but once."""

    def __init__(self, activity: Activity) -> None:
        self.heard: ears.Heard | None = None
        self._activity = activity

    @property
    def suspecting(self) -> bool:
        return self._activity.suspecting

    @property
    def utterance(self) -> bytes:
        return self._activity.utterance

    def feed(self, frame: bytes, sent: bytes = b"") -> ears.Heard | None:
        return self.heard

    def forget(self, patience_s: float | None = None) -> None:
        self._activity.forget(patience_s)


def _not_understood(answer: Answer) -> Answer:
    said = answer.heard
    return Answer(Speech(None, 0.0, said.enough)) if isinstance(said, Speech) else answer
