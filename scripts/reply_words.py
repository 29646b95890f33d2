"""Words of a text that are no answer: no more texts, texts again, help; and those that ask for an examination. Pure.

The English ones are what carriers require of everybody who sends (CTIA's Messaging Principles and Best Practices, and
the words that Twilio itself obeys); they hold in every language, also where they could be an answer. The others are
each language's own (`replies` in its vocabulary). A word counts where it is the whole text: "I cannot come to my
appointment" is for a person.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from scripts import vocabulary

Word = Literal["stop", "start", "help"]

MANDATED: dict[Word, frozenset[str]] = {
    "stop": frozenset(
        {"stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out"}
    ),
    "start": frozenset({"start", "unstop"}),
    "help": frozenset({"help", "info"}),
}


def folded(said: str) -> str:
    """One spelling: without case, accents, marks at the ends; full-width letters as plain ones."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", said).casefold())
    letters = "".join(one for one in plain if not unicodedata.combining(one))
    return " ".join(letters.split()).strip(" .!,;:。！，；：\"'“”‘’«»()[]*¡-")


def bare(said: str) -> str:
    """`folded` without what people put beside a word: emoji and other symbols, signs that nobody sees, question marks;
    a hyphen is a space."""
    signs = [(sign, unicodedata.category(sign)) for sign in unicodedata.normalize("NFC", said)]
    return folded(
        "".join(" " if kind in ("Pd", "Zs") or sign in "?¿？" else sign for sign, kind in signs if _is_seen(kind))
    )


def _is_seen(kind: str) -> bool:
    """A category of Unicode: not a symbol's, a format character's, a variation selector's or another mark's."""
    return kind[0] not in "SM" and kind != "Cf"


OWN: dict[str, dict[str, frozenset[str]]] = {
    tag: {kind: frozenset(map(folded, words)) for kind, words in known.replies.items()}
    for tag, known in vocabulary.tables()[0].items()
}
"""By language and what is meant, as `folded` leaves them."""
KNOWN: dict[Word, frozenset[str]] = {
    kind: words.union(*(own.get(kind, frozenset()) for own in OWN.values())) for kind, words in MANDATED.items()
}
"""What is obeyed in any language."""


def meant(said: str) -> Word | None:
    """What a text asks for that is nothing but such a word, in whichever language."""
    word = bare(said)
    if not word:
        return "help" if "?" in unicodedata.normalize("NFKC", said) else None
    return next((kind for kind, words in KNOWN.items() if _is_one(word, words)), None)


def cancels(said: str) -> bool:
    """Whether it may mean an appointment: nothing but a word for cancelling, in whichever language."""
    return any(_is_one(bare(said), own.get("cancel", frozenset())) for own in OWN.values())


def mandated(said: str) -> bool:
    """Whether it is one that carriers require: obeyed also where the question has it as an answer."""
    return any(_is_one(bare(said), words) for words in MANDATED.values())


def _is_one(word: str, words: frozenset[str]) -> bool:
    """A comma may stand inside where what is before it is one already: "stop, please", but not "no, more"."""
    first, comma, rest = word.partition(",")
    return word in words or (bool(comma) and first.strip() in words and " ".join(f"{first} {rest}".split()) in words)


@dataclass(frozen=True)
class Wanted:
    """An examination that a text asks for; `code` None: any. `languages`: those in which it may be written."""

    languages: tuple[str, ...]
    code: str | None = None


def wanted(said: str, examinations: Mapping[str, Mapping[str, str]]) -> Wanted | None:
    """What a text wants that is nothing but a word for booking, an examination's name, or one beside the other.
    `examinations`: code → its name by language."""
    text = _compact(said)
    found: dict[str | None, list[str]] = {}
    for tag, words in OWN.items():
        names = {_compact(name[tag]): code for code, name in examinations.items() if tag in name}
        known = {"": None, **names}
        rests = {text} if text in names else set()
        for word in map(_compact, words.get("book", ())):
            rests |= {text.removeprefix(word)} if text.startswith(word) else set()
            rests |= {text.removesuffix(word)} if text.endswith(word) else set()
        for code in {known[rest] for rest in rests if rest in known}:
            found.setdefault(code, []).append(tag)
    if not examinations or len(found) != 1:
        return None
    ((code, languages),) = found.items()
    return Wanted(tuple(languages), code)


def more(said: str) -> bool:
    """Whether other times are wanted."""
    word = folded(said)
    return word == "0" or any(word in words.get("more", ()) for words in OWN.values())


def _compact(said: str) -> str:
    """Without what people write one way or the other: x-ray, X ray, xray."""
    return folded(said).replace(" ", "").replace("-", "")
