"""Transcripts to be read as callers would hear them: golden files, in a folder for each language that is spoken.

A scene's presses are a row of keys for each question, as Spanish callers press them: an inbound call begins with 2 for
Spanish and is played in the other languages with their key; `X` is the key of another language than the call's.
Under each stand the names of its prompts, so that none can be missing (tests/test_transcripts.py).
`HOTLINE_GOLDEN=write` writes the files anew: read the difference before it is committed.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import yaml

from ivr.terminal import Transcript
from scripts.placeholders import Value
from scripts.wording import HERE, Wording
from tests.manners import asked_in_three_ways, five_choices_at_most, nothing_clinical_before_identity

TESTS = Path(__file__).parent
_HEADS = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(HERE.glob("*/language.yaml"))]
KEYS: dict[str, str] = {head["language"]: head["menu_key"] for head in _HEADS if head["spoken"]}
"""Language in which a whole call can be spoken → its key in the first menu."""
PROMPTS = "prompts in "


class Scene(Protocol):
    @property
    def only(self) -> str | None:
        """The language, of a scene that is one language's."""


def in_each(scenes: Mapping[str, Scene]) -> list[tuple[str, str]]:
    """Language and name, of all that is played."""
    return [(tag, name) for name, scene in scenes.items() for tag in ([scene.only] if scene.only else KEYS)]


def pressed(presses: str, language: str, chooses: bool = False) -> list[str]:
    """A scene's presses in a language. `chooses`: the first of them is the language."""
    keys = presses.replace("X", KEYS["es" if language == "en" else "en"]).split(",")
    if chooses and keys[0] == KEYS["es"]:
        keys[0] = KEYS.get(language, keys[0])
    return keys


class Said:
    """The sentences as callers hear them where nothing is recorded, and which they were. `known`: the scene begins when
    it has been proved who is on the line."""

    def __init__(self, words: Wording, known: bool = False) -> None:
        self._words, self._known = words, known
        self._names: dict[str, set[str]] = {}

    def text(self, key: str, language: str, /, **params: Value) -> str:
        sentence = self._words.sentence(key, language, params, can_speak=language in self._words.spoken)
        self._names.setdefault(sentence.language, set()).add(key.partition(".")[0])
        return sentence.text

    def under(self, transcript: object) -> str:
        """The transcript with the names of its prompts, by the language in which they were said. One that breaks what
        holds in every call (tests/manners.py) is none."""
        if isinstance(transcript, Transcript):
            five_choices_at_most(transcript.turns)
            asked_in_three_ways(transcript.turns, self._words)
            if not self._known:
                nothing_clinical_before_identity(transcript, self._words)
        names = [f"{PROMPTS}{tag}: {' '.join(sorted(names))}" for tag, names in sorted(self._names.items())]
        return "\n".join([str(transcript), *names])


def heard() -> dict[str, set[str]]:
    """Language → the names of the prompts that are said in it in any golden file; also one that is only recorded."""
    found: dict[str, set[str]] = {tag: set() for tag in KEYS}
    for path in TESTS.glob("golden*/*/*.txt"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith(PROMPTS):
                tag, _, names = line.removeprefix(PROMPTS).partition(": ")
                found.setdefault(tag, set()).update(names.split())
    return found


def is_golden(told: str, folder: str, language: str, name: str) -> None:
    """Compares it with tests/<folder>/<language>/<name>.txt."""
    told = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "…", told) + "\n"
    golden = TESTS / folder / language / f"{name}.txt"
    if os.environ.get("HOTLINE_GOLDEN") == "write":
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(told, encoding="utf-8")
    assert told == golden.read_text(encoding="utf-8")


def there(folder: str) -> set[tuple[str, str]]:
    """Language and name of each golden file of a folder."""
    return {(path.parent.name, path.stem) for path in (TESTS / folder).rglob("*.txt")}
