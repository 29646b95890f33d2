"""An answer as it was typed or ticked, judged by its question: the value to be kept, or what would be
allowed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from scripts.questionnaire import CHOICES, NUMBERS, Answer, Item, ItemType

STRING_LENGTH = 200  # letters, where an item names no limit
TEXT_LENGTH = 4000
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(?:[.,][0-9]{1,6})?")


class AnswerRefused(ValueError):
    """An answer that its question does not allow. `allowed` says in plain English what is; the answer
    is not in it.
    """

    def __init__(self, allowed: str) -> None:
        self.allowed = allowed
        super().__init__(allowed)


def validate_answer(item: Item, raw: object) -> Answer | None:
    """The value to keep, or None for no answer to a question that need not be answered.

    `raw` is what a form or an API gives: text, a number, a code, a list of codes, {"text": …} for the
    free text of an open choice. Raises `AnswerRefused`.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()) or raw == []:
        if item.required:
            raise AnswerRefused("an answer is needed: " + _allowed(item))
        return None
    return _JUDGES[item.type](item, raw)


def _text(item: Item, raw: object) -> str:
    longest = item.max_length or (TEXT_LENGTH if item.type is ItemType.TEXT else STRING_LENGTH)
    return _words(raw, longest, lines=item.type is ItemType.TEXT)


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
    too_little = item.minimum is not None and value < item.minimum
    too_much = item.maximum is not None and value > item.maximum
    if too_little or too_much:
        raise AnswerRefused(_allowed(item))
    return int(value) if item.type is ItemType.INTEGER else value


def _choice(item: Item, raw: object) -> Answer:
    if isinstance(raw, list | tuple):
        return _several(item, raw) if item.repeats else _one(item, _only(item, raw))
    return [_one(item, raw)] if item.repeats else _one(item, raw)


def _only(item: Item, raw: Sequence[object]) -> object:
    if len(raw) != 1:
        raise AnswerRefused(_allowed(item))
    return raw[0]


def _several(item: Item, raw: Sequence[object]) -> Answer:
    values: list[str | dict[str, str]] = []
    for one in raw:
        value = _one(item, one)
        if value not in values:
            values.append(value)
    for value in values:
        option = item.option(value) if isinstance(value, str) else None
        if option is not None and option.exclusive and len(values) > 1:
            raise AnswerRefused(f"'{option.code}' stands alone: either it or the others")
    return values


def _one(item: Item, raw: object) -> str | dict[str, str]:
    if isinstance(raw, str) and item.option(raw) is not None:
        return raw
    if item.type is ItemType.OPEN_CHOICE:
        free = raw.get("text") if isinstance(raw, dict) else raw
        return {"text": _words(free, item.max_length or STRING_LENGTH, lines=False)}
    raise AnswerRefused(_allowed(item))


def _allowed(item: Item) -> str:
    if item.type in NUMBERS:
        kind = "a whole number" if item.type is ItemType.INTEGER else "a number"
        unit = f" {item.unit}" if item.unit else ""
        if item.minimum is None and item.maximum is None:
            return f"{kind}{unit} is allowed"
        low = "" if item.minimum is None else f" from {item.minimum:g}"
        high = "" if item.maximum is None else f" to {item.maximum:g}"
        return f"{kind}{low}{high}{unit} is allowed"
    if item.type in CHOICES:
        codes = ", ".join(option.code for option in item.options)
        free = ", or free text" if item.type is ItemType.OPEN_CHOICE else ""
        return f"{'some' if item.repeats else 'one'} of {codes}{free} is allowed"
    return "text is allowed"


def _group(item: Item, raw: object) -> Answer:
    raise AnswerRefused("a group has no answer of its own")


_JUDGES: dict[ItemType, Callable[[Item, object], Answer]] = {
    ItemType.GROUP: _group,
    ItemType.STRING: _text,
    ItemType.TEXT: _text,
    ItemType.INTEGER: _number,
    ItemType.DECIMAL: _number,
    ItemType.QUANTITY: _number,
    ItemType.CHOICE: _choice,
    ItemType.OPEN_CHOICE: _choice,
}
