"""An answer as it was typed or ticked, judged by its question: the value to be kept, or what would be
allowed.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from scripts.comparing import ORDER
from scripts.questionnaire import CHOICES, MOMENTS, NUMBERS, WORDS, Answer, Item, ItemType

CUT = " […]"  # ends what was longer than its question allows
MOST_ANSWERS = 50  # to a question that repeats, where it names no limit
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,12}(?:[.,][0-9]{1,6})?|[.,][0-9]{1,6})")
_WHOLE = 2**31 - 1  # FHIR's integers have 32 bits
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
_YES, _NO = ("true", "yes", "1"), ("false", "no", "0")
_WRITTEN = {
    ItemType.DATE: "a date such as 2026-11-23",
    ItemType.TIME: "a time such as 09:20",
    ItemType.DATE_TIME: "a date and time such as 2026-11-23T09:20",
}


class AnswerRefused(ValueError):
    """An answer that its question does not allow. `allowed` says in plain English what is; the answer
    is not in it.
    """

    def __init__(self, allowed: str) -> None:
        self.allowed = allowed
        super().__init__(allowed)


def validate_answer(item: Item, raw: object) -> Answer | None:
    """The value to keep, or None for no answer to a question that need not be answered.

    `raw` is what a form or an API gives: text, a number, a code, true or false, a list of these, {"text": …} for the
    free text of an open choice; and whatever this returned once. Raises `AnswerRefused`.
    """
    if item.type is ItemType.GROUP:
        return _count(item, raw)
    if raw is None or (isinstance(raw, str) and not raw.strip()) or raw == []:
        if item.required:
            raise AnswerRefused("an answer is needed: " + _allowed(item))
        return None
    if isinstance(raw, Mapping) and "so_far" in raw:
        return _cut_off(item, raw)
    if item.repeats:
        return _several(item, raw if isinstance(raw, list | tuple) else [raw])
    return _one(item, _only(item, raw) if isinstance(raw, list | tuple) and item.type in CHOICES else raw)


def validate_compared(item: Item, operator: str, raw: object) -> Answer | None:
    """What answers are compared with. With an order it may lie outside of the item's limits, where all that is allowed
    is on the wanted side of it (`> 0` from 1 on); not where nothing is. Raises `AnswerRefused`.
    """
    if operator in ORDER:
        above = operator[0] == ">"
        item = replace(item, minimum=None, earliest=None) if above else replace(item, maximum=None, latest=None)
    return validate_answer(item, raw)


def _one(item: Item, raw: object) -> Answer:
    spoken = item.type in WORDS or item.type is ItemType.OPEN_CHOICE
    if spoken and isinstance(raw, Mapping) and set(raw) == {"voice"} and type(raw["voice"]) is int:
        return {"voice": raw["voice"]}
    return _JUDGES[item.type](item, raw)


def _only(item: Item, raw: Sequence[object]) -> object:
    if len(raw) != 1:
        raise AnswerRefused(_allowed(item))
    return raw[0]


def _several(item: Item, raw: Sequence[object]) -> list[Any]:
    most = item.most or (MOST_ANSWERS if item.type not in CHOICES else len(item.options) + MOST_ANSWERS)
    values: list[Any] = []
    for one in raw[: most + 1]:
        value = _one(item, one)
        if item.type not in CHOICES or value not in values:
            values.append(value)
    if len(raw) > most:
        raise AnswerRefused(f"up to {most} answers are allowed")
    for value in values:
        option = item.option(value) if isinstance(value, str) else None
        if option is not None and option.exclusive and len(values) > 1:
            raise AnswerRefused(f"'{option.code}' stands alone: either it or the others")
    return values


def _cut_off(item: Item, raw: Mapping[Any, object]) -> Answer:
    so_far, asked = raw["so_far"], raw.get("asked", [])
    if not item.repeats or not isinstance(so_far, list | tuple) or not isinstance(asked, list | tuple):
        raise AnswerRefused(_allowed(item))
    codes = [code for code in asked if isinstance(code, str) and item.option(code) is not None]
    return {"so_far": _several(item, so_far) if so_far else [], **({"asked": codes} if codes else {})}


def _count(item: Item, raw: object) -> Answer | None:
    """Of a group that repeats: how often."""
    if not item.repeats:
        raise AnswerRefused("a group has no answer of its own")
    if raw is None:
        return None
    number = raw.get("so_far") if isinstance(raw, Mapping) else raw
    most = item.most or MOST_ANSWERS
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= most:
        raise AnswerRefused(f"a number of repetitions from 0 to {most} is allowed")
    return {"so_far": number} if isinstance(raw, Mapping) else number


def cut(item: Item, said: str) -> str:
    """Free words as their question allows them, CUT at its limit: who writes a text message sees none."""
    text, most = unicodedata.normalize("NFC", said).strip(), item.longest
    return text if len(text) <= most else f"{text[: max(most - len(CUT), 0)].rstrip()}{CUT}"[-most:]


def _text(item: Item, raw: object) -> str:
    said = _words(raw, item.longest, lines=item.type is ItemType.TEXT)
    if item.type is ItemType.URL and re.search(r"\s", said):
        raise AnswerRefused("an address without spaces is allowed")
    return said


def _words(raw: object, longest: int, lines: bool) -> str:
    if not isinstance(raw, str):
        raise AnswerRefused("text is allowed")
    # Line ends of the browser are CR LF; other control characters have no business in an answer.
    text = raw.replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(sign for sign in text if unicodedata.category(sign)[0] != "C" or (sign == "\n" and lines))
    text = unicodedata.normalize("NFC", text).strip()
    if not text:
        raise AnswerRefused("text is allowed; there is none that can be read")
    if len(text) > longest:
        raise AnswerRefused(f"up to {longest} letters are allowed; these are {len(text)}")
    return text


def _number(item: Item, raw: object) -> int | float:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise AnswerRefused(_allowed(item))
    written = str(raw).strip()
    if not _NUMBER.fullmatch(written):
        raise AnswerRefused(_allowed(item))
    value = float(written.replace(",", "."))  # 38,5 is how most of our languages write it
    whole = value == int(value)
    if item.type is ItemType.INTEGER and not whole:
        raise AnswerRefused(_allowed(item))
    if item.type is ItemType.INTEGER and abs(value) > _WHOLE:
        raise AnswerRefused(f"a whole number from -{_WHOLE} to {_WHOLE} is allowed")
    too_little = item.minimum is not None and value < item.minimum
    too_much = item.maximum is not None and value > item.maximum
    if too_little or too_much:
        raise AnswerRefused(_allowed(item))
    return int(value) if item.type is ItemType.INTEGER else value


def in_figures(number: float) -> str:
    """All of them, without an exponent: 2147483647, 0.5, 10."""
    return f"{Decimal(str(number)).normalize():f}"


def _moment(item: Item, raw: object) -> str:
    if not isinstance(raw, str):
        raise AnswerRefused(_allowed(item))
    written = raw.strip()
    day, _, time = written.partition("T") if item.type is ItemType.DATE_TIME else (written, "", written)
    kept = []
    if item.type is not ItemType.TIME:
        try:
            if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", day):
                raise ValueError
            kept.append(dt.date.fromisoformat(day).isoformat())
        except ValueError:
            raise AnswerRefused(_allowed(item)) from None
    if item.type is not ItemType.DATE:
        found = _TIME.fullmatch(time)
        if not found:
            raise AnswerRefused(_allowed(item))
        kept.append(f"{int(found[1]):02}:{found[2]}:{found[3] or '00'}")
    value = "T".join(kept)
    if (item.earliest and value < item.earliest[: len(value)]) or (item.latest and value > item.latest[: len(value)]):
        raise AnswerRefused(_allowed(item))
    return value


def _yes_or_no(item: Item, raw: object) -> bool:
    written = str(raw).strip().lower() if isinstance(raw, str | bool) else ""
    if written in _YES or written in _NO:
        return written in _YES
    raise AnswerRefused(_allowed(item))


def _choice(item: Item, raw: object) -> str | dict[str, str]:
    if isinstance(raw, str) and item.option(raw) is not None:
        return raw
    if item.type is ItemType.OPEN_CHOICE:
        free = raw.get("text") if isinstance(raw, Mapping) else raw
        return {"text": _words(free, item.longest, lines=False)}
    raise AnswerRefused(_allowed(item))


def _allowed(item: Item) -> str:
    if item.type in NUMBERS:
        kind = "a whole number" if item.type is ItemType.INTEGER else "a number"
        unit = f" {item.unit}" if item.unit else ""
        if item.minimum is None and item.maximum is None:
            return f"{kind}{unit} is allowed"
        low = "" if item.minimum is None else f" from {in_figures(item.minimum)}"
        high = "" if item.maximum is None else f" to {in_figures(item.maximum)}"
        return f"{kind}{low}{high}{unit} is allowed"
    if item.type in MOMENTS:
        low = f" from {item.earliest}" if item.earliest else ""
        high = f" to {item.latest}" if item.latest else ""
        return f"{_WRITTEN[item.type]}{low}{high} is allowed"
    if item.type in CHOICES:
        codes = ", ".join(option.code for option in item.options)
        free = ", or free text" if item.type is ItemType.OPEN_CHOICE else ""
        return f"{'some' if item.repeats else 'one'} of {codes}{free} is allowed"
    return "yes or no is allowed" if item.type is ItemType.BOOLEAN else "text is allowed"


def _display(item: Item, raw: object) -> Answer:
    raise AnswerRefused("this is no question")


_JUDGES: dict[ItemType, Callable[[Item, object], Answer]] = {
    ItemType.DISPLAY: _display,
    ItemType.BOOLEAN: _yes_or_no,
    **dict.fromkeys(WORDS, _text),
    **dict.fromkeys(NUMBERS, _number),
    **dict.fromkeys(MOMENTS, _moment),
    **dict.fromkeys(CHOICES, _choice),
}
