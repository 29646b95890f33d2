"""Words of a reply that are no answer: no more texts, texts again, help. Pure.

The English ones are what carriers require of everybody who sends (CTIA's Messaging Principles and Best Practices, and
the words that Twilio itself obeys); they hold in every language, also where they could be an answer. The others are
each language's own (`replies` in its vocabulary). A word counts where it is the whole text.
"""

from __future__ import annotations

import unicodedata
from typing import Literal

from scripts import vocabulary

Word = Literal["stop", "start", "help"]

MANDATED: dict[Word, frozenset[str]] = {
    "stop": frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out"}),
    "start": frozenset({"start", "unstop"}),
    "help": frozenset({"help", "info"}),
}


def folded(said: str) -> str:
    """One spelling: without case, accents, marks at the ends; full-width letters as plain ones."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", said).casefold())
    letters = "".join(one for one in plain if not unicodedata.combining(one))
    return " ".join(letters.split()).strip(" .!,;:。！，；：\"'“”‘’«»()[]*¡-")


OWN: dict[str, dict[str, frozenset[str]]] = {
    tag: {kind: frozenset(map(folded, words)) for kind, words in known.replies.items()}
    for tag, known in vocabulary.tables()[0].items()
}
"""By language and what is meant, as `folded` leaves them."""


def meant(said: str) -> Word | None:
    """What a text asks for that is nothing but such a word, in whichever language."""
    word = folded(said)
    if not word:
        return "help" if said.strip() == "?" else None
    for kind in ("stop", "start", "help"):
        if word in MANDATED[kind] or any(word in words.get(kind, ()) for words in OWN.values()):
            return kind
    return None


def mandated(said: str) -> bool:
    """Whether it is one that carriers require: obeyed also where the question has it as an answer."""
    word = folded(said)
    return any(word in words for words in MANDATED.values())
