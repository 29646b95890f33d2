"""How an answer is compared with a condition's, and what it counts in a score. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scripts.questionnaire import Answer, Item

ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    ">": lambda answer, limit: bool(answer > limit),
    "<": lambda answer, limit: bool(answer < limit),
    ">=": lambda answer, limit: bool(answer >= limit),
    "<=": lambda answer, limit: bool(answer <= limit),
}
OPERATORS = ("exists", "=", "!=", *ORDER)


def comparable(item: Item, value: Answer, answer: object) -> object:
    if isinstance(value, dict):
        return value.get("text")
    if item.options and isinstance(answer, int | float) and not isinstance(answer, bool):
        return counted_as(item, value)
    return value


def counted_as(item: Item, value: Answer) -> float | None:
    if isinstance(value, str):
        option = item.option(value)
        return option.score if option else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def compares(value: object, operator: str, answer: object) -> bool:
    if isinstance(value, bool) != isinstance(answer, bool):
        return False
    if operator in ("=", "!="):
        return (value == answer) == (operator == "=")
    numbers = isinstance(value, int | float) and isinstance(answer, int | float)
    if (numbers and not isinstance(value, bool)) or (isinstance(value, str) and isinstance(answer, str)):
        return ORDER[operator](value, answer)
    return False
