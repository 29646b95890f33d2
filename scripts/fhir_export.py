"""A questionnaire of ours as a FHIR R4 Questionnaire, with the extensions that the import reads.

FHIR has no place for red flags, answer rules, scores and conditions on them, what only a voice or a text message says,
what the nurse reads aloud, and the normal answers: `left_out` names the first five, so that nobody takes the file for
the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scripts.each_answer import as_written
from scripts.fhir_items import HIDDEN
from scripts.fhir_options import EXCLUSIVE, ORDINAL, whole_numbers
from scripts.fhir_parts import SDC, STRUCTURE, TRANSLATION, canonical, their_link_id
from scripts.fhir_response import exact, unit_of
from scripts.questionnaire import (
    NUMBERS,
    Answer,
    Condition,
    Item,
    ItemType,
    Option,
    Questionnaire,
    Text,
)

_VALUE = {
    ItemType.BOOLEAN: "Boolean",
    ItemType.STRING: "String",
    ItemType.TEXT: "String",
    ItemType.URL: "Uri",
    ItemType.INTEGER: "Integer",
    ItemType.DECIMAL: "Decimal",
    ItemType.DATE: "Date",
    ItemType.TIME: "Time",
    ItemType.DATE_TIME: "DateTime",
}


@dataclass(frozen=True)
class Exported:
    resource: dict[str, Any]
    left_out: tuple[str, ...]


def as_fhir(asked: Questionnaire, version: int, changed: bool = False) -> Exported:
    """`version`: of ours. `changed`: it was made here of what has the version of its canonical name."""
    return _Export(asked, asked.language).run(version, changed)


class _Export:
    def __init__(self, asked: Questionnaire, language: str) -> None:
        self._asked, self._language = asked, language
        self._left_out: list[str] = []

    def run(self, version: int, changed: bool) -> Exported:
        asked = self._asked
        url, named = canonical(asked.url, asked.id, version, changed)
        resource: dict[str, Any] = {
            "resourceType": "Questionnaire",
            "id": asked.id,
            "language": self._language,
            "url": url,
            "version": named or str(version),
            "status": "active",
            "subjectType": ["Patient"],
            **self._texts("title", asked.title),
            "item": [self._item(item) for item in asked.items],
        }
        self._left_out += [f"red flag {flag.id}" for flag in asked.red_flags]
        self._left_out += [f"score {score.id}" for score in asked.scores]
        self._left_out += [f"answer rule {rule.change.rule}" for rule in asked.rules]
        return Exported(resource, tuple(self._left_out))

    def _texts(self, name: str, text: Text) -> dict[str, Any]:
        if not text:
            return {}
        base = text.of(self._language)
        others = [
            {
                "url": TRANSLATION,
                "extension": [{"url": "lang", "valueCode": tag}, {"url": "content", "valueString": said}],
            }
            for tag, said in text.by_language.items()
            if tag != base.language
        ]
        return {name: base.text, **({f"_{name}": {"extension": others}} if others else {})}

    def _item(self, item: Item) -> dict[str, Any]:
        item = as_written(item)
        made: dict[str, Any] = {
            "linkId": their_link_id(item.link_id),
            "type": str(item.type),
            **self._texts("text", item.text),
        }
        flags = {"required": item.required, "repeats": item.repeats, "readOnly": item.read_only}
        made |= {name: True for name, value in flags.items() if value}
        if item.max_length:
            made["maxLength"] = item.max_length
        if extensions := _extensions(item):
            made["extension"] = extensions
        when = [one for condition in item.when if (one := self._condition(item, condition)) is not None]
        if when:
            made["enableWhen"] = when
        if len(when) > 1:
            made["enableBehavior"] = "any" if item.any_of else "all"
        initial = item.initial if isinstance(item.initial, list) else [] if item.initial is None else [item.initial]
        if item.options:
            made["answerOption"] = [self._option(option, option.code in initial) for option in item.options]
        elif initial:
            made["initial"] = [_value("value", item, one) for one in initial]
        if item.items:
            made["item"] = [self._item(one) for one in item.items]
        only_said = [name for name, has in (("voice", item.voice), ("sms", item.sms)) if has]
        for option in item.options:
            ways = (("voice", option.voice), ("sms", option.sms))
            only_said += [f"{name} ({option.code})" for name, has in ways if has]
        self._left_out += [f"{item.link_id}: its {name} wording" for name in only_said]
        return made

    def _option(self, option: Option, initial: bool) -> dict[str, Any]:
        made: dict[str, Any] = dict(option.fhir or {"valueCoding": {"code": option.code}})
        if "valueCoding" in made:
            made["valueCoding"] = {**made["valueCoding"], **self._texts("display", option.text)}
        elif "valueString" in made:
            made = {**self._texts("valueString", option.text), **made}
        extensions = []
        if option.score is not None and option.score != made.get("valueInteger"):
            extensions.append({"url": ORDINAL[0], "valueDecimal": option.score})
        if option.exclusive:
            extensions.append({"url": EXCLUSIVE, "valueBoolean": True})
        return made | ({"extension": extensions} if extensions else {}) | ({"initialSelected": True} if initial else {})

    def _condition(self, item: Item, condition: Condition) -> dict[str, Any] | None:
        about = self._asked.by_link_id.get(condition.question)
        number = isinstance(condition.answer, int | float) and not isinstance(condition.answer, bool)
        made = {"question": their_link_id(condition.question), "operator": condition.operator}
        if about is not None and number and whole_numbers(about):
            return made | {"answerInteger": condition.answer}
        if about is None or (about.options and number and condition.operator != "exists"):
            self._left_out.append(f"{item.link_id}: its condition on a score; without it, it is asked always")
            return None
        if condition.operator == "exists":
            return made | {"answerBoolean": condition.answer}
        return made | _value("answer", about, condition.answer)


def _value(prefix: str, item: Item, value: Answer) -> dict[str, Any]:
    """value[x] or answer[x]."""
    if item.options and isinstance(value, str) and (option := item.option(value)) is not None:
        fhir: Mapping[str, Any] = option.fhir or {"valueCoding": {"code": value}}
        return {prefix + name.removeprefix("value"): one for name, one in fhir.items()}
    if item.type is ItemType.QUANTITY:
        return {f"{prefix}Quantity": {"value": exact(value), **unit_of(item)}}
    if isinstance(value, dict):
        return {f"{prefix}String": value.get("text", "")}
    return {prefix + _VALUE.get(item.type, "String"): value}


def _extensions(item: Item) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"url": HIDDEN, "valueBoolean": True}] if item.hidden else []
    numbers = (("min", item.minimum), ("max", item.maximum))
    for name, limit in numbers if item.type in NUMBERS else ():
        if limit is not None and item.type is ItemType.QUANTITY:
            found.append({"url": f"{SDC}{name}Quantity", "valueQuantity": {"value": exact(limit), **unit_of(item)}})
        elif limit is not None:
            kind = "Integer" if item.type is ItemType.INTEGER else "Decimal"
            found.append({"url": f"{STRUCTURE}{name}Value", f"value{kind}": int(limit) if kind == "Integer" else limit})
    for name, moment in (("min", item.earliest), ("max", item.latest)):
        if moment is not None:
            found.append({"url": f"{STRUCTURE}{name}Value", f"value{_VALUE.get(item.type, 'String')}": moment})
    if item.unit:
        known = {name: said for name, said in unit_of(item).items() if name != "unit"}
        coding = {**(known if item.unit_coding is None else item.unit_coding), "display": item.unit}
        found.append({"url": STRUCTURE + "questionnaire-unit", "valueCoding": coding})
    if item.repeats and item.most:
        found.append({"url": STRUCTURE + "questionnaire-maxOccurs", "valueInteger": item.most})
    return found
