"""One question as it is being asked by telephone: what is said for it, and how an answer to it is saved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ivr.call import Call, Prompt
from scripts.filling import Place
from scripts.placeholders import Value
from scripts.questionnaire import Answer, Item, Option

if TYPE_CHECKING:
    from ivr.dialogues.survey import Sitting

SKIP = 6
TRIES = 3


@dataclass(frozen=True)
class Question:
    """`before`: the answers given so far, of an item that repeats."""

    sitting: Sitting
    place: Place
    before: tuple[Answer, ...] = field(default=(), repr=False)

    @property
    def item(self) -> Item:
        return self.place.item

    @property
    def call(self) -> Call:
        return self.sitting.call

    # What is said

    @property
    def statement(self) -> list[Prompt]:
        return statement(self.item)

    @property
    def optional(self) -> bool:
        """Whether it may be left out; not by who has just said that there is another answer."""
        return not (self.item.required or self.place.extra)

    @property
    def skip(self) -> list[Prompt]:
        return [Prompt("survey_skip", key=SKIP)] if self.optional else []

    @property
    def skip_key(self) -> str:
        return str(SKIP) if self.optional else ""

    # What is saved

    async def save(self, value: Answer | None) -> None:
        """Leaves for a person where it raises a red flag."""
        await self.sitting.save(self.place, self._whole(value))

    async def write(self, value: Answer | None) -> None:
        """The same for a caller who may have left: nothing is said."""
        await self.sitting.write(self.place, self._whole(value))

    def cut_off(self) -> tuple[list[Answer], list[str]]:
        """What was given of several so far, and which options were asked."""
        value = self.sitting.given(self.place)
        if isinstance(value, dict) and "so_far" in value:
            return list(value["so_far"]), list(value.get("asked", []))
        return [], []

    def _whole(self, value: Answer | None) -> Answer | None:
        """Of an item that repeats: with those before it."""
        if not self.item.repeats:
            return value
        return {"so_far": [*self.before, *([value] if value is not None else [])]}


def statement(item: Item) -> list[Prompt]:
    return [Prompt("survey_statement", asked=item.said.by_language)]


def said(option: Option) -> Value:
    return option.said.by_language


async def whether(call: Call, question: str) -> bool:
    return await call.menu(question, keys="12") == "1"
