"""The items of a FHIR Questionnaire as ours, without what refers to others (`fhir_references.py`).

Whatever of an item is neither kept nor checked is noted with its path: elements, extensions, options' extensions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from scripts.answers import AnswerRefused, validate_answer
from scripts.fhir_json import ImportRefused
from scripts.fhir_options import ValueSets, as_choice, options_of, span_of
from scripts.fhir_parts import (
    SDC,
    STRUCTURE,
    TRANSLATION,
    WALL,
    Part,
    clean,
    given,
    of_another_unit,
    our_link_id,
    texts,
    their_link_id,
    value_of,
    zoned,
)
from scripts.questionnaire import CHOICES, MOMENTS, NO_QUESTIONS, NO_TEXT, NUMBERS, Item, ItemType
from scripts.questionnaire_items import MOST_DEEP, MOST_UNFOLDED

MOST_ITEMS = 1000
MOST_OPTIONS = 10_000  # of all items together: many may name one long value set
NOT_ASKED = ("attachment", "reference", "question")
WITH_LENGTH = (ItemType.STRING, ItemType.TEXT, ItemType.URL, ItemType.OPEN_CHOICE)
KNOWN = {
    *("id", "linkId", "definition", "code", "prefix", "text", "type", "enableWhen", "enableBehavior", "required"),
    *("repeats", "readOnly", "maxLength", "answerValueSet", "answerOption", "initial", "item", "extension"),
    "modifierExtension",
}
HIDDEN = STRUCTURE + "questionnaire-hidden"
MOST = STRUCTURE + "questionnaire-maxOccurs"
LEAST = STRUCTURE + "questionnaire-minOccurs"
UNITS = (STRUCTURE + "questionnaire-unit", STRUCTURE + "questionnaire-unitOption")
LIMITS = (("minValue", "minQuantity"), ("maxValue", "maxQuantity"))
USED = {HIDDEN, MOST, LEAST, *UNITS, *(STRUCTURE + name for name, _ in LIMITS), *(SDC + name for _, name in LIMITS)}
EXPRESSIONS = ("calculatedExpression", "initialExpression", "answerExpression", "enableWhenExpression")
UNCHECKED = ("regex", "minLength", "maxDecimalPlaces")
CONSTRAINT = STRUCTURE + "questionnaire-constraint"


@dataclass
class Gathered:
    """One file, as far as it has been read. All by our link ids."""

    top: Part
    left_out: list[str] = field(default_factory=list)
    paths: dict[str, str] = field(default_factory=dict)
    sources: dict[str, Part] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    codes: dict[str, dict[tuple[str, str], str]] = field(default_factory=dict)
    selected: dict[str, list[Any]] = field(default_factory=dict)
    unfolded: int = 0
    """How much there is under the answers of choices of several, if all are chosen."""
    noted: set[str] = field(default_factory=set)

    def note(self, what: str) -> None:
        """Once, however often it is found."""
        if what not in self.noted:
            self.noted.add(what)
            self.left_out.append(what)

    def leave(self, one: Part, link_id: str, reason: str) -> None:
        self.gone.add(link_id)
        for child in one.below():
            inner = child.text("linkId")
            if inner:
                self.paths.setdefault(our_link_id(inner), child.path)
                self.gone.add(our_link_id(inner))
        self.left_out.append(f"{one.path} ('{their_link_id(link_id)[:60]}'): left out, {reason}")


class ItemReading:
    def __init__(self, gathered: Gathered, language: str) -> None:
        self._all, self._language = gathered, language
        self._sets, self._options = ValueSets(gathered.top), 0

    def item(self, one: Part, depth: int = 1, times: int = 1) -> dict[str, Any] | None:
        """None: left out. `times`: how often it is there, under each answer of the choices around it."""
        link_id, kind = self._named(one), one.text("type")
        children = one.parts("item")
        if depth >= MOST_DEEP and children:
            one.wrong(f"item: items stand in one another more than {MOST_DEEP} deep")
            children = []
        if len(self._all.paths) > MOST_ITEMS:
            raise ImportRefused([f"{one.path}: more than {MOST_ITEMS} items"])
        if not kind:
            one.wrong("type is missing")
            return None
        reason = self._why_not(one, kind)
        if reason is not None:
            self._all.leave(one, link_id, reason)
            return None
        kind = as_choice(one, kind)
        made: dict[str, Any] = {"linkId": link_id, "type": kind}
        said = texts(one, "text", self._language)
        if said or kind != "group":
            made["text"] = said or {self._language: clean(link_id) or "?"}
        if kind in CHOICES:
            kind = self._with_options(one, made)
            if kind is None:
                self._all.leave(one, link_id, "its options are not in the file")
                return None
            made["type"] = kind
        self._with_flags(one, made, ItemType(kind))
        self._with_limits(one, made, ItemType(kind))
        self._note(one, ItemType(kind))
        if made.get("repeats") and made.get("readOnly") and children and kind not in CHOICES:
            self._all.note(
                f"{one.path}.item: is asked once, not for each fixed value; a response has it under the first"
            )
        if made.get("repeats") and "answerOption" in made:
            each = len(made["answerOption"]) + (kind == "open-choice")
            children = self._for_each(one, children, times, each)
            times *= each
        inner = [child for part in children if (child := self.item(part, depth + 1, times)) is not None]
        if kind == "display" and inner:
            self._all.left_out.append(f"{one.path}.item: words to be shown have no items of their own")
        elif inner:
            made["item"] = inner
        elif kind == "group":
            self._all.leave(one, link_id, "nothing in it can be asked")
            return None
        self._all.sources[link_id] = one
        return made

    def _named(self, one: Part) -> str:
        link_id = one.text("linkId")
        if not link_id:
            one.wrong("linkId is missing")
            return one.path
        if clean(link_id) != link_id:
            one.wrong("linkId has spaces or signs in it that cannot be kept: choose another")
        ours = our_link_id(link_id)
        if ours in self._all.paths:
            one.wrong(f"linkId '{link_id[:60]}' stands here a second time; it was at {self._all.paths[ours]}")
        self._all.paths.setdefault(ours, one.path)
        return ours

    def _why_not(self, one: Part, kind: str) -> str | None:
        if kind in NOT_ASKED:
            return f"type '{kind}' cannot be asked"
        if kind not in set(ItemType):
            one.wrong(f"type '{kind[:60]}' is no item type of R4; allowed: {', '.join((*ItemType, *NOT_ASKED))}")
            return "its type is not known"
        if one.part("modifierExtension"):
            return "a modifierExtension changes what it means"
        if _hidden(one) and not _valued(one):
            return "it is hidden"
        return None

    def _with_options(self, one: Part, made: dict[str, Any]) -> str | None:
        """Adds the options and tells the type that it is then; None where there are none."""
        options, codes, selected, notes = options_of(one, self._sets, self._language)
        self._options += len(options)
        if self._options > MOST_OPTIONS:
            raise ImportRefused([f"{one.path}: more than {MOST_OPTIONS} options in all"])
        self._all.left_out += notes
        if not options:
            return "string" if made["type"] == "open-choice" else None
        made["answerOption"] = options
        self._all.codes[made["linkId"]] = codes
        if selected:
            self._all.selected[made["linkId"]] = selected
        return str(made["type"])

    def _for_each(self, one: Part, children: list[Part], times: int, each: int) -> list[Part]:
        """Of what stands under a choice of several, what is kept: none where it would be there too often."""
        more = times * each * sum(1 for _ in one.below())
        if self._all.unfolded + more <= MOST_UNFOLDED:
            self._all.unfolded += more
            return children
        for child in children:
            self._all.leave(child, self._named(child), f"for each of {each} answers it would be too much to ask")
        return []

    def _with_flags(self, one: Part, made: dict[str, Any], kind: ItemType) -> None:
        flags = {name: one.flag(name) for name in ("required", "repeats", "readOnly")}
        if _hidden(one):
            flags["readOnly"] = True
            flags["hidden"] = kind not in NO_QUESTIONS
        if kind is ItemType.DISPLAY:
            return
        if kind is ItemType.GROUP and flags.pop("readOnly"):
            self._all.note(f"{one.path}.readOnly: what stands in the group is asked")
        made.update({name: True for name, value in flags.items() if value})
        most = one.extension(MOST)
        if most is not None and isinstance(most.get("valueInteger"), int) and flags["repeats"]:
            made["maxOccurs"] = max(1, most["valueInteger"])

    def _with_limits(self, one: Part, made: dict[str, Any], kind: ItemType) -> None:
        self._with_unit(one, made, kind)
        length = one.whole("maxLength")
        if length and kind in WITH_LENGTH:
            made["maxLength"] = length
        elif length:
            self._all.note(f"{one.path}.maxLength: is not checked for type '{kind}'")
        for name, quantity in LIMITS:
            found = one.extension(STRUCTURE + name) or one.extension(SDC + quantity)
            limit = value_of(found) if found else None
            if of_another_unit(limit, made.get("unit"), made.get("unitCoding")):
                limit = None
            elif isinstance(limit, Mapping):
                limit = limit.get("value")
            if kind in NUMBERS and isinstance(limit, int | float) and not isinstance(limit, bool):
                made[name] = limit
            elif kind in MOMENTS and isinstance(limit, str):
                try:
                    made[name] = validate_answer(Item("", kind, NO_TEXT), given(kind, limit))
                    if zoned(kind, limit):
                        self._all.note(f"{one.path}.extension: {name}: {WALL}")
                except AnswerRefused:
                    self._all.left_out.append(f"{one.path}.extension: {name} is no full {kind}")
            elif found:
                self._all.note(
                    f"{one.path}.extension: {name} is not checked: nothing that a {kind} can be compared with"
                )
        self._with_span(one, made, kind)
        if "minValue" in made and "maxValue" in made and made["minValue"] >= made["maxValue"]:
            self._all.left_out.append(f"{one.path}.extension: maxValue is not above minValue; neither is used")
            del made["minValue"], made["maxValue"]

    def _with_span(self, one: Part, made: dict[str, Any], kind: ItemType) -> None:
        """Options that are whole numbers one after the other are limits."""
        span = span_of(one, kind)
        if span is None:
            return
        made["minValue"], made["maxValue"] = span
        chosen = [part.part("valueInteger") for part in one.parts("answerOption") if part.flag("initialSelected")]
        if chosen:
            self._all.selected[made["linkId"]] = chosen

    def _with_unit(self, one: Part, made: dict[str, Any], kind: ItemType) -> None:
        if kind not in NUMBERS:
            return
        units = next((found for url in UNITS if (found := one.extensions(url))), [])
        coding = units[0].get("valueCoding") if units else _suggested_unit(one)
        if isinstance(coding, dict):
            made["unit"] = clean(str(coding.get("display") or coding.get("code") or "")) or None
            made["unitCoding"] = {name: str(coding[name]) for name in ("system", "code") if coding.get(name)}
        if len(units) > 1:
            self._all.left_out.append(f"{one.path}.extension: of {len(units)} units the first is used")
        if kind is ItemType.QUANTITY:
            made.setdefault("unit", None)
        elif made.get("unit", "") is None:
            del made["unit"]

    def _note(self, one: Part, kind: ItemType) -> None:
        note = self._all.note
        for name in sorted(one.names() - KNOWN):
            if not name.startswith("_"):
                note(f"{one.path}.{name[:60]}: R4 knows no such element of an item")
        if one.flag("readOnly") and not _valued(one) and kind not in NO_QUESTIONS:
            note(f"{one.path}.readOnly: nobody may answer it, and it has no value; it stays empty")
        for told in _beside_texts(one):
            note(f"{one.path}.{told}")
        if one.part("prefix"):
            note(f"{one.path}.prefix: is not shown")
        offered = one.part("answerOption") or one.part("answerValueSet")
        if kind not in CHOICES and offered and span_of(one, kind) is None:
            note(f"{one.path}: options of type '{kind}' are not used; any answer of that type is taken")
        extensions = one.part("extension")
        for extension in extensions if isinstance(extensions, list) else []:
            lost = _lost(extension) if isinstance(extension, dict) else None
            if lost:
                note(f"{one.path}.extension: {lost}")


def _hidden(one: Part) -> bool:
    return (one.extension(HIDDEN) or {}).get("valueBoolean") is True


def _valued(one: Part) -> bool:
    """Beside options R4 allows no `initial` (que-11): one of them is selected instead."""
    return bool(one.parts("initial")) or any(option.flag("initialSelected") for option in one.parts("answerOption"))


def _suggested_unit(one: Part) -> dict[str, Any] | None:
    """The unit of a suggested quantity, as a coding; None where there is none."""
    first = value_of(next((part.value for part in one.parts("initial")), None))
    names = {"unit": "display", "code": "code", "system": "system"}
    return {names[name]: first[name] for name in names if first.get(name)} if isinstance(first, dict) else None


def _beside_texts(one: Part) -> Iterator[str]:
    """How the texts of an item and its options are to be drawn; translations stand there, too, and are kept."""
    beside: list[tuple[str, Any]] = [("text", one.part("_text"))]
    for at, option in enumerate(one.parts("answerOption")):
        beside.append((f"answerOption[{at}]", option.part("_valueString")))
        beside.append((f"answerOption[{at}]", Part(option.part("valueCoding"), option.path, []).part("_display")))
    for name, side in beside:
        extensions = side.get("extension") if isinstance(side, dict) else None
        for extension in extensions if isinstance(extensions, list) else []:
            if isinstance(extension, dict) and extension.get("url") != TRANSLATION:
                yield f"{name}: {str(extension.get('url')).rpartition('/')[2][:60]} is not used"


def _lost(extension: Mapping[str, Any]) -> str | None:
    """What an extension says that nobody heeds; None where all of it is used."""
    url = str(extension.get("url"))
    name = url.rpartition("/")[2].removeprefix("sdc-questionnaire-")[:60]
    if url == LEAST:
        return "minOccurs is not checked beyond one" if value_of(extension) not in (0, 1) else None
    if url in USED:
        return None
    if name in EXPRESSIONS:
        return f"{name} is not evaluated"
    if url == CONSTRAINT:
        inner = extension.get("extension")
        parts = {
            str(part.get("url")): value_of(part)
            for part in (inner if isinstance(inner, list) else ())
            if isinstance(part, dict)
        }
        return f"the constraint '{str(parts.get('key', '?'))[:60]}' is not checked"
    return f"{name} is not checked" if name in UNCHECKED else f"{name} is not used"
