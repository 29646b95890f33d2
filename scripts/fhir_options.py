"""The options of a FHIR item: its own, or those of a value set that the file contains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from scripts.fhir_parts import Part, clean, language_of, texts
from scripts.questionnaire import Item

MOST = 500
ORDINAL = (
    "http://hl7.org/fhir/StructureDefinition/ordinalValue",
    "http://hl7.org/fhir/StructureDefinition/itemWeight",
)
EXCLUSIVE = "http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive"
OF_A_CODING = ("system", "version", "code", "display")
KINDS = ("valueCoding", "valueString", "valueInteger", "valueDate", "valueTime")

OFFERED = {"string": "valueString", "integer": "valueInteger"}  # types that R4 lets have options of their own

Codes = dict[tuple[str, str], str]


def as_choice(one: Part, kind: str) -> str:
    """The type of an item: of a text or a number of which only the options may be given it is a choice."""
    options, value = one.parts("answerOption"), OFFERED.get(kind)
    offered = value is not None and bool(options) and all(value in option.names() for option in options)
    return "choice" if offered and span_of(one, kind) is None else kind


def span_of(one: Part, kind: str) -> tuple[int, int] | None:
    """The least and the most of options that are whole numbers one after the other: it may be asked as a number."""
    options = one.parts("answerOption") if kind == "integer" else []
    if any(option.names() - {"id", "valueInteger", "initialSelected"} for option in options):
        return None
    numbers = {value for option in options if type(value := option.part("valueInteger")) is int}
    if len(numbers) < 2 or len(numbers) < len(options) or max(numbers) - min(numbers) >= len(numbers):
        return None
    return min(numbers), max(numbers)


def whole_numbers(item: Item) -> bool:
    """Whether its options are whole numbers that count as what they are, so that they can be compared."""
    numbers = [(option.fhir or {}).get("valueInteger") for option in item.options]
    return None not in numbers and bool(numbers) and numbers == [option.score for option in item.options]


def options_of(one: Part, sets: ValueSets, language: str) -> tuple[list[dict[str, Any]], Codes, list[str], list[str]]:
    """Options as our files have them, our code for each (system, code) of theirs, those of ours that are selected at
    first, and what was left out."""
    notes: list[str] = []
    selected: list[str] = []
    made: dict[str, dict[str, Any]] = {}
    codes: Codes = {}
    value_set = one.text("answerValueSet")
    given: list[tuple[Part, dict[str, str] | None]] = [(part, None) for part in one.parts("answerOption")]
    if value_set is not None and not given:
        found = sets.named(value_set)
        if found is None:
            notes.append(f"{one.path}.answerValueSet: '{value_set[:80]}' is not contained in the file")
        else:
            given, lost = found
            notes += lost
    for part, designations in given[:MOST]:
        if part.part("modifierExtension"):
            notes.append(f"{part.path}: an option whose meaning a modifierExtension changes is left out")
            continue
        fhir = {name: part.value[name] for name in KINDS if name in part.value}
        if len(fhir) != 1:
            notes.append(f"{part.path}: an option that is no coding, text, number, date or time is left out")
            continue
        (kind, value), *_ = fhir.items()
        named = _named(part, kind, value, language)
        if named is None:
            notes.append(f"{part.path}: an option without a code and a text is left out")
            continue
        system, code, said = named
        if (system, code) in codes:
            notes.append(f"{part.path}: an option that stands here already is left out")
            continue
        ours = code if code not in made else f"{code} ({len(made) + 1})"
        codes[system, code] = ours
        option: dict[str, Any] = {"code": ours, "text": {**(designations or {}), **said}, "fhir": _plain(kind, value)}
        _weigh(part, option, kind, value)
        notes += _lost(part)
        made[ours] = option
        if part.flag("initialSelected"):
            selected.append(ours)
    if len(given) > MOST:
        notes.append(f"{one.path}: of {len(given)} options the first {MOST} are used")
    return list(made.values()), codes, selected, notes


def _named(part: Part, kind: str, value: Any, language: str) -> tuple[str, str, dict[str, str]] | None:
    """System, code and text; None where it has none."""
    if kind == "valueInteger" and type(value) is not int:
        part.wrong("valueInteger: a whole number is expected")
        return None
    if kind != "valueCoding":
        code = clean(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else ""
        said = texts(part, kind, language) if kind == "valueString" and code else {language: code}
        return ("", code, said) if code else None
    if not isinstance(value, dict):
        part.wrong("valueCoding: an object is expected")
        return None
    coding = Part(value, f"{part.path}.valueCoding", part.problems)
    said = texts(coding, "display", language)
    code = clean(coding.text("code") or "") or next(iter(said.values()), "")
    return (coding.text("system") or "", code, said or {language: code}) if code else None


def _plain(kind: str, value: Any) -> dict[str, Any]:
    """What a response gives back: of a coding its system, version, code and display."""
    if kind != "valueCoding":
        return {kind: clean(value) if isinstance(value, str) else value}
    return {kind: {name: said for name in OF_A_CODING if (said := _text(value.get(name)))}}


def _text(value: Any) -> str:
    return clean(value) if isinstance(value, str) else ""


def _weigh(part: Part, option: dict[str, Any], kind: str, value: Any) -> None:
    if kind == "valueInteger":
        option["score"] = value
    places = [part, *([Part(value, part.path, [])] if isinstance(value, dict) else [])]
    for place in places:
        for url in ORDINAL:
            weight = (place.extension(url) or {}).get("valueDecimal")
            if isinstance(weight, int | float) and not isinstance(weight, bool):
                option["score"] = weight
    if (part.extension(EXCLUSIVE) or {}).get("valueBoolean") is True:
        option["exclusive"] = True


def _lost(part: Part) -> list[str]:
    extensions = part.part("extension")
    urls = [str(one.get("url")) for one in extensions if isinstance(one, dict)] if isinstance(extensions, list) else []
    names = [url.rpartition("/")[2][:60] for url in urls if url not in (*ORDINAL, EXCLUSIVE)]
    return [f"{part.path}.extension: {name} is not used" for name in names]


class ValueSets:
    """Those that the file contains, each read once, however many items name it."""

    def __init__(self, top: Part) -> None:
        self._top = top
        self._read: dict[str, tuple[list[tuple[Part, dict[str, str] | None]], list[str]]] = {}

    def named(self, reference: str) -> tuple[list[tuple[Part, dict[str, str] | None]], list[str]] | None:
        """Its options, and what of it was left out; None where there is none of this name."""
        if reference not in self._contained:
            return None
        if reference not in self._read:
            notes: list[str] = []
            self._read[reference] = list(_concepts(self._contained[reference], self._systems, notes)), notes
        return self._read[reference]

    @cached_property
    def _contained(self) -> Mapping[str, Part]:
        sets = [one for one in self._top.parts("contained") if one.part("resourceType") == "ValueSet"]
        return {f"#{one.part('id')}": one for one in reversed(sets)}  # of a name the first

    @cached_property
    def _systems(self) -> Mapping[str, Part]:
        """Code systems of which all concepts are there, by their address."""
        whole: dict[str, Part] = {}
        for one in self._top.parts("contained"):
            url = one.part("url")
            if (one.part("resourceType"), one.part("content")) == ("CodeSystem", "complete") and isinstance(url, str):
                whole.setdefault(url, one)
        return whole


def _concepts(
    value_set: Part, systems: Mapping[str, Part], notes: list[str]
) -> Iterator[tuple[Part, dict[str, str] | None]]:
    expansion = Part(value_set.part("expansion"), f"{value_set.path}.expansion", value_set.problems)
    if expansion.part("contains"):
        yield from _contained(expansion)
        return
    compose = Part(value_set.part("compose"), f"{value_set.path}.compose", value_set.problems)
    for include in compose.parts("include"):
        concepts = include.parts("concept") or list(_all_of_code_system(include, systems))
        if not concepts:
            notes.append(f"{include.path}: what is not written out in the file is left out")
        for concept in concepts:
            yield _as_option(concept, include.part("system"))
    if compose.part("exclude"):
        notes.append(f"{compose.path}.exclude: is not applied")


def _all_of_code_system(include: Part, systems: Mapping[str, Part]) -> Iterator[Part]:
    """Every concept of a code system that the file contains; none where only some of it are meant."""

    def of(holder: Part) -> Iterator[Part]:
        for concept in holder.parts("concept"):
            yield concept
            yield from of(concept)

    system = include.part("system")
    if include.part("filter") or include.part("valueSet") or not isinstance(system, str) or system not in systems:
        return
    yield from of(systems[system])


def _contained(expansion: Part) -> Iterator[tuple[Part, dict[str, str] | None]]:
    for one in expansion.parts("contains"):
        if one.part("abstract") is not True:
            yield _as_option(one, one.part("system"))
        yield from _contained(one)


def _as_option(concept: Part, system: Any) -> tuple[Part, dict[str, str]]:
    coding = {name: concept.part(name) for name in ("code", "display", "extension") if concept.part(name) is not None}
    if isinstance(system, str):
        coding["system"] = system
    designations = {
        tag: clean(one["value"])
        for one in concept.part("designation") or ()
        if isinstance(one, Mapping) and (tag := language_of(one.get("language"))) and isinstance(one.get("value"), str)
    }
    return Part({"valueCoding": coding}, concept.path, concept.problems), designations
