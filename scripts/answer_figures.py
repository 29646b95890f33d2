"""What many answers to one version of a questionnaire come to: figures for each question. Pure.

Rules: a figure names what it is of. A question is *put* to whom it applies (its conditions hold); of these it was
answered, left out, or never reached because the call ended before. Shares of answers are of those who answered; where
several may be chosen they come to more than the whole. A group that repeats counts once for each repetition, and
what stands under a question of several answers once for each.

Who has no right to the records sees no small figures, however much few people have said: one of one to four is told as
"fewer than five", and where only one in a row would be hidden the next smallest is hidden with it, as the rest would
give it away. A question that fewer than five people answered shows nothing of what they said, and the extremes of
numbers, which are one person's, are not shown at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean, median
from typing import Any

from scripts.filling import Filling, unfinished
from scripts.questionnaire import CHOICES, NUMBERS, Answers, Item, ItemType, Questionnaire

FEW = 5
BINS = 12
OTHER, SPOKEN = "\0other", "\0spoken"  # codes that no option has


@dataclass(frozen=True)
class Bar:
    """`count` None: hidden, it is of fewer than five people. `low` and `high`: of a span of numbers."""

    code: str
    count: int | None
    low: float = 0
    high: float = 0


@dataclass(frozen=True)
class Numbers:
    """`least` and `most` None: hidden."""

    mean: float
    middle: float
    least: float | None
    most: float | None


@dataclass(frozen=True)
class Figures:
    """One question. put = answered + left_out + not_reached, by `people` where each of them answers several times.
    `hidden`: too few answered for this reader; of its counts then only whether they are none is told. `words`: index of
    the response and what was said in it."""

    item: Item
    kind: str  # choice, yes_no, numbers, words
    put: int
    answered: int
    left_out: int
    not_reached: int
    bars: tuple[Bar, ...] = ()
    numbers: Numbers | None = None
    words: tuple[tuple[int, str], ...] = field(default=(), repr=False)
    hidden: bool = False
    people: int = 0

    @property
    def most(self) -> int:
        """The longest bar."""
        return max((bar.count or 0 for bar in self.bars), default=0)

    def share(self, bar: Bar) -> float | None:
        return bar.count / self.answered if bar.count is not None and self.answered else None


@dataclass
class _Heard:
    put: int = 0
    left_out: int = 0
    not_reached: int = 0
    values: list[tuple[int, list[Any]]] = field(default_factory=list)


def figures(questionnaire: Questionnaire, responses: Sequence[Answers]) -> list[Figures]:
    """For each question, in the order in which they are asked."""
    heard = {item.link_id: _Heard() for item in questionnaire.questions()}
    for number, answers in enumerate(responses):
        filling = Filling(questionnaire, answers)
        for place in filling.asked():
            one = heard[place.item.link_id]
            values = [] if unfinished(answers.get(place.key)) else filling.values(place)
            if place.extra and not values:
                continue
            one.put += 1
            if values:
                one.values.append((number, values))
            elif place.key in answers and answers[place.key] is None:
                one.left_out += 1
            else:
                one.not_reached += 1
    return [_figures(item, heard[item.link_id]) for item in questionnaire.questions()]


def _figures(item: Item, heard: _Heard) -> Figures:
    people = len({number for number, _ in heard.values})
    made = Figures(item, "words", heard.put, len(heard.values), heard.left_out, heard.not_reached, people=people)
    if item.type in CHOICES:
        return replace(made, kind="choice", bars=_options(item, heard), words=_words(item, heard))
    if item.type is ItemType.BOOLEAN:
        counts = [("yes", True), ("no", False)]
        bars = tuple(Bar(code, sum(value in values for _, values in heard.values)) for code, value in counts)
        return replace(made, kind="yes_no", bars=bars)
    if item.type in NUMBERS:
        told = [float(value) for _, values in heard.values for value in values if _is_number(value)]
        if told:
            numbers = Numbers(fmean(told), median(told), min(told), max(told))
            return replace(made, kind="numbers", bars=_histogram(told), numbers=numbers)
        return replace(made, kind="numbers")
    return replace(made, words=_words(item, heard))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _options(item: Item, heard: _Heard) -> tuple[Bar, ...]:
    chosen = [{_code(value) for value in values} for _, values in heard.values]
    codes = [option.code for option in item.options]
    if item.type is ItemType.OPEN_CHOICE:
        codes += [OTHER, SPOKEN] if any(SPOKEN in one for one in chosen) else [OTHER]
    return tuple(Bar(code, sum(code in one for one in chosen)) for code in codes)


def _code(value: Any) -> str:
    if isinstance(value, dict):
        return SPOKEN if "voice" in value else OTHER
    return str(value)


def _words(item: Item, heard: _Heard) -> tuple[tuple[int, str], ...]:
    """Free words, dates and times as they were told; of a choice what was said beside its options."""
    found = []
    for number, values in heard.values:
        for value in values:
            if isinstance(value, dict):
                told = str(value["text"]) if "text" in value else f"case {value.get('voice')}"
                found.append((number, told))
            elif item.type not in CHOICES:
                found.append((number, str(value)))
    return tuple(found)


def _histogram(told: Sequence[float]) -> tuple[Bar, ...]:
    """Whole numbers in a narrow span one by one, else spans of equal, round width."""
    low, high = min(told), max(told)
    if all(value.is_integer() for value in told) and high - low < BINS:
        return tuple(Bar(f"{value:g}", told.count(value), value, value) for value in map(float, _span(low, high)))
    width = _round_width((high - low) / BINS)
    start = math.floor(low / width + 1e-9) * width
    count = math.floor((high - start) / width + 1e-9) + 1
    counts = [0] * count
    for value in told:
        counts[min(count - 1, math.floor((value - start) / width + 1e-9))] += 1
    edges = [(start + at * width, start + (at + 1) * width) for at in range(count)]
    return tuple(Bar(f"{a:g} to {b:g}", one, a, b) for (a, b), one in zip(edges, counts, strict=True))


def _span(low: float, high: float) -> range:
    return range(int(low), int(high) + 1)


def _round_width(least: float) -> float:
    """1, 2 or 5 times a power of ten, not less than `least`."""
    power = 10.0 ** math.floor(math.log10(least)) if least > 0 else 1.0
    return next(step * power for step in (1, 2, 5, 10) if step * power >= least * (1 - 1e-9))


def for_who_has_no_right(all_figures: Iterable[Figures]) -> list[Figures]:
    """The same without what would tell of single people."""
    return [_safe(one) for one in all_figures]


def _safe(one: Figures) -> Figures:
    if one.people < FEW:
        return replace(one, bars=(), numbers=None, words=(), hidden=True)
    numbers = replace(one.numbers, least=None, most=None) if one.numbers else None
    return replace(one, bars=_without_few(one.bars), numbers=numbers, words=())


def _without_few(bars: tuple[Bar, ...]) -> tuple[Bar, ...]:
    """Nothing is hidden where nothing is small."""
    few = [bar for bar in bars if bar.count is not None and 0 < bar.count < FEW]
    if not few:
        return bars
    hidden = {bar.code for bar in few}
    if len(few) == 1:
        others = sorted((bar for bar in bars if bar.count and bar.code not in hidden), key=lambda bar: bar.count or 0)
        hidden |= {bar.code for bar in others[:1]}
    return tuple(replace(bar, count=None) if bar.code in hidden else bar for bar in bars)


def hide_few(counts: Mapping[str, int]) -> dict[str, int | None]:
    """Parts of a whole for who has no right to the records; None: hidden."""
    return {bar.code: bar.count for bar in _without_few(tuple(Bar(code, count) for code, count in counts.items()))}


def few(count: int) -> str:
    """A count of people for who has no right to the records."""
    return f"fewer than {FEW}" if 0 < count < FEW else str(count)
