"""What can be said in one turn, what may be expected, what may be heard. No line, no dialogue, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from scripts.placeholders import Value
from speech.ears import Grammar


@dataclass(frozen=True, init=False)
class Prompt:
    """One sentence by its key in scripts/languages, with the values that its wording speaks of.

    A key may name a form of the sentence: `main_menu.short`. `language` is only set where the sentence is not in
    the call's language ("para español, oprima 2"). `pace` is 1 unless the caller asked for slower speech.
    """

    key: str
    params: Mapping[str, Value] = field(repr=False)  # a name must not reach an exception's text
    language: str | None = None
    pace: float = 1.0

    def __init__(self, key: str, /, **params: Value) -> None:
        self._set("key", key)
        self._set("params", MappingProxyType(params))

    def in_form(self, form: str) -> Prompt:
        """The same said differently. What has a form already keeps it, but the shorter one gives way to the other."""
        name, _, chosen = self.key.partition(".")
        if chosen and (chosen, form) != ("short", "other"):
            return self
        return self._changed(f"{name}.{form}", self.language, self.pace)

    def in_language(self, language: str) -> Prompt:
        return self._changed(self.key, language, self.pace)

    def at_pace(self, pace: float) -> Prompt:
        return self._changed(self.key, self.language, pace)

    def _changed(self, key: str, language: str | None, pace: float) -> Prompt:
        changed = Prompt(key, **self.params)
        changed._set("language", language)
        changed._set("pace", pace)
        return changed

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True)
class Keys:
    """One key is expected. `play` returns what was pressed, also a key that is not listed.

    For a line that has ears, `grammar`: what may be said instead; its labels are keys. `freely`: the language in which
    the caller's own words are wanted, where they are none of the grammar's. A key beats what is said.
    """

    keys: str
    wait_s: float = 7.0
    grammar: Grammar | None = None
    freely: str | None = None


@dataclass(frozen=True, slots=True)
class DigitsOf:
    """`minimum` to `maximum` digits, ended by `end`, by the last digit, or by a pause of `between_s`.

    `play` returns `Digits` as typed, also when they are too few, `Key("*")` for "let me start over", and `Key(end)`
    for an `end` before any digit. With `star_is_x` a `*` is typed for an X, as some identity cards have it, and is
    among the digits. `freely`: the language in which they may be said instead, in the caller's own words.
    """

    minimum: int
    maximum: int
    end: str = "#"
    wait_s: float = 8.0
    between_s: float = 5.0
    star_is_x: bool = False
    freely: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.minimum <= self.maximum:
            raise ValueError(f"DigitsOf wants 1 <= minimum <= maximum, not {self.minimum}, {self.maximum}")


@dataclass(frozen=True, slots=True)
class Nothing:
    """No answer is expected. A key stops it, also one that was typed before, and is kept for the next question."""


@dataclass(frozen=True, slots=True)
class Notice:
    """No answer is expected, and what was typed before its first sound stops nothing. A key that is pressed then stops
    it: `play` returns one of `acting`, any other is kept for the next question, behind those typed before.

    `to_the_end`: only those of `acting` stop it.
    """

    acting: str = ""
    to_the_end: bool = False


Expect = Keys | DigitsOf | Nothing | Notice


@dataclass(frozen=True, slots=True)
class Key:
    key: str


@dataclass(frozen=True, slots=True)
class Digits:
    digits: str = field(repr=False)  # may be a birth date


@dataclass(frozen=True, slots=True)
class Speech:
    """What a line with ears understood: a label of the grammar, None for nothing of it.

    `margin`: how much better than the runner-up (natural logarithm); `enough`: from where on this engine is right
    often enough to be believed. `words`: the caller's own, as far as the engine wrote them; they may be a birth date.
    """

    label: str | None
    margin: float
    enough: float
    words: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A voice was recorded to its end: by a key, by silence or by the time limit (both None)."""

    key: str | None


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing came in time, or nothing was expected."""


Heard = Key | Digits | Speech | Silence
