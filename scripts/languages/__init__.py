"""What is said and written, one folder a language: how dates, times and numbers are said (`__init__.py`, all of one
shape: `verbalise.Speech`), the sentences (`prompts/`, a file for each dialogue), the text messages.

A new language: copy the nearest folder; CONTRIBUTING has the recipe. What the functions give is spoken inside a
whole sentence, so it begins in small letters and has no full stop.
"""

import re
from pathlib import Path


def folders() -> dict[str, Path]:
    """Language → its folder, in the order of their keys in the first menu."""
    there = sorted(Path(__file__).parent.glob("*/language.yaml"), key=_menu_key)
    return {path.parent.name.replace("_", "-"): path.parent for path in there}


def _menu_key(head: Path) -> tuple[str, str]:
    """Read without YAML: settings need it before anything else; what is wrong there is told by wording_files."""
    found = re.search(r"^menu_key: *\"?(\w)", head.read_text(encoding="utf-8"), re.MULTILINE)
    return (found[1] if found else "~", head.parent.name)


TAGS = tuple(folders())
"""The languages that are known, such as pt-BR."""
