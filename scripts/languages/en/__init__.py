"""English as in New Zealand and Britain: "Monday the twenty-third of November", "twenty past nine in the
morning".
"""

from __future__ import annotations

import datetime as dt

from babel.dates import format_date
from num2words import num2words

NAME = "English"  # in the console, which is English
LOCALE = "en_NZ"
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SPACE = " "
PLUS = "plus"
PAUSE = ", "
POINT = "point"  # of a decimal number
MINUS = "minus"
ELDER, YOUNGER = "{}, the elder", "{}, the younger"  # of two of one name
COMPARED = {"<": "less than", ">": "more than", "≤": "at most", "≥": "at least"}
KEYS = {"*": r"\bstar\b", "#": r"\b(hash|pound)\b"}  # as sentences name them
COUNTED = ("(?!)", "(?!)")  # a number is the same whatever is counted
STOP = "."  # what ends a sentence
LETTERS_A_SECOND = 14.0  # of its speech
LETTERS = {letter: letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}  # a capital alone is read as its name


def cardinal(number: int, feminine: bool = False) -> str:
    return str(num2words(number, lang="en")).replace(",", "")


def count(number: int, feminine: bool = False) -> str:
    return cardinal(number)


def ordinal(number: int, feminine: bool = False) -> str:
    return str(num2words(number, lang="en", to="ordinal")).replace(",", "")


def day(date: dt.date) -> str:
    return f"{format_date(date, 'EEEE', locale='en')} the {_day_and_month(date)}"


def full_date(date: dt.date) -> str:
    # num2words' "year" form: nineteen fifty, nineteen oh-five, two thousand and twenty-six → twenty
    # twenty-six
    return f"the {_day_and_month(date)} {num2words(date.year, lang='en', to='year')}"


def time_of_day(time: dt.time) -> str:
    if (time.hour, time.minute) in ((12, 0), (0, 0)):
        return "noon" if time.hour == 12 else "midnight"
    hour = cardinal(time.hour % 12 or 12)
    next_hour = cardinal((time.hour + 1) % 12 or 12)
    part = _part_of_day(time.hour)
    match time.minute:
        case 0:
            return f"{hour} o'clock {part}"
        case 15:
            return f"quarter past {hour} {part}"
        case 30:
            return f"half past {hour} {part}"
        case 45:
            return f"quarter to {next_hour} {part}"
        case minute if minute < 30:
            return f"{_minutes(minute)} past {hour} {part}"
        case minute:
            return f"{_minutes(60 - minute)} to {next_hour} {part}"


def clock_24(time: dt.time) -> str:
    """Fourteen twenty, zero nine oh five, zero hundred hours."""
    hour = f"zero {cardinal(time.hour)}" if 0 < time.hour < 10 else cardinal(time.hour)
    if time.minute == 0:
        return f"{hour} hundred hours"
    return f"{hour} {'oh ' if time.minute < 10 else ''}{cardinal(time.minute)}"


def moment(date: dt.date, time: dt.time, clock: int = 12) -> str:
    return f"{day(date)} at {clock_24(time) if clock == 24 else time_of_day(time)}"


def duration(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    if not hours:
        return _counted(minutes, "minute")
    if rest == 30:
        return "an hour and a half" if hours == 1 else f"{cardinal(hours)} and a half hours"
    said = "an hour" if hours == 1 else f"{cardinal(hours)} hours"
    return f"{said} and {_counted(rest, 'minute')}" if rest else said


def about(minutes: int) -> str:
    return f"about {duration(minutes)}"


def doctor(name: str, feminine: bool) -> str:
    return f"Doctor {name}"


def _counted(number: int, noun: str) -> str:
    return f"{cardinal(number)} {noun if number == 1 else noun + 's'}"


def _minutes(minute: int) -> str:
    # "twenty past nine", but "seven minutes past nine"
    if minute % 5 == 0:
        return cardinal(minute)
    return _counted(minute, "minute")


def _day_and_month(date: dt.date) -> str:
    return f"{num2words(date.day, lang='en', to='ordinal')} of {format_date(date, 'MMMM', locale='en')}"


def _part_of_day(hour: int) -> str:
    """The part in which the hour itself lies: 11:50 is "ten to twelve in the morning"."""
    if hour == 0:
        return "at night"
    if hour < 12:
        return "in the morning"
    if hour < 18:
        return "in the afternoon"
    return "in the evening" if hour < 22 else "at night"
