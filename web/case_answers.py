"""The answers of a survey that have opened a case, as whoever sees it through reads them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from hospital import answer_rules, followups
from scripts.filling import Filling, Place
from scripts.questionnaire import Item
from scripts.questionnaire_files import kept
from scripts.words_between import About, Repetition, leads


@dataclass(frozen=True)
class Told:
    """A question and what was answered; `own`: in the patient's own words, in their language."""

    question: str
    answer: str
    own: bool


def answers_of(session: Session, case_id: UUID) -> list[Told]:
    """None where no answers have opened it."""
    task = answer_rules.task_of_case(session, case_id)
    if task is None:
        return []
    filling = Filling(kept(task.questionnaire.body), followups.answers(session, task.id))
    return [
        _told(for_which(filling, place) + place.item.text.of("en").text, place.item, value)
        for place in filling.asked()
        for value in filling.values(place)
        if value is not None
    ]


def for_which(filling: Filling, place: Place) -> str:
    """For which of several answers or repetitions it was asked: "Fever: ", "Answer 2: ", "Medicine 2: ", or nothing."""
    return "".join(f"{_named(one)}: " for _, one in leads(filling, place) if not isinstance(one, Item))


def _named(one: About | Repetition) -> str:
    if isinstance(one, Repetition):
        return f"{one.group.item.text.of('en').text if one.group.item.text else 'No.'} {one.number}"
    if one.number:
        return f"Answer {one.number}"
    return one.answer.text.of("en").text if one.answer else "Their own words"


def _told(question: str, item: Item, value: Any) -> Told:
    if isinstance(value, bool):
        return Told(question, "Yes" if value else "No", False)
    if isinstance(value, dict):
        spoken = "voice" in value
        return Told(question, f"spoken: case {value['voice']}" if spoken else str(value.get("text", "")), not spoken)
    option = item.option(value) if isinstance(value, str) else None
    if option is not None:
        return Told(question, option.text.of("en").text, False)
    return Told(question, str(value), isinstance(value, str))
