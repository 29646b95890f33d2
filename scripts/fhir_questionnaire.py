"""A FHIR R4 Questionnaire as one of ours. What cannot be represented is listed with its path, and the rest works; what
is broken (no JSON, a wrong type, a link id twice, conditions in a circle) is refused with its path: nothing is kept.

Read by https://hl7.org/fhir/R4/questionnaire.html and, for limits, units, scores and exclusive options, the extensions
that it names. Expressions (FHIRPath, CQL) are not evaluated.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from scripts.answers import AnswerRefused, validate_answer
from scripts.fhir_options import options_of
from scripts.fhir_parts import Part, clean, given, language_of, texts, value_of
from scripts.filling import OPERATORS, ORDER
from scripts.questionnaire import CHOICES, MOMENTS, NO_QUESTIONS, NO_TEXT, NUMBERS, Item, ItemType, Questionnaire
from scripts.questionnaire_files import read_data
from scripts.questionnaire_items import MOST_DEEP
from scripts.questionnaire_loops import loop
from scripts.yaml_lines import FileRefused

LARGEST = 2_000_000  # bytes
MOST_ITEMS = 1000
DEEPEST = 80  # of the JSON
STRUCTURE = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
EXPRESSIONS = ("calculatedExpression", "initialExpression", "answerExpression", "enableWhenExpression")
NOT_ASKED = ("attachment", "reference", "question")
KNOWN = {
    *("id", "linkId", "definition", "code", "prefix", "text", "type", "enableWhen", "enableBehavior", "required"),
    *("repeats", "readOnly", "maxLength", "answerValueSet", "answerOption", "initial", "item", "extension"),
    "modifierExtension",
}


@dataclass(frozen=True)
class Imported:
    """`left_out`: what could not be represented, each with its path."""

    questionnaire: Questionnaire
    left_out: tuple[str, ...]


class ImportRefused(ValueError):
    """It cannot be used; `problems` says all that was found, each with its path."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


def read_fhir(raw: bytes) -> Imported:
    """Raises `ImportRefused`."""
    return _Import(_parsed(raw)).run()


def _parsed(raw: bytes) -> Part:
    if len(raw) > LARGEST:
        raise ImportRefused([f"is {len(raw)} bytes long; {LARGEST} are allowed"])

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"'{twice[:60]}' stands twice in one object")
        return found

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    try:
        data = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=once, parse_constant=refuse)
    except UnicodeDecodeError as error:
        raise ImportRefused([f"is not UTF-8 at byte {error.start}: save the file as UTF-8"]) from None
    except RecursionError:
        raise ImportRefused([f"stands more than {DEEPEST} deep in itself"]) from None
    except ValueError as error:
        raise ImportRefused([f"is no JSON that can be used: {error}"]) from None
    _check_depth(data)
    problems: list[str] = []
    top = Part(data, "Questionnaire", problems)
    if not isinstance(data, dict) or data.get("resourceType") != "Questionnaire":
        raise ImportRefused(["is no FHIR Questionnaire: resourceType is missing or another"])
    return top


def _check_depth(data: object) -> None:
    level, depth = [data], 0
    while level:
        if depth > DEEPEST:
            raise ImportRefused([f"stands more than {DEEPEST} deep in itself"])
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
        ]
        depth += 1


@dataclass
class _Import:
    """One file. Items are first made without what refers to others, then conditions and suggestions are judged by the
    items that they name."""

    top: Part
    left_out: list[str] = field(default_factory=list)
    paths: dict[str, str] = field(default_factory=dict)
    sources: dict[str, Part] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    codes: dict[str, dict[tuple[str, str], str]] = field(default_factory=dict)

    def run(self) -> Imported:
        top = self.top
        if top.part("modifierExtension"):
            raise ImportRefused(["Questionnaire.modifierExtension changes what all of it means; it cannot be used"])
        language = language_of(top.text("language")) or "en"
        items = [made for one in top.parts("item") if (made := self._item(one, language, 1)) is not None]
        if not items:
            top.wrong("item: nothing that can be asked is in it")
        name = top.text("id") or top.text("name") or (top.text("url") or "").rpartition("/")[2]
        titles = texts(top, "title", language) or {language: clean(top.text("name") or name) or "Questionnaire"}
        url, version = top.text("url"), top.text("version")
        self._stop()
        data: dict[str, Any] = {
            "id": identifier(name),
            "title": titles,
            "purpose": "follow-up",
            "reviewed_by": dict.fromkeys(titles, None),
            "language": language,
            "item": items,
        }
        if url:
            data["url"] = clean(f"{url}|{version}" if version else url)
        data["item"] = self._with_references(items, self._read(data))
        whole = self._read(data)
        circle = loop(whole.items)
        if circle:
            self.top.problems.append(
                f"{self.paths[circle[0]]}.enableWhen: conditions go in a circle: {' → '.join((*circle, circle[0]))}"
            )
        self._stop()
        return Imported(whole, tuple(self.left_out))

    def _stop(self) -> None:
        if self.top.problems:
            raise ImportRefused(self.top.problems)

    def _read(self, data: dict[str, Any]) -> Questionnaire:
        try:
            return read_data(data)
        except FileRefused as refusal:
            raise ImportRefused([f"Questionnaire: {problem.what}" for problem in refusal.problems]) from None

    # ── Items ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _item(self, one: Part, language: str, depth: int) -> dict[str, Any] | None:
        link_id, kind = self._named(one), one.text("type")
        children = one.parts("item")
        if depth >= MOST_DEEP and children:
            one.wrong(f"item: items stand in one another more than {MOST_DEEP} deep")
            children = []
        if len(self.paths) > MOST_ITEMS:
            raise ImportRefused([f"{one.path}: more than {MOST_ITEMS} items"])
        if not kind:
            one.wrong("type is missing")
            return None
        reason = self._why_not(one, kind)
        if reason is not None:
            self._leave(one, link_id, reason)
            return None
        made: dict[str, Any] = {"linkId": link_id, "type": kind}
        said = texts(one, "text", language)
        if said or kind != "group":
            made["text"] = said or {language: clean(link_id) or "?"}
        if kind in CHOICES:
            kind = self._with_options(one, made, language)
            if kind is None:
                self._leave(one, link_id, "its options are not in the file")
                return None
            made["type"] = kind
        self._with_flags(one, made, ItemType(kind))
        self._with_limits(one, made, ItemType(kind))
        self._note(one)
        inner = [child for part in children if (child := self._item(part, language, depth + 1)) is not None]
        if kind == "display" and inner:
            self.left_out.append(f"{one.path}.item: words to be shown have no items of their own")
        elif inner:
            made["item"] = inner
        elif kind == "group":
            self._leave(one, link_id, "nothing in it can be asked")
            return None
        self.sources[link_id] = one
        return made

    def _named(self, one: Part) -> str:
        link_id = one.text("linkId")
        if not link_id:
            one.wrong("linkId is missing")
            return one.path
        if clean(link_id) != link_id:
            one.wrong("linkId has spaces or signs in it that cannot be kept: choose another")
        if link_id in self.paths:
            one.wrong(f"linkId '{link_id[:60]}' stands here a second time; it was at {self.paths[link_id]}")
        self.paths.setdefault(link_id, one.path)
        return link_id

    def _why_not(self, one: Part, kind: str) -> str | None:
        if kind in NOT_ASKED:
            return f"type '{kind}' cannot be asked"
        if kind not in set(ItemType):
            one.wrong(f"type '{kind[:60]}' is no item type of R4; allowed: {', '.join((*ItemType, *NOT_ASKED))}")
            return "its type is not known"
        if one.part("modifierExtension"):
            return "a modifierExtension changes what it means"
        hidden = one.extension(STRUCTURE + "questionnaire-hidden")
        if hidden is not None and hidden.get("valueBoolean") is True and not one.parts("initial"):
            return "it is hidden"
        return None

    def _with_options(self, one: Part, made: dict[str, Any], language: str) -> str | None:
        """Adds the options and tells the type that it is then; None where there are none."""
        options, codes, notes = options_of(one, self.top, language)
        self.left_out += notes
        if not options:
            return "string" if made["type"] == "open-choice" and not one.text("answerValueSet") else None
        made["answerOption"] = options
        self.codes[made["linkId"]] = codes
        return str(made["type"])

    def _with_flags(self, one: Part, made: dict[str, Any], kind: ItemType) -> None:
        flags = {name: one.flag(name) for name in ("required", "repeats", "readOnly")}
        hidden = one.extension(STRUCTURE + "questionnaire-hidden")
        if hidden is not None and hidden.get("valueBoolean") is True:
            flags["readOnly"] = True
        if kind is ItemType.DISPLAY:
            return
        if kind is ItemType.GROUP:
            flags.pop("readOnly")
        made.update({name: True for name, value in flags.items() if value})
        most = one.extension(STRUCTURE + "questionnaire-maxOccurs")
        if most is not None and isinstance(most.get("valueInteger"), int) and flags["repeats"]:
            made["maxOccurs"] = max(1, most["valueInteger"])

    def _with_limits(self, one: Part, made: dict[str, Any], kind: ItemType) -> None:
        length = one.whole("maxLength")
        if length and kind in (ItemType.STRING, ItemType.TEXT, ItemType.URL, ItemType.OPEN_CHOICE):
            made["maxLength"] = length
        for name, quantity in (("minValue", "minQuantity"), ("maxValue", "maxQuantity")):
            found = one.extension(STRUCTURE + name) or one.extension(SDC + quantity)
            limit = value_of(found) if found else None
            if isinstance(limit, Mapping):
                limit = limit.get("value")
            if kind in NUMBERS and isinstance(limit, int | float) and not isinstance(limit, bool):
                made[name] = limit
            elif kind in MOMENTS and isinstance(limit, str):
                try:
                    made[name] = validate_answer(Item("", kind, NO_TEXT), given(kind, limit))
                except AnswerRefused:
                    self.left_out.append(f"{one.path}.extension: {name} is no full {kind}")
        if "minValue" in made and "maxValue" in made and made["minValue"] >= made["maxValue"]:
            self.left_out.append(f"{one.path}.extension: maxValue is not above minValue; neither is used")
            del made["minValue"], made["maxValue"]
        self._with_unit(one, made, kind)

    def _with_unit(self, one: Part, made: dict[str, Any], kind: ItemType) -> None:
        if kind not in NUMBERS:
            return
        units = one.extensions(STRUCTURE + "questionnaire-unit") or one.extensions(
            STRUCTURE + "questionnaire-unitOption"
        )
        coding = units[0].get("valueCoding") if units else None
        if isinstance(coding, dict):
            made["unit"] = clean(str(coding.get("display") or coding.get("code") or "")) or None
            made["unitCoding"] = {name: str(coding[name]) for name in ("system", "code") if coding.get(name)}
        if len(units) > 1:
            self.left_out.append(f"{one.path}.extension: of {len(units)} units the first is used")
        if kind is ItemType.QUANTITY:
            made.setdefault("unit", None)
        elif made.get("unit", "") is None:
            del made["unit"]

    def _note(self, one: Part) -> None:
        for name in one.names() - KNOWN:
            if not name.startswith("_"):
                self.left_out.append(f"{one.path}.{name[:60]}: R4 knows no such element of an item")
        for expression in EXPRESSIONS:
            if one.extension(SDC + expression) is not None:
                self.left_out.append(f"{one.path}.extension: {expression} is not evaluated; the item is asked as it is")
        for name in ("regex", "minLength"):
            if one.extension(STRUCTURE + name) is not None:
                self.left_out.append(f"{one.path}.extension: {name} is not checked")
        least = one.extension(STRUCTURE + "questionnaire-minOccurs")
        if least is not None and value_of(least) not in (0, 1):
            self.left_out.append(f"{one.path}.extension: minOccurs is not checked beyond one")

    def _leave(self, one: Part, link_id: str, reason: str) -> None:
        self.gone.add(link_id)
        for child in one.below():
            inner = child.text("linkId")
            if inner:
                self.paths.setdefault(inner, child.path)
                self.gone.add(inner)
        self.left_out.append(f"{one.path} ('{link_id[:60]}'): left out, {reason}")

    # ── What refers to other items ──────────────────────────────────────────────────────────────────────────────

    def _with_references(self, items: list[dict[str, Any]], made: Questionnaire) -> list[dict[str, Any]]:
        """Items with their conditions and suggestions. Who hangs on something left out is left out."""
        kept = items
        while True:
            gone = len(self.gone)
            kept = [one for item in kept if (one := self._referring(item, made)) is not None]
            if len(self.gone) == gone:
                return kept

    def _referring(self, item: dict[str, Any], made: Questionnaire) -> dict[str, Any] | None:
        link_id = item["linkId"]
        if link_id in self.gone:
            return None
        one, whole = self.sources[link_id], dict(item)
        if "initial" not in whole and one.parts("initial"):
            self._with_initial(one, whole, made.by_link_id[link_id])
        terms = one.parts("enableWhen")
        if terms:
            conditions, never = self._conditions(one, terms, made)
            if never:
                self._leave(one, link_id, "it would never be asked")
                return None
            whole.pop("enableWhen", None)
            if conditions:
                whole["enableWhen"] = conditions
                whole["enableBehavior"] = one.text("enableBehavior") or "all"
        if "item" in whole:
            whole["item"] = [kept for inner in whole["item"] if (kept := self._referring(inner, made)) is not None]
            if not whole["item"]:
                del whole["item"]
                if whole["type"] == "group":
                    self._leave(one, link_id, "nothing in it can be asked")
                    return None
        return whole

    def _conditions(self, one: Part, terms: list[Part], made: Questionnaire) -> tuple[list[dict[str, Any]], bool]:
        """The conditions that can be represented, and whether without the others it would never be asked."""
        behavior = one.text("enableBehavior")
        if behavior not in (None, "any", "all"):
            one.wrong(f"enableBehavior '{behavior}' is not known; allowed: any, all")
        found, lost, always = [], 0, 0
        for term in terms:
            question, operator = term.text("question") or "", term.text("operator") or ""
            if operator not in OPERATORS:
                term.wrong(f"operator '{operator[:20]}' is not known; allowed: {', '.join(OPERATORS)}")
            elif question not in self.paths:
                term.wrong(f"question: no item has linkId '{question[:60]}'")
            else:
                condition, why = self._condition(term, question, operator, made)
                if condition is not None:
                    found.append(condition)
                elif why and operator in ("!=",) and question not in self.gone:
                    always += 1
                else:
                    lost += 1
                    self._once(f"{term.path}: {why}")
        if always and behavior == "any":
            return [], False
        return found, bool(lost) and (behavior != "any" or not found)

    def _condition(
        self, term: Part, question: str, operator: str, made: Questionnaire
    ) -> tuple[dict[str, Any] | None, str]:
        item = made.by_link_id.get(question)
        if question in self.gone or item is None:
            return None, f"the question '{question[:60]}' was left out"
        if item.type in NO_QUESTIONS:
            return None, f"'{question[:60]}' is no question"
        answer: Any = value_of(term.value, "answer")
        if operator == "exists":
            return {"question": question, "operator": operator, "answer": answer is not False}, ""
        if isinstance(answer, Mapping) and "code" in answer and item.options:
            answer = self.codes[question].get((str(answer.get("system", "")), str(answer["code"])))
        else:
            answer = given(item.type, answer)
        if operator in ORDER and item.type not in NUMBERS | MOMENTS:
            return None, f"'{operator}' has no meaning for type {item.type}"
        try:
            value = validate_answer(replace(item, required=True, repeats=False), answer)
        except AnswerRefused:
            return None, "such an answer is never given"
        if isinstance(value, dict):
            value = value.get("text")
        return {"question": question, "operator": operator, "answer": value}, ""

    def _with_initial(self, one: Part, whole: dict[str, Any], item: Item) -> None:
        values = []
        for part in one.parts("initial"):
            value: Any = value_of(part.value)
            if isinstance(value, Mapping) and "code" in value and item.options:
                value = self.codes[item.link_id].get((str(value.get("system", "")), str(value["code"])))
            values.append(given(item.type, value))
        try:
            whole["initial"] = validate_answer(replace(item, required=True), values if item.repeats else values[0])
        except (AnswerRefused, ValueError):
            self._once(f"{one.path}.initial: such an answer is never given; it is not suggested")

    def _once(self, note: str) -> None:
        if note not in self.left_out:
            self.left_out.append(note)


def identifier(name: str) -> str:
    """A code of ours from a name of theirs."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60] or "imported"
