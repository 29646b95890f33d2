"""The Call that a dialogue talks through. One verb, `play`; `say`, `menu`, `digits` are thin words over it.

Rules that hold in every dialogue, so that none has to state them:
- The caller may interrupt us: any key stops a prompt at once, and keys typed ahead are kept for the questions
  to come. A notice (`inform`) is stopped by a key that is pressed while it is heard, not by one typed before it: so
  nobody misses how to prepare by typing fast. In it the keys of the house act at once, but `#`, which is kept. One
  notice only is heard to its end, the one before a recording (`must_hear`; decision 60), and leads to a person, too.
- `0` reaches a person, `*` repeats, `#` goes back to the menu before, `7` repeats more slowly and stays slow, `8`
  changes the language and asks the same question in it, and the urgent key (if the site has one) reaches a nurse
  ahead of the queue, from the first prompt on. These keys belong to the house: a menu that lists one of them is
  refused. Who needs something repeated is told of them, once a call.
- A menu has five choices at most, and one that lists more is refused. Only languages may be more: each is offered in
  its own words, and nobody has to keep the others in mind.
- While digits are typed, a key of the house counts when it is typed alone. Where a single digit is an answer,
  `0` and the urgent key count after `*`; slower and the language do not.
- Silence or a wrong key: a shorter wording, then a different one, then a person. Nobody is dropped for being
  slow.
- On a line that has ears whatever is asked may be answered by voice, but what is secret. What is not sure is read
  back, never guessed; who was not understood twice goes on by key (`spoken.py`).
- Where the language has no words for what would be said next (it is spoken from recordings, and the sentence has a
  value in it), a person says it: `Transferred`, unless nobody is there or one is on the way; then English says it.
- A hang-up is `CallerLeft`, which no dialogue catches. What was decided before it stands.
- The journal gets what was asked and how it was answered, never the digits (they may be a birth date) and
  never the parameters of a prompt (they may be a name).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import NoReturn

from ivr.house import (
    HOUSE_PROMPTS,
    MOST_BACKS,
    MOST_CHOICES,
    MOST_REPEATS,
    PACES,
    Asking,
    HouseKeys,
    Question,
    as_prompts,
)
from ivr.leaving import Back, CallerLeft, NoAnswer, Transferred
from ivr.line import Journal, Line, Phrases
from ivr.readings import Reading, SpokenDigits
from ivr.spoken import meant
from ivr.turn import Digits, DigitsOf, Expect, Heard, Key, Keys, Nothing, Notice, Prompt, Silence, Speech
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
    "Notice",
    "Prompt",
    "Question",
    "Silence",
    "Speech",
    "Transferred",
]


def anything(key: str, language: str) -> bool:
    """Of a line whose every language has a voice."""
    return True


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
    sayable: Callable[[str, str], bool] = anything
    """(a prompt's key, a language) → whether it can be said in it."""
    by_key: bool = False
    """Who was not understood twice goes on by key."""
    pace: float = PACES[0]
    choosing_language: bool = False
    """The language is being asked: its key repeats, and nothing is said in one language only."""
    new_matter: bool = False
    """The caller comes from the main menu: whoever speaks for others is asked for whom this is, also once known."""
    alarm_in_doubt: bool = field(default=False, init=False)
    """Something that sounded like an emergency is being said back."""
    _later: tuple[Prompt, ...] = field(default=(), init=False, repr=False)
    _alone: bool = field(default=False, init=False)
    _menus: int = field(default=0, init=False)
    _backs: int = field(default=0, init=False)
    _knows_keys: bool = field(default=False, init=False)
    _knows_voice: bool = field(default=False, init=False)

    async def play(self, prompts: Prompt | Sequence[Prompt], expect: Expect) -> Heard:
        """Says the sentences, waits for what is expected, writes the turn down. Raises `CallerLeft`; `Transferred`
        where the caller's language has no recording for one of them."""
        if not self._alone and not all(self.sayable(s.key, s.language or self.language) for s in as_prompts(prompts)):
            await self.transfer(self.house.operator_queue, "not_recorded")
        sentences = [sentence.at_pace(self.pace) for sentence in as_prompts(prompts)]
        heard = await self.line.play(sentences, self.language, expect)
        await self.journal.step("turn", said=[s.key for s in sentences], **_answer(heard, expect))
        return heard

    async def say(self, key: str, /, **params: Value) -> None:
        """A sentence that asks nothing. A key stops it and is kept for the next question."""
        await self.play(Prompt(key, **params), Nothing())

    async def inform(self, told: Question, /, **params: Value) -> None:
        """What nobody is to miss by typing ahead: a notice, or what was just booked. A key pressed while it is heard
        stops it, and is kept for the next question; one of the house acts at once. Raises as menu."""
        await self._inform(told, params, Notice(self.house.in_a_notice))

    async def must_hear(self, told: Question, /, **params: Value) -> None:
        """What has to be heard to its end: that one is recorded. Only the keys that lead to a person stop it."""
        await self._inform(told, params, Notice(self.house.leaving, to_the_end=True))

    async def menu(
        self,
        question: Question,
        /,
        *,
        keys: str,
        reading: Reading | None = None,
        tell_keys: bool = False,
        **params: Value,
    ) -> str:
        """Asks until one of `keys` is pressed or said, and returns it; or what `reading` found in the caller's own
        words. Raises `NoAnswer`, `Transferred`, `CallerLeft`.

        `question` is a prompt's key (with its `params`) or whole prompts; asked again, it takes the forms
        `short`, then `other`. `tell_keys`: those of the house are told behind it; else they are told when something is
        asked again for the first time.
        """
        taken = [key for key in keys if key in self.house]
        if taken or not keys:
            raise ValueError(f"menu with keys {keys!r}: {taken} mean the same everywhere, choose others")
        if len(keys) > MOST_CHOICES and not self.choosing_language:
            raise ValueError(f"menu with keys {keys!r}: at most {MOST_CHOICES} are kept in mind, say them in pages")
        asking = self._asking(question, params)
        while True:
            grammar = self._grammar(asking.question, keys)
            more = [*self._hint(grammar), *self._help(asking, tell_keys)]
            freely = self.language if grammar is not None and reading is not None else None
            match await self.play([*asking.prompts(), *more], Keys(keys, grammar=grammar, freely=freely)):
                case Key(pressed) if pressed in keys:
                    return pressed
                case Speech() as said:
                    match await meant(self, said, grammar, reading):
                        case Key(key) if key in keys:
                            return key
                        case Digits(answer):
                            return answer
                        case Key(key) if await self._house_key(key, asking, "voice"):
                            pass
                        case _:
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
        reading: Reading | None = None,
        aloud: bool = True,
        **params: Value,
    ) -> str:
        """Asks for `length` digits, or `minimum` to `maximum`: `#` ends, `*` starts over, or with `star_is_x` is typed
        for an X. They may be said, digit by digit or as `reading` takes them; not `aloud`: by key only, because others
        may hear what the caller says. Raises as menu."""
        expect = DigitsOf(length or minimum, length or maximum, star_is_x=star_is_x)
        reading = reading or SpokenDigits(expect)
        asking = self._asking(question, params)
        while True:
            freely = self.language if aloud and self._hears() else None
            more = [Prompt("voice_hint")] if freely and not asking.again else []
            more += self._help(asking) if expect.minimum > 1 else []
            match await self.play([*asking.prompts(), *more], replace(expect, freely=freely)):
                case Speech() as said:
                    match await meant(self, said, None, reading):
                        case Digits(answer):
                            return answer
                        case Key(key) if await self._house_key(key, asking, "voice"):
                            pass
                        case _:
                            self.by_key = asking.misheard()
                case Digits(self.house.repeat):  # alone, where it is typed for something else
                    await self._house_key(self.house.repeat, asking)
                case Digits(typed):
                    if len(typed) == 1 and asking.repeats:
                        await self.leave(typed)
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
        recorded = await self.line.record(path, "#" + self.house.leaving, most_s, silence_s)
        await self.journal.step("recorded", **({"key": recorded.key} if recorded.key else {}))
        if recorded.key is not None:
            await self.leave(recorded.key)

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

    @contextmanager
    def without_a_person(self) -> Iterator[None]:
        """Inside, nobody can say what the caller's language has no recording for: English does."""
        before, self._alone = self._alone, True
        try:
            yield
        finally:
            self._alone = before

    def prepare(self, *prompts: Prompt) -> None:
        """Renders what will probably be said next while the caller listens to the present prompt: as it will sound
        then, so once more when the caller asks in between for slower speech or another language."""
        self._later += prompts
        self._render(prompts)

    async def use_language(self, language: str) -> None:
        """From now on all is said in `language` (a tag such as `es` or `pt-BR`), Asterisk's prompts too."""
        self.language = language
        await self.line.set_language(language)
        await self.journal.step("language", language=language)

    async def transfer(self, queue: str, reason: str) -> NoReturn:
        """Ends the dialogue: a person of `queue` (reception, nurses, urgent) takes over, by `Transferred`."""
        raise Transferred(queue, reason)

    async def leave(self, pressed: str, how: str = "key") -> None:
        """To a person, where this key leads to one. Raises `Transferred`."""
        if pressed == self.house.urgent:
            await self.transfer(self.house.urgent_queue, f"urgent_{how}")
        if pressed == self.house.operator:
            await self.transfer(self.house.operator_queue, f"operator_{how}")

    def _render(self, prompts: Sequence[Prompt]) -> None:
        self.line.prepare([prompt.at_pace(self.pace) for prompt in prompts], self.language)

    async def _inform(self, told: Question, params: Mapping[str, Value], notice: Notice) -> None:
        asking = Asking(told, params, self.house, self._later)
        while isinstance(pressed := await self.play(asking.prompts(), notice), Key):
            await self._house_key(pressed.key, asking)

    def _asking(self, question: Question, params: Mapping[str, Value]) -> Asking:
        later, self._later = self._later, ()
        return Asking(question, params, self.house, later)

    def _hears(self) -> bool:
        return self.phrases is not None and not self.by_key and self.line.hears(self.language)

    def _grammar(self, question: Sequence[Prompt], keys: str) -> Grammar | None:
        return self.phrases.menu(question, keys, self.language) if self.phrases and self._hears() else None

    def _hint(self, grammar: Grammar | None) -> list[Prompt]:
        """The first menu that hears says so, but not in one language of several."""
        if grammar is None or self._knows_voice or self.choosing_language:
            return []
        self._knows_voice = True
        return [Prompt("voice_hint")]

    async def _house_key(self, pressed: str, asking: Asking, how: str = "key") -> bool:
        """Does what a key of the house means; False for one that means nothing here."""
        await self.leave(pressed, how)
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
                self._render(asking.later)
            case self.house.language if changes_language is not None:
                if not self.choosing_language:
                    await changes_language(self)
                asking.repeat()
                self._render(asking.later)
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

    def _help(self, asking: Asking, tell_keys: bool = False) -> list[Prompt]:
        """The keys that always work, told when something is asked again for the first time, or where they are to be."""
        if self.choosing_language or not (tell_keys or asking.again):
            return []
        if not asking.again:
            return [Prompt("house_keys")]
        if self._knows_keys:
            return []
        self._knows_keys = True
        return [Prompt("house_keys"), *([Prompt("another_language")] if self.house.change_language else [])]


def _answer(heard: Heard, expect: Expect) -> dict[str, object]:
    """What the journal says of an answer: a key is a choice, digits are only counted."""
    match heard:
        case Key(key):
            return {"key": key}
        case Digits(digits):
            return {"digits": len(digits)}
        case Speech(label, margin):
            # A label is a key: what was chosen, never what was said; words that a rule reads have none.
            return {"speech": label, "speech_margin": round(margin, 2)}
        case Silence():
            return {} if isinstance(expect, Nothing | Notice) else {"silence": True}
