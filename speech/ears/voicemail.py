"""Whether what was said is what a machine says: "leave a message after the tone", "the number is not available"."""

from __future__ import annotations

import re

from speech.ears.folding import folded
from speech.ears.languages import words


def announced(text: str, language: str) -> bool:
    """`text`: as a recogniser wrote it. Raises `NoEars`."""
    said, known = folded(text), words(language)
    return re.search(known.voicemail, said if known.spaced else said.replace(" ", "")) is not None
