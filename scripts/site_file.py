"""The site's own sentences, in one file: opening hours, the way here, what to bring, how to prepare.

    says:
      opening_hours: {en: "We are open …", es: "Abrimos …"}
    prepare:
      fasting: {en: "Eat nothing …", es: "No coma …"}

They become prompts and text messages like all others (`with_site`), so that they are spoken ahead, cached, and said in
the reference language where one is missing. A sentence must be there in the reference language and in every spoken one:
who is not told to come fasting comes in vain.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from scripts import library
from scripts.placeholders import stray_braces, used
from scripts.wording_files import REFERENCE, SITE, Language
from scripts.yaml_lines import Field, SourceFile

TOPICS = ("opening_hours", "directions", "documents", "address")
LONGEST = 600  # letters; somebody has to listen to it
CODE = re.compile(r"[a-z][a-z0-9_]{0,30}")

# What is written before a site's sentence in a text message: never what the appointment is for.
WRITTEN = {"address": "{hospital}: ", "prepare": "{hospital}, {date}, {time}: "}


@dataclass(frozen=True, slots=True)
class SiteSays:
    """Sentences by prompt key and language. `address` is only written."""

    spoken: Mapping[str, Mapping[str, str]]
    written: Mapping[str, Mapping[str, str]]


NOTHING = SiteSays({}, {})


def read_site(path: Path, languages: Mapping[str, Language], needed: Collection[str] | None = None) -> SiteSays:
    """`needed`: those that must have each sentence, all that are spoken without it. Raises `FileRefused` with all that
    is wrong, each with its line."""
    return read_says(SourceFile(path), languages, needed)


def read_says(file: SourceFile, languages: Mapping[str, Language], needed: Collection[str] | None = None) -> SiteSays:
    """The same of a file that was opened, or of an edition."""
    top = file.top.mapping((), ("says", "prepare"))
    if needed is None:
        needed = [tag for tag, language in languages.items() if language.spoken]
    says = top["says"].mapping((), TOPICS) if "says" in top else {}
    prepare = top["prepare"].mapping() if "prepare" in top else {}
    for code, entry in prepare.items():
        if not CODE.fullmatch(code):
            entry.wrong(f"'{code}' is no code: small letters, digits and _ are allowed")
    topics = {topic: _sentences(entry, needed, languages, SITE) for topic, entry in says.items()}
    prepared = {f"prepare_{code}": _sentences(entry, needed, languages, set()) for code, entry in prepare.items()}
    file.finish()
    address = topics.pop("address", {})
    written = {"address": _written(address, "address")} if address else {}
    if "directions" in topics and not address:
        says["directions"].wrong("'directions' need an 'address' beside them, for a text message")
        file.finish()
    return SiteSays({**topics, **prepared}, written | {key: _written(one, "prepare") for key, one in prepared.items()})


def _sentences(entry: Field, needed: Iterable[str], languages: Iterable[str], allowed: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for tag, field in entry.mapping((REFERENCE,), languages).items():
        found[tag] = text = field.text()
        if len(text) > LONGEST:
            field.wrong(f"has {len(text)} letters; {LONGEST} are allowed")
        if stray_braces(text) or used(text) - allowed:
            field.wrong(f"braces; allowed here: {', '.join(sorted(f'{{{name}}}' for name in allowed)) or 'none'}")
    found = library.in_all(found)
    for tag in needed:
        if tag not in found and tag != REFERENCE:
            entry.wrong(f"'{tag}' is missing")
    return found


def _written(sentences: Mapping[str, str], kind: str) -> dict[str, str]:
    return {tag: WRITTEN[kind] + sentence for tag, sentence in sentences.items()}


def with_site(languages: Mapping[str, Language], says: SiteSays) -> dict[str, Language]:
    """The languages with the site's sentences among theirs. A message that a language lacks is written in the
    reference language."""
    return {
        tag: replace(
            language,
            prompts={
                **language.prompts,
                **{key: {"text": by[tag]} for key, by in says.spoken.items() if tag in by},
            },
            messages={
                **language.messages,
                **{key: by.get(tag, by[REFERENCE]) for key, by in says.written.items()},
            },
        )
        for tag, language in languages.items()
    }
