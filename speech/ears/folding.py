"""Text as a recogniser writes it, made comparable: small letters without accents, no punctuation."""

from __future__ import annotations

import re
import unicodedata

_BETWEEN_DIGITS = re.compile(r"(?<=\d)[-./](?=\d)")
_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th|o|a|er)\b")
_CLAUSE = re.compile(r"[.,;:!?¡¿。，；：！？…\n]+")
# Traditional signs, which whisper writes now and then, as the simplified ones that the patterns are written in.
TRADITIONAL = "號週禮後個這兩過無沒來氣暈殺識覺緊臟難悶還點現裡風腦話說結輕傷發樓農車癇癱齒邊動臉兒陣轉請換語聽時間約開"
SIMPLE = "号周礼后个这两过无没来气晕杀识觉紧脏难闷还点现里风脑话说结轻伤发楼农车痫瘫齿边动脸儿阵转请换语听时间约开"
SIMPLIFIED = str.maketrans(TRADITIONAL, SIMPLE)


def folded(text: str) -> str:
    """ "Sí, el 3º." → "si el 3". Signs between digits become a slash: "555-1234" → "555/1234"."""
    bare = "".join(
        sign for sign in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(sign)
    ).translate(SIMPLIFIED)
    bare = _BETWEEN_DIGITS.sub("/", bare.replace("'", "").replace("’", ""))
    words = "".join(sign if sign.isalnum() or sign == "/" else " " for sign in bare)
    return _ORDINAL.sub(r"\1", " ".join(words.split()))


def clauses(text: str) -> list[str]:
    """Folded, cut where the speaker paused."""
    cut = _CLAUSE.split(_BETWEEN_DIGITS.sub("/", text))
    return [clause for clause in map(folded, cut) if clause]
