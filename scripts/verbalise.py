"""Dates, times, numbers and telephone numbers as they are said and as they are written, by language.

Said: fragments for the inside of a whole sentence, so that nothing is left to a voice's own reading of
"9:20" (voices differ, and Asterisk's Say applications have no grammar for most languages). Written: for
messages and the console, by CLDR. Times are given in the site's zone already; an unknown language is an
error here, the fallback is `wording`'s.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from importlib import import_module
from typing import Protocol, cast

import phonenumbers
from babel.dates import format_date, format_skeleton, format_time

from scripts import languages

VERSION = "5"  # raise it when what is said changes for the same value: it is part of the prompt cache's key


class Speech(Protocol):
    """What each folder of languages/ offers; `hotline languages` proves it."""

    @property
    def NAME(self) -> str:
        """In English, for the console."""

    @property
    def LOCALE(self) -> str:
        """CLDR's name of it, for what is written."""

    @property
    def DIGITS(self) -> tuple[str, ...]: ...
    @property
    def LETTERS(self) -> Mapping[str, str]: ...
    @property
    def SPACE(self) -> str: ...
    @property
    def PLUS(self) -> str: ...
    @property
    def PAUSE(self) -> str: ...
    @property
    def POINT(self) -> str: ...
    @property
    def MINUS(self) -> str: ...
    @property
    def COMPARED(self) -> Mapping[str, str]:
        """What is said before a number for `<`, `>`, `≤` and `≥`."""

    @property
    def ELDER(self) -> str:
        """Of two of one name, which stands in {}."""

    @property
    def YOUNGER(self) -> str: ...
    @property
    def KEYS(self) -> Mapping[str, str]:
        """Patterns of how sentences name the keys * and #."""

    @property
    def COUNTED(self) -> tuple[str, str]:
        """What stands behind a number in a text when it is counted: patterns of what is masculine (or of no gender),
        and of what is feminine. `(?!)` where the number stays the same."""

    @property
    def STOP(self) -> str:
        """What ends a sentence."""

    @property
    def LETTERS_A_SECOND(self) -> float:
        """Of its speech, about."""

    def cardinal(self, number: int, feminine: bool = False) -> str: ...
    def count(self, number: int, feminine: bool = False) -> str: ...
    def ordinal(self, number: int, feminine: bool = False) -> str: ...
    def day(self, date: dt.date) -> str: ...
    def full_date(self, date: dt.date) -> str: ...
    def time_of_day(self, time: dt.time) -> str: ...
    def clock_24(self, time: dt.time) -> str: ...
    def moment(self, date: dt.date, time: dt.time, clock: int = 12) -> str: ...
    def duration(self, minutes: int) -> str: ...
    def about(self, minutes: int) -> str: ...
    def doctor(self, name: str, feminine: bool) -> str: ...


SPEECH: dict[str, Speech] = {
    tag: cast(Speech, import_module(f"scripts.languages.{folder.name}")) for tag, folder in languages.folders().items()
}
GROUP = 3  # digits said in one breath where the number's own grouping is not known
LONGEST = 6  # figures of a number in a text that is said as one
_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)*")
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:[.,][0-9]{3})+")
_TITLE = re.compile(r"^(?:(?:dra?|doctora?|doutora?|tākuta)\b\.?\s*)+|(?:医生|医师|大夫)$", re.IGNORECASE)


class UnknownLanguage(KeyError):
    """No file of languages/ has this language."""

    def __init__(self, language: str) -> None:
        super().__init__(f"language {language!r} is not known; known: {', '.join(SPEECH)}. See scripts/languages")


def speech(language: str) -> Speech:
    try:
        return SPEECH[language]
    except KeyError:
        raise UnknownLanguage(language) from None


def stop(language: str) -> str:
    """What ends a sentence. A questionnaire may be in a language that is not ours."""
    return SPEECH[language].STOP if language in SPEECH else "."


def cardinal(number: int, language: str) -> str:
    """A number on its own: "veintiuno"."""
    return speech(language).cardinal(number)


def number(value: float, language: str) -> str:
    """A measured value, its decimals digit by digit: "treinta y ocho coma cinco"."""
    words = speech(language)
    whole, _, part = f"{abs(value):.6f}".rstrip("0").partition(".")
    said = [words.MINUS] if value < 0 else []
    said.append(words.cardinal(int(whole)))
    if part:
        said += [words.POINT, *(words.cardinal(int(digit)) for digit in part)]
    return words.SPACE.join(said)


def numbers_said(text: str, language: str) -> str:
    """A sentence with its numbers in words: no voice is left to read "0" or "10" by itself. They agree with what is
    counted ("2 semanas": duas; "2周": 两); "38,5" has decimals and "10,000" has none; what is long, or begins with 0,
    is said digit by digit.
    """
    return _NUMBER.sub(lambda found: _number_said(found[0], text[: found.start()], text[found.end() :], language), text)


def _number_said(figures: str, before: str, after: str, language: str) -> str:
    if _THOUSANDS.fullmatch(figures):
        figures = re.sub("[.,]", "", figures)
    parts = re.split("[.,]", figures)
    if len(parts) == 2 and len(parts[1]) < GROUP and not figures.startswith("00"):
        return number(float(".".join(parts)), language)
    if len(parts) > 1:  # a date, a version: each by itself
        return re.sub("[0-9]+", lambda found: _number_said(found[0], "", "", language), figures)
    if len(figures) > LONGEST or (figures[0] == "0" and len(figures) > 1):
        return digits(figures, language)
    if before.endswith("第"):
        return cardinal(int(figures), language)
    counted, feminine = (re.match(pattern, after) is not None for pattern in speech(language).COUNTED)
    return count(int(figures), language, feminine) if counted or feminine else cardinal(int(figures), language)


def count(number: int, language: str, feminine: bool = False) -> str:
    """A number before what it counts: "veintiún" (minutos), "veintiuna" (citas), "两" (个)."""
    return speech(language).count(number, feminine)


def ordinal(number: int, language: str, feminine: bool = False) -> str:
    """A place in a row: "tercera" (persona), "third", "第三"."""
    return speech(language).ordinal(number, feminine)


def day(date: dt.date, language: str) -> str:
    """A day that is near: weekday, day, month."""
    return speech(language).day(date)


def full_date(date: dt.date, language: str) -> str:
    """A date of another year, such as a date of birth: day, month, year."""
    return speech(language).full_date(date)


def time_of_day(time: dt.time, language: str, clock: int = 12) -> str:
    """As people say it, with the part of the day, or by a clock of 24 hours."""
    return speech(language).clock_24(time) if clock == 24 else speech(language).time_of_day(time)


def moment(when: dt.datetime, language: str, clock: int = 12) -> str:
    """Day and time of day of a local time: "lunes veintitrés de noviembre a las nueve y veinte de la
    mañana".
    """
    return speech(language).moment(when.date(), when.time(), clock)


def full_moment(when: dt.datetime, language: str, clock: int = 12) -> str:
    """A time of any year: the whole date instead of the weekday."""
    return moment(when, language, clock).replace(day(when.date(), language), full_date(when.date(), language))


def shorter_moments(when: dt.datetime, language: str, clock: int = 12) -> tuple[str, ...]:
    """What callers say of a time that was offered: "lunes a las nueve y veinte de la mañana", "lunes veintitrés de
    noviembre", "lunes", "las nueve y veinte de la mañana"."""
    weekday = format_date(when.date(), "EEEE", locale=speech(language).LOCALE)
    whole, date = moment(when, language, clock), day(when.date(), language)
    return (whole.replace(date, weekday), date, weekday, time_of_day(when.time(), language, clock))


def duration(minutes: int, language: str) -> str:
    """Exactly: "diez minutos", "una hora y media"."""
    return speech(language).duration(minutes)


def about(minutes: int, language: str) -> str:
    """As a wait is foretold, never shorter than it is: "unos diez minutos". Above ten minutes in fives, above an
    hour in halves."""
    step = 1 if minutes <= 10 else 5 if minutes <= 60 else 30
    return speech(language).about(max(1, -(-minutes // step) * step))


def digits(text: str, language: str) -> str:
    """Digit by digit in one breath: "uno uno dos". Anything that is no digit 0–9 is left out."""
    words = speech(language)
    return words.SPACE.join(words.DIGITS[int(sign)] for sign in text if sign in "0123456789")


def phone_number(number: str, language: str, country: str | None = None) -> str:
    """A telephone number digit by digit, with a pause between its groups.

    `country` (two letters) is the site's: a number of it is said as one dials it there, others with
    their country code. The groups are libphonenumber's; what it does not know as a number is said in
    threes.
    """
    words = speech(language)
    groups = [digits(group, language) for group in _groups(number, country)]
    plus = words.PLUS + words.SPACE if _is_foreign(number, country) else ""
    return plus + words.PAUSE.join(group for group in groups if group)


def spelled(text: str, language: str) -> str:
    """A case number letter by letter and digit by digit, with a pause where it has a sign or grows long:
    "C-1042" is "ce, uno cero cuatro dos". Signs of other scripts are left out.
    """
    words = speech(language)
    known = dict(zip("0123456789", words.DIGITS, strict=True)) | dict(words.LETTERS)
    parts = re.findall(r"[^\W\d_]+|[0-9]+", text.upper())
    groups = [part if len(part) <= GROUP + 1 else _in_threes(part) for part in parts]
    breaths = [breath for group in groups for breath in group.split()]
    said = [words.SPACE.join(known[sign] for sign in breath if sign in known) for breath in breaths]
    return words.PAUSE.join(breath for breath in said if breath)


def doctor(name: str, feminine: bool, language: str) -> str:
    """A doctor's name with the title, as it stands inside of a sentence."""
    return speech(language).doctor(untitled(name), feminine)


def untitled(name: str) -> str:
    """A doctor's name without the title that some systems write before it or behind it: "Dra. Vega", 王医生."""
    return _TITLE.sub("", name).strip() or name


def written_date(date: dt.date, language: str) -> str:
    """Weekday, day, month and year for a message or a page: "lunes, 23 de noviembre de 2026"."""
    return format_date(date, "full", locale=speech(language).LOCALE)


def written_day(date: dt.date, language: str) -> str:
    """Short weekday, day and month, for a list of times: "lun, 23/11"."""
    return str(format_skeleton("MEd", date, locale=speech(language).LOCALE))


def written_time(time: dt.time, language: str) -> str:
    """Hour and minute for a message or a page: "9:20", "9:20 am"."""
    # CLDR puts a narrow no-break space before "am": outside of GSM-7, it would double a message's price.
    return format_time(time, "short", locale=speech(language).LOCALE).replace("\u202f", " ")


def _parsed(number: str, country: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return None
    return parsed if phonenumbers.is_possible_number(parsed) else None


def _is_foreign(number: str, country: str | None) -> bool:
    parsed = _parsed(number, country)
    return (
        parsed is not None
        and country is not None
        and parsed.country_code != phonenumbers.country_code_for_region(country)
    )


def _groups(number: str, country: str | None) -> list[str]:
    parsed = _parsed(number, country)
    if parsed is None:
        plain = "".join(sign for sign in number if sign in "0123456789")
        return _in_threes(plain).split()
    form = phonenumbers.PhoneNumberFormat
    style = form.INTERNATIONAL if _is_foreign(number, country) else form.NATIONAL
    written = phonenumbers.format_number(parsed, style)
    return "".join(sign if sign in "0123456789" else " " for sign in written).split()


def _in_threes(text: str) -> str:
    """No sign is left alone behind the others: 301 555 0188."""
    last = len(text) - (GROUP + 1 if len(text) % GROUP == 1 else len(text) % GROUP)
    return " ".join([*(text[at : at + GROUP] for at in range(0, last, GROUP)), text[max(0, last) :]]).strip()
