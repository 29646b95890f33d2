"""Spoken numbers as numerals: "veintitrés" → 23, "nineteen fifty" → 19 50, "一九五零" → 1950.

What recognisers write differs ("nueve", "9", "9º"), so everything is brought to numerals first, and what reads dates
and telephone numbers sees one form. Text comes in folded (`folding.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NumberWords:
    """A language that puts numbers together from words: values by word, folded."""

    small: Mapping[str, int]  # what nothing but hundred and thousand may follow: 0–19, veintitrés, third
    tens: Mapping[str, int]  # 20 … 90
    hundreds: Mapping[str, int]  # whole hundreds in one word: quinientos
    join: str  # y, e, and
    tens_need_join: bool  # "treinta y uno" is 31 and "treinta uno" 30 1; "thirty one" is 31
    hundred: str = ""  # a word that multiplies, and is one hundred where nothing stands before it: "a hundred"
    thousand: str = ""

    def numerals(self, text: str) -> str:
        """The text with each number in numerals. Numbers that do not belong together stay apart: "19 50"."""
        words, found, at = text.split(), [], 0
        while at < len(words):
            value, after = self._number(words, at)
            found.append(words[at] if after == at else str(value))
            at = max(after, at + 1)
        return " ".join(found)

    def _number(self, words: list[str], begin: int) -> tuple[int, int]:
        """The longest number that begins at a word, and where it ends: at its beginning if there is none."""
        thousands = group = 0
        room = 1000  # what follows must be smaller: 1000 at the beginning, 0 when nothing fits any more
        at, tens = begin, False
        while at < len(words):
            joined = at > begin and words[at] == self.join
            step = at + joined
            word = words[step] if step < len(words) else ""
            value = self._value(word)
            apart = tens and self.tens_need_join and not joined
            if value is not None and not apart and (at == begin or 0 < value < room):
                group += value
                room, tens = self._room(word), word in self.tens
            elif word and word == self.hundred and (at == begin or 0 < group < 100) and not joined:
                group, room, tens = (group or 1) * 100, 100, False
            elif word and word == self.thousand and not thousands and not joined:
                thousands, group, room, tens = (group or 1) * 1000, 0, 1000, False
            else:
                break
            at = step + 1
        return thousands + group, at

    def _value(self, word: str) -> int | None:
        for words in (self.small, self.tens, self.hundreds):
            if word in words:
                return words[word]
        return None

    def _room(self, word: str) -> int:
        return 0 if word in self.small else 10 if word in self.tens else 100


CHINESE = dict(zip("零〇一二三四五六七八九", "00123456789", strict=True)) | {"两": "2", "幺": "1"}
UNITS = {"十": 10, "百": 100, "千": 1000}
WAN = 10_000  # 万: counts all that stands before it
_CHINESE_NUMBER = re.compile(f"[{''.join(CHINESE)}{''.join(UNITS)}万]+")
_GOES_ON = ("点", "半")


def chinese_numerals(text: str) -> str:
    """The text with each Chinese number in numerals: 二十三 → 23, digit by digit where there is no unit. The last digit
    right behind 百, 千 or 万 counts a tenth of it: 一百八 is 180 and 一百零八 is 108. What is no number stays as it is,
    such as 一百八五, and 一百八点五, where a 零 may be lost."""
    return _CHINESE_NUMBER.sub(lambda found: _chinese(found[0], text[found.end() :].startswith(_GOES_ON)), text)


def _chinese(signs: str, goes_on: bool) -> str:
    if all(sign in CHINESE for sign in signs):
        return "".join(CHINESE[sign] for sign in signs)
    whole = part = 0  # before 万, and what is counted now
    digit: int | None = None
    unit, tenth = WAN, 1  # the last one, and what a digit behind it counts
    for sign in signs:
        if sign == "万" and not whole and (part or digit):
            part, whole, digit, unit, tenth = 0, (part + (digit or 0)) * WAN, None, WAN, WAN // 10
        elif sign in UNITS and UNITS[sign] < unit and digit != 0:
            unit = UNITS[sign]
            part, digit, tenth = part + (digit or 1) * unit, None, max(unit // 10, 1)
        elif sign in CHINESE and not digit:
            digit = int(CHINESE[sign])
            tenth = 1 if digit == 0 else tenth
        else:
            return signs
    if goes_on and digit and tenth > 1:
        return signs
    return str(whole + part + (digit or 0) * tenth)


def digit_string(numerals: str, also: Mapping[str, str], twice: Mapping[str, int], join: str) -> str | None:
    """A telephone or card number out of a text in numerals: "veinte 47 1" → "20471". None when there is none, or more
    than one.

    `also`: words that are digits only in such a row ("meia", "幺", "for"). `twice`: words that repeat the next digit.
    """
    rows, current, times = [], "", 1
    for word in re.split(r"[\s/]+", numerals):
        digits = word if word.isascii() and word.isdigit() else also.get(word, "")
        if digits:
            current += digits[0] * (times - 1) + digits
            times = 1
        elif word in twice:
            times = twice[word]
        elif current and word != join:
            rows.append(current)
            current = ""
    rows += [current] if current else []
    return rows[0] if len(rows) == 1 and times == 1 else None
