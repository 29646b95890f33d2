"""What comes with the hotline beside its own sentences (the demo's departments and its site, the triage table, the
questionnaires, the plans) is written in several languages where it stands. A language that came later has these words
in its own folder, `library.yaml`, by the English ones:

    reviewed_by: null
    library:
      cardiology: cardiologie

What a hospital writes itself is not touched, unless it says the same in English.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from scripts import languages
from scripts.yaml_lines import FileRefused, Problem, SourceFile

REFERENCE = "en"


def in_all(said: Mapping[str, str]) -> dict[str, str]:
    """Language → words, with those of the languages that have them in their library."""
    english = " ".join(said.get(REFERENCE, "").split())
    later = {tag: table[english] for tag, table in tables()[0].items() if tag not in said and english in table}
    return {**said, **later}


@cache
def tables() -> tuple[dict[str, dict[str, str]], list[Problem]]:
    """Language → English → its words; and what is wrong in files that were refused."""
    found: dict[str, dict[str, str]] = {}
    problems: list[Problem] = []
    for tag, folder in languages.folders().items():
        if not (folder / "library.yaml").exists():
            continue
        try:
            found[tag] = _read(folder / "library.yaml")
        except FileRefused as refused:
            problems.extend(refused.problems)
    return found, problems


def _read(path: Path) -> dict[str, str]:
    source = SourceFile(path, name=str(path.relative_to(path.parent.parent)))
    top = source.top.mapping(("reviewed_by", "library"), ())
    words = {english: theirs.text() for english, theirs in top["library"].mapping().items()} if "library" in top else {}
    source.finish()
    return words
