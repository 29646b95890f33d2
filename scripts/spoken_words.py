"""The words that callers may say at a menu instead of pressing a key. They stand beside its sentence:

    main_menu:
      text: Para pedir una cita, oprima 1. …
      words: {"1": [una cita, pedir una cita], "2": [mis citas]}

One row of several (`{n}`, `{key}`) has its key as it is in the sentence: `words: {"{key}": [otras horas]}`. What may be
said at every menu (a person, again, help) comes from the language, not from here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from scripts.yaml_lines import Field

Words = Mapping[str, tuple[str, ...]]
"""Key of the telephone, or `{n}` and `{key}` → ways to say it; the first one is read back."""

EVERYWHERE = "0*#789"  # keys that mean the same at every menu
ROW_KEYS = ("{n}", "{key}")
LONGEST = 60  # letters of a way to say it


def alike(way: str) -> str:
    """Ways that sound the same: composed, small letters, single spaces."""
    return " ".join(unicodedata.normalize("NFC", way).casefold().split())


def read_words(entry: Field, text: str) -> dict[str, tuple[str, ...]]:
    """The `words` of a prompt whose sentence is `text`; what is wrong is noted at its line."""
    found: dict[str, tuple[str, ...]] = {}
    taken: dict[str, str] = {}
    for key, field in entry.mapping().items():
        if key in EVERYWHERE:
            field.wrong(f"key {key} means the same at every menu: what is said for it comes from the language")
        elif not _names(text, key):
            field.wrong(f"key '{key}' is not in this prompt's text: no such key can be pressed here")
        found[key] = _ways(field, key, taken)
    return found


def _names(text: str, key: str) -> bool:
    if key in ROW_KEYS:
        return key in text
    return len(key) == 1 and re.search(rf"(?<!\d){re.escape(key)}(?!\d)", text) is not None


def _ways(field: Field, key: str, taken: dict[str, str]) -> tuple[str, ...]:
    """The ways to say a key; `taken`: way → the key that it is said for already."""
    found: list[str] = []
    items = field.items()
    if field.is_list and not items:
        field.wrong(f"key {key} has an empty list of words: leave it out, or name one")
    for item in items:
        way = item.text()
        if len(way) > LONGEST or not all(sign in " '’-" or unicodedata.category(sign)[0] in "LM" for sign in way):
            item.wrong(f"'{way}' is not said like this: letters only, numbers as words, {LONGEST} letters at most")
        before = taken.get(alike(way))
        if way and before is not None:
            item.wrong(f"'{way}' stands here twice" if before == key else f"'{way}' is a word of key {before} already")
        taken[alike(way)] = key
        found.append(way)
    return tuple(found)
