"""Words of a reply that are no answer: no more texts, texts again, help. Pure.

The English ones are what carriers require of everybody who sends (CTIA's Messaging Principles and Best Practices, and
the words that Twilio itself obeys); they hold in every language, also where they could be an answer. The others are
each language's own. A word counts where it is the whole text.
"""

from __future__ import annotations

import unicodedata
from typing import Literal

Word = Literal["stop", "start", "help"]

MANDATED: dict[Word, frozenset[str]] = {
    "stop": frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out"}),
    "start": frozenset({"start", "unstop"}),
    "help": frozenset({"help", "info"}),
}
OWN: dict[str, dict[Word, frozenset[str]]] = {
    "en": {
        "stop": frozenset({"stop please", "please stop", "no more", "no more texts"}),
        "start": frozenset({"resume"}),
        "help": frozenset({"?"}),
    },
    "es": {
        "stop": frozenset({"baja", "alto", "parar", "cancelar", "no mas", "no mas mensajes", "darme de baja"}),
        "start": frozenset({"alta", "inicio", "empezar"}),
        "help": frozenset({"ayuda"}),
    },
    "pt-BR": {
        "stop": frozenset({"sair", "parar", "pare", "cancelar", "remover", "chega", "nao quero mais"}),
        "start": frozenset({"voltar", "inicio", "comecar"}),
        "help": frozenset({"ajuda"}),
    },
    "zh-CN": {
        "stop": frozenset({"退订", "td", "t", "取消", "停止", "不要再发", "退出"}),
        "start": frozenset({"订阅", "恢复", "开始"}),
        "help": frozenset({"帮助"}),
    },
    "mi": {
        "stop": frozenset({"kati", "whakamutua", "me mutu", "kaua"}),
        "start": frozenset({"timata", "timata ano"}),
        "help": frozenset({"awhina"}),
    },
}
"""By language, as `folded` leaves them."""


def folded(said: str) -> str:
    """One spelling: without case, accents, marks at the ends; full-width letters as plain ones."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", said).casefold())
    letters = "".join(one for one in plain if not unicodedata.combining(one))
    return " ".join(letters.split()).strip(" .!,;:。！，；：\"'“”‘’«»()[]*¡-")


def meant(said: str) -> Word | None:
    """What a text asks for that is nothing but such a word, in whichever language."""
    word = folded(said)
    if not word:
        return "help" if said.strip() == "?" else None
    for kind in ("stop", "start", "help"):
        if word in MANDATED[kind] or any(word in words[kind] for words in OWN.values()):
            return kind
    return None


def mandated(said: str) -> bool:
    """Whether it is one that carriers require: obeyed also where the question has it as an answer."""
    word = folded(said)
    return any(word in words for words in MANDATED.values())
