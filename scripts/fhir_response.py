"""Answers as a FHIR R4 QuestionnaireResponse: nested as the questionnaire is, groups that repeat once for each time,
what stands under a question of several answers once for each.

https://hl7.org/fhir/R4/questionnaireresponse.html. Only what is enabled is in it. A time of day has the site's zone,
because FHIR's dateTime needs one. What was spoken is told by the number of the case that holds the recording.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from scripts.fhir_parts import their_link_id
from scripts.filling import Filling, Place
from scripts.questionnaire import CHOICES, Answer, Item, ItemType

_VALUE = {
    ItemType.BOOLEAN: "valueBoolean",
    ItemType.STRING: "valueString",
    ItemType.TEXT: "valueString",
    ItemType.URL: "valueUri",
    ItemType.INTEGER: "valueInteger",
    ItemType.DECIMAL: "valueDecimal",
    ItemType.DATE: "valueDate",
    ItemType.TIME: "valueTime",
}
UCUM = "http://unitsofmeasure.org"
CODES = {"°C": "Cel", "mmHg": "mm[Hg]"}  # units of ours that UCUM writes otherwise


def response(
    filling: Filling,
    *,
    id: str,
    status: str,
    canonical: str,
    subject: str,
    authored: dt.datetime,
    zone: dt.tzinfo,
    language: str,
) -> dict[str, Any]:
    """`status`: in-progress, completed or stopped; `canonical` names the questionnaire in its version; `subject` is a
    reference such as Patient/…; `language` is that of the texts."""
    writing = _Writing(filling, zone, language, whole=status == "completed")
    items = writing.items(filling.questionnaire.items, (), None)
    return {
        "resourceType": "QuestionnaireResponse",
        "id": id,
        "language": language,
        "questionnaire": canonical,
        "status": status,
        "subject": {"reference": subject},
        "authored": authored.astimezone(zone).isoformat(timespec="seconds"),
        **({"item": items} if items else {}),
    }


class _Writing:
    def __init__(self, filling: Filling, zone: dt.tzinfo, language: str, whole: bool) -> None:
        self._filling, self._zone, self._language, self._whole = filling, zone, language, whole

    def items(self, items: Iterable[Item], repetition: tuple[int, ...], parent: Place | None) -> list[dict[str, Any]]:
        return [made for item in items for made in self._item(Place(item, repetition, parent))]

    def _item(self, place: Place) -> list[dict[str, Any]]:
        if not self._filling.enabled(place) or place.item.type is ItemType.DISPLAY:
            return []
        head = self._head(place.item)
        nothing = [head] if place.item.required and self._whole else []  # a group that must be there, all left out
        if place.counts:
            times = range(1, self._filling.times(place) + 1)
            if place.item.of_answers:
                given = [self._answers(Place(place.item.inside(at)[0], (*place.repetition, at), place)) for at in times]
                answers = [answer for one in given for answer in one]
                return [{**self._head(place.item.items[0]), "answer": answers}] if answers else []
            inner = [self.items(place.item.items, (*place.repetition, number), place) for number in times]
            return [{**head, "item": items} for items in inner if items] or nothing
        if place.item.type is ItemType.GROUP:
            inside = self.items(place.item.items, place.repetition, place)
            return [{**head, "item": inside}] if inside else nothing
        answers = self._answers(place)
        return [{**head, "answer": answers}] if answers else []

    def _answers(self, place: Place) -> list[dict[str, Any]]:
        """Each with what stands under it; none where it is disabled."""
        answers: list[dict[str, Any]] = []
        under = set()
        for value in self._filling.values(place):
            answers.append(self._answer(place.item, value))
            at = (*place.repetition, place.item.slot(value)) if place.item.for_each else place.repetition
            if at not in under and (inside := self.items(place.item.items, at, place)):
                answers[-1]["item"] = inside
            under.add(at)
        return answers

    def _head(self, item: Item) -> dict[str, Any]:
        text = item.text.of(self._language).text
        return {"linkId": their_link_id(item.link_id), **({"text": text} if text else {})}

    def _answer(self, item: Item, value: Answer) -> dict[str, Any]:
        if isinstance(value, dict) and item.type is ItemType.URL:
            return {"valueUri": f"urn:hotline:case:{value['voice']}"}
        if isinstance(value, dict):
            told = f"(voice recording, case {value['voice']})" if "voice" in value else str(value.get("text", ""))
            return {"valueString": told}
        if item.type in CHOICES:
            return self._option(item, str(value))
        if item.type is ItemType.QUANTITY:
            return {"valueQuantity": {"value": exact(value), **unit_of(item)}}
        if item.type is ItemType.DATE_TIME:
            local = dt.datetime.fromisoformat(str(value)).replace(tzinfo=self._zone)
            return {"valueDateTime": local.isoformat(timespec="seconds")}
        return {_VALUE[item.type]: exact(value) if item.type is ItemType.DECIMAL else value}

    def _option(self, item: Item, code: str) -> dict[str, Any]:
        option = item.option(code)
        if option is None:
            return {"valueString": code}
        if option.fhir:
            return dict(option.fhir)
        return {"valueCoding": {"code": code, "display": option.text.of(self._language).text}}


def unit_of(item: Item) -> dict[str, str]:
    """Of a Quantity: its unit, system and code."""
    if not item.unit:
        return {}
    if item.unit_coding is not None:  # a code means nothing without its system (qty-3)
        return {"unit": item.unit, **(item.unit_coding if "system" in item.unit_coding else {})}
    return {"unit": item.unit, "system": UCUM, "code": CODES.get(item.unit, item.unit)}


def exact(value: Answer) -> Answer:
    """37, where nobody said 37.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
