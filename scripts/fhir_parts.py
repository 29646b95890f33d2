"""FHIR JSON read by path, so that whatever is wrong in it can be told with where it stands."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.languages import TAGS
from scripts.questionnaire import LANGUAGE_TAG, ItemType

STRUCTURE = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
TRANSLATION = STRUCTURE + "translation"
OURS = {tag.partition("-")[0]: tag for tag in reversed(TAGS)}  # by the first part of a BCP 47 tag

_LIKE_A_REPETITION = re.compile(r"@(?:[0-9]{1,4}(?:\.[0-9]{1,4})*)?~*\Z")


@dataclass(frozen=True)
class Part:
    """One object of the file. A reading that fails notes a problem and gives nothing."""

    value: Any
    path: str
    problems: list[str]

    def wrong(self, what: str) -> None:
        self.problems.append(f"{self.path}.{what}" if what[:1].islower() else f"{self.path}: {what}")

    def names(self) -> set[str]:
        return set(self.value) if isinstance(self.value, dict) else set()

    def part(self, name: str) -> Any:
        return self.value.get(name) if isinstance(self.value, dict) else None

    def text(self, name: str) -> str | None:
        found = self.part(name)
        if found is not None and not isinstance(found, str):
            self.wrong(f"{name}: text is expected")
            return None
        return found

    def flag(self, name: str) -> bool:
        found = self.part(name)
        if found is not None and not isinstance(found, bool):
            self.wrong(f"{name}: true or false is expected")
        return found is True

    def whole(self, name: str) -> int | None:
        found = self.part(name)
        if found is not None and (isinstance(found, bool) or not isinstance(found, int) or found < 1):
            self.wrong(f"{name}: a whole number from 1 on is expected")
            return None
        return found

    def parts(self, name: str) -> list[Part]:
        found = self.part(name)
        if found is None:
            return []
        if not isinstance(found, list):
            self.wrong(f"{name}: a list is expected")
            return []
        made = [Part(one, f"{self.path}.{name}[{at}]", self.problems) for at, one in enumerate(found)]
        for one in made:
            if not isinstance(one.value, dict):
                one.problems.append(f"{one.path}: an object is expected")
        return [one for one in made if isinstance(one.value, dict)]

    def extensions(self, url: str) -> list[Mapping[str, Any]]:
        found = self.part("extension")
        listed = found if isinstance(found, list) else []
        return [one for one in listed if isinstance(one, dict) and one.get("url") == url]

    def extension(self, url: str) -> Mapping[str, Any] | None:
        return next(iter(self.extensions(url)), None)

    def below(self) -> Iterator[Part]:
        """Every item inside."""
        for one in self.parts("item"):
            yield one
            yield from one.below()


def clean(text: str) -> str:
    """One that our files can hold: NFC, no controls."""
    kept = "".join(" " if unicodedata.category(sign)[0] == "C" or sign in "\u2028\u2029" else sign for sign in text)
    return unicodedata.normalize("NFC", kept).strip()


def language_of(tag: object) -> str | None:
    """One of our languages for a BCP 47 tag."""
    return OURS.get(tag.partition("-")[0].lower()) if isinstance(tag, str) else None


def base_language(tag: object) -> str | None:
    """The language that a file is written in: one of ours, else the tag itself; None where it is no BCP 47 tag."""
    known = language_of(tag)
    return known or (tag if isinstance(tag, str) and LANGUAGE_TAG.fullmatch(tag) else None)


def our_link_id(theirs: str) -> str:
    """`a@1` or `a@` would be taken for the key of a repetition (`questionnaire.py`): it is kept as `a@1~`, that as
    `a@1~~`."""
    return theirs + "~" if _LIKE_A_REPETITION.search(theirs) else theirs


def their_link_id(ours: str) -> str:
    return ours[:-1] if ours.endswith("~") and _LIKE_A_REPETITION.search(ours) else ours


def canonical(url: str | None, code: str, version: int, changed: bool) -> tuple[str, str]:
    """By which address, and in which version ("": none), a questionnaire is known elsewhere. `changed`: what they wrote
    was changed here, and its version is theirs with our number."""
    address, _, theirs = (url or f"urn:hotline:questionnaire:{code}").partition("|")
    if theirs:
        return address, f"{theirs}-hotline.{version}" if changed else theirs
    return address, str(version) if changed or not url else ""


def texts(one: Part, name: str, language: str) -> dict[str, str]:
    """A text and its translations, in our languages; empty where there is none."""
    said = clean(one.text(name) or "")
    if not said:
        return {}
    found = {language: said}
    for extension in Part(one.part(f"_{name}"), one.path, []).extensions(TRANSLATION):
        inner = extension.get("extension")
        listed = inner if isinstance(inner, list) else []
        parts = {str(part.get("url")): value_of(part) for part in listed if isinstance(part, dict)}
        tag, content = language_of(parts.get("lang")), parts.get("content")
        if tag and isinstance(content, str) and clean(content):
            found.setdefault(tag, clean(content))
    return found


def value_of(holder: Any, prefix: str = "value") -> Any:
    """What stands in value[x], answer[x] …; None where nothing does."""
    if not isinstance(holder, dict):
        return None
    return next((value for name, value in holder.items() if name.startswith(prefix) and name != prefix), None)


def of_another_unit(value: Any, unit: str | None, coding: Mapping[str, str] | None) -> bool:
    """Whether a quantity of theirs names a unit, and not the one in which we ask (its name, its code)."""
    if not isinstance(value, Mapping) or "value" not in value or not (unit or coding):
        return False
    theirs = {str(value[name]) for name in ("unit", "code") if value.get(name)}
    return bool(theirs) and theirs.isdisjoint({str(unit), str((coding or {}).get("code"))})


WALL = "its zone is not kept: it is compared with the clock on the site's wall"


def zoned(kind: ItemType, value: Any) -> bool:
    """Whether it is an instant, where our answers are what a clock on the wall shows."""
    return kind is ItemType.DATE_TIME and isinstance(value, str) and len(value) > len("2026-11-23T09:20:00")


def given(kind: ItemType, value: Any) -> Any:
    """A value of theirs as an answer of ours."""
    if isinstance(value, Mapping):
        return value.get("value") if "value" in value else {"text": value.get("display") or value.get("code")}
    if kind is ItemType.DATE_TIME and isinstance(value, str):
        return value[:19]
    if kind is ItemType.TIME and isinstance(value, str):
        return value[:8]
    return value
