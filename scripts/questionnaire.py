"""A questionnaire as it is asked: typed, immutable, in several languages; its red flags; its "all normal"
answers.

The words are FHIR R4's: `linkId`, item types, `required`, `repeats`, `answerOption`, the operators of
`enableWhen`. Answers are plain JSON values by link id: text, a number, an option's code, a list of codes;
free text beside the options of an open choice is {"text": …}.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

FALLBACK = "en"

Answer = str | int | float | dict[str, str] | list[str | dict[str, str]]


class ItemType(StrEnum):
    """Of FHIR's item types those that a telephone nurse fills in."""

    GROUP = "group"
    STRING = "string"
    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    QUANTITY = "quantity"
    CHOICE = "choice"
    OPEN_CHOICE = "open-choice"


NUMBERS = {ItemType.INTEGER, ItemType.DECIMAL, ItemType.QUANTITY}
CHOICES = {ItemType.CHOICE, ItemType.OPEN_CHOICE}


@dataclass(frozen=True, slots=True)
class Worded:
    """A text and the language it is really in: another than asked for is to be marked on the page."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Text:
    """One text in several languages; English is always there."""

    by_language: Mapping[str, str]

    def of(self, language: str) -> Worded:
        if language in self.by_language:
            return Worded(self.by_language[language], language)
        return Worded(self.by_language[FALLBACK], FALLBACK)


@dataclass(frozen=True, slots=True)
class Option:
    """One answer of a choice. An `exclusive` one ("none of these") stands alone."""

    code: str
    text: Text
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A question, or a group of them. `normal` is its answer when all is well; a measured value has none."""

    link_id: str
    type: ItemType
    text: Text
    required: bool = False
    repeats: bool = False
    options: tuple[Option, ...] = ()
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    normal: Answer | None = None
    items: tuple[Item, ...] = ()

    def option(self, code: str) -> Option | None:
        return next((option for option in self.options if option.code == code), None)


@dataclass(frozen=True, slots=True)
class RedFlag:
    """An answer that a nurse must act on at once. `=` on a question with several answers means "is
    among them".
    """

    id: str
    link_id: str
    operator: str
    value: str | int | float
    text: Text


@dataclass(frozen=True, slots=True)
class ReadAloud:
    """What the nurse reads: who is calling, that the call is recorded (before it is), and the end."""

    opening: Text
    notice: Text
    closing: Text


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """One version of a questionnaire. `body` is its canonical JSON, from which it can be read again;
    `reviewed_by` names for each language the native speaker with clinical knowledge who read it, or
    None.
    """

    id: str
    title: Text
    purpose: str
    read_aloud: ReadAloud
    items: tuple[Item, ...]
    red_flags: tuple[RedFlag, ...]
    reviewed_by: Mapping[str, str | None]
    body: str

    @property
    def sha256(self) -> str:
        """What tells one version from another, in hexadecimal."""
        return hashlib.sha256(self.body.encode()).hexdigest()

    def questions(self) -> Iterator[Item]:
        """All items but the groups, in the order in which they are asked."""
        return _questions(self.items)

    def texts(self) -> Iterator[Text]:
        """All of its wording."""
        yield from (self.title, self.read_aloud.opening, self.read_aloud.notice, self.read_aloud.closing)
        yield from _texts(self.items)
        yield from (flag.text for flag in self.red_flags)

    def question(self, link_id: str) -> Item:
        """Raises `KeyError`."""
        for item in self.questions():
            if item.link_id == link_id:
                return item
        raise KeyError(link_id)

    def all_normal(self) -> dict[str, Answer]:
        """The answers of somebody who is well, by link id: only of the questions that define one."""
        return {item.link_id: item.normal for item in self.questions() if item.normal is not None}

    def raised(self, answers: Mapping[str, Answer | None]) -> list[RedFlag]:
        """The red flags that these answers raise. Values are those of `answers.validate_answer`."""
        return [flag for flag in self.red_flags if _holds(flag, answers.get(flag.link_id))]

    def missing(self, answers: Mapping[str, Answer | None]) -> list[Item]:
        """The required questions that have no answer yet."""
        return [item for item in self.questions() if item.required and answers.get(item.link_id) is None]


# Operators of FHIR's enableWhen; those of order are for numbers.
ORDER: dict[str, Callable[[float, float], bool]] = {
    ">": lambda answer, limit: answer > limit,
    "<": lambda answer, limit: answer < limit,
    ">=": lambda answer, limit: answer >= limit,
    "<=": lambda answer, limit: answer <= limit,
}
EQUAL = "="


def _texts(items: tuple[Item, ...]) -> Iterator[Text]:
    for item in items:
        yield item.text
        yield from (option.text for option in item.options)
        yield from _texts(item.items)


def _questions(items: tuple[Item, ...]) -> Iterator[Item]:
    for item in items:
        if item.type is ItemType.GROUP:
            yield from _questions(item.items)
        else:
            yield item


def _holds(flag: RedFlag, answer: Answer | None) -> bool:
    if answer is None:
        return False
    if flag.operator == EQUAL:
        return flag.value in answer if isinstance(answer, list) else answer == flag.value
    if isinstance(answer, int | float) and isinstance(flag.value, int | float):
        return ORDER[flag.operator](answer, flag.value)
    return False
