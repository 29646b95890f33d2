"""A value for each placeholder, so that a sentence can be seen, heard and checked before anybody calls."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from scripts import library
from scripts.placeholders import Doctor, Value

_CARDIOLOGY = {
    "en": "cardiology",
    "es": "cardiología",
    "pt-BR": "cardiologia",
    "zh-CN": "心内科",
    "mi": "manawa",
}
_AT = datetime(2026, 3, 3, 9, 20)  # noqa: DTZ001 - the site's zone is put on


def examples(zone: ZoneInfo) -> dict[str, Value]:
    """Said: as callers hear them."""
    at = _AT.replace(tzinfo=zone)
    return {
        "number": "+573001234567",
        "given_name": "Lucía",
        "department": library.in_all(_CARDIOLOGY),
        "doctor": Doctor("Vega", feminine=True),
        "n": 2,
        "ticket": 12,
        "key": 2,
        "when": at,
        "day": at,
        "birth_date": date(1980, 2, 29),
        "question": "…",
        "complaint": "…",
        "notice": "…",
        "minutes": 10,
        "case": "10042",
        "digits": "29021980",
        "said": "…",
        "asked": "…",
        "answer": "…",
        "given": 2,
        "low": 0,
        "high": 10,
        "unit": "°C",
        "choices": [_row(at, key) for key in (1, 2, 3)],
    }


def _row(at: datetime, key: int) -> Mapping[str, Value]:
    return {
        "department": library.in_all(_CARDIOLOGY),
        "doctor": Doctor("Vega", feminine=True),
        "given_name": "Lucía",
        "when": at,
        "complaint": "…",
        "answer": "…",
        "key": key,
        "n": key,
    }


def written(zone: ZoneInfo) -> dict[str, Value]:
    """As text messages and letters have them."""
    at = _AT.replace(tzinfo=zone)
    return {
        "date": at,
        "day": at,
        "time": at,
        "case": "10042",
        "name": "Lucía Fernández",
        "caller": "+576015550100",
        "link": "https://video.example.org/W3kq0cVb9d2TzQm1xYv7aA",
        "n": 2,
        "ticket": 12,
        "total": 6,
        "minutes": 10,
        "asked": "…",
        "choices": "1 …",
    }
