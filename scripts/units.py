"""How units of measured values are said, by UCUM code or usual sign: `UNITS` of each language. One that is not there is
said as written."""

from __future__ import annotations

from scripts.verbalise import SPEECH

USUAL = {"Cel": "°C", "mm[Hg]": "mmHg"}  # UCUM's code → the sign that people write


def said(unit: str, language: str) -> str:
    sign = USUAL.get(unit, unit)
    known = (SPEECH[tag].UNITS for tag in (language, "en") if tag in SPEECH)
    return next((units[sign] for units in known if sign in units), unit)
