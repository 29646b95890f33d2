"""Spanish, of no country in particular: "lunes veintitrés de noviembre", "las nueve y veinte de la
mañana".
"""

from __future__ import annotations

import datetime as dt

from babel.dates import format_date
from num2words import num2words

DIGITS = ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve")
SPACE = " "
PLUS = "más"
PAUSE = ", "


def cardinal(number: int, feminine: bool = False) -> str:
    words = str(num2words(number, lang="es"))
    if not feminine:
        return words
    # num2words knows no feminine: doscientas una, veintiuna; the thousands before agree as well.
    words = words.replace("cientos", "cientas").replace("quinientos", "quinientas")
    if words.endswith("veintiuno"):
        return words.removesuffix("veintiuno") + "veintiuna"
    return words.removesuffix("uno") + "una" if words.endswith("uno") else words


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
            minutes = " y un minuto"
        case 15:
            minutes = " y cuarto"
        case 30:
            minutes = " y media"
        case minute:
            minutes = f" y {cardinal(minute)}"
    return f"{said}{minutes} {_part_of_day(time.hour)}"


def moment(date: dt.date, time: dt.time) -> str:
    return f"{day(date)} a {time_of_day(time)}"


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
