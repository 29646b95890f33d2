"""Sound to text: whole utterances in, what was meant out, or `EarsFailed`.

Owns: voice activity (`activity.py`), what may be said (`grammars.py`, `languages/`), what it means (`dates.py`,
`numbers.py`), and one file an engine (`vosk.py`, `whisper.py`), each in worker processes of its own (`workers.py`).
Never: when to listen and what to ask next; that is the line's. Words of a menu come from the prompts.

Why whole utterances: who asks does voice activity, barge-in and the end of speech, so that all engines are the same
to it. Begin reading here, then `workers.py`.

The recipe for the next engine:

1. `speech/ears/<engine>.py` with a class of the shape `Ears`. Everything that touches the engine's library runs in a
   worker (`workers.py`): recognisers die of bad grammars, hang on bad audio, and are not safe for threads.
2. `margin` is a natural logarithm, and `enough()` says from which margin on an answer of this engine may be taken:
   measure it, `benchmarks/bench_ears.py` prints the accuracy among accepted answers.
3. Show in tests/test_ears_workers.py what it does with rubbish, and that its worker's death is survived.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

MOST_PHRASES = 300  # of a grammar: whisper scores each of them; a menu has about twenty
MOST_LETTERS = 120  # of a phrase: nobody says more in one breath
DECOY = "-"  # the label of what may be said and means nothing here: it competes, and is understood as no label
LONGEST_S = 30.0  # of an utterance; the line ends one after half of that


class EarsFailed(RuntimeError):
    """Nothing was heard, for no fault of the caller's: a worker died or is late, all are busy, a model is missing.
    The message says what to do about it; it never holds what was said. The line then asks by key.
    """


class GrammarRefused(ValueError):
    """A grammar that no engine must be given: some die of it. The message names the label and what is wrong."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """Closed: what may be said, and what it means. Raises `GrammarRefused`.

    `phrases` is label → ways to say it, in words as they are spoken ("uno", "la primera"): no digits, no markup.
    """

    language: str  # "es", "pt-BR", "zh-CN", "en"
    phrases: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        if not self.phrases:
            raise GrammarRefused("the grammar is empty: there is nothing that could be heard")
        if sum(len(ways) for ways in self.phrases.values()) > MOST_PHRASES:
            raise GrammarRefused(f"the grammar has more than {MOST_PHRASES} phrases: ask a narrower question")
        meanings: dict[str, str] = {}
        for label, ways in self.phrases.items():
            if not label or not ways:
                raise GrammarRefused(f"label {label!r} has no way to be said")
            for way in ways:
                _check_phrase(label, way)
                if meanings.setdefault(plain(way), label) != label:
                    raise GrammarRefused(f"labels {meanings[plain(way)]!r} and {label!r} have a phrase in common")


@dataclass(frozen=True, slots=True)
class Understood:
    """What an utterance was taken for."""

    label: str | None  # None: nothing of the grammar was said well enough to name
    margin: float  # natural logarithm, best over runner-up; who asked decides what is enough
    text: str = field(default="", repr=False)  # words, for open speech; for a closed answer too, if there are any


class Ears(Protocol):
    """An engine, or several of them."""

    def hears(self, language: str) -> bool:
        """Whether the language can be understood well enough to be offered; else the keypad alone is."""
        ...

    def enough(self, language: str) -> float:
        """The margin from which on a closed answer is right often enough to be taken: below it, ask again."""
        ...

    def writes(self, language: str) -> bool:
        """Whether the text of a closed answer is what was said, in whatever words. Where it is not, it is of the
        grammar's, and an alarm in others must be listened for by `open`."""
        ...

    async def closed(self, pcm: bytes, rate: int, grammar: Grammar) -> Understood:
        """One whole utterance, 16-bit little-endian mono at `rate` a second, as one phrase of the grammar.

        Raises `EarsFailed`. May be cancelled, which frees its worker.
        """
        ...

    async def open(self, pcm: bytes, rate: int, language: str) -> Understood:
        """The same as free words: `text`; the label is None. Raises `EarsFailed`."""
        ...


def plain(phrase: str) -> str:
    """A phrase as it is compared: composed letters, small, single spaces."""
    return " ".join(unicodedata.normalize("NFC", phrase).casefold().split())


def _check_phrase(label: str, way: str) -> None:
    if not plain(way):
        raise GrammarRefused(f"label {label!r} has an empty way to be said")
    if len(way) > MOST_LETTERS:
        raise GrammarRefused(f"label {label!r} has a phrase of more than {MOST_LETTERS} letters")
    for sign in way:
        # Vosk reads [unk] and quotes as its own; digits are no words; lone surrogates cannot be sent to a worker.
        if sign not in " '’-" and unicodedata.category(sign)[0] not in "LM":
            raise GrammarRefused(f"label {label!r} has {sign!r} in a phrase: write it in words as it is spoken")
