"""The folders of `languages/`: what one must hold, and the reading of it.

    es/__init__.py     how dates, times and numbers are said (scripts/verbalise.py)
    es/language.yaml   its tag, name, key in the first menu, greetings, pace; whether a whole call can be spoken in it
    es/prompts/*.yaml  its sentences, a file for each dialogue that says them
    es/messages.yaml   its text messages
    es/letters.yaml    the paragraphs of its letters
    es/pages.yaml      the sentences of the pages on which patients answer
    es/vocabulary.yaml words that are looked up (scripts/vocabulary.py)

The reference language defines the keys and each key's placeholders. A language that is spoken must have
all of them, with the same placeholders (a read-back that has lost its time would be a danger), or it is
refused. A language that is not spoken holds the few sentences it has.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from scripts import vocabulary
from scripts.placeholders import SAID, SAID_AS, WRITTEN, grammars, stray_braces, used
from scripts.spoken_words import Words, read_words
from scripts.yaml_lines import Field, FileRefused, Problem, SourceFile

REFERENCE = "en"
FORMS = (
    "text",
    "short",
    "other",
    "choice",
)  # said first, at the first repetition, at the second; one row of a list
WRITTEN_IN = ("messages", "letters", "pages")  # files of what is written, not said
WORDS = "words"  # beside the forms: what may be said instead of pressing a key

SITE = {"hospital", "emergency", "greeting", "our_number"}  # values that every sentence may use: the site's own
# Those of the site's values that no sentence of a site may drop where the reference has them, and what to do.
NEEDED = {
    "emergency": "Say the emergency number there, as {emergency}: who is in danger must hear it.",
    "our_number": "Say our number there, as {our_number}: it is where to call us back.",
}
PACES = (0.5, 1.5)  # of a language: beyond them a voice is not understood

Forms = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Language:
    """One language's sentences: prompts by key and form, messages (and letters' paragraphs, pages' sentences) by key;
    `words` by prompt and key of the telephone.

    `greetings`: country (two small letters) → how a caller is greeted there; "text" everywhere else. `pace` is beside
    the voice's own. `reviewed`: its files → the native speaker who read that file, or None. `files`: prompt → the
    dialogue whose file it stands in; `written_in`: message → messages, letters or pages.
    """

    tag: str
    name: str
    menu_key: str
    spoken: bool
    greetings: Mapping[str, str]
    pace: float
    prompts: Mapping[str, Forms]
    messages: Mapping[str, str]
    reviewed: Mapping[str, str | None]
    words: Mapping[str, Words]
    files: Mapping[str, str]
    written_in: Mapping[str, str]


def load_languages(folder: Path) -> tuple[dict[str, Language], list[Problem]]:
    """The good languages by tag, in the order of their menu keys, and the problems of the others.

    Raises `FileRefused` if the reference language is one of those: nothing can be judged without it. What did not
    change since a process (or what it was forked from) last read it is not parsed again.
    """
    found, problems = _load(folder, _digest(folder))
    return dict(found), list(problems)


def _digest(folder: Path) -> bytes:
    """Of all that is read in it."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*/**/*.yaml")):
        try:
            content = path.read_bytes()
        except OSError as error:  # which is told when it is read
            content = str(error.strerror).encode()
        digest.update(f"{path.relative_to(folder)} {len(content)}\n".encode() + content)
    return digest.digest()


@lru_cache(maxsize=4)
def _load(folder: Path, _: bytes) -> tuple[Mapping[str, Language], Sequence[Problem]]:
    reference = read_language(folder / REFERENCE, None)
    found = {REFERENCE: reference}
    problems: list[Problem] = []
    for path in sorted(folder.iterdir()):
        if path.name == REFERENCE or not (path / "language.yaml").exists():
            continue
        try:
            language = read_language(path, reference)
            for other in found.values():
                if other.menu_key == language.menu_key:
                    what = f"menu_key {language.menu_key} is the key of {other.tag} already"
                    raise FileRefused([Problem(f"{path.name}/language.yaml", 1, what)])
        except FileRefused as refusal:
            problems.extend(refusal.problems)
        else:
            found[language.tag] = language
    return dict(sorted(found.items(), key=lambda item: item[1].menu_key)), problems


def read_language(folder: Path, reference: Language | None) -> Language:
    """Read one folder. Raises `FileRefused` with all that is wrong in it."""
    head = SourceFile(folder / "language.yaml")
    top = head.top.mapping(("language", "name", "menu_key", "spoken", "greeting", "pace"), ())
    tag = _tag(folder, top)
    name = top["name"].text() if "name" in top else ""
    spoken = top["spoken"].flag() if "spoken" in top else False
    menu_key = top["menu_key"].text() if "menu_key" in top else ""
    if menu_key and (len(menu_key) != 1 or menu_key not in "123456"):
        # 7 is slower, 8 another language, 9 urgent help, 0 a person, from the first sentence on.
        top["menu_key"].wrong(f"menu_key is {menu_key!r}; one key from 1 to 6 is allowed")
    greetings = _greetings(top["greeting"]) if "greeting" in top else {}
    pace = float(top["pace"].number()) if "pace" in top else 1.0
    if not PACES[0] <= pace <= PACES[1]:
        top["pace"].wrong(f"pace is {pace:g}; {PACES[0]} to {PACES[1]} is allowed")
    problems = [*head.problems]
    reading = _Reading(folder, reference, problems)
    prompts = reading.prompts()
    if reference and spoken:
        for key in sorted(reference.prompts.keys() - prompts.keys()):
            problems.append(Problem(f"{folder.name}/language.yaml", 1, f"prompt '{key}' is missing"))
    messages = reading.messages()
    reading.vocabulary()
    if problems:
        raise FileRefused(problems)
    read = (reading.reviewed, reading.words, reading.files, reading.written_in)
    return Language(tag, name, menu_key, spoken, greetings, pace, prompts, messages, *read)


class _Reading:
    """What the files of one folder hold together, and the problems found in them so far."""

    def __init__(self, folder: Path, reference: Language | None, problems: list[Problem]) -> None:
        self.reviewed: dict[str, str | None] = {}
        self.words: dict[str, Words] = {}
        self.files: dict[str, str] = {}
        self.written_in: dict[str, str] = {}
        self._folder = folder
        self._reference = reference
        self._problems = problems

    def prompts(self) -> dict[str, Forms]:
        found: dict[str, Forms] = {}
        where: dict[str, str] = {}
        for path in sorted((self._folder / "prompts").glob("*.yaml")):
            for key, entry in self._entries(path, "prompts").items():
                expected = self._reference.prompts.get(key) if self._reference else None
                if self._reference and expected is None:
                    entry.wrong(f"prompt '{key}' is not in the reference ({REFERENCE})")
                if key in found:
                    entry.wrong(f"prompt '{key}' stands in {where[key]} already")
                found[key] = read_forms(entry, expected)
                self._read_words(key, entry, found[key])
                where[key] = path.name
                self.files[key] = path.stem
                self._take(entry.file)
        return found

    def messages(self) -> dict[str, str]:
        known = self._reference.messages if self._reference else None
        found: dict[str, str] = {}
        for kind in WRITTEN_IN:
            there = known and {key: text for key, text in known.items() if self._in(kind, key)}
            fields = self._entries(self._folder / f"{kind}.yaml", kind, there)
            for key, entry in fields.items():
                if key in found:
                    entry.wrong(f"'{key}' stands in {WRITTEN_IN[0]}.yaml already")
                found[key] = read_sentence(entry, WRITTEN, used(known[key]) if known and key in known else None)
                self.written_in[key] = kind
                self._take(entry.file)
        return found

    def vocabulary(self) -> None:
        """Who has read it; it is read for itself, by scripts/vocabulary.py."""
        path = self._folder / vocabulary.NAME
        if path.exists():
            try:
                self.reviewed[f"{self._folder.name}/{path.name}"] = vocabulary.read(path).reviewed_by
            except FileRefused as refusal:
                self._problems.extend(refusal.problems)

    def _in(self, kind: str, key: str) -> bool:
        """Whether the reference has this written sentence in that file."""
        return self._reference is None or self._reference.written_in[key] == kind

    def _read_words(self, key: str, entry: Field, forms: Forms) -> None:
        words = entry.mapping().get(WORDS) if entry.is_mapping else None
        if words is not None:
            self.words[key] = read_words(words, forms.get("text", ""))

    def _entries(self, path: Path, kind: str, known: Mapping[str, str] | None = None) -> dict[str, Field]:
        """The fields below `kind`; those of `known` must all be there, and no others."""
        try:
            file = SourceFile(path, name=str(path.relative_to(self._folder.parent)))
        except FileRefused as refusal:
            self._problems.extend(refusal.problems)
            return {}
        top = file.top.mapping(("reviewed_by", kind), ())
        self.reviewed[file.name] = top["reviewed_by"].text_or_null() if "reviewed_by" in top else None
        entries = top[kind].mapping(known or (), None if known is None else ()) if kind in top else {}
        self._take(file)
        return entries

    def _take(self, file: SourceFile) -> None:
        """A file's problems are ours; each once."""
        self._problems.extend(problem for problem in file.problems if problem not in self._problems)


def _tag(folder: Path, top: Mapping[str, Field]) -> str:
    if "language" not in top:
        return ""
    tag = top["language"].text()
    if tag and tag.replace("-", "_") != folder.name:
        top["language"].wrong(f"language is {tag!r}, but the folder is named {folder.name}")
    return tag


def _greetings(field: Field) -> dict[str, str]:
    found = {}
    for country, greeting in field.mapping(("text",)).items():
        if country != "text" and not (len(country) == 2 and country.isalpha() and country.islower()):
            greeting.wrong(f"'{country}' is no country: two small letters, or text")
        found[country] = greeting.text()
    return found


def read_forms(entry: Field, expected: Forms | None) -> Forms:
    """A prompt is a sentence or its forms. In the reference a form may also be a language's code:
    what is said there in place of that language's own sentence, when no voice speaks it.
    """
    if not entry.is_mapping:
        return {"text": read_sentence(entry, SAID, used(expected["text"]) if expected else None)}
    forms: dict[str, str] = {}
    fields = entry.mapping(("text",), None if expected is None else (*FORMS[1:], WORDS))
    fields.pop(WORDS, None)
    whole = used(expected["text"]) if expected else None
    for form, field in fields.items():
        if form not in FORMS and not _is_language(form):
            field.wrong(f"form '{form}' is not known; allowed: {', '.join(FORMS)}")
        if form == "text" or expected is None or form not in expected:
            forms[form] = read_sentence(field, SAID, whole if form == "text" else None)
        else:
            whole_row = used(expected[form]) if form == "choice" else None
            forms[form] = read_sentence(field, SAID, whole_row, used(expected[form]) & NEEDED.keys())
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


def read_sentence(
    entry: Field, known: Mapping[str, object], expected: set[str] | None, needed: Collection[str] = ()
) -> str:
    """`expected`: the placeholders of the reference's sentence, None for a form that may have fewer; `needed`: those
    that it must have all the same: whoever is in danger hears the emergency number wherever the reference says it."""
    text = entry.text()
    if stray_braces(text):
        entry.wrong("braces that are no placeholder such as {when}")
    for name in sorted(used(text) - known.keys()):
        entry.wrong(f"placeholder {{{name}}} is not known; known: {', '.join(sorted(known))}")
    for name, grammar in sorted(grammars(text) - (SAID_AS.keys() if known is SAID else set())):
        entry.wrong(f"{{{name}:{grammar}}}: '{grammar}' is not known there")
    if expected is not None and text:
        # The site's own values are always there.
        for name in sorted((used(text) & known.keys()) - expected - SITE):
            entry.wrong(f"placeholder {{{name}}} is not in the reference's sentence, so nobody gives it a value")
    for name in sorted(({*(expected or ()), *needed} - used(text)) - (SITE - NEEDED.keys())) if text else ():
        entry.wrong(f"placeholder {{{name}}} is missing; the reference's sentence has it", NEEDED.get(name, ""))
    return text
