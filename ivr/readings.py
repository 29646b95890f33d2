"""What callers say in their own words instead of keys, read by a rule: digits, a date, a day that suits them.

A reading is never a guess (`speech/ears`), and it counts only after the caller has agreed: what was understood is said
back, whether or not it is in anybody's record. Who looked first and said back only what is in none would tell a
stranger which dates are in one.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from typing import Protocol

from ivr.turn import DigitsOf, Prompt
from scripts import verbalise
from speech.ears import grammars
from speech.ears.dates import birth_date, earliest, spoken_day, told_date
from speech.ears.folding import folded
from speech.ears.language import Amounts, Part
from speech.ears.languages import LANGUAGES, numerals, spaced

EARLIEST = "earliest"
YEARS = range(1880, 2200)
_WRITTEN_POINT = re.compile(r"(?<=[0-9])[.,](?=[0-9]{1,2}(?![0-9]))|(?<=(?<![0-9.,])0)[.,](?=[0-9])")  # 38.5, 0.125
_BEFORE_THREE = re.compile(r"(?<=[0-9])[.,](?=[0-9]{3}(?![0-9]))")  # 1,200, 1.250
PARTS = {None: "heard_day", Part.MORNING: "heard_day_morning", Part.AFTERNOON: "heard_day_afternoon"}


def as_date(typed: str) -> dt.date | None:
    """Eight digits: day first, or year first as in Chinese; None where they are neither."""
    for day, month, year in ((typed[:2], typed[2:4], typed[4:]), (typed[6:], typed[4:6], typed[:4])):
        try:
            found = dt.date(int(year), int(month), int(day))
        except ValueError:
            continue
        if found.year in YEARS:
            return found
    return None


class Reading(Protocol):
    """A rule, and the sentence that says back what it found."""

    def read(self, words: str, language: str) -> str | None:
        """The answer as a dialogue takes it: as it would have been typed, where it can be typed. None: there is none in
        these words, or two."""

    def read_back(self, answer: str) -> Prompt:
        """A question that is answered by yes and no."""


@dataclass(frozen=True, slots=True)
class SpokenDigits:
    """As many digits as a question takes, as they are typed."""

    wanted: DigitsOf

    def read(self, words: str, language: str) -> str | None:
        found = grammars.digits(words, language, x="*" if self.wanted.star_is_x else None)
        return found if found and self.wanted.minimum <= len(found) <= self.wanted.maximum else None

    def read_back(self, answer: str) -> Prompt:
        return Prompt("heard_digits", digits=answer.replace("*", "X"))


@dataclass(frozen=True, slots=True)
class SpokenNumber:
    """A measured value as it is typed, with a star for the decimal point: "treinta y ocho coma cinco" → "38*5",
    "thirty-nine and a half" → "39*5". None where a word or a figure is left over that belongs to the number: a part
    of a value is a wrong value."""

    wanted: DigitsOf

    def read(self, words: str, language: str) -> str | None:
        point = verbalise.speech(language).POINT
        amounts, either = LANGUAGES[language].amounts, LANGUAGES[language].either
        row = numerals(_written(words, f" {point} ", amounts), language)
        parted = re.search(rf"([0-9]+) ?(?:{folded(point)}|{amounts.tenths}) ?([0-9](?: ?[0-9])*)", row)
        halved = re.search(amounts.half, row)
        found = halved or parted
        rest = row if found is None else row[: found.start()] + row[found.end() :]
        if re.search(amounts.left_over, rest) or "/" in row or re.search(either, words):
            return None
        if found is None:
            return self._whole(words, row, language)
        if re.search("[0-9]", rest) or not self.wanted.star_is_x:
            return None
        answer = f"{found[1]}*{'5' if halved else found[2].replace(' ', '')}"
        return answer if len(answer) <= self.wanted.maximum else None

    def _whole(self, words: str, row: str, language: str) -> str | None:
        """Where words are not written apart, what is counted stands right behind the number: 两次."""
        alone = re.findall("[0-9]+", row)
        if not spaced(language) and len(alone) == 1:
            return alone[0] if len(alone[0]) <= self.wanted.maximum else None
        return SpokenDigits(replace(self.wanted, star_is_x=False)).read(words, language)

    def read_back(self, answer: str) -> Prompt:
        return Prompt("survey_read_back", given=float(answer.replace("*", ".")))


def _written(words: str, point: str, amounts: Amounts) -> str:
    """Its numerals without signs: 1,200 → 1200, and 38.5 or 0.125 with a word for the point."""
    before_three = {amounts.thousands: "", "," if amounts.thousands == "." else ".": "/" if amounts.doubtful else point}
    words = _WRITTEN_POINT.sub(point, words)
    return _BEFORE_THREE.sub(lambda sign: before_three[sign[0]], words)


@dataclass(frozen=True, slots=True)
class BirthDate:
    """Day, month and year in eight digits. `today` is where the site is."""

    today: dt.date

    def read(self, words: str, language: str) -> str | None:
        born = birth_date(words, language, self.today)
        return None if born is None else born.strftime("%d%m%Y")

    def read_back(self, answer: str) -> Prompt:
        born = dt.date(int(answer[4:]), int(answer[2:4]), int(answer[:2]))
        return Prompt("heard_birth_date", birth_date=born)


@dataclass(frozen=True, slots=True)
class ToldDate:
    """A date of a report, in eight digits as it is typed: day, month, year. `today` is where the site is."""

    today: dt.date

    def read(self, words: str, language: str) -> str | None:
        typed = SpokenDigits(DigitsOf(8, 8)).read(words, language)
        if typed is not None:
            return typed
        told = told_date(words, language, self.today)
        return None if told is None else told.strftime("%d%m%Y")

    def read_back(self, answer: str) -> Prompt:
        told = as_date(answer)
        return Prompt("heard_digits", digits=answer) if told is None else Prompt("survey_read_back", given=told)


@dataclass(frozen=True, slots=True)
class WishedDay:
    """An ISO date, and behind a blank the part of the day, if one was said: "2026-11-30 morning"; or EARLIEST. An
    evening is an afternoon: no clinic is open later."""

    today: dt.date

    def read(self, words: str, language: str) -> str | None:
        day = spoken_day(words, language, self.today)
        if day is None:
            return EARLIEST if earliest(words, language) else None
        part = Part.AFTERNOON if day.part is Part.EVENING else day.part
        return f"{day.date} {part.value}" if part else day.date.isoformat()

    def read_back(self, answer: str) -> Prompt:
        if answer == EARLIEST:
            return Prompt("heard_earliest")
        day, _, part = answer.partition(" ")
        return Prompt(PARTS[Part(part) if part else None], day=dt.date.fromisoformat(day))
