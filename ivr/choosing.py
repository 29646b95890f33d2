"""One of many by key: five choices a menu at most, and a key that leads to the others."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from ivr.call import Call, Prompt
from ivr.house import MOST_CHOICES as MOST
from scripts.placeholders import Value

__all__ = ["MOST", "choose"]

T = TypeVar("T")


async def choose(
    call: Call, question: str, rows: Sequence[T], worded: Callable[[T], Mapping[str, Value]], **params: Value
) -> T:
    """The chosen row. `question` is a prompt with {choices} and `params`, `worded` gives the values of one choice.

    More than MOST rows are said in pages, the last of which leads to the first. Raises as `Call.menu`, and
    `ValueError` for no rows."""
    if not rows:
        raise ValueError(f"{question}: there is nothing to choose from")
    size = MOST if len(rows) <= MOST else MOST - 1
    first = 0
    while True:
        shown = rows[first : first + size]
        choices = [{**worded(row), "key": key} for key, row in enumerate(shown, 1)]
        keys, asked = "12345"[: len(shown)], [Prompt(question, **params, choices=choices)]
        if len(rows) > MOST:
            keys += str(MOST)
            asked.append(Prompt("more_choices", key=MOST))
        key = int(await call.menu(asked, keys=keys))
        if key <= len(shown):
            return shown[key - 1]
        first = first + size if first + size < len(rows) else 0
