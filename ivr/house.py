"""The keys that mean the same everywhere, and how a question is asked again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ivr.leaving import NoAnswer
from ivr.turn import Prompt
from scripts.placeholders import Value

if TYPE_CHECKING:
    from ivr.call import Call

Question = str | Prompt | Sequence[Prompt]

# What the house says of its own accord: every spoken language needs these.
HOUSE_PROMPTS = frozenset(
    {
        "another_language",
        "by_key",
        "did_you_say",
        "heard_birth_date",
        "heard_day",
        "heard_day_afternoon",
        "heard_day_morning",
        "heard_digits",
        "heard_earliest",
        "house_keys",
        "not_understood",
        "silence_other",
        "silence_short",
        "slower",
        "to_person",
        "to_urgent",
        "voice_hint",
        "wrong_key",
    }
)
MOST_CHOICES = 5  # a menu; more nobody keeps in mind. The house's own keys do not count: they are the same everywhere
MOST_MISHEARD = 2  # in one question; then the keypad is better
MOST_REPEATS = 10  # a fax, or a phone in a pocket, would hold the line for ever
MOST_BACKS = 30  # in one call
PACES = (1.0, 0.85, 0.7)  # what `7` makes of the pace, one after the other


@dataclass(frozen=True, slots=True)
class HouseKeys:
    """The keys that mean the same everywhere, where they lead, how often we ask. From the site's settings."""

    operator: ClassVar[str] = "0"
    repeat: ClassVar[str] = "*"
    back: ClassVar[str] = "#"
    slower: ClassVar[str] = "7"
    language: ClassVar[str] = "8"
    urgent: str | None = "9"
    operator_queue: str = "reception"
    urgent_queue: str = "urgent"
    attempts: int = 3
    change_language: Callable[[Call], Awaitable[object]] | None = None
    """What the language key leads to; without it there is one language only."""

    @property
    def leaving(self) -> str:
        """Those that lead to a person."""
        return self.operator + (self.urgent or "")

    @property
    def in_a_notice(self) -> str:
        """Those that act at once where nothing is asked. `#` is none of them: what a notice tells of is done, so it
        leads back from the question that follows."""
        return self.leaving + self.repeat + self.slower + (self.language if self.change_language else "")

    def __contains__(self, key: object) -> bool:
        return key in (self.operator, self.repeat, self.back, self.slower, self.language, self.urgent)


class Asking:
    """How often one question was asked, and how it is worded next."""

    def __init__(
        self, question: Question, params: Mapping[str, Value], house: HouseKeys, later: Sequence[Prompt] = ()
    ) -> None:
        """`later`: what was prepared to be said after it."""
        self.repeats = 0
        self.later = later
        self.question = as_prompts(Prompt(question, **params) if isinstance(question, str) else question)
        self._house = house
        self._failures = 0
        self._misheard = 0
        self._why = ""
        self._before: str | None = None

    @property
    def again(self) -> bool:
        return bool(self._failures or self.repeats)

    def prompts(self) -> list[Prompt]:
        """After a failure: what was wrong, then the question in a form that has not been said yet."""
        if not self._failures:
            return [*([Prompt(self._before)] if self._before else []), *self.question]
        form = "short" if self._failures == 1 else "other"
        # Digits that are too few need no sentence of their own: the question says how many.
        sorry = {"silence": f"silence_{form}", "too_few": None}.get(self._why, self._why)
        again = [prompt.in_form(form) for prompt in self.question]
        return [Prompt(sorry), *again] if sorry else again

    def failed(self, why: str) -> None:
        self._failures += 1
        self._why = why
        if self._failures >= self._house.attempts:
            raise NoAnswer(self._house.operator_queue, "no_answer")

    def misheard(self) -> bool:
        """Something was said and not understood. True: the second time, so it is asked by key from now on."""
        self._misheard += 1
        by_key = self._misheard >= MOST_MISHEARD
        self.failed("by_key" if by_key else "not_understood")
        return by_key

    def repeat(self, before: str | None = None) -> None:
        """`before` is a sentence that says why it is heard again."""
        self.repeats += 1
        self._before = before
        self._failures = 0  # whoever asks to hear it again is listening: the full wording
        if self.repeats > MOST_REPEATS:
            raise NoAnswer(self._house.operator_queue, "repeated_too_often")


def as_prompts(prompts: Prompt | Sequence[Prompt]) -> list[Prompt]:
    return [prompts] if isinstance(prompts, Prompt) else list(prompts)
