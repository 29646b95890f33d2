"""Māori, for text only: nothing here is given to a synthetic voice. Dates by Babel (CLDR), digits as
counted.

No native speaker has reviewed it.
"""

from __future__ import annotations

import datetime as dt

from babel.dates import format_date, format_time

NAME = "Māori"  # in the console, which is English
LOCALE = "mi"
DIGITS = ("kore", "tahi", "rua", "toru", "whā", "rima", "ono", "whitu", "waru", "iwa")
SPACE = " "
PLUS = "tāpiri"
PAUSE = ", "
POINT = "ira"  # of a decimal number
MINUS = "tango"
ELDER, YOUNGER = "{}, te pakeke ake", "{}, te taitamariki ake"  # of two of one name
COMPARED = {"<": "iti iho i te", ">": "nui ake i te", "≤": "kaua e nui ake i te", "≥": "kaua e iti iho i te"}
KEYS = {"*": r"\b(whetū|star)\b", "#": r"\b(haki|hash)\b"}  # as sentences name them
COUNTED = ("(?!)", "(?!)")  # a number is the same whatever is counted
STOP = "."  # what ends a sentence
LETTERS_A_SECOND = 14.0  # of its speech
LETTERS = {letter: letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def cardinal(number: int, feminine: bool = False) -> str:
    return DIGITS[number] if 0 <= number < 10 else str(number)


def count(number: int, feminine: bool = False) -> str:
    return cardinal(number)


def ordinal(number: int, feminine: bool = False) -> str:
    """Tuatahi to tuaiwa; above them the number stands by itself."""
    return f"tua{cardinal(number)}" if 0 < number < 10 else str(number)


def day(date: dt.date) -> str:
    return format_date(date, "EEEE d MMMM", locale="mi")


def full_date(date: dt.date) -> str:
    return format_date(date, "long", locale="mi")


def time_of_day(time: dt.time) -> str:
    return format_time(time, "short", locale="mi").replace("\u202f", " ")


def clock_24(time: dt.time) -> str:
    return f"{time:%H:%M}"


def moment(date: dt.date, time: dt.time, clock: int = 12) -> str:
    return f"{day(date)}, {clock_24(time) if clock == 24 else time_of_day(time)}"


def duration(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    parts = ([f"{hours} hāora"] if hours else []) + ([f"{rest} meneti"] if rest or not hours else [])
    return " me te ".join(parts)


def about(minutes: int) -> str:
    return f"tata ki te {duration(minutes)}"


def doctor(name: str, feminine: bool) -> str:
    return f"Tākuta {name}"
