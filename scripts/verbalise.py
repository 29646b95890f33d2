"""Dates, times, numbers and telephone numbers as they are said and as they are written, by language.

Said: fragments for the inside of a whole sentence, so that nothing is left to a voice's own reading of
"9:20" (voices differ, and Asterisk's Say applications have no grammar for most languages). Written: for
messages and the console, by CLDR. Times are given in the site's zone already; an unknown language is an
error here, the fallback is `wording`'s.
"""

from __future__ import annotations

import datetime as dt
from typing import Protocol

import phonenumbers
from babel.dates import format_date, format_time

from scripts.languages import en, es, mi, pt_BR, zh_CN

VERSION = "1"  # raise it when what is said changes for the same value: it is part of the prompt cache's key


class Speech(Protocol):
    """What each file of languages/ offers."""

    @property
    def DIGITS(self) -> tuple[str, ...]: ...
    @property
    def SPACE(self) -> str: ...
    @property
    def PLUS(self) -> str: ...
    @property
    def PAUSE(self) -> str: ...
    def cardinal(self, number: int, feminine: bool = False) -> str: ...
    def day(self, date: dt.date) -> str: ...
    def full_date(self, date: dt.date) -> str: ...
    def time_of_day(self, time: dt.time) -> str: ...
    def moment(self, date: dt.date, time: dt.time) -> str: ...


SPEECH: dict[str, Speech] = {"es": es, "en": en, "pt-BR": pt_BR, "zh-CN": zh_CN, "mi": mi}
LOCALES = {"es": "es", "en": "en_NZ", "pt-BR": "pt_BR", "zh-CN": "zh_CN", "mi": "mi"}
GROUP = 3  # digits said in one breath where the number's own grouping is not known


class UnknownLanguage(KeyError):
    """No file of languages/ has this language."""

    def __init__(self, language: str) -> None:
        super().__init__(f"language {language!r} is not known; known: {', '.join(SPEECH)}. See scripts/languages")


def speech(language: str) -> Speech:
    try:
        return SPEECH[language]
    except KeyError:
        raise UnknownLanguage(language) from None


def cardinal(number: int, language: str) -> str:
    """A number on its own: "veintiuno"."""
    return speech(language).cardinal(number)


def count(number: int, language: str, feminine: bool = False) -> str:
    """A number before what it counts: "veintiuna" (citas), where the language has genders."""
    return speech(language).cardinal(number, feminine)


def day(date: dt.date, language: str) -> str:
    """A day that is near: weekday, day, month."""
    return speech(language).day(date)


def full_date(date: dt.date, language: str) -> str:
    """A date of another year, such as a date of birth: day, month, year."""
    return speech(language).full_date(date)


def time_of_day(time: dt.time, language: str) -> str:
    return speech(language).time_of_day(time)


def moment(when: dt.datetime, language: str) -> str:
    """Day and time of day of a local time: "lunes veintitrés de noviembre a las nueve y veinte de la
    mañana".
    """
    return speech(language).moment(when.date(), when.time())


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


# A doctor as one speaks of him, of her. English makes no difference; Chinese puts the title after the name.
_DOCTOR: dict[str, tuple[str, str]] = {
    "es": ("el doctor {}", "la doctora {}"),
    "pt-BR": ("o doutor {}", "a doutora {}"),
    "zh-CN": ("{}医生", "{}医生"),
    "en": ("Doctor {}", "Doctor {}"),
    "mi": ("Tākuta {}", "Tākuta {}"),
}


def doctor(name: str, feminine: bool, language: str) -> str:
    """A doctor's name with the title, as it stands inside of a sentence."""
    return _DOCTOR.get(language, _DOCTOR["en"])[feminine].format(name)


def written_date(date: dt.date, language: str) -> str:
    """Weekday, day, month and year for a message or a page: "lunes, 23 de noviembre de 2026"."""
    speech(language)
    return format_date(date, "full", locale=LOCALES[language])


def written_time(time: dt.time, language: str) -> str:
    """Hour and minute for a message or a page: "9:20", "9:20 am"."""
    speech(language)
    # CLDR puts a narrow no-break space before "am": outside of GSM-7, it would double a message's price.
    return format_time(time, "short", locale=LOCALES[language]).replace("\u202f", " ")


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
        return [plain[at : at + GROUP] for at in range(0, len(plain), GROUP)]
    form = phonenumbers.PhoneNumberFormat
    style = form.INTERNATIONAL if _is_foreign(number, country) else form.NATIONAL
    written = phonenumbers.format_number(parsed, style)
    return "".join(sign if sign in "0123456789" else " " for sign in written).split()
