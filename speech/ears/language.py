"""What each file of languages/ offers: words for closed grammars, and patterns for what is said freely.

Phrases of grammars are written as they are spoken. Patterns are regular expressions over folded text (`folding.py`:
small letters, no accents, no punctuation) in which numbers are numerals already (`numbers.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from hospital.alarm_words import AlarmWords

Phrases = tuple[str, ...]


class Part(Enum):
    """A part of a day, as callers wish for one."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


@dataclass(frozen=True, slots=True)
class Answers:
    """For closed grammars."""

    yes: Phrases
    no: Phrases
    digits: tuple[Phrases, ...]  # of 0 to 9
    ordinals: tuple[Phrases, ...]  # first to fifth, with and without what they may be said of
    operator: Phrases
    repeat: Phrases
    back: Phrases
    slower: Phrases
    language: Phrases
    urgent: Phrases  # the red flags as they are most often said
    not_urgent: Phrases  # the same denied: they compete, so that they are not taken for the former


@dataclass(frozen=True, slots=True)
class Dates:
    """For free speech. Patterns of `days` have named groups: `near` (a word of `near`), `ahead` and `unit` (of
    `units`, days), `day`, `month` (of `months`) and `year`, or `weekday` (of `weekdays`) with `later` when it is
    one of the next week, `plus` when it is one week after the nearest, `this` when it is of this week. `nextmonth`
    stands beside the `day` of the month after this one. `either` and `other` are day and month in an order of which
    nobody can be sure.
    """

    months: Mapping[str, int]
    weekdays: Mapping[str, int]  # Monday is 0
    near: Mapping[str, int]  # days from today
    past: Mapping[str, int]  # days before today: for what is told, not for what is wished
    units: Mapping[str, int]  # days
    parts: Mapping[Part, str]
    days: Phrases
    earliest: str  # whichever day it is, the sooner the better
    births: Phrases  # day, month and year
    refused: str  # in a clause: not the day that is in it
    left_over: str  # beside a day (|) that was read: it is not the day that was meant
    misheard: str | None = None  # a day of what is no month, left of a date beside its weekday


@dataclass(frozen=True, slots=True)
class Amounts:
    """For measured values in free speech, over numerals. `half` has one group, the number that it is added to."""

    half: str
    left_over: str  # what says that the numerals beside it are not all of the number
    tenths: str = r"(?!)"  # what parts wholes from tenths beside the decimal point
    thousands: str = ","  # how they are parted where numerals are written
    doubtful: bool = False  # the other sign before three figures is the decimal point, but not in all countries


@dataclass(frozen=True, slots=True)
class Language:
    """One language as it is heard."""

    answers: Answers
    red_flags: AlarmWords
    dates: Dates
    amounts: Amounts
    numerals: Callable[[str], str]
    voicemail: str  # what machines and networks say, and people who pick up do not
    either: str = r"(?!)"  # over text as it was written: one number or the next, as 三四天
    join: str = ""  # between numbers: y, e, and
    spaced: bool = True  # whether words are written apart
    also_digits: Mapping[str, str] | None = None
    twice: Mapping[str, int] | None = None


def one_of(words: Mapping[str, int]) -> str:
    """A pattern of any of the words, longest first."""
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


def numbered(names: str, first: int = 0) -> dict[str, int]:
    """Words and their values, counted from `first`: names of one value are parted by a bar, values by a space."""
    return {name: value for value, same in enumerate(names.split(), first) for name in same.split("|")}
