"""Portuguese of Brazil: "segunda-feira, vinte e três de novembro, às nove e vinte da manhã"."""

from __future__ import annotations

import datetime as dt

from babel.dates import format_date
from num2words import num2words

NAME = "Portuguese"  # in the console, which is English
LOCALE = "pt_BR"
# On the telephone a Brazilian six is "meia" (half a dozen): "seis" is misheard as "três".
DIGITS = ("zero", "um", "dois", "três", "quatro", "cinco", "meia", "sete", "oito", "nove")
SPACE = " "
PLUS = "mais"
PAUSE = ", "
POINT = "vírgula"  # of a decimal number
MINUS = "menos"
ELDER, YOUNGER = "{}, de mais idade", "{}, de menos idade"  # of two of one name
COMPARED = {"<": "menos de", ">": "mais de", "≤": "no máximo", "≥": "no mínimo"}
KEYS = {
    "*": r"\b(asterisco|estrela)\b",
    "#": r"\b(jogo da velha|cerquilha|sustenido)\b",
}  # as sentences name them
COUNTED = (
    "(?!)",
    r" (semanas?|horas?|vez|vezes|noites?|doses?|gotas?|colher(es)?|cápsulas?|pílulas?|pessoas?|refeição|refeições"
    r"|xícaras?|taças?|quadras?|fraldas?|injeção|injeções)\b",
)
STOP = "."  # what ends a sentence
LETTERS_A_SECOND = 14.0  # of its speech
_LETTERS = "á bê cê dê é efe gê agá i jota cá ele eme ene ó pê quê erre esse tê u vê dáblio xis ípsilon zê"
LETTERS = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", _LETTERS.split(), strict=True))


def cardinal(number: int, feminine: bool = False) -> str:
    words = str(num2words(number, lang="pt_BR")).replace(",", "")
    if not feminine:
        return words
    words = words.replace("entos", "entas").replace("dois mil", "duas mil")  # duzentos, quinhentos …
    if words == "um" or words.endswith(" um"):
        return words.removesuffix("um") + "uma"
    return words.removesuffix("dois") + "duas" if words.endswith("dois") else words


def count(number: int, feminine: bool = False) -> str:
    return cardinal(number, feminine)


def ordinal(number: int, feminine: bool = False) -> str:
    words = str(num2words(number, lang="pt_BR", to="ordinal"))
    return " ".join(word.removesuffix("o") + "a" for word in words.split()) if feminine else words


def day(date: dt.date) -> str:
    return f"{format_date(date, 'EEEE', locale='pt_BR')}, {_day_and_month(date)}"


def full_date(date: dt.date) -> str:
    return f"{_day_and_month(date)} de {cardinal(date.year)}"


def time_of_day(time: dt.time) -> str:
    hour = time.hour % 12
    said = {(0, True): "meia-noite", (0, False): "meio-dia"}.get((hour, time.hour < 12)) or cardinal(
        hour, feminine=True
    )
    match time.minute:
        case 0:
            minutes = ""
        case 30:
            minutes = " e meia"
        case minute:
            minutes = f" e {cardinal(minute)}"
    return f"{said}{minutes}{'' if hour == 0 else _part_of_day(time.hour)}"


def clock_24(time: dt.time) -> str:
    if time.hour == 0:
        return "zero hora" + (f" e {_minutes(time.minute)}" if time.minute else "")
    hour = cardinal(time.hour, feminine=True)
    if time.minute == 0:
        return f"{hour} {'hora' if time.hour == 1 else 'horas'}"
    return f"{hour} e {cardinal(time.minute)}"


def moment(date: dt.date, time: dt.time, clock: int = 12) -> str:
    hour = time.hour
    if clock == 24:
        return f"{day(date)}, {'à' if hour < 2 else 'às'} {clock_24(time)}"
    article = "ao" if hour == 12 else "à" if hour % 12 in (0, 1) else "às"
    return f"{day(date)}, {article} {time_of_day(time)}"


def duration(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    if not hours:
        return _minutes(minutes)
    said = f"{count(hours, feminine=True)} {'hora' if hours == 1 else 'horas'}"
    if not rest:
        return said
    return f"{said} e meia" if rest == 30 else f"{said} e {_minutes(rest)}"


def about(minutes: int) -> str:
    return f"cerca de {duration(minutes)}"


def doctor(name: str, feminine: bool) -> str:
    return f"a doutora {name}" if feminine else f"o doutor {name}"


def _minutes(minute: int) -> str:
    return f"{cardinal(minute)} {'minuto' if minute == 1 else 'minutos'}"


def _day_and_month(date: dt.date) -> str:
    number = "primeiro" if date.day == 1 else cardinal(date.day)
    return f"{number} de {format_date(date, 'MMMM', locale='pt_BR')}"


def _part_of_day(hour: int) -> str:
    if hour < 6:
        return " da madrugada"
    if hour < 12:
        return " da manhã"
    return " da tarde" if hour < 19 else " da noite"
