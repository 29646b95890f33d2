"""A questionnaire as it is asked: typed, immutable, in several languages.

The words are FHIR R4's: `linkId`, item types, `required`, `repeats`, `answerOption`, `enableWhen`. What the answers so
far make of it (what is enabled, what comes next, scores, red flags) is in `filling.py`, what an answer may be in
`answers.py`, the files in `questionnaire_files.py`.

Answers are plain JSON values by key. The key is the link id; inside of a group that repeats it ends with the number of
the repetition: `dose@2`, or `dose@2.1` where such a group stands in another. Under a choice of several it ends with the
number of the answer's option, `since@3`; what was told in own words comes behind the last one. Where questions stand
under a number, a date, a text or a yes or no that repeats, each answer has a key of its own, too: `medicine@2` and what
is asked about it `dose@2`; how many there are is `medicine@`. Values:

    text, number, true/false, ISO date     as the item's type says; an option's code for a choice
    {"text": …}                            free text beside the options of an open choice
    {"voice": 10042}                       spoken: the number of the case that holds the recording
    [ … ]                                  of an item that repeats, or a choice of which several may be chosen
    {"so_far": [ … ], "asked": [ … ]}      the same, cut off: what was given, and which options were asked already
    2, {"so_far": 2}                       of what repeats: so many times; so many so far
    null                                   left out
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from hospital.answer_changes import Change, case_code

FALLBACK = "en"
LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")  # BCP 47, as far as files use it
STRING_LENGTH = 1600  # letters, where an item names no limit: as many as are kept of a text message
TEXT_LENGTH = 4000

Answer = str | int | float | bool | dict[str, Any] | list[Any]
Answers = Mapping[str, Answer | None]


class ItemType(StrEnum):
    """FHIR's item types but `attachment` and `reference`, which nobody answers on a telephone."""

    GROUP = "group"
    DISPLAY = "display"
    BOOLEAN = "boolean"
    STRING = "string"
    TEXT = "text"
    URL = "url"
    INTEGER = "integer"
    DECIMAL = "decimal"
    QUANTITY = "quantity"
    DATE = "date"
    TIME = "time"
    DATE_TIME = "dateTime"
    CHOICE = "choice"
    OPEN_CHOICE = "open-choice"


NUMBERS = {ItemType.INTEGER, ItemType.DECIMAL, ItemType.QUANTITY}
CHOICES = {ItemType.CHOICE, ItemType.OPEN_CHOICE}
WORDS = {ItemType.STRING, ItemType.TEXT, ItemType.URL}
MOMENTS = {ItemType.DATE, ItemType.TIME, ItemType.DATE_TIME}
NO_QUESTIONS = {ItemType.GROUP, ItemType.DISPLAY}
EACH = "@"  # ends the link id of the group of a question's answers; no other may end so


@dataclass(frozen=True, slots=True)
class Worded:
    """A text and the language it is really in: another than asked for is to be marked on the page."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Text:
    """One text in several languages; empty where an item has none."""

    by_language: Mapping[str, str]

    def of(self, language: str) -> Worded:
        """In `language`, else in English, else in what there is."""
        for tag in (language, FALLBACK, *self.by_language):
            if tag in self.by_language:
                return Worded(self.by_language[tag], tag)
        return Worded("", language)

    def __bool__(self) -> bool:
        return bool(self.by_language)


NO_TEXT = Text({})


@dataclass(frozen=True, slots=True)
class Option:
    """One answer of a choice. An `exclusive` one ("none of these") stands alone; `score` is what it counts in a score;
    `voice` and `sms` are its wording where a voice or a text message needs another; `fhir` is its value in FHIR's words
    where it came from there.
    """

    code: str
    text: Text
    exclusive: bool = False
    score: float | None = None
    voice: Text = NO_TEXT
    fhir: Mapping[str, Any] | None = None
    sms: Text = NO_TEXT

    @property
    def said(self) -> Text:
        """As a voice says it."""
        return self.voice or self.text

    @property
    def texted(self) -> Text:
        """As a text message has it."""
        return self.sms or self.text


@dataclass(frozen=True, slots=True)
class Condition:
    """An operator of FHIR's enableWhen (exists = != > < >= <=) on the answers to a question, or on a score: exactly one
    of both is named. A number is compared with an option's score.
    """

    operator: str
    answer: str | int | float | bool
    question: str = ""
    score: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A question, a group of items, or words to be shown. `normal` is the answer when all is well; a measured value has
    none. It is enabled if all of `when` hold, or one of them where `any_of`.
    """

    link_id: str
    type: ItemType
    text: Text
    required: bool = False
    repeats: bool = False
    options: tuple[Option, ...] = ()
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    earliest: str | None = None
    latest: str | None = None
    max_length: int | None = None
    most: int | None = None
    """Answers, or repetitions of a group."""
    normal: Answer | None = None
    initial: Answer | None = None
    """A suggestion; the answer itself where `read_only`."""
    read_only: bool = False
    hidden: bool = False
    """A fact of which no form tells, only the response; `read_only`."""
    when: tuple[Condition, ...] = ()
    any_of: bool = False
    items: tuple[Item, ...] = ()
    voice: Text = NO_TEXT
    sms: Text = NO_TEXT
    unit_coding: Mapping[str, str] | None = None
    """FHIR's system and code of the unit."""
    of_answers: bool = False
    """A group whose repetitions are the answers of the one question in it, with what stands under each."""

    def inside(self, number: int) -> tuple[Item, ...]:
        """What stands in it at its repetition `number`, from 1 on: one answer at least is enough where one is needed,
        and each has a suggestion of its own."""
        if not self.of_answers:
            return self.items
        (question,) = self.items
        initial, normal = (
            values[number - 1] if isinstance(values, list) and number <= len(values) else None
            for values in (self.initial, self.normal)
        )
        return (replace(question, required=question.required and number == 1, initial=initial, normal=normal),)

    @property
    def for_each(self) -> bool:
        """Whether what stands in it is asked for each of its answers: a choice of several."""
        return self.repeats and self.type in CHOICES and bool(self.items)

    @property
    def slots(self) -> int:
        """How many answers it may have, what is told in own words as one."""
        return len(self.options) + (self.type is ItemType.OPEN_CHOICE)

    def slot(self, value: Answer) -> int:
        """The number of an answer, from 1 on; 0 for one that is not offered. It stays when others are taken back."""
        if isinstance(value, dict):
            return len(self.options) + 1
        return next((at for at, option in enumerate(self.options, 1) if option.code == value), 0)

    def option(self, code: str) -> Option | None:
        return next((option for option in self.options if option.code == code), None)

    @property
    def longest(self) -> int:
        """Letters of an answer in own words."""
        return self.max_length or (TEXT_LENGTH if self.type is ItemType.TEXT else STRING_LENGTH)

    @property
    def asks(self) -> bool:
        """A question that somebody answers."""
        return self.type not in NO_QUESTIONS and not self.read_only

    @property
    def said(self) -> Text:
        """As a voice asks it."""
        return self.voice or self.text

    @property
    def texted(self) -> Text:
        """As a text message asks it."""
        return self.sms or self.text


@dataclass(frozen=True, slots=True)
class RedFlag:
    """What a nurse must act on at once: all conditions hold, or one of them where `any_of`."""

    id: str
    text: Text
    when: tuple[Condition, ...]
    any_of: bool = False

    @property
    def code(self) -> str:
        """Of the case that it opens."""
        return case_code(self.id)


@dataclass(frozen=True, slots=True)
class AnswerRule:
    """Answers that change the plan: where all conditions hold, or one of them where `any_of`."""

    text: Text
    when: tuple[Condition, ...]
    any_of: bool
    change: Change


@dataclass(frozen=True, slots=True)
class Band:
    """From `least` on, a score means this."""

    least: float
    text: Text


@dataclass(frozen=True, slots=True)
class Score:
    """The sum over these questions: an option's score, or the number itself. What was told in own words, and the one
    option that has no score, leave it unknown.
    """

    id: str
    text: Text
    link_ids: tuple[str, ...]
    bands: tuple[Band, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadAloud:
    """What the nurse reads: who is calling, that the call is recorded (before it is), and the end. `guardian`: the
    opening where she calls who speaks for the patient; None: the same."""

    opening: Text
    notice: Text
    closing: Text
    guardian: Text | None = None

    def to(self, guardian: bool) -> Mapping[str, Text]:
        """In the order of a call, to the patient or a guardian."""
        opening = self.guardian if guardian and self.guardian is not None else self.opening
        return {"opening": opening, "notice": self.notice, "closing": self.closing}


@dataclass(frozen=True)
class Questionnaire:
    """One version of a questionnaire. `body` is its canonical JSON, from which it can be read again;
    `reviewed_by` names for each language the native speaker with clinical knowledge who read it, or
    None. `url` is FHIR's canonical name where it has one.
    """

    id: str
    title: Text
    purpose: str
    read_aloud: ReadAloud = field(repr=False)
    items: tuple[Item, ...] = field(repr=False)
    red_flags: tuple[RedFlag, ...] = field(repr=False)
    reviewed_by: Mapping[str, str | None]
    body: str = field(repr=False)
    scores: tuple[Score, ...] = ()
    rules: tuple[AnswerRule, ...] = ()
    url: str | None = None
    language: str = FALLBACK
    """The one that every text has. It may be one that no voice of ours speaks."""
    by_text: bool = False
    """Whether it may be asked by text message, and answered by reply."""
    by_web: bool = False
    """Whether whoever has the link of a text message may answer it on a page."""

    @property
    def clinical(self) -> bool:
        """Whether its questions tell what somebody suffers from: not of a survey of how the hospital was."""
        return self.purpose != "survey"

    @property
    def sha256(self) -> str:
        """What tells one version from another, in hexadecimal."""
        return hashlib.sha256(self.body.encode()).hexdigest()

    @cached_property
    def by_link_id(self) -> Mapping[str, Item]:
        """All items."""
        return {item.link_id: item for item in every(self.items)}

    @cached_property
    def dependency_first(self) -> tuple[str, ...]:
        """All link ids, each after those on which its conditions hang and the one that it stands in."""
        from scripts.questionnaire_loops import dependency_first  # it needs the types of this file

        return dependency_first(self.items, self.scores)

    def questions(self) -> Iterator[Item]:
        """All that may be asked, in the order in which they are."""
        return (item for item in every(self.items) if item.asks)

    def texts(self) -> Iterator[Text]:
        """All of its wording."""
        yield from (self.title, self.read_aloud.opening, self.read_aloud.notice, self.read_aloud.closing)
        yield from (text for text in (self.read_aloud.guardian,) if text)
        for item in every(self.items):
            yield from (text for text in (item.text, item.voice, item.sms) if text)
            for option in item.options:
                yield from (text for text in (option.text, option.voice, option.sms) if text)
        yield from (flag.text for flag in self.red_flags)
        yield from (rule.text for rule in self.rules)
        for score in self.scores:
            yield from (score.text, *(band.text for band in score.bands))

    def question(self, link_id: str) -> Item:
        """Raises `KeyError`, also for a group."""
        item = self.by_link_id[link_id]
        if item.type in NO_QUESTIONS:
            raise KeyError(link_id)
        return item


def unfolded(items: tuple[Item, ...]) -> int:
    """How many there are, if every answer of each choice of several is chosen."""
    return sum(1 + (item.slots if item.for_each else 1) * unfolded(item.items) for item in items)


def every(items: tuple[Item, ...]) -> Iterator[Item]:
    """Items and what is in them, in their order."""
    for item in items:
        yield item
        yield from every(item.items)
