"""The Call that a dialogue talks through. One verb, `play`; `say`, `menu`, `digits` are thin words over it.

Rules that hold in every dialogue, so that none has to state them:
- The caller may interrupt us: any key stops a prompt at once, and keys typed ahead are kept for the questions
  to come. (`inform` is the exception: a notice is heard to its end.)
- `0` reaches a person, `*` repeats, and the urgent key (if the site has one) reaches a nurse ahead of the
  queue, from the first prompt on. These keys belong to the house: a menu that lists one of them is refused.
- While digits are typed, a key of the house counts when it is typed alone. Where a single digit is an answer,
  it counts after `*`.
- Silence or a wrong key: a shorter wording, then a different one, then a person. Nobody is dropped for being
  slow.
- A hang-up is `CallerLeft`, which no dialogue catches. What was decided before it stands.
- The journal gets what was asked and how it was answered, never the digits (they may be a birth date) and
  never the parameters of a prompt (they may be a name).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NoReturn, Protocol

from ivr.turn import Digits, DigitsOf, Expect, Heard, Key, Keys, Nothing, Prompt, Silence, Speech
from scripts.placeholders import Value

__all__ = [
    "HOUSE_PROMPTS",
    "Call",
    "CallerLeft",
    "Digits",
    "DigitsOf",
    "Expect",
    "Heard",
    "HouseKeys",
    "Journal",
    "Key",
    "Keys",
    "Line",
    "NoAnswer",
    "Nothing",
    "Prompt",
    "Question",
    "Silence",
    "Speech",
    "Transferred",
]

# What the house says of its own accord: every spoken language needs these.
HOUSE_PROMPTS = frozenset({"silence_short", "silence_other", "wrong_key", "to_person", "to_urgent"})
MOST_REPEATS = 10  # a fax, or a phone in a pocket, would hold the line for ever


class CallerLeft(Exception):
    """The caller hung up, or the line is gone. No dialogue catches it; the server records it once."""


class Transferred(Exception):
    """The conversation goes on with a person: `queue` is HL_QUEUE, `reason` is what the journal says."""

    def __init__(self, queue: str, reason: str) -> None:
        super().__init__(f"to {queue}: {reason}")
        self.queue = queue
        self.reason = reason


class NoAnswer(Transferred):
    """Three times no usable answer: a person takes over, unless the dialogue knows better and catches it."""


class Journal(Protocol):
    async def step(self, kind: str, **facts: object) -> None:
        """Writes one step of the call, at once and durably. Facts are JSON values without personal data."""


class Line(Protocol):
    """What carries a call: AGI (`agi_call.py`), the terminal (`terminal.py`), streamed audio one day."""

    async def play(self, prompts: Sequence[Prompt], language: str, expect: Expect) -> Heard:
        """Speaks the sentences, in `language` where they name none, and returns the answer (`Silence` for
        `Nothing`). Raises `CallerLeft`."""

    def prepare(self, prompts: Sequence[Prompt], language: str) -> None:
        """Begins to render what will probably be said next. Returns at once and never raises."""

    def forget_keys(self) -> None:
        """Drops what was typed ahead: after a wrong key it was meant for another question."""

    async def set_language(self, language: str) -> None:
        """What Asterisk says later to this caller (queue, apology) is said in this language."""

    async def hand_over(self, queue: str | None) -> None:
        """Says what the dialplan does after us: `queue`, or hang up for None."""


Question = str | Prompt | Sequence[Prompt]


@dataclass(frozen=True, slots=True)
class HouseKeys:
    """The keys that mean the same everywhere, where they lead, how often we ask. From the site's settings."""

    operator: ClassVar[str] = "0"
    repeat: ClassVar[str] = "*"
    urgent: str | None = "9"
    operator_queue: str = "reception"
    urgent_queue: str = "urgent"
    attempts: int = 3

    def __contains__(self, key: object) -> bool:
        return key in (self.operator, self.repeat, self.urgent)


@dataclass
class Call:
    """One caller on one line. `id` is HL_CALL; `caller_number` E.164, None if withheld or unknown."""

    id: str
    node: str
    caller_number: str | None = field(repr=False)
    line: Line
    journal: Journal
    language: str
    house: HouseKeys = HouseKeys()

    async def play(self, prompts: Prompt | Sequence[Prompt], expect: Expect) -> Heard:
        """Says the sentences, waits for what is expected, writes the turn down. Raises `CallerLeft`."""
        sentences = _prompts(prompts)
        heard = await self.line.play(sentences, self.language, expect)
        await self.journal.step("turn", said=[s.key for s in sentences], **_answer(heard, expect))
        return heard

    async def say(self, key: str, /, **params: Value) -> None:
        """A sentence that asks nothing. A key stops it and is kept for the next question."""
        await self.play(Prompt(key, **params), Nothing())

    async def inform(self, key: str, /, **params: Value) -> None:
        """A sentence that is heard to its end: a notice, or what was just booked."""
        await self.play(Prompt(key, **params), Nothing(to_the_end=True))

    async def menu(self, question: Question, /, *, keys: str, **params: Value) -> str:
        """Asks until one of `keys` is pressed and returns it. Raises `NoAnswer`, `Transferred`, `CallerLeft`.

        `question` is a prompt's key (with its `params`) or whole prompts; asked again, it takes the forms
        `short`, then `other`.
        """
        taken = [key for key in keys if key in self.house]
        if taken or not keys:
            raise ValueError(f"menu with keys {keys!r}: {taken} mean the same everywhere, choose others")
        asking = _Asking(question, params, self.house)
        while True:
            match await self.play(asking.prompts(), Keys(keys)):
                case Key(pressed) if pressed in keys:
                    return pressed
                case Key(self.house.repeat):
                    asking.repeat()
                case Key(pressed):
                    await self._house_key(pressed)
                    self.line.forget_keys()
                    asking.failed("wrong_key")
                case _:
                    asking.failed("silence")

    async def digits(
        self,
        question: Question,
        /,
        *,
        length: int | None = None,
        minimum: int = 1,
        maximum: int = 20,
        **params: Value,
    ) -> str:
        """Asks for `length` digits, or `minimum` to `maximum`: `#` ends, `*` starts over. Raises as menu."""
        expect = DigitsOf(length or minimum, length or maximum)
        asking = _Asking(question, params, self.house)
        while True:
            match await self.play(asking.prompts(), expect):
                case Digits(typed):
                    if len(typed) == 1 and (expect.minimum > 1 or asking.repeats):
                        await self._house_key(typed)
                    if len(typed) >= expect.minimum:
                        return typed
                    asking.failed("too_few")
                case Key(self.house.repeat):
                    asking.repeat()
                case _:
                    asking.failed("silence")

    def prepare(self, *prompts: Prompt) -> None:
        """Renders what will probably be said next while the caller listens to the present prompt."""
        self.line.prepare(prompts, self.language)

    async def use_language(self, language: str) -> None:
        """From now on all is said in `language` (a tag such as `es` or `pt-BR`), Asterisk's prompts too."""
        self.language = language
        await self.line.set_language(language)
        await self.journal.step("language", language=language)

    async def transfer(self, queue: str, reason: str) -> NoReturn:
        """Ends the dialogue: a person of `queue` (reception, nurses, urgent) takes over, by `Transferred`."""
        raise Transferred(queue, reason)

    async def _house_key(self, pressed: str) -> None:
        if pressed == self.house.urgent:
            await self.transfer(self.house.urgent_queue, "urgent_key")
        if pressed == self.house.operator:
            await self.transfer(self.house.operator_queue, "operator_key")


class _Asking:
    """How often one question was asked, and how it is worded next."""

    def __init__(self, question: Question, params: Mapping[str, Value], house: HouseKeys) -> None:
        self.repeats = 0
        self._question = _prompts(Prompt(question, **params) if isinstance(question, str) else question)
        self._house = house
        self._failures = 0
        self._why = ""

    def prompts(self) -> list[Prompt]:
        """After a failure: what was wrong, then the question in a form that has not been said yet."""
        if not self._failures:
            return self._question
        form = "short" if self._failures == 1 else "other"
        # Digits that are too few need no sentence of their own: the question says how many.
        sorry = {"wrong_key": "wrong_key", "silence": f"silence_{form}"}.get(self._why)
        again = [prompt.in_form(form) for prompt in self._question]
        return [Prompt(sorry), *again] if sorry else again

    def failed(self, why: str) -> None:
        self._failures += 1
        self._why = why
        if self._failures >= self._house.attempts:
            raise NoAnswer(self._house.operator_queue, "no_answer")

    def repeat(self) -> None:
        self.repeats += 1
        self._failures = 0  # whoever asks to hear it again is listening: the full wording
        if self.repeats > MOST_REPEATS:
            raise NoAnswer(self._house.operator_queue, "repeated_too_often")


def _prompts(prompts: Prompt | Sequence[Prompt]) -> list[Prompt]:
    return [prompts] if isinstance(prompts, Prompt) else list(prompts)


def _answer(heard: Heard, expect: Expect) -> dict[str, object]:
    """What the journal says of an answer: a key is a choice, digits are only counted."""
    match heard:
        case Key(key):
            return {"key": key}
        case Digits(digits):
            return {"digits": len(digits)}
        case Speech(_, margin):
            return {"speech_margin": margin}
        case Silence():
            return {} if isinstance(expect, Nothing) else {"silence": True}
