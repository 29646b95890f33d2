"""One question of a questionnaire as the page of a link shows it, and what a form's fields mean there. Pure.

Rules: a question has a page of its own, numbered by its place among all of them, so that a browser's way back leads to
the one before. What was answered is never shown again: whoever opens the link later learns nothing of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from scripts import vocabulary, words_between
from scripts.answers import AnswerRefused, in_figures, validate_answer
from scripts.filling import Filling, Place, unfinished
from scripts.questionnaire import CHOICES, MOMENTS, NUMBERS, Answer, Item, ItemType
from scripts.words_between import Words
from speech.ears import red_flags
from web.answer_fields import OTHER, typed

SCALE = 10  # a span of whole numbers up to this is chosen, not typed
YES, NO = "true", "false"


class NotUnderstood(ValueError):
    """What was sent is no answer to its question; `key`: the sentence that says what would be."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True)
class Shown:
    """`number`: in the page's address; `before`: that of the page before, if any. `counted` of `total` is how far it
    is. `leads`: words that stand before the question. `again`: it was answered already. `last`: nothing else is open.
    `problem`: the sentence's key about what was `typed` and is no answer."""

    place: Place
    number: int
    before: int | None
    counted: int
    total: int
    leads: Sequence[Words]
    again: bool
    last: bool
    problem: str = ""
    typed: Sequence[str] = field(default=(), repr=False)
    free: str = field(default="", repr=False)

    @property
    def item(self) -> Item:
        return self.place.item

    @property
    def kind(self) -> str:
        """How it is answered: yes_no, one, some, scale, number, lines, date, time, moment, text, line."""
        item = self.item
        if self.place.counts or item.type is ItemType.BOOLEAN:
            return "yes_no"
        if item.type in CHOICES:
            return "some" if item.repeats else "one"
        if item.repeats:
            return "lines"
        if item.type in NUMBERS:
            return "scale" if scale(item) else "number"
        kinds = {ItemType.DATE: "date", ItemType.TIME: "time", ItemType.DATE_TIME: "moment", ItemType.TEXT: "text"}
        return kinds.get(item.type, "line")

    @property
    def span(self) -> str:
        """What a number may be, in figures: 0–300 mmHg."""
        low, high = self.item.minimum, self.item.maximum
        told = f"{in_figures(low)}–{in_figures(high)}" if low is not None and high is not None else ""
        return " ".join(part for part in (told, self.item.unit) if part)

    @property
    def numbers(self) -> range:
        return scale(self.item) or range(0)

    @property
    def optional(self) -> bool:
        return not (self.item.required or self.place.counts)


def scale(item: Item) -> range | None:
    """The numbers to choose from; None where they are typed."""
    if item.type is not ItemType.INTEGER or item.minimum is None or item.maximum is None:
        return None
    low, high = int(item.minimum), int(item.maximum)
    return range(low, high + 1) if 0 < high - low <= SCALE else None


def stops(filling: Filling) -> list[Place]:
    """All that has a page, asked now or not: their places are the pages' numbers, from 1 on."""
    return [place for place in filling.places if place.item.asks or place.counts]


def number_of(filling: Filling, place: Place) -> int:
    return 1 + [one.key for one in stops(filling)].index(place.key)


def show(filling: Filling, number: int) -> Shown | None:
    """The page of that number; None where there is none, or it is not asked now."""
    pages = stops(filling)
    if not 1 <= number <= len(pages) or not filling.enabled(pages[number - 1]):
        return None
    place = pages[number - 1]
    asked = [one for one in pages if filling.enabled(one)]
    at = [one.key for one in asked].index(place.key)
    value = filling.answers.get(place.key)
    return Shown(
        place,
        number,
        number_of(filling, asked[at - 1]) if at else None,
        at + 1,
        len(asked),
        [one for _, one in words_between.before(filling, place)],
        place.key in filling.answers and not unfinished(value),
        not any(filling.open(one) for one in asked if one.key != place.key),
    )


def meant(filling: Filling, place: Place, values: list[str], free: str) -> Answer | None:
    """The value to be kept, None for left out. Raises NotUnderstood."""
    item = place.item
    if place.counts:
        if values not in ([YES], [NO]):
            raise NotUnderstood("page_choose")
        times = filling.times(place)
        return {"so_far": times + 1} if values == [YES] else times
    try:
        return validate_answer(item, typed(item, values, free))
    except AnswerRefused:
        raise NotUnderstood(_hint(item, values, free)) from None


def _hint(item: Item, values: Sequence[str], free: str) -> str:
    if item.type in CHOICES or item.type is ItemType.BOOLEAN or scale(item):
        return "page_words" if OTHER in values and not free.strip() else "page_choose"
    if item.type in NUMBERS:
        return "page_number"
    if item.type in MOMENTS:
        return "page_moment"
    return "page_too_long" if "".join(values).strip() else "page_words"


def alarms(value: Any) -> bool:
    """Whether words of a patient's own name what must reach a person at once, in any language that we know."""
    return any(red_flags.written(said, vocabulary.alarms()) for said in _own_words(value))


def _own_words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _own_words(value.get("text"))
    elif isinstance(value, list):
        for one in value:
            yield from _own_words(one)
