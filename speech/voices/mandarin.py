"""Chinese characters to Kokoro's symbols: words (rjieba), their pinyin (pypinyin), its IPA, and tones as arrows.

The same steps as in misaki's Chinese, which the model was trained with, but for its own packaging, which newer Pythons
are not served by.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

CHARACTERS = "\u3400-\u9fff"
PARTS = re.compile(rf"[{CHARACTERS}0-9]+|[^{CHARACTERS}0-9]+")
# A digit that is still a digit is a key of the telephone: one is 一 there. In numbers it was worded before.
DIGITS = str.maketrans("0123456789", "零一二三四五六七八九")
MARKS = {
    "˧˩˧": "↓",
    "˧˥": "↗",
    "˥˩": "↘",
    "˥": "→",
    "ɻ\u0329": "ɨ",
    "ɹ\u0329": "ɨ",
    "\u032f": "",
    "ʈʂ": "ꭧ",
    "tɕ": "ʨ",
    "ts": "ʦ",
}


def parts(clause: str) -> Iterator[tuple[str, bool]]:
    """Runs of Chinese (with digits in it), and what is between them."""
    for part in PARTS.findall(clause):
        if part.strip():
            yield part.strip(), bool(re.match(rf"[{CHARACTERS}0-9]", part))


def sounds(text: str) -> str:
    """Words as the model's symbols, with a space between two."""
    import rjieba  # here: only a voice's process needs the dictionaries

    return " ".join(filter(None, (_word(word) for word in rjieba.cut(text.translate(DIGITS)))))


def _word(word: str) -> str:
    from pypinyin import Style, lazy_pinyin

    return "".join(map(_syllable, lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True)))


@cache
def _syllable(pinyin: str) -> str:
    from pinyin_to_ipa import pinyin_to_ipa

    try:
        sound = "".join(next(iter(pinyin_to_ipa(pinyin))))
    except ValueError:
        return ""  # a character without a pinyin is left out
    for old, new in MARKS.items():
        sound = sound.replace(old, new)
    return sound
