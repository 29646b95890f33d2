"""A FHIR R4 Questionnaire as one of ours. What cannot be represented is listed with its path, and the rest works; what
is broken (no JSON, a wrong type, a link id twice, conditions in a circle) is refused with its path: nothing is kept.

Read by https://hl7.org/fhir/R4/questionnaire.html and, for limits, units, scores and exclusive options, the extensions
that it names. Expressions (FHIRPath, CQL) are not evaluated. The bytes are `fhir_json.py`'s, each item is
`fhir_items.py`'s, what hangs on other items `fhir_references.py`'s.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scripts import signs
from scripts.fhir_items import Gathered, ItemReading
from scripts.fhir_json import LARGEST, ImportRefused, parsed
from scripts.fhir_parts import TRANSLATION, Part, base_language, clean, language_of, texts, value_of
from scripts.fhir_references import References
from scripts.questionnaire import NO_TEXT, Condition, Item, ItemType, Questionnaire
from scripts.questionnaire_files import read_data
from scripts.questionnaire_loops import loop
from scripts.yaml_lines import FileRefused

__all__ = ["LARGEST", "ImportRefused", "Imported", "identifier", "read_fhir"]
NOT_KEPT = ("code", "definition")  # of items: what terminologies and data models say of them


@dataclass(frozen=True)
class Imported:
    """`left_out`: what could not be represented, each with its path, and what is lost where it is asked."""

    questionnaire: Questionnaire
    left_out: tuple[str, ...]


def read_fhir(raw: bytes) -> Imported:
    """Raises `ImportRefused`."""
    top = parsed(raw)
    if top.part("modifierExtension"):
        raise ImportRefused(["Questionnaire.modifierExtension changes what all of it means; it cannot be used"])
    gathered = Gathered(top)
    language = _language(gathered)
    reading = ItemReading(gathered, language)
    items = [made for one in top.parts("item") if (made := reading.item(one)) is not None]
    _something(gathered, items)
    _note(gathered)
    url, version = top.text("url"), top.text("version")
    name = top.text("id") or top.text("name") or (url or "").rpartition("/")[2]
    titles = texts(top, "title", language) or {language: clean(top.text("name") or name) or "Questionnaire"}
    _stop(top)
    data: dict[str, Any] = {
        "id": identifier(name, url or name or titles[language]),
        "title": titles,
        "purpose": "follow-up",
        "reviewed_by": dict.fromkeys(titles, None),
        "language": language,
        "item": items,
    }
    if url:
        data["url"] = clean(f"{url}|{version}" if version else url)
    data["item"] = References(gathered, _read(data)).items(items)
    _something(gathered, data["item"])
    _stop(top)
    circle = loop(_hanging(data["item"]))
    if circle:
        top.problems.append(
            f"{gathered.paths[circle[0]]}.enableWhen: conditions go in a circle: {' → '.join((*circle, circle[0]))}"
        )
    _stop(top)
    asked = _read(data)
    return Imported(asked, (*gathered.left_out, *signs.lost(asked)))


def _hanging(items: list[dict[str, Any]]) -> tuple[Item, ...]:
    """What stands in what and hangs on what, of items whose conditions nobody has judged yet."""
    return tuple(
        Item(
            item["linkId"],
            ItemType(item["type"]),
            NO_TEXT,
            when=tuple(Condition("exists", True, term["question"]) for term in item.get("enableWhen", ())),
            items=_hanging(item.get("item", [])),
        )
        for item in items
    )


def _something(gathered: Gathered, items: list[dict[str, Any]]) -> None:
    """Where nothing is left, what was left out is what is wrong."""
    if not items:
        gathered.top.wrong("item: nothing that can be asked is in it")
        gathered.top.problems.extend(gathered.left_out)


def _stop(top: Part) -> None:
    if top.problems:
        raise ImportRefused(top.problems)


def _read(data: dict[str, Any]) -> Questionnaire:
    try:
        return read_data(data)
    except FileRefused as refusal:
        raise ImportRefused([f"Questionnaire: {problem.what}" for problem in refusal.problems]) from None


def _language(gathered: Gathered) -> str:
    tag = gathered.top.text("language")
    language = base_language(tag)
    if tag and language is None:
        gathered.note(f"Questionnaire.language: '{tag[:20]}' is no language tag; its texts are taken for English")
    elif language and language_of(language) is None:
        gathered.note(
            f"Questionnaire.language: no voice of ours speaks '{language}'; it is shown and texted in it, and a call "
            "leads to a nurse"
        )
    return language or "en"


def _note(gathered: Gathered) -> None:
    """What is lost of the whole file."""
    top = gathered.top
    extensions = top.part("extension")
    for one in extensions if isinstance(extensions, list) else []:
        gathered.note(f"Questionnaire.extension: '{_last(one)}' is not used")
    if top.part("implicitRules"):
        gathered.note("Questionnaire.implicitRules: the rules at that address are not known here")
    subjects = top.part("subjectType")
    if isinstance(subjects, list) and subjects and "Patient" not in subjects:
        gathered.note(f"Questionnaire.subjectType: '{str(subjects[0])[:60]}'; a response is about a patient")
    if top.part("status") == "retired":
        gathered.note("Questionnaire.status: it is retired; it is asked all the same")
    marked = sum(1 for one in top.below() if any(one.part(name) for name in NOT_KEPT))
    if marked:
        gathered.note(f"Questionnaire: {' and '.join(NOT_KEPT)} of {marked} items are not kept")
    lost = sorted({tag for tag in _tags(top.value) if language_of(tag) is None})
    if lost:
        gathered.note(f"Questionnaire: translations into {', '.join(lost)} are not kept")


def _tags(value: Any) -> Iterator[str]:
    """The languages of all translations."""
    if isinstance(value, list):
        for one in value:
            yield from _tags(one)
    elif isinstance(value, dict):
        inner = value.get("extension")
        if value.get("url") == TRANSLATION and isinstance(inner, list):
            yield from (
                tag
                for part in inner
                if isinstance(part, dict) and part.get("url") == "lang" and isinstance(tag := value_of(part), str)
            )
        for one in value.values():
            yield from _tags(one)


def _last(extension: Any) -> str:
    url = extension.get("url") if isinstance(extension, dict) else None
    return str(url).rpartition("/")[2][:60]


def identifier(name: str, unique: str = "") -> str:
    """A code of ours from a name of theirs; where it has no letter that our codes have, one made of what tells it from
    others."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    code = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64]
    return code or f"imported-{hashlib.sha256(unique.encode()).hexdigest()[:8]}"
