"""What in free speech must reach a person at once: chest pain, trouble breathing, bleeding, thoughts of death …

The list is a start that the hospital owns; it routes a call, it diagnoses nothing. A denial counts only where it stands
right before what it denies ("no me duele el pecho"): to miss an alarm is worse than to raise one too many.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from hospital.alarm_words import AlarmWords
from speech.ears.folding import clauses
from speech.ears.languages import LANGUAGES, words


def heard(text: str, language: str) -> tuple[str, ...]:
    """The names of the red flags in what was said, without those that are denied. Raises `NoEars`."""
    return _found(text, words(language).red_flags, words(language).spaced)


def written(text: str, unheard: Iterable[AlarmWords]) -> bool:
    """Whether one is in what somebody wrote, in whatever language: who is in need writes as it comes. `unheard`: of
    languages without ears."""
    if any(heard(text, language) for language in LANGUAGES):
        return True
    return any(_found(text, known, spaced=True) for known in unheard)


def _found(text: str, known: AlarmWords, spaced: bool) -> tuple[str, ...]:
    said = [clause if spaced else clause.replace(" ", "") for clause in clauses(text)]
    return tuple(
        flag for flag, pattern in known.flags.items() if any(_has(clause, pattern, known.denied) for clause in said)
    )


def _has(clause: str, pattern: str, denied: str) -> bool:
    return any(not re.search(denied, clause[: found.start()].rstrip()) for found in re.finditer(pattern, clause))
