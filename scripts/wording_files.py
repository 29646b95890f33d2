"""The files of `prompts/` and `messages/`: what one must hold, and the reading of it.

The reference language defines the keys and each key's placeholders. A language that is spoken must have
all of them, with the same placeholders (a read-back that has lost its time would be a danger), or its
file is refused. A language that is not spoken holds the few sentences it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.placeholders import SAID, WRITTEN, stray_braces, used
from scripts.yaml_lines import Field, FileRefused, Problem, SourceFile

REFERENCE = "en"
FORMS = (
    "text",
    "short",
    "other",
    "choice",
)  # said first, at the first repetition, at the second; one row of a list

SITE = {"hospital", "emergency"}  # values that every sentence may use: the site's own

Forms = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Prompts:
    """One language's prompts: key → form → sentence. `reviewed_by` is the native speaker who read
    them, or None.
    """

    language: str
    name: str
    menu_key: str
    spoken: bool
    reviewed_by: str | None
    prompts: Mapping[str, Forms]


@dataclass(frozen=True, slots=True)
class Messages:
    """One language's text messages: key → sentence."""

    language: str
    reviewed_by: str | None
    messages: Mapping[str, str]


def load_prompts(folder: Path) -> tuple[dict[str, Prompts], list[Problem]]:
    """The good files by language, in the order of their menu keys, and the problems of the others.

    Raises `FileRefused` if the reference language's file is one of those: nothing can be judged without it.
    """
    reference = read_prompts(folder / f"{REFERENCE}.yaml", None)
    found = {REFERENCE: reference}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        if path.stem == REFERENCE:
            continue
        try:
            prompts = read_prompts(path, reference)
            for other in found.values():
                if other.menu_key == prompts.menu_key:
                    what = f"menu_key {prompts.menu_key} is the key of {other.language} already"
                    raise FileRefused([Problem(f"{folder.name}/{path.name}", 1, what)])
        except FileRefused as refusal:
            problems.extend(refusal.problems)
        else:
            found[prompts.language] = prompts
    return dict(sorted(found.items(), key=lambda item: item[1].menu_key)), problems


def load_messages(folder: Path) -> tuple[dict[str, Messages], list[Problem]]:
    """Like `load_prompts`. Every language of the folder must have every message."""
    reference = read_messages(folder / f"{REFERENCE}.yaml", None)
    found = {REFERENCE: reference}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        if path.stem == REFERENCE:
            continue
        try:
            messages = read_messages(path, reference)
        except FileRefused as refusal:
            problems.extend(refusal.problems)
        else:
            found[messages.language] = messages
    return found, problems


def read_prompts(path: Path, reference: Prompts | None) -> Prompts:
    """Read one file. Raises `FileRefused` with all that is wrong in it."""
    source = SourceFile(path)
    top = source.top.mapping(("language", "name", "menu_key", "spoken", "reviewed_by", "prompts"), ())
    language = _language(path, top)
    spoken = top["spoken"].flag() if "spoken" in top else False
    menu_key = top["menu_key"].text() if "menu_key" in top else ""
    if menu_key and (len(menu_key) != 1 or menu_key not in "12345678"):
        # 9 is urgent help and 0 a person, from the first sentence on.
        top["menu_key"].wrong(f"menu_key is {menu_key!r}; one key from 1 to 8 is allowed")
    prompts: dict[str, Forms] = {}
    if "prompts" in top:
        fields = top["prompts"].mapping()
        for key, entry in fields.items():
            expected = reference.prompts.get(key) if reference else None
            if reference and expected is None:
                entry.wrong(f"prompt '{key}' is not in the reference ({REFERENCE}.yaml)")
            prompts[key] = _forms(entry, expected)
        if reference and spoken:
            for key in reference.prompts.keys() - fields.keys():
                top["prompts"].wrong(f"prompt '{key}' is missing")
    name = top["name"].text() if "name" in top else ""
    reviewer = top["reviewed_by"].text_or_null() if "reviewed_by" in top else None
    source.finish()
    return Prompts(language, name, menu_key, spoken, reviewer, prompts)


def read_messages(path: Path, reference: Messages | None) -> Messages:
    """Read one file. Raises `FileRefused` with all that is wrong in it."""
    source = SourceFile(path)
    top = source.top.mapping(("language", "reviewed_by", "messages"), ())
    language = _language(path, top)
    messages: dict[str, str] = {}
    if "messages" in top:
        known = reference.messages if reference else None
        for key, entry in top["messages"].mapping(known or (), None if known is None else ()).items():
            messages[key] = _sentence(entry, WRITTEN, used(known[key]) if known and key in known else None)
    reviewer = top["reviewed_by"].text_or_null() if "reviewed_by" in top else None
    source.finish()
    return Messages(language, reviewer, messages)


def _language(path: Path, top: Mapping[str, Field]) -> str:
    if "language" not in top:
        return ""
    language = top["language"].text()
    if language and language != path.stem:
        top["language"].wrong(f"language is {language!r}, but the file is named {path.name}")
    return language


def _forms(entry: Field, expected: Forms | None) -> Forms:
    """A prompt is a sentence or its forms. In the reference a form may also be a language's code:
    what is said there in place of that language's own sentence, when no voice speaks it.
    """
    if not entry.is_mapping:
        return {"text": _sentence(entry, SAID, used(expected["text"]) if expected else None)}
    forms: dict[str, str] = {}
    fields = entry.mapping(("text",), None if expected is None else FORMS[1:])
    whole = used(expected["text"]) if expected else None
    for form, field in fields.items():
        if form not in FORMS and not _is_language(form):
            field.wrong(f"form '{form}' is not known; allowed: {', '.join(FORMS)}")
        if form == "text" or expected is None or form not in expected:
            forms[form] = _sentence(field, SAID, whole if form == "text" else None)
        else:
            forms[form] = _sentence(field, SAID, used(expected[form]) if form == "choice" else None)
        if form in ("short", "other") and "text" in forms:
            _no_more_than(field, forms[form], used(forms["text"]))
    if expected and "choice" in expected and "choice" not in forms:
        entry.wrong("form 'choice' is missing")
    return forms


def _is_language(form: str) -> bool:
    return form[:2].isalpha() and (len(form) == 2 or form[2:3] == "-")


def _no_more_than(field: Field, sentence: str, allowed: set[str]) -> None:
    for name in sorted(used(sentence) - allowed):
        field.wrong(f"placeholder {{{name}}} is not in this prompt's text, so nobody gives it a value")


def _sentence(entry: Field, known: Mapping[str, object], expected: set[str] | None) -> str:
    text = entry.text()
    if stray_braces(text):
        entry.wrong("braces that are no placeholder such as {when}")
    for name in sorted(used(text) - known.keys()):
        entry.wrong(f"placeholder {{{name}}} is not known; known: {', '.join(sorted(known))}")
    if expected is not None and text:
        # The site's own values are always there.
        for name in sorted((used(text) & known.keys()) - expected - SITE):
            entry.wrong(f"placeholder {{{name}}} is not in the reference's sentence, so nobody gives it a value")
        for name in sorted(expected - used(text) - SITE):
            entry.wrong(f"placeholder {{{name}}} is missing; the reference's sentence has it")
    return text
