"""The words that stand between the questions: headings of groups, items that only show something, and for which of
several answers is asked. Pure.

They are said before the next question that is asked, whatever of what stands between is disabled; those behind the last
question are said at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scripts.filling import Filling, Place
from scripts.questionnaire import Item, ItemType, Option


@dataclass(frozen=True, slots=True)
class About:
    """Names the answer that the next questions are about; None: what was told in own words."""

    answer: Option | None


Words = Item | About
Lead = tuple[str, Words]
"""A key, by which it is said once, and what is said."""


def before(filling: Filling, place: Place) -> list[Lead]:
    """What is said before a place: what stands since the question before it, and the headings around all of that."""
    at = filling.places.index(place)
    return list(dict([*_said(filling, _since(filling, at)), *_headings(place)]).items())


def after_all(filling: Filling) -> list[Lead]:
    """What stands behind the last question."""
    return list(dict(_said(filling, _since(filling, len(filling.places)))).items())


def _since(filling: Filling, end: int) -> list[Place]:
    """The displays between the question before and `end`."""
    found: list[Place] = []
    for one in reversed(filling.places[:end]):
        if (one.item.asks or one.counts) and filling.enabled(one):
            break
        if one.item.type is ItemType.DISPLAY and filling.enabled(one):
            found.insert(0, one)
    return found


def _said(filling: Filling, displays: list[Place]) -> Iterator[Lead]:
    for one in displays:
        yield from _headings(one)
        yield one.key, one.item


def _headings(place: Place) -> Iterator[Lead]:
    for around in reversed(list(place.around())):
        at = place.repetition[: len(around.repetition) + 1] if around.unfolds else ""
        if around.item.for_each:
            yield f"{around.key}/{at}", about(around, place)
        elif around.item.type is ItemType.GROUP and around.item.text:
            yield f"{around.key}/{at}", around.item


def about(choice: Place, place: Place) -> About:
    """Of which answer of a choice of several a place inside asks."""
    number = place.repetition[len(choice.repetition)]
    return About(next(iter(choice.item.options[number - 1 : number]), None))
