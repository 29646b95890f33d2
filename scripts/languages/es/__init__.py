"""Spanish, of no country in particular: "lunes veintitrés de noviembre", "las nueve y veinte de la
mañana".
"""

from __future__ import annotations

import datetime as dt

from babel.dates import format_date
from num2words import num2words

NAME = "Spanish"  # in the console, which is English
LOCALE = "es"
DIGITS = ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve")
SPACE = " "
PLUS = "más"
PAUSE = ", "
POINT = "coma"  # of a decimal number
MINUS = "menos"
ELDER, YOUNGER = "{}, de mayor edad", "{}, de menor edad"  # of two of one name
COMPARED = {"<": "menos de", ">": "más de", "≤": "como máximo", "≥": "como mínimo"}
KEYS = {"*": r"\b(asterisco|estrella)\b", "#": r"\b(numeral|almohadilla|gato|michi)\b"}  # as sentences name them
COUNTED = (
    r" (días?|mes(es)?|años?|minutos?|segundos?|kilos?|gramos?|grados?|vasos?|litros?|cigarrillos?|metros?|pasos?"
    r"|puntos?|comprimidos?|escalones|pisos?)\b",
    r" (semanas?|horas?|vez|veces|noches?|pastillas?|tabletas?|cápsulas?|dosis|gotas?|cucharadas?|personas?|comidas?"
    r"|tazas?|copas?|cuadras?|almohadas?)\b",
)
STOP = "."  # what ends a sentence
LETTERS_A_SECOND = 14.0  # of its speech
_LETTERS = "a be ce de e efe ge hache i jota ka ele eme ene eñe o pe cu erre ese te u uve uve-doble equis ye zeta"
LETTERS = dict(zip("ABCDEFGHIJKLMNÑOPQRSTUVWXYZ", _LETTERS.split(), strict=True))
# num2words has "décimoprimero", which nobody says.
_ORDINALS = (
    "primero segundo tercero cuarto quinto sexto séptimo octavo noveno décimo undécimo duodécimo decimotercero"
    " decimocuarto decimoquinto decimosexto decimoséptimo decimoctavo decimonoveno"
)


def cardinal(number: int, feminine: bool = False) -> str:
    words = str(num2words(number, lang="es"))
    if not feminine:
        return words
    # num2words knows no feminine: doscientas una, veintiuna; the thousands before agree as well.
    words = words.replace("cientos", "cientas").replace("quinientos", "quinientas")
    return words.removesuffix("uno") + "una" if words.endswith("uno") else words


def count(number: int, feminine: bool = False) -> str:
    """Un minuto, veintiún minutos; una cita, veintiuna citas."""
    words = cardinal(number, feminine)
    if words.endswith("veintiuno"):
        return words.removesuffix("uno") + "ún"
    return words.removesuffix("o") if words.endswith("uno") else words


def ordinal(number: int, feminine: bool = False) -> str:
    words = _ORDINALS.split()[number - 1] if 0 < number < 20 else str(num2words(number, lang="es", to="ordinal"))
    return " ".join(word.removesuffix("o") + "a" for word in words.split()) if feminine else words


def day(date: dt.date) -> str:
    return f"{format_date(date, 'EEEE', locale='es')} {_day_and_month(date)}"


def full_date(date: dt.date) -> str:
    return f"{_day_and_month(date)} de {cardinal(date.year)}"


def time_of_day(time: dt.time) -> str:
    if (time.hour, time.minute) == (12, 0):
        return "las doce del mediodía"
    hour = time.hour % 12 or 12
    said = "la una" if hour == 1 else f"las {cardinal(hour)}"
    match time.minute:
        case 0:
            minutes = ""
        case 1:
            minutes = f" y {_minutes(1)}"
        case 15:
            minutes = " y cuarto"
        case 30:
            minutes = " y media"
        case minute:
            minutes = f" y {cardinal(minute)}"
    return f"{said}{minutes} {_part_of_day(time.hour)}"


def clock_24(time: dt.time) -> str:
    said = "la una" if time.hour == 1 else f"las {cardinal(time.hour, feminine=True)}"
    if time.hour == 0:
        return f"{said} horas" + (f" y {_minutes(time.minute)}" if time.minute else "")
    if time.minute == 0:
        return f"{said} en punto" if time.hour == 1 else f"{said} horas"
    return f"{said} y {_minutes(1) if time.minute == 1 else cardinal(time.minute)}"


def moment(date: dt.date, time: dt.time, clock: int = 12) -> str:
    return f"{day(date)} a {clock_24(time) if clock == 24 else time_of_day(time)}"


def duration(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    if not hours:
        return _minutes(minutes)
    said = f"{count(hours, feminine=True)} {'hora' if hours == 1 else 'horas'}"
    if not rest:
        return said
    return f"{said} y media" if rest == 30 else f"{said} y {_minutes(rest)}"


def about(minutes: int) -> str:
    """Unos diez minutos, unas dos horas; but one is no "unos"."""
    hours = minutes // 60
    if minutes == 1 or hours == 1:
        return f"alrededor de {duration(minutes)}"
    return f"{'unas' if hours else 'unos'} {duration(minutes)}"


def doctor(name: str, feminine: bool) -> str:
    return f"la doctora {name}" if feminine else f"el doctor {name}"


def _minutes(minute: int) -> str:
    return f"{count(minute)} {'minuto' if minute == 1 else 'minutos'}"


def _day_and_month(date: dt.date) -> str:
    number = "primero" if date.day == 1 else cardinal(date.day)
    return f"{number} de {format_date(date, 'MMMM', locale='es')}"


def _part_of_day(hour: int) -> str:
    if hour == 0:
        return "de la noche"
    if hour < 6:
        return "de la madrugada"
    if hour < 12:
        return "de la mañana"
    return "de la tarde" if hour < 20 else "de la noche"
