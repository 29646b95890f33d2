"""`<`, `>`, `≤` and `≥` in a questionnaire's words: "> 38 °C" is said as "more than thirty-eight" and sent as it is.

Only before a number do they compare. Elsewhere an angle may be markup, which no voice and no message is given, and its
meaning is lost: `lost` tells where.
"""

from __future__ import annotations

import re

from scripts.questionnaire import Questionnaire, Text, every
from scripts.verbalise import SPEECH

_PLAIN = {"＜": "<", "＞": ">", "<=": "≤", ">=": "≥", "＜=": "≤", "＞=": "≥", "≦": "≤", "≧": "≥", "⩽": "≤", "⩾": "≥"}
COMPARING = re.compile(r"(?<![<>=-])([<>＜＞]=?|[≤≥≦≧⩽⩾])\s*(?=[+-]?[0-9])")
_ANY = re.compile(r"[<>＜＞≤≥≦≧⩽⩾]")
_SHOWN = 60  # letters of a text that a line quotes


def said(text: str, language: str) -> str:
    """With words of the language instead of signs before numbers; in a language without a voice as it is."""
    if language not in SPEECH:
        return text
    words = SPEECH[language]
    return COMPARING.sub(lambda found: words.COMPARED[_PLAIN.get(found[1], found[1])] + words.SPACE, text)


def lost(asked: Questionnaire) -> list[str]:
    """A line for each text whose signs neither telephone nor message can give."""
    items = [*every(asked.items)]
    texts = [(item.link_id, text) for item in items for text in (item.text, item.voice, item.sms)]
    texts += [
        (f"{item.link_id}, {one.code}", text)
        for item in items
        for one in item.options
        for text in (one.text, one.voice, one.sms)
    ]
    return [line for where, text in texts for line in _lost(where, text)]


def _lost(where: str, text: Text) -> list[str]:
    found = []
    for tag, words in text.by_language.items():
        signs = " ".join(dict.fromkeys(_ANY.findall(COMPARING.sub("", words))))
        if signs:
            found.append(
                f"{where} ({tag}): {signs} is lost by telephone and in messages, write it in words: '{words[:_SHOWN]}'"
            )
    return found
