"""The items of a questionnaire's file: read one by one, then judged together (conditions name other items)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from scripts import library
from scripts.answers import AnswerRefused, in_figures, validate_answer, validate_compared
from scripts.comparing import OPERATORS, ORDER
from scripts.each_answer import as_asked
from scripts.questionnaire import (
    CHOICES,
    FALLBACK,
    MOMENTS,
    NO_TEXT,
    NUMBERS,
    Answer,
    Condition,
    Item,
    ItemType,
    Option,
    Score,
    Text,
    every,
    unfolded,
)
from scripts.questionnaire_loops import loop
from scripts.verbalise import SPEECH
from scripts.yaml_lines import Field

_RANGE = ("minValue", "maxValue")
# Beside those that every item may have: what an item of each type may.
ITEM_KEYS: dict[ItemType, tuple[str, ...]] = {
    ItemType.GROUP: ("item", "repeats", "maxOccurs"),
    ItemType.DISPLAY: (),
    ItemType.BOOLEAN: (),
    ItemType.STRING: ("maxLength",),
    ItemType.TEXT: ("maxLength",),
    ItemType.URL: ("maxLength",),
    ItemType.INTEGER: (*_RANGE, "unit", "unitCoding"),
    ItemType.DECIMAL: (*_RANGE, "unit", "unitCoding"),
    ItemType.QUANTITY: (*_RANGE, "unit", "unitCoding"),
    ItemType.DATE: _RANGE,
    ItemType.TIME: _RANGE,
    ItemType.DATE_TIME: _RANGE,
    ItemType.CHOICE: ("answerOption",),
    ItemType.OPEN_CHOICE: ("answerOption", "maxLength"),
}
OF_QUESTIONS = ("item", "repeats", "maxOccurs", "normal", "initial", "readOnly", "hidden")
OF_ALL = ("required", "voice", "sms", "enableWhen", "enableBehavior")
MOST_DEEP = 12
MOST_UNFOLDED = 1000  # items under the answers of choices of several, if all are chosen: a form has all of them
_LOOKS_REPEATED = re.compile(r"@(?:[0-9]{1,4}(?:\.[0-9]{1,4})*)?\Z")


class Reading:
    """One file's items. `language`: the one that every text must have."""

    def __init__(self, language: str = FALLBACK) -> None:
        self._language = language
        self._lines: dict[str, int] = {}  # link id → where it stands
        self._conditions: list[tuple[Field, Mapping[str, Field], Condition]] = []
        self._when: dict[str, Field] = {}

    def text(self, field: Field) -> Text:
        by_language = {}
        for language, said in field.mapping((self._language,)).items():
            if language not in {*SPEECH, self._language}:
                said.wrong(f"language {language!r} is not known; known: {', '.join(SPEECH)}")
            by_language[language] = said.text()
        return Text(library.in_all(by_language))

    def items(self, field: Field, depth: int = 1) -> tuple[Item, ...]:
        if depth > MOST_DEEP:
            field.wrong(f"items stand in one another more than {MOST_DEEP} deep")
            return ()
        read = tuple(self._item(one, depth) for one in field.items())
        if depth == 1 and unfolded(read) - sum(1 for _ in every(read)) > MOST_UNFOLDED:
            field.wrong(f"under the answers of choices of several there are more than {MOST_UNFOLDED} items")
        return read

    def conditions(self, field: Field) -> tuple[Condition, ...]:
        return tuple(self.condition(one, one.mapping(("operator", "answer"), _NAMES)) for one in field.items())

    def condition(self, field: Field, fields: Mapping[str, Field]) -> Condition:
        """One condition from what names it; whether its question is there is judged when all are read."""
        named = [name for name in _NAMES if name in fields]
        if len(named) != 1:
            field.wrong("a condition is on a question or on a score: name one of them")
        if len(named) != 1 or "operator" not in fields or "answer" not in fields:
            return Condition("exists", True)
        operator, answer = fields["operator"].text(), fields["answer"].plain()
        condition = Condition(operator, answer, **{named[0]: fields[named[0]].text()})
        if operator not in OPERATORS:
            fields["operator"].wrong(f"operator '{operator}' is not known; allowed: {', '.join(OPERATORS)}")
        else:
            self._conditions.append((field, fields, condition))
        return condition

    def judge(self, items: tuple[Item, ...], scores: tuple[Score, ...]) -> None:
        """What conditions name must be there, take such an answer, and not hang on itself."""
        known = {item.link_id: item for item in every(items)}
        for _, fields, condition in self._conditions:
            if condition.score:
                _judge_score(fields, condition, {score.id for score in scores})
            else:
                _judge_question(fields, condition, known.get(condition.question))
        circle = loop(items, scores)
        if circle:
            self._when[circle[0]].wrong(f"conditions go in a circle: {' → '.join((*circle, circle[0]))}")

    def _item(self, field: Field, depth: int) -> Item:
        others = {key for keys in ITEM_KEYS.values() for key in keys} | set(OF_QUESTIONS)
        fields = field.mapping(("linkId", "type"), ("text", *OF_ALL, *others))
        link_id = self._link_id(field, fields)
        kind = _type(fields)
        allowed = {*ITEM_KEYS[kind], *(OF_QUESTIONS if kind not in (ItemType.GROUP, ItemType.DISPLAY) else ())}
        for name, value in fields.items():
            if name in others and name not in allowed:
                value.wrong(f"'{name}' means nothing for an item of type {kind}")
        if "text" not in fields and kind is not ItemType.GROUP:
            field.wrong("'text' is missing")
        inner = self.items(fields["item"], depth + 1) if "item" in fields else ()
        if kind is ItemType.GROUP and not inner:
            field.wrong("a group needs items")
        if "enableWhen" in fields:
            self._when[link_id] = fields["enableWhen"]
        item = Item(
            link_id=link_id,
            type=kind,
            text=self.text(fields["text"]) if "text" in fields else NO_TEXT,
            required=_flag(fields, "required"),
            repeats=_flag(fields, "repeats"),
            options=self._options(field, fields, kind),
            unit=fields["unit"].text_or_null() if "unit" in fields else None,
            max_length=_whole(fields, "maxLength"),
            most=_whole(fields, "maxOccurs"),
            read_only=_flag(fields, "readOnly"),
            hidden=_flag(fields, "hidden"),
            when=self.conditions(fields["enableWhen"]) if "enableWhen" in fields else (),
            any_of=any_of_all(fields, "enableBehavior"),
            items=inner,
            voice=self.text(fields["voice"]) if "voice" in fields else NO_TEXT,
            sms=self.text(fields["sms"]) if "sms" in fields else NO_TEXT,
            unit_coding=_texts(fields, "unitCoding"),
        )
        if kind is ItemType.QUANTITY and "unit" not in fields:
            field.wrong("a quantity needs a unit (null where it has none)")
        if item.hidden and not item.read_only:
            fields["hidden"].wrong("nobody could answer it: only what has 'readOnly: true' may be hidden")
        item = _with_range(item, fields)
        item = replace(item, initial=_answer(item, fields["initial"], "initial")) if "initial" in fields else item
        item = replace(item, normal=_answer(item, fields["normal"], "normal")) if "normal" in fields else item
        return as_asked(item)

    def _link_id(self, field: Field, fields: Mapping[str, Field]) -> str:
        link_id = fields["linkId"].text() if "linkId" in fields else ""
        if link_id in self._lines:
            before = self._lines[link_id]
            fields["linkId"].wrong(f"linkId '{link_id}' stands here a second time; it was on line {before}")
        if _LOOKS_REPEATED.search(link_id):
            fields["linkId"].wrong(f"linkId '{link_id}' ends as the key of a repetition does (@1, @): choose another")
        if len(link_id) > 255:
            fields["linkId"].wrong(f"linkId has {len(link_id)} letters; 255 are allowed")
        self._lines[link_id] = field.line
        return link_id

    def _options(self, field: Field, fields: Mapping[str, Field], kind: ItemType) -> tuple[Option, ...]:
        if "answerOption" not in fields:
            if kind in CHOICES:
                field.wrong(f"an item of type {kind} needs answerOption")
            return ()
        options: dict[str, Option] = {}
        for one in fields["answerOption"].items():
            parts = one.mapping(("code", "text"), ("exclusive", "score", "voice", "sms", "fhir"))
            code = parts["code"].text() if "code" in parts else ""
            if code in options:
                one.wrong(f"code '{code}' stands here a second time")
            fhir: Any = parts["fhir"].data() if "fhir" in parts else None
            options[code] = Option(
                code,
                self.text(parts["text"]) if "text" in parts else NO_TEXT,
                _flag(parts, "exclusive"),
                parts["score"].number() if "score" in parts else None,
                self.text(parts["voice"]) if "voice" in parts else NO_TEXT,
                fhir,
                self.text(parts["sms"]) if "sms" in parts else NO_TEXT,
            )
        least = 2 if kind is ItemType.CHOICE and not any(option.fhir for option in options.values()) else 1
        if len(options) < least:
            fields["answerOption"].wrong("a choice needs at least two options" if least == 2 else "has no options")
        return tuple(options.values())


_NAMES = ("question", "score")


def _judge_score(fields: Mapping[str, Field], condition: Condition, scores: Iterable[str]) -> None:
    if condition.score not in scores:
        fields["score"].wrong(f"there is no score '{condition.score}'")
    if condition.operator == "exists" or isinstance(condition.answer, bool | str):
        fields["answer"].wrong("a score is compared with a number")


def _judge_question(fields: Mapping[str, Field], condition: Condition, item: Item | None) -> None:
    named, operator, answer = fields["question"], condition.operator, condition.answer
    if item is None or item.type in (ItemType.GROUP, ItemType.DISPLAY):
        named.wrong(f"no question has linkId '{condition.question}'")
        return
    if operator == "exists":
        if not isinstance(answer, bool):
            fields["answer"].wrong("'exists' is compared with true or false")
        return
    by_score = any(option.score is not None for option in item.options) and _is_number(answer)
    if operator in ORDER and item.type not in NUMBERS | MOMENTS and not by_score:
        fields["operator"].wrong(
            f"'{operator}' compares numbers, dates, and options with a score; '{condition.question}' is of type "
            f"{item.type}"
        )
    elif not by_score:
        try:
            validate_compared(replace(item, required=True), operator, answer)
        except AnswerRefused as refusal:
            fields["answer"].wrong(f"this answer is never given: {refusal.allowed}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _type(fields: Mapping[str, Field]) -> ItemType:
    if "type" not in fields:
        return ItemType.STRING
    written = fields["type"].text()
    try:
        return ItemType(written)
    except ValueError:
        fields["type"].wrong(f"type '{written}' is not known; allowed: {', '.join(ItemType)}")
        return ItemType.STRING


def _with_range(item: Item, fields: Mapping[str, Field]) -> Item:
    ends = [fields[name] for name in _RANGE if name in fields]
    if not ends or item.type not in NUMBERS | MOMENTS:
        return item
    if item.type in NUMBERS:
        low, high = (fields[name].number() if name in fields else None for name in _RANGE)
        if low is not None and high is not None and low >= high:
            fields["maxValue"].wrong(f"maxValue {in_figures(high)} is not above minValue {in_figures(low)}")
        return replace(item, minimum=low, maximum=high)
    first, last = (_moment(item, fields[name]) if name in fields else None for name in _RANGE)
    if first and last and first >= last:
        fields["maxValue"].wrong(f"maxValue {last} is not after minValue {first}")
    return replace(item, earliest=first, latest=last)


def _moment(item: Item, field: Field) -> str | None:
    kept = _answer(item, field, "the limit") if field.is_text else None
    if not isinstance(kept, str):
        field.wrong("a date or time in quotes is expected, such as '2026-11-23'")
        return None
    return kept


def _answer(item: Item, field: Field, what: str) -> Answer | None:
    try:
        return validate_answer(item, field.data())
    except AnswerRefused as refusal:
        field.wrong(f"{what}: {refusal.allowed}")
    return None


def any_of_all(fields: Mapping[str, Field], name: str) -> bool:
    if name not in fields:
        return False
    written = fields[name].text()
    if written not in ("any", "all"):
        fields[name].wrong(f"'{written}' is not known; allowed: any, all")
    return written == "any"


def _flag(fields: Mapping[str, Field], name: str) -> bool:
    return fields[name].flag() if name in fields else False


def _whole(fields: Mapping[str, Field], name: str) -> int | None:
    if name not in fields:
        return None
    number = fields[name].number()
    if number < 1 or number != int(number):
        fields[name].wrong("a whole number from 1 on is expected")
        return None
    return int(number)


def _texts(fields: Mapping[str, Field], name: str) -> Mapping[str, str] | None:
    return {key: value.text() for key, value in fields[name].mapping().items()} if name in fields else None
