"""What in free speech must reach a person at once: chest pain, trouble breathing, bleeding, thoughts of death …

The list is a start that the hospital owns, and adds to (`scripts/vocabulary.py`); it routes a call, it diagnoses
nothing. A denial counts only where it stands right before what it denies ("no me duele el pecho"): to miss an alarm is
worse than to raise one too many.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from hospital.alarm_words import AlarmWords
from speech.ears.folding import clauses
from speech.ears.languages import LANGUAGES, words


def heard(text: str, language: str, more: AlarmWords | None = None) -> tuple[str, ...]:
    """The names of the red flags in what was said, without those that are denied. `more`: the hospital's own. Raises
    `NoEars`."""
    return _found(text, words(language).red_flags.beside(more), words(language).spaced)


def written(text: str, more: Mapping[str, AlarmWords]) -> bool:
    """Whether one is in what somebody wrote, in whatever language: who is in need writes as it comes. `more`: the
    hospital's own by language, and all of a language without ears."""
    known = [(words(language).red_flags.beside(more.get(language)), words(language).spaced) for language in LANGUAGES]
    every = [*known, *((alarms, True) for language, alarms in more.items() if language not in LANGUAGES)]
    return any(_raised(clause, every) for clause in clauses(text))


def _raised(clause: str, languages: Sequence[tuple[AlarmWords, bool]]) -> bool:
    """Whether one language finds an alarm that no other one finds denied: "no sangra" is none in Portuguese either."""
    raised: list[tuple[int, bool, range]] = []
    denied: list[tuple[int, bool, range]] = []
    for language, (known, spaced) in enumerate(languages):
        said = clause if spaced else clause.replace(" ", "")
        for pattern in known.flags.values():
            for found in re.finditer(pattern, said):
                found_in = denied if _is_denied(said, found, known.denied) else raised
                found_in.append((language, spaced, range(*found.span())))
    return any(
        not any(language != other and spaced == apart and set(at) & set(there) for other, apart, there in denied)
        for language, spaced, at in raised
    )


def _found(text: str, known: AlarmWords, spaced: bool) -> tuple[str, ...]:
    said = [clause if spaced else clause.replace(" ", "") for clause in clauses(text)]
    return tuple(
        flag for flag, pattern in known.flags.items() if any(_has(clause, pattern, known.denied) for clause in said)
    )


def _has(clause: str, pattern: str, denied: str) -> bool:
    return any(not _is_denied(clause, found, denied) for found in re.finditer(pattern, clause))


def _is_denied(clause: str, found: re.Match[str], denied: str) -> bool:
    return re.search(denied, clause[: found.start()].rstrip()) is not None
