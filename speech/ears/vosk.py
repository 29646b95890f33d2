"""Vosk, by Kaldi: a small model a language, which the operator installs, and closed grammars for a fraction of the cost
of whisper (speech/ears/whisper.py).

What kills it or makes it hang, and who sees to it that it never happens: a grammar that is no JSON list or is empty
(`Grammar` refuses it), a sample rate of 0 (always 16 kHz here), one recogniser in several threads (one thread a
worker), a model's name in place of a path (it would ask the network and end the process: `Engine` takes absolute
paths only). Words that a model does not know it drops from a phrase in silence, so a phrase with one is left out
whole, and a grammar of nothing else is refused.

`Recogniser` lives in a worker (`worker.py`); `vosk()` is what a site asks for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speech.ears import Grammar, GrammarRefused, Understood, plain
from speech.ears.engine import Engine

RATE = 16_000
ALTERNATIVES = 10  # readings that compete for an utterance
UNKNOWN = "[unk]"
# Of its lattice's log-likelihood. Not measured: no model of our languages is in a package registry. Measure it with
# yours (benchmarks/bench_ears.py); with a grammar of few phrases Vosk is sure too easily, so confirm what matters.
ENOUGH = 6.0
CLEAR = 20.0  # the margin when no other reading came near


def vosk(language: str, model: Path, *, enough: float = ENOUGH, workers: int = 1, **limits: Any) -> Engine:
    """Ears of one language, by a Vosk model's folder (am/, conf/, graph/ …). About 0.15 GB of memory a worker."""
    return Engine("vosk", model, {language: enough}, workers=workers, **limits)


class Recogniser:
    """One model in memory, one thread."""

    def __init__(self, model: Path) -> None:
        import vosk  # type: ignore[import-untyped]  # here, because only workers need it

        vosk.SetLogLevel(-1)  # it would log what it hears
        self._vosk = vosk
        self._model = vosk.Model(str(model))

    def closed(self, samples: NDArray[np.float32], grammar: Grammar) -> Understood:
        labels = {plain(way): label for label, ways in grammar.phrases.items() for way in ways if self._knows(way)}
        if not labels:
            raise GrammarRefused("the model knows no phrase of the grammar whole: use other words")
        heard = self._vosk.KaldiRecognizer(self._model, RATE, json.dumps([*labels, UNKNOWN], ensure_ascii=False))
        heard.SetMaxAlternatives(ALTERNATIVES)
        return chosen(self._readings(heard, samples), labels)

    def open(self, samples: NDArray[np.float32], language: str) -> Understood:
        heard = self._vosk.KaldiRecognizer(self._model, RATE)
        heard.SetMaxAlternatives(ALTERNATIVES)
        readings = self._readings(heard, samples)
        best = chosen(readings, {text: text for text, _ in readings})
        return Understood(None, best.margin, best.label or "")

    def _knows(self, way: str) -> bool:
        return all(self._model.vosk_model_find_word(word) >= 0 for word in plain(way).split())

    def _readings(self, heard: Any, samples: NDArray[np.float32]) -> list[tuple[str, float]]:
        """What it may have been, and how likely."""
        heard.AcceptWaveform(np.clip(samples * 32767, -32768, 32767).astype("<i2").tobytes())
        found = json.loads(heard.FinalResult())["alternatives"]
        return [(plain(each["text"]), float(each["confidence"])) for each in found]


def chosen(readings: Iterable[tuple[str, float]], labels: dict[str, str]) -> Understood:
    """The best label by the best of its readings; what is no phrase competes as no label."""
    best: dict[str | None, float] = {}
    text = ""
    for words, likely in readings:
        label = labels.get(words)
        if not best:
            text = words
        best[label] = max(best.get(label, float("-inf")), likely)
    ranked = sorted(best.items(), key=lambda each: -each[1])
    if not ranked or ranked[0][0] is None:
        return Understood(None, 0.0, text)
    margin = ranked[0][1] - ranked[1][1] if len(ranked) > 1 else CLEAR
    return Understood(ranked[0][0], min(margin, CLEAR), text)
