"""Codes as words."""

from collections.abc import Mapping

LANGUAGES = {"es": "Spanish", "pt-BR": "Portuguese", "zh-CN": "Chinese", "en": "English", "mi": "Māori"}


def say(table: Mapping[str, str], code: str | None) -> str:
    """A code's words; a code that has none yet is shown readable rather than hidden."""
    if not code:
        return ""
    return table.get(code) or code.replace("_", " ").replace(".", " ").capitalize()


def language(code: str | None) -> str:
    return LANGUAGES.get(code or "", code or "unknown")
