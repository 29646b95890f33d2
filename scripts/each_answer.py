"""A question that repeats and has items of its own: each answer is asked with what stands under it.

It is held as a group that repeats (`of_answers`), each repetition of which is one answer: so each has a key of its own,
which stays when another one is corrected or emptied, and all that asks groups that repeat asks these. A choice of
several is none: its options tell its answers apart. Nor is one that is only read.
"""

from __future__ import annotations

from dataclasses import replace

from scripts.questionnaire import CHOICES, EACH, NO_QUESTIONS, Item, ItemType


def as_asked(item: Item) -> Item:
    """The group of its answers, where it is such a question."""
    if not item.repeats or not item.items or item.read_only or item.type in NO_QUESTIONS | CHOICES:
        return item
    question = replace(item, repeats=False, most=None, when=(), any_of=False, initial=None, normal=None)
    return Item(
        item.link_id + EACH,
        ItemType.GROUP,
        item.text,
        required=item.required,
        repeats=True,
        most=item.most,
        normal=item.normal,
        initial=item.initial,
        when=item.when,
        any_of=item.any_of,
        items=(question,),
        voice=item.voice,
        sms=item.sms,
        of_answers=True,
    )


def as_written(item: Item) -> Item:
    """The question, of the group of its answers; what `as_asked` was given."""
    if not item.of_answers:
        return item
    return replace(
        item.items[0],
        repeats=True,
        most=item.most,
        normal=item.normal,
        initial=item.initial,
        when=item.when,
        any_of=item.any_of,
    )
