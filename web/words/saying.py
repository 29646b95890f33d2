"""Codes as words."""

from collections.abc import Mapping

from scripts.verbalise import SPEECH

LANGUAGES = {tag: getattr(words, "NAME", tag) for tag, words in SPEECH.items()}


def capital(said: str) -> str:
    """A sentence's first letter; days and names inside it keep theirs."""
    return said[:1].upper() + said[1:]


def say(table: Mapping[str, str], code: str | None) -> str:
    """A code's words; a code that has none yet is shown readable rather than hidden."""
    if not code:
        return ""
    return table.get(code) or code.replace("_", " ").replace(".", " ").capitalize()


def language(code: str | None) -> str:
    return LANGUAGES.get(code or "", code or "unknown")
