"""By which words somebody tells what must reach a person at once: one language's, spoken or written."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AlarmWords:
    """Patterns over folded text (`speech.ears.folding`). `flags`: by the flag's name. `denied`: what, just before one,
    says that it is not so."""

    flags: Mapping[str, str]
    denied: str
