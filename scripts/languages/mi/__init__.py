"""Māori, for text only: nothing here is given to a synthetic voice. Dates by Babel (CLDR), digits as
counted.

No native speaker has reviewed it.
"""

from __future__ import annotations

import datetime as dt

from babel.dates import format_date, format_time

DIGITS = ("kore", "tahi", "rua", "toru", "whā", "rima", "ono", "whitu", "waru", "iwa")
SPACE = " "
PLUS = "tāpiri"
PAUSE = ", "


def cardinal(number: int, feminine: bool = False) -> str:
    return DIGITS[number] if 0 <= number < 10 else str(number)


def day(date: dt.date) -> str:
    return format_date(date, "EEEE d MMMM", locale="mi")


def full_date(date: dt.date) -> str:
    return format_date(date, "long", locale="mi")


def time_of_day(time: dt.time) -> str:
    return format_time(time, "short", locale="mi").replace("\u202f", " ")


def moment(date: dt.date, time: dt.time) -> str:
    return f"{day(date)}, {time_of_day(time)}"
