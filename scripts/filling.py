"""A questionnaire and the answers so far: what is enabled, what comes next, how far, scores, red flags. Pure.

Rules, as FHIR R4 has them: an item in something disabled is disabled; a condition on a disabled question sees no
answers; of several answers one is enough, and `!=` means that none is equal. A condition inside of a group that repeats
sees the answers of its own repetition; one from outside sees those of all. Nested questions wait for the answer of the
one that they are nested in, because in a response they stand under it; under a question of several answers they are
there for each, and a condition there sees this one alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from scripts.comparing import comparable, compares, counted_as
from scripts.questionnaire import (
    Answer,
    AnswerRule,
    Answers,
    Band,
    Condition,
    Item,
    ItemType,
    Questionnaire,
    RedFlag,
    Score,
    every,
)

MOST_REPETITIONS = 50
_REPETITION = re.compile(r"@([0-9]{1,4}(?:\.[0-9]{1,4})*)\Z")
GROWING = (">", ">=")  # what a sum has reached before it is whole it will not fall below


@dataclass(frozen=True, slots=True)
class Place:
    """An item at one repetition of each group that repeats around it, and at one answer of each choice of several. As
    the place of a group that repeats it stands for the question whether there is another one.
    """

    item: Item
    repetition: tuple[int, ...] = ()
    parent: Place | None = field(default=None, repr=False)

    @property
    def key(self) -> str:
        return self.item.link_id + ("@" + ".".join(map(str, self.repetition)) if self.repetition else "")

    @property
    def counts(self) -> bool:
        """Whether it is a group that repeats."""
        return self.item.type is ItemType.GROUP and self.item.repeats

    @property
    def unfolds(self) -> bool:
        """Whether what stands in it is there several times."""
        return self.counts or self.item.for_each

    @property
    def extra(self) -> bool:
        """Whether it is a second or later answer of a question that has items under each: it may stay empty."""
        return self.parent is not None and self.parent.item.of_answers and self.repetition[-1] > 1

    def around(self) -> Iterator[Place]:
        """The places it is in, the nearest first."""
        parent = self.parent
        while parent is not None:
            yield parent
            parent = parent.parent


@dataclass(frozen=True, slots=True)
class Scored:
    """A score so far; `band` only when it is `whole`."""

    score: Score
    value: float
    whole: bool
    band: Band | None


class Filling:
    """One questionnaire with one set of answers."""

    def __init__(self, questionnaire: Questionnaire, answers: Answers) -> None:
        self.questionnaire = questionnaire
        self.answers = answers
        self._given = _repetitions(answers)
        self._enabled: dict[str, bool] = {}
        self._slots: dict[str, dict[int, list[Answer]]] = {}
        self.places = tuple(self._walk(questionnaire.items, (), None))
        """Every place that there is now, in the order in which they are asked; disabled ones, too."""
        self._by_link_id: dict[str, list[Place]] = {}
        self._inside: dict[str, list[Place]] = {}
        for place in self.places:
            self._by_link_id.setdefault(place.item.link_id, []).append(place)
            self._inside.setdefault(place.parent.key if place.parent else "", []).append(place)
        self._by_key = {place.key: place for place in self.places}
        for link_id in questionnaire.dependency_first:
            for place in self._by_link_id.get(link_id, ()):
                self.enabled(place)

    # ── What is there ───────────────────────────────────────────────────────────────────────────────────────────

    def place(self, key: str) -> Place:
        """Raises `KeyError` for a key that is nowhere now."""
        return self._by_key[key]

    def inside(self, place: Place | None, repetition: int | None = None) -> list[Place]:
        """What stands directly in a group (in one of its repetitions), under an answer, or in the questionnaire."""
        at = len(place.repetition) if place else 0
        there = self._inside.get(place.key if place else "", [])
        return [one for one in there if repetition is None or one.repetition[at] == repetition]

    def enabled(self, place: Place) -> bool:
        known = self._enabled.get(place.key)
        if known is None:
            known = self._enabled[place.key] = self._is_enabled(place)
        return known

    def times(self, group: Place) -> int:
        """How often a group that repeats is there."""
        value, most = self.answers.get(group.key), group.item.most or MOST_REPETITIONS
        if isinstance(value, dict):
            value = value.get("so_far")
        if isinstance(value, int) and not isinstance(value, bool):
            return max(1 if group.item.of_answers else 0, min(value, most))
        depth = len(group.repetition)
        given = [
            repetition[depth]
            for item in every(group.item.items)
            for repetition in self._given.get(item.link_id, ())
            if len(repetition) > depth and repetition[:depth] == group.repetition
        ]
        return min(max([1 if group.item.required or group.item.of_answers else 0, *given]), most)

    def values(self, place: Place) -> list[Answer]:
        """The answers of a place, each by itself; none where it is disabled or was left out."""
        return self._values(place) if self.enabled(place) else []

    def slots(self, place: Place) -> Mapping[int, list[Answer]]:
        """The answers that were chosen of a choice of several, by their numbers."""
        known = self._slots.get(place.key)
        if known is None:
            known = self._slots[place.key] = {}
            for value in self._values(place):
                known.setdefault(place.item.slot(value), []).append(value)
        return known

    # ── What comes ──────────────────────────────────────────────────────────────────────────────────────────────

    def open(self, place: Place) -> bool:
        """Whether it is still to be asked."""
        if not self.enabled(place):
            return False
        value = self.answers.get(place.key)
        if place.counts:
            counted = isinstance(value, int) and not isinstance(value, bool)
            more = not counted and self.times(place) < (place.item.most or MOST_REPETITIONS)
            return more and not (place.item.of_answers and self._last_is_empty(place))
        if not place.item.asks:
            return False
        if value is None:
            return place.item.required or place.key not in self.answers
        return unfinished(value)

    def next(self, passed: Collection[str] = ()) -> Place | None:
        """What is to be asked next; keys in `passed` are not. None: all was asked."""
        return next((place for place in self.places if place.key not in passed and self.open(place)), None)

    def asked(self) -> list[Place]:
        """The questions that are enabled now."""
        return [place for place in self.places if place.item.asks and self.enabled(place)]

    def progress(self) -> tuple[int, int]:
        """How many of the questions that are enabled now were asked, of how many."""
        asked = self.asked()
        return sum(1 for place in asked if not self.open(place)), len(asked)

    def missing(self) -> list[Place]:
        """Needed questions that have no answer yet."""
        return [place for place in self.asked() if place.item.required and not self.values(place)]

    @property
    def complete(self) -> bool:
        return not self.missing()

    # ── What it means ───────────────────────────────────────────────────────────────────────────────────────────

    def flags(self) -> list[RedFlag]:
        """The red flags that these answers raise."""
        return [flag for flag in self.questionnaire.red_flags if self._all_or_any(flag.when, flag.any_of, None)]

    def rules(self) -> list[AnswerRule]:
        """The rules that these answers meet: what they change of the plan."""
        return [rule for rule in self.questionnaire.rules if self._all_or_any(rule.when, rule.any_of, None)]

    def scores(self) -> list[Scored]:
        return [self._scored(score) for score in self.questionnaire.scores]

    def normal(self) -> dict[str, Answer]:
        """What "all normal" fills in, by key: each enabled question that has a normal answer and none yet, and those
        that these enable.
        """
        filled: dict[str, Answer] = {}
        current = self
        while True:
            more = {
                place.key: place.item.normal
                for place in current.asked()
                if place.item.normal is not None and current.answers.get(place.key) is None
            }
            if not more:
                return filled
            filled |= more
            current = Filling(self.questionnaire, {**self.answers, **filled})

    # ── How ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _last_is_empty(self, group: Place) -> bool:
        """Of the group of a question's answers: nobody who has left out the last one is asked for another."""
        last = Place(group.item.items[0], (*group.repetition, self.times(group)))
        return not self.values(self._by_key[last.key])

    def _walk(self, items: tuple[Item, ...], repetition: tuple[int, ...], parent: Place | None) -> Iterator[Place]:
        for item in items:
            place = Place(item, repetition, parent)
            if not place.counts:
                yield place
            if place.unfolds:
                for number in range(1, (self.times(place) if place.counts else item.slots) + 1):
                    yield from self._walk(item.inside(number), (*repetition, number), place)
            else:
                yield from self._walk(item.items, repetition, place)
            if place.counts:
                yield place

    def _is_enabled(self, place: Place) -> bool:
        if place.parent is not None:
            if not self.enabled(place.parent):
                return False
            if place.parent.item.for_each:
                if place.repetition[len(place.parent.repetition)] not in self.slots(place.parent):
                    return False
            elif place.parent.item.type is not ItemType.GROUP and not self._values(place.parent):
                return False
        return not place.item.when or self._all_or_any(place.item.when, place.item.any_of, place)

    def _values(self, place: Place) -> list[Answer]:
        value = place.item.initial if place.item.read_only else self.answers.get(place.key)
        if isinstance(value, dict) and "so_far" in value:
            value = value["so_far"]
        if value is None or place.item.type in (ItemType.GROUP, ItemType.DISPLAY):
            return []
        return list(value) if isinstance(value, list) else [value]

    def _all_or_any(self, when: tuple[Condition, ...], any_of: bool, at: Place | None) -> bool:
        held = (self._holds(condition, at) for condition in when)
        return any(held) if any_of else all(held)

    def _holds(self, condition: Condition, at: Place | None) -> bool:
        if condition.score:
            score = next(one for one in self.questionnaire.scores if one.id == condition.score)
            scored = self._scored(score)
            return (scored.whole or condition.operator in GROWING) and compares(
                scored.value, condition.operator, condition.answer
            )
        values = [
            (place.item, value) for place in self._nearest(condition.question, at) for value in self._seen(place, at)
        ]
        if condition.operator == "exists":
            return bool(values) == condition.answer
        compared = [(comparable(item, value, condition.answer), condition.answer) for item, value in values]
        if condition.operator == "!=":
            if at is None and not compared:
                return False  # a red flag needs an answer
            return not any(compares(value, "=", answer) for value, answer in compared)
        return any(compares(value, condition.operator, answer) for value, answer in compared)

    def _nearest(self, question: str, at: Place | None) -> list[Place]:
        """The places of a question whose answers a condition at `at` sees: those of its own repetition."""
        asked = self._by_link_id.get(question, [])
        if at is None or not asked:
            return asked
        mine = [place.item.link_id for place in _around(at) if place.unfolds]
        theirs = [place.item.link_id for place in _around(asked[0]) if place.unfolds]
        shared = 0
        while shared < min(len(mine), len(theirs)) and mine[shared] == theirs[shared]:
            shared += 1
        here = at.repetition[:shared]
        if shared == len(theirs):  # there is one at most: looked up, as a form has a thousand places
            found = self._by_key.get(Place(asked[0].item, here).key)
            return [found] if found is not None else []
        return [place for place in asked if place.repetition[:shared] == here]

    def _seen(self, asked: Place, at: Place | None) -> list[Answer]:
        """Its answers, as a condition at `at` sees them: under one of several answers this one."""
        if at is None or not asked.item.for_each or asked.key not in {place.key for place in at.around()}:
            return self.values(asked)
        return self.slots(asked).get(at.repetition[len(asked.repetition)], []) if self.enabled(asked) else []

    def _scored(self, score: Score) -> Scored:
        value, whole = 0.0, True
        for link_id in score.link_ids:
            for place in self._by_link_id.get(link_id, ()):
                if not self.enabled(place):
                    continue
                given = self._values(place)
                counted = [counted_as(place.item, one) for one in given]
                value += sum(one for one in counted if one is not None)
                there = bool(counted) or place.extra
                weighed = not any(_unweighed(place.item, *pair) for pair in zip(given, counted, strict=True))
                whole = whole and there and weighed and not unfinished(self.answers.get(place.key))
        band = next((band for band in reversed(score.bands) if value >= band.least), None) if whole else None
        return Scored(score, value, whole, band)


def unfinished(value: Answer | None) -> bool:
    """Whether an answer of several was cut off."""
    return isinstance(value, dict) and "so_far" in value


def _unweighed(item: Item, value: Answer, counted: float | None) -> bool:
    """Whether nobody knows what an answer counts: own or spoken words, an option without a score. Of several that are
    ticked one without a score counts nothing."""
    return counted is None and (isinstance(value, dict) or not item.repeats)


def key_parts(key: str) -> tuple[str, tuple[int, ...]]:
    """Link id and repetition."""
    found = _REPETITION.search(key)
    if found is None:
        return key, ()
    return key[: found.start()], tuple(int(number) for number in found[1].split("."))


def _around(place: Place) -> list[Place]:
    """The places it is in, the farthest first."""
    return list(place.around())[::-1]


def _repetitions(answers: Answers) -> dict[str, list[tuple[int, ...]]]:
    """Link id → the repetitions that have an answer: nothing that was answered is hidden because nobody counted."""
    found: dict[str, list[tuple[int, ...]]] = {}
    for key, value in answers.items():
        link_id, repetition = key_parts(key)
        if repetition and value is not None:
            found.setdefault(link_id, []).append(repetition)
    return found
