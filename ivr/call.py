"""The Call that a dialogue talks through. One verb, `play`; `say`, `menu`, `digits` are thin words over it.

Rules that hold in every dialogue, so that none has to state them:
- The caller may interrupt us: any key stops a prompt at once, and keys typed ahead are kept for the questions
  to come. (`inform` is the exception: a notice is heard to its end.)
- `0` reaches a person, `*` repeats, `#` goes back to the menu before, `7` repeats more slowly and stays slow, `8`
  changes the language and asks the same question in it, and the urgent key (if the site has one) reaches a nurse
  ahead of the queue, from the first prompt on. These keys belong to the house: a menu that lists one of them is
  refused. Who needs something repeated is told of them, once a call.
- While digits are typed, a key of the house counts when it is typed alone. Where a single digit is an answer,
  `0` and the urgent key count after `*`; slower and the language do not.
- Silence or a wrong key: a shorter wording, then a different one, then a person. Nobody is dropped for being
  slow.
- A hang-up is `CallerLeft`, which no dialogue catches. What was decided before it stands.
- The journal gets what was asked and how it was answered, never the digits (they may be a birth date) and
  never the parameters of a prompt (they may be a name).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn, Protocol

from ivr.house import HOUSE_PROMPTS, MOST_BACKS, MOST_REPEATS, PACES, Asking, HouseKeys, Question, as_prompts
from ivr.leaving import Back, CallerLeft, NoAnswer, Transferred
from ivr.turn import Digits, DigitsOf, Expect, Heard, Key, Keys, Nothing, Prompt, Silence, Speech
from scripts.placeholders import Value

__all__ = [
    "HOUSE_PROMPTS",
    "MOST_BACKS",
    "MOST_REPEATS",
    "PACES",
    "Back",
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


@dataclass
class Call:
    """One caller on one line. `id` is HL_CALL; `caller_number` E.164, None if withheld or unknown."""

    id: str
    node: str
    caller_number: str | None = field(repr=False)
    line: Line
    journal: Journal
    language: str
    house: HouseKeys = field(default_factory=HouseKeys)
    pace: float = PACES[0]
    choosing_language: bool = False
    """The language is being asked: its key repeats, and nothing is said in one language only."""
    _menus: int = field(default=0, init=False)
    _backs: int = field(default=0, init=False)
    _knows_keys: bool = field(default=False, init=False)

    async def play(self, prompts: Prompt | Sequence[Prompt], expect: Expect) -> Heard:
        """Says the sentences, waits for what is expected, writes the turn down. Raises `CallerLeft`."""
        sentences = [sentence.at_pace(self.pace) for sentence in as_prompts(prompts)]
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
        asking = Asking(question, params, self.house)
        while True:
            match await self.play([*asking.prompts(), *self._help(asking)], Keys(keys)):
                case Key(pressed) if pressed in keys:
                    return pressed
                case Key(pressed) if not await self._house_key(pressed, asking):
                    self.line.forget_keys()
                    asking.failed("wrong_key")
                case Key():
                    pass  # of the house: the same is asked again
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
        star_is_x: bool = False,
        **params: Value,
    ) -> str:
        """Asks for `length` digits, or `minimum` to `maximum`: `#` ends, `*` starts over, or with `star_is_x` is typed
        for an X. Raises as menu."""
        expect = DigitsOf(length or minimum, length or maximum, star_is_x=star_is_x)
        asking = Asking(question, params, self.house)
        while True:
            more = self._help(asking) if expect.minimum > 1 else []
            match await self.play([*asking.prompts(), *more], expect):
                case Digits(typed):
                    if len(typed) == 1 and asking.repeats:
                        await self._leave(typed)
                    if len(typed) >= expect.minimum:
                        return typed
                    if len(typed) > 1 or not await self._house_key(typed, asking):
                        asking.failed("too_few")
                case Key(pressed):
                    await self._house_key(pressed, asking)
                case _:
                    asking.failed("silence")

    @contextmanager
    def returning(self) -> Iterator[None]:
        """`#` inside leads out of it, to what comes after. Around a menu and what follows from it, in a loop:

        while True:
            with call.returning():
                match await call.menu("main_menu", keys="12"): …
        """
        self._menus += 1
        try:
            yield
        except Back:
            pass
        finally:
            self._menus -= 1

    def prepare(self, *prompts: Prompt) -> None:
        """Renders what will probably be said next while the caller listens to the present prompt."""
        self.line.prepare([prompt.at_pace(self.pace) for prompt in prompts], self.language)

    async def use_language(self, language: str) -> None:
        """From now on all is said in `language` (a tag such as `es` or `pt-BR`), Asterisk's prompts too."""
        self.language = language
        await self.line.set_language(language)
        await self.journal.step("language", language=language)

    async def transfer(self, queue: str, reason: str) -> NoReturn:
        """Ends the dialogue: a person of `queue` (reception, nurses, urgent) takes over, by `Transferred`."""
        raise Transferred(queue, reason)

    async def _house_key(self, pressed: str, asking: Asking) -> bool:
        """Does what a key of the house means; False for one that means nothing here."""
        await self._leave(pressed)
        changes_language = self.house.change_language
        match pressed:
            case self.house.repeat:
                asking.repeat()
            case self.house.back:
                await self._back()
                asking.repeat()
            case self.house.slower:
                self.pace = next((pace for pace in PACES if pace < self.pace), PACES[-1])
                await self.journal.step("slower", pace=self.pace)
                asking.repeat(None if self.choosing_language else "slower")
            case self.house.language if changes_language is not None:
                if not self.choosing_language:
                    await changes_language(self)
                asking.repeat()
            case _:
                return False
        return True

    async def _back(self) -> None:
        if not self._menus:
            return
        self._backs += 1
        if self._backs > MOST_BACKS:
            raise NoAnswer(self.house.operator_queue, "repeated_too_often")
        await self.journal.step("back")
        raise Back

    def _help(self, asking: Asking) -> list[Prompt]:
        """The keys that always work, told when something is asked again for the first time."""
        if self._knows_keys or self.choosing_language or not asking.again:
            return []
        self._knows_keys = True
        return [Prompt("house_keys"), *([Prompt("another_language")] if self.house.change_language else [])]

    async def _leave(self, pressed: str) -> None:
        if pressed == self.house.urgent:
            await self.transfer(self.house.urgent_queue, "urgent_key")
        if pressed == self.house.operator:
            await self.transfer(self.house.operator_queue, "operator_key")


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
