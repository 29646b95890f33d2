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
- On a line that has ears a menu may be answered by voice. What is not sure is read back, never guessed; who was not
  understood twice goes on by key (`understanding.py`).
- A hang-up is `CallerLeft`, which no dialogue catches. What was decided before it stands.
- The journal gets what was asked and how it was answered, never the digits (they may be a birth date) and
  never the parameters of a prompt (they may be a name).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn

from ivr.house import HOUSE_PROMPTS, MOST_BACKS, MOST_REPEATS, PACES, Asking, HouseKeys, Question, as_prompts
from ivr.leaving import Back, CallerLeft, NoAnswer, Transferred
from ivr.line import Journal, Line, Phrases
from ivr.turn import Digits, DigitsOf, Expect, Heard, Key, Keys, Nothing, Prompt, Silence, Speech
from ivr.understanding import Certainty, certainty
from scripts.placeholders import Value
from speech.ears import Grammar

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
    phrases: Phrases | None = None
    by_key: bool = False
    """Who was not understood twice goes on by key."""
    pace: float = PACES[0]
    choosing_language: bool = False
    """The language is being asked: its key repeats, and nothing is said in one language only."""
    _menus: int = field(default=0, init=False)
    _backs: int = field(default=0, init=False)
    _knows_keys: bool = field(default=False, init=False)
    _knows_voice: bool = field(default=False, init=False)

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
            grammar = self._grammar(asking.question, keys)
            more = [*self._hint(grammar), *self._help(asking)]
            match await self.play([*asking.prompts(), *more], Keys(keys, grammar=grammar)):
                case Key(pressed) if pressed in keys:
                    return pressed
                case Speech() as said if grammar is not None:
                    meant = await self._meant(said, grammar)
                    if meant is not None and meant in keys:
                        return meant
                    if meant is None or not await self._house_key(meant, asking, "voice"):
                        self.by_key = asking.misheard()
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

    async def record(self, path: str, *, most_s: float, silence_s: int) -> None:
        """Records the caller's voice to `path`, after a beep, until `#`, a silence or `most_s`. The notice has been
        spoken. 0 and the urgent key end it and lead where they always do. Raises `Transferred`, `CallerLeft`; what was
        said until then is in the file."""
        ending = "#" + self.house.operator + (self.house.urgent or "")
        recorded = await self.line.record(path, ending, most_s, silence_s)
        await self.journal.step("recorded", **({"key": recorded.key} if recorded.key else {}))
        if recorded.key is not None:
            await self._leave(recorded.key)

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

    def _grammar(self, question: Sequence[Prompt], keys: str) -> Grammar | None:
        if self.phrases is None or self.by_key or self.choosing_language or not self.line.hears(self.language):
            return None
        return self.phrases.menu(question, keys, self.language)

    def _hint(self, grammar: Grammar | None) -> list[Prompt]:
        """The first menu that hears says so."""
        if grammar is None or self._knows_voice:
            return []
        self._knows_voice = True
        return [Prompt("voice_hint")]

    async def _meant(self, said: Speech, grammar: Grammar) -> str | None:
        """The key that was meant: at once, or after the caller agreed; None if neither."""
        match certainty(said):
            case Certainty.SURE:
                return said.label
            case Certainty.DOUBTFUL if said.label is not None and await self._agrees(said.label, grammar):
                return said.label
        return None

    async def _agrees(self, label: str, grammar: Grammar) -> bool:
        """Reads back what was understood. For urgent help all but a clear no is a yes."""
        yes_or_no = self.phrases.yes_or_no(self.language) if self.phrases else None
        read_back = Prompt("did_you_say", said=grammar.phrases[label][0])
        match await self.play(read_back, Keys("12", grammar=yes_or_no)):
            case Key(answer):
                await self._leave(answer)
            case Speech(answer) as said if answer is not None and certainty(said) is Certainty.SURE:
                await self._leave(answer, "voice")
            case _:
                return label == self.house.urgent
        return answer == "1"

    async def _house_key(self, pressed: str, asking: Asking, how: str = "key") -> bool:
        """Does what a key of the house means; False for one that means nothing here."""
        await self._leave(pressed, how)
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

    async def _leave(self, pressed: str, how: str = "key") -> None:
        if pressed == self.house.urgent:
            await self.transfer(self.house.urgent_queue, f"urgent_{how}")
        if pressed == self.house.operator:
            await self.transfer(self.house.operator_queue, f"operator_{how}")


def _answer(heard: Heard, expect: Expect) -> dict[str, object]:
    """What the journal says of an answer: a key is a choice, digits are only counted."""
    match heard:
        case Key(key):
            return {"key": key}
        case Digits(digits):
            return {"digits": len(digits)}
        case Speech(label, margin):
            # A label is a key: what was chosen, never what was said.
            return {"speech": label, "speech_margin": round(margin, 2)}
        case Silence():
            return {} if isinstance(expect, Nothing) else {"silence": True}
