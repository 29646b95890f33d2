"""Days and dates of birth out of spoken words. Pure: `today` is an argument, in the site's zone.

Never a guess: words that name no day, two days, a day that does not exist, a weekday that is not the date's, a day that
does not suit, or more than was understood are None, and the caller is asked again. What is said without a year is the
next such day. "Next Tuesday" is the Tuesday of the next week in English; not all mean that, so whoever asks says the
whole date back. A date that is told, of what was or will be, is the nearest one where no year is said.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from speech.ears.folding import clauses, folded
from speech.ears.language import Language, Part, one_of
from speech.ears.languages import numerals, words

MOST_YEARS = 8  # to the next 29 February
A_YEAR = 366  # days
OLDEST = 120  # years
_PART_OF_A_DATE = r"\| /[0-9]|[0-9]/ \|"  # 3/4 was read of 3/4/26


@dataclass(frozen=True, slots=True)
class SpokenDay:
    """A day that a caller wishes for, and the part of it, where one was said."""

    date: dt.date
    part: Part | None = None


class _Impossible(ValueError):
    """The words name a day that there is not."""


def spoken_day(text: str, language: str, today: dt.date) -> SpokenDay | None:
    """ "el tres de marzo", "amanhã de manhã", "下周二上午", "next Tuesday morning". Raises `NoEars`."""
    known = words(language)
    if _is_refused(text, known) or re.search(known.either, text):
        return None
    rest = re.sub(known.dates.earliest, " | ", numerals(text, language))  # "the first free time" is on no first
    parts = {part for part, pattern in known.dates.parts.items() if re.search(pattern, rest)}
    days: set[dt.date] = set()
    weekdays: list[tuple[int, dt.date]] = []
    try:
        for pattern in known.dates.days:
            for found in re.finditer(pattern, rest):
                said = _said(found)
                if "weekday" in said:
                    weekday = known.dates.weekdays[said["weekday"]]
                    weekdays.append((weekday, _of_week(weekday, said, today)))
                else:
                    days.add(_day(said, known, today))
            rest = re.sub(pattern, " | ", rest)
    except _Impossible:
        return None
    if not days:
        if known.dates.misheard and re.search(known.dates.misheard, rest):
            return None  # "viernes ocho de eneros" is not the next Friday
        days = {date for _, date in weekdays}
    elif any(date.weekday() != weekday for date in days for weekday, _ in weekdays):
        return None
    left = " ".join(rest.split())
    if len(days) != 1 or len(parts) > 1 or re.search(rf"{_PART_OF_A_DATE}|{known.dates.left_over}", left):
        return None
    return SpokenDay(days.pop(), next(iter(parts), None))


def _is_refused(text: str, known: Language) -> bool:
    """ "I can't come on Friday". A no that stands alone before the day answers what was asked."""
    said = clauses(text)
    if said and said[0] in map(folded, known.answers.no):
        del said[0]
    return any(re.search(known.dates.refused, clause if known.spaced else clause.replace(" ", "")) for clause in said)


def earliest(text: str, language: str) -> bool:
    """ "lo antes posible", "o quanto antes", "最早的", "the earliest": the sooner the better. Raises `NoEars`."""
    return re.search(words(language).dates.earliest, numerals(text, language)) is not None


def birth_date(text: str, language: str, today: dt.date) -> dt.date | None:
    """ "nueve de mayo de mil novecientos cincuenta". None as well for a year of two digits that may be of either
    century, and for a day that is to come. Raises `NoEars`.
    """
    known = words(language)
    rest = numerals(text, language)
    found: set[dt.date] = set()
    for pattern in known.dates.births:
        for match in re.finditer(pattern, rest):
            try:
                found.add(_birth(_said(match), known, today))
            except _Impossible:
                return None
        rest = re.sub(pattern, " | ", rest)
    return found.pop() if len(found) == 1 else None


def told_date(text: str, language: str, today: dt.date) -> dt.date | None:
    """ "el tres de marzo de 2026", "ontem", "the third of March": past or to come, the nearest where no year is said.
    None for a weekday alone, which may be of either, and where a number is left over. Raises `NoEars`."""
    known = words(language)
    if re.search(known.either, text):
        return None
    rest = numerals(text, language)
    days: set[dt.date] = set()
    weekdays: set[int] = set()
    edge = r"\b" if known.spaced else ""
    past = rf"{edge}(?P<past>{one_of(known.dates.past)}){edge}"
    try:
        for pattern in (past, *known.dates.days):
            for found in re.finditer(pattern, rest):
                said = _said(found)
                if "weekday" in said:
                    weekdays.add(known.dates.weekdays[said["weekday"]])
                else:
                    days.add(_told(said, known, today))
            rest = re.sub(pattern, " | ", rest)
    except _Impossible:
        return None
    if len(days) != 1 or any(weekday != date.weekday() for weekday in weekdays for date in days):
        return None
    return None if re.search(r"\d", rest) else days.pop()


def _told(said: dict[str, str], known: Language, today: dt.date) -> dt.date:
    if "past" in said:
        return today - dt.timedelta(days=known.dates.past[said["past"]])
    if {"near", "unit", "nextmonth", "year"} & said.keys():
        return _day(said, known, today)
    day, month = int(said.get("day") or said["alone"]), _month(said["month"], known) if "month" in said else None
    around = (today + dt.timedelta(days=off) for off in range(-A_YEAR, A_YEAR + 1))
    found = [date for date in around if date.day == day and month in (None, date.month)]
    if not found:
        raise _Impossible
    return min(found, key=lambda date: abs(date - today))


def _said(match: re.Match[str]) -> dict[str, str]:
    said = {name: value for name, value in match.groupdict().items() if value}
    if "either" in said:  # 9/5/1950: of May in most countries, of September in some
        month, day = sorted((int(said.pop("either")), int(said.pop("other"))))
        if month != day <= 12:
            raise _Impossible
        said |= {"month": str(month), "day": str(day)}
    return said


def _day(said: dict[str, str], known: Language, today: dt.date) -> dt.date:
    if "near" in said:
        return today + dt.timedelta(days=known.dates.near[said["near"]])
    if "unit" in said:
        ahead = int(said["ahead"]) if said["ahead"].isdigit() else 1
        return today + dt.timedelta(days=ahead * known.dates.units[said["unit"]])
    day = int(said.get("day") or said["alone"])
    if "nextmonth" in said:
        month = today.replace(day=1) + dt.timedelta(days=32)
        return _date(month.year, month.month, day)
    if "year" in said:
        return _date(int(said["year"].replace(" ", "")), _month(said["month"], known), day)
    if "month" in said:
        return _next(today, day, _month(said["month"], known))
    return _next(today, day, None)


def _of_week(weekday: int, said: dict[str, str], today: dt.date) -> dt.date:
    monday = today - dt.timedelta(days=today.weekday())
    if "later" in said or "fortnight" in said:
        return monday + dt.timedelta(days=weekday + (14 if "fortnight" in said else 7))
    if "this" in said:
        date = monday + dt.timedelta(days=weekday)
        if date < today:
            raise _Impossible
        return date
    nearest = today + dt.timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)
    return nearest + dt.timedelta(days=7 if "plus" in said else 0)


def _next(today: dt.date, day: int, month: int | None) -> dt.date:
    """The next such day from today on; of any month, if none is named."""
    at = today
    for _ in range(12 * MOST_YEARS + 1):
        if month in (None, at.month):
            try:
                date = at.replace(day=day)
            except ValueError:
                if month is None and not 1 <= day <= 31:
                    raise _Impossible from None
            else:
                if date >= today:
                    return date
        at = (at.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    raise _Impossible


def _birth(said: dict[str, str], known: Language, today: dt.date) -> dt.date:
    year = said["year"].replace(" ", "")
    month, day = _month(said["month"], known), int(said["day"])
    centuries = ("",) if len(year) > 2 else ("19", "20")
    dates = [_date(int(century + year), month, day) for century in centuries]
    possible = [date for date in dates if date <= today and date.year > today.year - OLDEST]
    if len(possible) != 1:
        raise _Impossible
    return possible[0]


def _month(said: str, known: Language) -> int:
    return known.dates.months.get(said) or (int(said) if said.isdigit() else 0)


def _date(year: int, month: int, day: int) -> dt.date:
    try:
        return dt.date(year, month, day)
    except ValueError:
        raise _Impossible from None
