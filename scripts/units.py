"""How units of measured values are said, by UCUM code or usual sign: `units` of a language's vocabulary. One that is
not there is said as written."""

from __future__ import annotations

from scripts import vocabulary

USUAL = {"Cel": "°C", "mm[Hg]": "mmHg"}  # UCUM's code → the sign that people write


def said(unit: str, language: str) -> str:
    sign = USUAL.get(unit, unit)
    known = (vocabulary.of(tag).units for tag in (language, "en"))
    return next((units[sign] for units in known if sign in units), unit)
