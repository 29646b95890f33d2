"""By which words somebody tells what must reach a person at once: one language's, spoken or written."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AlarmWords:
    """Patterns over folded text (`speech.ears.folding`). `flags`: by the flag's name. `denied`: what, just before one,
    says that it is not so."""

    flags: Mapping[str, str]
    denied: str

    def beside(self, more: "AlarmWords | None") -> "AlarmWords":
        """Both: a flag of either, and what either denies."""
        if more is None:
            return self
        flags = {**self.flags}
        for flag, pattern in more.flags.items():
            flags[flag] = f"{flags[flag]}|{pattern}" if flag in flags else pattern
        return AlarmWords(flags, f"(?:{self.denied})|(?:{more.denied})")
