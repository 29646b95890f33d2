"""What in free speech must reach a person at once: chest pain, trouble breathing, bleeding, thoughts of death …

The list is a start that the hospital owns; it routes a call, it diagnoses nothing. A denial counts only where it stands
right before what it denies ("no me duele el pecho"): to miss an alarm is worse than to raise one too many.
"""

from __future__ import annotations

import re

from speech.ears.folding import clauses
from speech.ears.languages import words


def heard(text: str, language: str) -> tuple[str, ...]:
    """The names of the red flags in what was said, without those that are denied. Raises `NoEars`."""
    spaced, known = words(language).spaced, words(language).red_flags
    said = [clause if spaced else clause.replace(" ", "") for clause in clauses(text)]
    return tuple(
        flag for flag, pattern in known.flags.items() if any(_has(clause, pattern, known.denied) for clause in said)
    )


def _has(clause: str, pattern: str, denied: str) -> bool:
    return any(not re.search(denied, clause[: found.start()].rstrip()) for found in re.finditer(pattern, clause))
