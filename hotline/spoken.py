"""In which languages a whole call can be held at this moment."""

from __future__ import annotations

from collections.abc import Mapping

from scripts.wording import Wording
from speech.recordings import Recordings


class Spoken:
    """Languages in which a whole call can be held: those that a voice speaks, and those whose recordings are complete
    at the moment when it is asked."""

    def __init__(self, words: Wording, recordings: Recordings) -> None:
        self._voiced = frozenset(words.spoken)
        self._recordings = recordings
        needed = {tag: words.whole_call(tag) for tag in words.languages if tag not in self._voiced}
        self._needed: Mapping[str, Mapping[str, str]] = {tag: texts for tag, texts in needed.items() if texts}

    def __contains__(self, language: object) -> bool:
        if language in self._voiced:
            return True
        return isinstance(language, str) and self.complete(language)

    def complete(self, language: str) -> bool:
        """By recordings alone."""
        return language in self._needed and self._recordings.complete(language, self._needed[language])
