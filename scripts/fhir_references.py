"""What of a FHIR item refers to other items or to its own answers: conditions, suggestions. Judged by the items that
were made; who hangs on something that was left out is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from scripts.answers import AnswerRefused, validate_answer, validate_compared
from scripts.comparing import OPERATORS, ORDER
from scripts.fhir_items import Gathered
from scripts.fhir_options import whole_numbers
from scripts.fhir_parts import WALL, Part, clean, given, of_another_unit, our_link_id, value_of, zoned
from scripts.questionnaire import MOMENTS, NO_QUESTIONS, NO_TEXT, NUMBERS, Item, Questionnaire

NEVER = "such an answer is never given"


class References:
    """`made`: the questionnaire without any."""

    def __init__(self, gathered: Gathered, made: Questionnaire) -> None:
        self._all, self._made = gathered, made
        self._judged: dict[str, tuple[set[str], tuple[list[dict[str, Any]], bool]]] = {}

    def items(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Items with their conditions and suggestions. Who hangs on something left out is left out."""
        kept = items
        while True:
            gone = len(self._all.gone)
            kept = [one for item in kept if (one := self._referring(item)) is not None]
            if len(self._all.gone) == gone:
                return kept

    def _referring(self, item: dict[str, Any]) -> dict[str, Any] | None:
        link_id = item["linkId"]
        if link_id in self._all.gone:
            return None
        one, whole = self._all.sources[link_id], dict(item)
        if "initial" not in whole and (one.parts("initial") or link_id in self._all.selected):
            self._with_initial(one, whole, self._made.by_link_id[link_id])
        terms = one.parts("enableWhen")
        if terms:
            conditions, never = self._conditions_of(link_id, one, terms)
            if never:
                self._all.leave(one, link_id, "it would never be asked")
                return None
            whole.pop("enableWhen", None)
            if conditions:
                whole["enableWhen"] = conditions
                whole["enableBehavior"] = one.text("enableBehavior") or "all"
        if "item" in whole:
            whole["item"] = [kept for inner in whole["item"] if (kept := self._referring(inner)) is not None]
            if not whole["item"]:
                del whole["item"]
                if whole["type"] == "group":
                    self._all.leave(one, link_id, "nothing in it can be asked")
                    return None
        return whole

    def _conditions_of(self, link_id: str, one: Part, terms: list[Part]) -> tuple[list[dict[str, Any]], bool]:
        """As when they were judged last, unless something that they ask has been left out since."""
        asked, judged = self._judged.get(link_id, (None, None))
        if asked is None or judged is None or not asked.isdisjoint(self._all.gone):
            judged = self._conditions(one, terms)
            asked = {our_link_id(str(term.part("question"))) for term in terms} - self._all.gone
            self._judged[link_id] = asked, judged
        return judged

    def _conditions(self, one: Part, terms: list[Part]) -> tuple[list[dict[str, Any]], bool]:
        """The conditions that can be represented, and whether without the others it would never be asked."""
        behavior = one.text("enableBehavior")
        if behavior not in (None, "any", "all"):
            one.wrong(f"enableBehavior '{behavior}' is not known; allowed: any, all")
        found, lost, always = [], 0, 0
        for term in terms:
            question, operator = our_link_id(term.text("question") or ""), term.text("operator") or ""
            if operator not in OPERATORS:
                term.wrong(f"operator '{operator[:20]}' is not known; allowed: {', '.join(OPERATORS)}")
            elif question not in self._all.paths:
                term.wrong(f"question: no item has linkId '{question[:60]}'")
            else:
                condition, why = self._condition(term, question, operator)
                if condition is not None:
                    found.append(condition)
                elif why == NEVER and operator == "!=":
                    always += 1
                else:
                    lost += 1
                    self._all.note(f"{term.path}: {why}")
        if always and behavior == "any":
            return [], False
        return found, bool(lost) and (behavior != "any" or not found)

    def _condition(self, term: Part, question: str, operator: str) -> tuple[dict[str, Any] | None, str]:
        item = self._made.by_link_id.get(question)
        if term.part("modifierExtension"):
            return None, "a modifierExtension changes what it means"
        if question in self._all.gone or item is None:
            return None, f"the question '{question[:60]}' was left out"
        if item.type in NO_QUESTIONS:
            return None, f"'{question[:60]}' is no question"
        answer: Any = value_of(term.value, "answer")
        if operator == "exists":
            return {"question": question, "operator": operator, "answer": answer is not False}, ""
        if of_another_unit(answer, item.unit, item.unit_coding):
            return None, f"its unit is not the one in which '{question[:60]}' is answered"
        if operator in ORDER and whole_numbers(item) and type(answer) is int:
            return {"question": question, "operator": operator, "answer": answer}, ""
        written, answer = answer, self._given(item, answer)
        if operator in ORDER and item.type not in NUMBERS | MOMENTS:
            return None, f"'{operator}' has no meaning for type {item.type}"
        try:
            value = validate_compared(replace(item, required=True, repeats=False), operator, answer)
        except AnswerRefused:
            partial = operator != "!=" and item.type in MOMENTS and not _full(item, answer)
            return None, f"its answer is no full {item.type}" if partial else NEVER
        if zoned(item.type, written):
            self._all.note(f"{term.path}: {WALL}")
        if isinstance(value, dict):
            value = value.get("text")
        return {"question": question, "operator": operator, "answer": value}, ""

    def _given(self, item: Item, value: Any) -> Any:
        """A value of theirs as an answer of ours: of a choice its code. A coding that names no system means the one
        option that has its code."""
        if not item.options or isinstance(value, bool):
            return given(item.type, value)
        codes = self._all.codes[item.link_id]
        if not isinstance(value, Mapping):
            written = clean(str(value))
            return codes.get(("", written), written)
        if "code" not in value:
            return given(item.type, value)
        system, code = str(value.get("system", "")), str(value["code"])
        alike = [ours for (_, theirs), ours in codes.items() if theirs == code]
        return alike[0] if not system and len(alike) == 1 else codes.get((system, code))

    def _with_initial(self, one: Part, whole: dict[str, Any], item: Item) -> None:
        values: list[Any] = list(self._all.selected.get(item.link_id, ()))
        place = "answerOption" if values else "initial"
        for part in one.parts("initial"):
            value: Any = value_of(part.value)
            another = of_another_unit(value, item.unit, item.unit_coding)
            values.append(None if another else self._given(item, value))
        try:
            repeats = bool(whole.get("repeats"))
            whole["initial"] = validate_answer(
                replace(item, required=True, repeats=repeats), values if repeats or values[1:] else values[0]
            )
        except (AnswerRefused, ValueError):
            self._all.note(f"{one.path}.{place}: such an answer is never given; it is not suggested")


def _full(item: Item, moment: Any) -> bool:
    """Whether a date or time is one to the day, to the minute; R4 allows a year or a month alone."""
    try:
        validate_answer(Item("", item.type, NO_TEXT), moment)
    except AnswerRefused:
        return False
    return True
