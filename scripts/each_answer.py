"""A question that repeats and has items of its own: each answer is asked with what stands under it.

It is held as a group that repeats (`of_answers`), each repetition of which is one answer: so each has a key of its own,
which stays when another one is corrected or emptied, and all that asks groups that repeat asks these. A choice of
several is none: its options tell its answers apart. Nor is one that is only read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from scripts.questionnaire import CHOICES, EACH, NO_QUESTIONS, NO_TEXT, Item, ItemType


def as_asked(item: Item) -> Item:
    """The group of its answers, where it is such a question."""
    if not item.repeats or not item.items or item.read_only or item.type in NO_QUESTIONS | CHOICES:
        return item
    return Item(
        item.link_id + EACH,
        ItemType.GROUP,
        item.text,
        required=item.required,
        repeats=True,
        items=(replace(item, repeats=False, **_of_all(Item("", item.type, NO_TEXT))),),
        voice=item.voice,
        sms=item.sms,
        of_answers=True,
        **_of_all(item),
    )


def as_written(item: Item) -> Item:
    """The question, of the group of its answers; what `as_asked` was given."""
    return replace(item.items[0], repeats=True, **_of_all(item)) if item.of_answers else item


def _of_all(item: Item) -> dict[str, Any]:
    """What is about all answers together: the group has it, not the question in it."""
    return {name: getattr(item, name) for name in ("most", "normal", "initial", "when", "any_of")}
