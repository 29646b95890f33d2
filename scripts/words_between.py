"""The words that stand between the questions: headings of groups, and which of several repetitions it is; items that
only show something; for which of several answers is asked. Pure.

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
    """Names the answer that the next questions are about: an option of a choice, or its `number` among several answers
    from 1 on; neither: what was told in own words."""

    answer: Option | None
    number: int = 0


@dataclass(frozen=True, slots=True)
class Repetition:
    """Which repetition of a group the next questions are in, from 1 on."""

    group: Place
    number: int

    @property
    def key(self) -> str:
        return f"{self.group.key}#{self.number}"


Words = Item | About | Repetition
Lead = tuple[str, Words]
"""A key, by which it is said once, and what is said."""


def before(filling: Filling, place: Place) -> list[Lead]:
    """What is said before a place: what stands since the question before it, and the headings around all of that."""
    at = filling.places.index(place)
    return list(dict([*_said(filling, _since(filling, at)), *leads(filling, place)]).items())


def another(filling: Filling, group: Place) -> list[Lead]:
    """What is said before it is asked whether a group is there once more: its heading, and how often it was there."""
    times = filling.times(group)
    heading: list[Lead] = [(_key(group, (*group.repetition, max(times, 1))), group.item)] if group.item.text else []
    return [*heading, *_numbered(filling, Repetition(group, times))]


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
        yield from leads(filling, one)
        yield one.key, one.item


def leads(filling: Filling, place: Place) -> Iterator[Lead]:
    """The headings around a place, the outermost first; the number of a repetition only where there are several."""
    for key, lead in _headings(place):
        if isinstance(lead, Repetition):
            yield from _numbered(filling, lead)
        else:
            yield key, lead


def _numbered(filling: Filling, one: Repetition) -> Iterator[Lead]:
    """Nothing, where there is one alone: nobody asks which."""
    if filling.times(one.group) > 1:
        yield one.key, one


def _headings(place: Place) -> Iterator[Lead]:
    """Of the groups around it with their repetitions, and for which answers it is asked, the outermost first."""
    for around in reversed(list(place.around())):
        at = place.repetition[: len(around.repetition) + 1] if around.unfolds else ()
        if around.item.for_each:
            yield _key(around, at), _about(around, place)
        elif key := key_of_answer(around):
            yield key, About(None, around.repetition[-1])
        elif around.item.of_answers:
            continue
        elif around.item.type is ItemType.GROUP:
            if around.item.text:
                yield _key(around, at), around.item
            if around.counts:
                numbered = Repetition(around, at[-1])
                yield numbered.key, numbered


def key_of_answer(place: Place) -> str:
    """By which it is said once that questions are about this answer, one of several that are no options; else empty.
    Who has just given it knows."""
    return f"{place.key}/" if place.parent is not None and place.parent.item.of_answers else ""


def _key(around: Place, at: tuple[int, ...]) -> str:
    return f"{around.key}/{'.'.join(map(str, at))}"


def _about(choice: Place, place: Place) -> About:
    """Of which answer of a choice of several a place inside asks."""
    number = place.repetition[len(choice.repetition)]
    return About(next(iter(choice.item.options[number - 1 : number]), None))
