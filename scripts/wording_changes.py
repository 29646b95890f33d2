"""The site's own wording of sentences that come with the hotline: what its file, or an edition of the console, changes.

    es:
      prompts:
        goodbye: Gracias por llamar. Que se mejore.
        something_else: {text: "…", short: "…", words: {"1": [mis avisos]}}
      messages:
        appointment_confirmed: "…"
      reviewed_by: {goodbye: Ana Vega}

A sentence is changed as a whole, with its forms and words; the others stay as they were. Refused as in the languages'
own files, and where a menu's sentence names other keys than the menu has: a caller would press one in vain.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from scripts.placeholders import WRITTEN, used
from scripts.spoken_words import EVERYWHERE, Words, read_words
from scripts.verbalise import speech
from scripts.wording_files import FORMS, REFERENCE, WORDS, Forms, Language, read_forms, read_sentence
from scripts.yaml_lines import Field, SourceFile

_KEY = re.compile(r"(?<![\d{])[0-9*#](?!\d)")


@dataclass(frozen=True, slots=True)
class Changes:
    """By language, then by key. `reviewed_by`: the native speaker who has read a sentence as it stands here."""

    prompts: Mapping[str, Mapping[str, Forms]]
    words: Mapping[str, Mapping[str, Words]]
    messages: Mapping[str, Mapping[str, str]]
    reviewed_by: Mapping[str, Mapping[str, str]]

    def keys(self) -> set[tuple[str, str]]:
        """(language, key) of each sentence that callers hear otherwise."""
        return {(tag, key) for tag, prompts in self.prompts.items() for key in prompts}


NO_CHANGES = Changes({}, {}, {}, {})


def read_changes(file: SourceFile, languages: Mapping[str, Language]) -> Changes:
    """`languages`: as they would be without. Raises `FileRefused` with all that is wrong."""
    found = Changes({}, {}, {}, {})
    for tag, field in file.top.mapping((), languages).items():
        parts = field.mapping((), ("prompts", "messages", "reviewed_by"))
        if tag in languages:
            reading = _Reading(languages[tag], languages[REFERENCE])
            prompts = parts["prompts"].mapping() if "prompts" in parts else {}
            messages = parts["messages"].mapping() if "messages" in parts else {}
            reviewed = parts["reviewed_by"].mapping() if "reviewed_by" in parts else {}
            _into(found.prompts, tag, {key: reading.prompt(key, entry) for key, entry in prompts.items()})
            _into(found.words, tag, reading.words)
            _into(found.messages, tag, {key: reading.message(key, entry) for key, entry in messages.items()})
            _into(found.reviewed_by, tag, {key: reading.reviewer(key, entry) for key, entry in reviewed.items()})
    file.finish()
    return found


def _into(found: Mapping[str, Mapping[str, object]], tag: str, part: Mapping[str, object]) -> None:
    if part and isinstance(found, dict):
        found[tag] = part


def with_changes(languages: Mapping[str, Language], changes: Changes) -> dict[str, Language]:
    """The languages as the site has them."""
    return {
        tag: replace(
            language,
            prompts={**language.prompts, **changes.prompts.get(tag, {})},
            words={
                **{key: said for key, said in language.words.items() if key not in changes.prompts.get(tag, {})},
                **changes.words.get(tag, {}),
            },
            messages={**language.messages, **changes.messages.get(tag, {})},
        )
        for tag, language in languages.items()
    }


def without_unknown(data: Mapping[str, object], languages: Mapping[str, Language]) -> dict[str, object]:
    """What a file says of sentences that still exist: an update of the hotline may have dropped one, and what the site
    says of all others stays in force."""
    kept: dict[str, object] = {}
    for tag, parts in data.items():
        if tag not in languages or not isinstance(parts, Mapping):
            continue
        known: dict[str, Collection[str]] = {"prompts": languages[REFERENCE].prompts.keys()}
        known["messages"] = languages[REFERENCE].messages.keys()
        known["reviewed_by"] = {*known["prompts"], *known["messages"]}
        kept[tag] = {
            name: {key: entry for key, entry in part.items() if key in known[name]}
            for name, part in parts.items()
            if name in known and isinstance(part, Mapping)
        }
    return kept


def keys_named(sentence: str, language: str) -> Counter[str]:
    """The telephone's keys that a sentence names, and how often each: star and hash by their names, too."""
    named = Counter(_KEY.findall(sentence))
    for key, names in speech(language).KEYS.items():
        named[key] += len(re.findall(names, sentence, re.IGNORECASE))
    return +named


class _Reading:
    """One language's changes."""

    def __init__(self, shipped: Language, reference: Language) -> None:
        self._shipped = shipped
        self._reference = reference
        self.words: dict[str, Words] = {}

    def prompt(self, key: str, entry: Field) -> Forms:
        expected = self._reference.prompts.get(key)
        if expected is None:
            entry.wrong(f"there is no sentence '{key}'", "Take it out, or correct its name.")
            return {}
        forms = read_forms(entry, expected)
        said = entry.mapping().get(WORDS) if entry.is_mapping else None
        if said is not None:
            self.words[key] = read_words(said, forms.get("text", ""))
        self._same_keys(key, entry, forms)
        return forms

    def _same_keys(self, key: str, entry: Field, forms: Forms) -> None:
        language = self._shipped if key in self._shipped.prompts else self._reference
        shipped = language.prompts[key]
        fields = entry.mapping() if entry.is_mapping else {"text": entry}
        for form, sentence in forms.items():
            before = keys_named(shipped.get(form, shipped["text"]), language.tag)
            if not before or form not in FORMS:
                continue
            now = keys_named(sentence, self._shipped.tag)
            for pressed in sorted(before.keys() - now.keys()):
                do = f"Say what key {pressed} is for, as the sentence before did."
                fields[form].wrong(f"key {pressed} is not named: callers would not know what it leads to", do)
            for pressed in sorted(now.keys() - before.keys() - set(EVERYWHERE)):
                fields[form].wrong(f"key {pressed} is named, but it does nothing here", f"Take key {pressed} out.")
            for pressed, count in sorted(now.items()):
                if count > max(1, before[pressed]) and pressed in before and pressed.isdigit():
                    fields[form].wrong(f"key {pressed} is named twice", "Give each choice its own key.")

    def message(self, key: str, entry: Field) -> str:
        expected = self._reference.messages.get(key)
        if expected is None:
            entry.wrong(f"there is no text message '{key}'", "Take it out, or correct its name.")
            return ""
        return read_sentence(entry, WRITTEN, used(expected))

    def reviewer(self, key: str, entry: Field) -> str:
        if key not in self._reference.prompts and key not in self._reference.messages:
            entry.wrong(f"there is no sentence '{key}'", "Take it out, or correct its name.")
        return entry.text()
