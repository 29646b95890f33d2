"""Answers on a clean and on a noisy telephone line: how many are taken wrongly, how many are asked again, at what cost.

    python -m benchmarks.bench_ears [--json]

Yes, no, digits and commands by natural voices that no prompt uses (tests/callers.py), 40 and 15 dB above white noise,
8 kHz µ-law. Synthetic speech shows a change of the engine, not the field. The peer is faster-whisper's own
transcription of the same sound by the same model, with its window of 30 s; its text counts where it is a phrase of the
grammar. Cost is processor time for a second of sound. Vosk has rows where HOTLINE_VOSK_ES, _EN, _PT_BR or _ZH_CN names
a model's folder.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soxr  # type: ignore[import-untyped]

from benchmarks import table
from benchmarks.table import Row
from hotline import models
from hotline.model_catalogue import WHISPER
from speech.ears import DECOY, Grammar, Understood, grammars, plain, vosk, whisper
from speech.ears.languages import LANGUAGES, numerals
from speech.ears.worker import RATE, Recogniser, Samples
from tests import callers, phone_audio

LINES = {"clean": 40.0, "noisy": 15.0}  # how far white noise lies below the speech, dB
WRONG_AT_MOST = 10.0  # % of what is taken; a sample of this size has steps of about that
COST_AT_MOST = 1.0  # of the peer's
NOT_OFFERED = 4.0  # the margin for a language that whisper does not offer to callers: the rows show why

Engine = Callable[[Samples, Grammar], Understood]


@dataclass(frozen=True, slots=True)
class Utterance:
    """`label`: what was meant. `samples` at 16 kHz."""

    grammar: Grammar
    label: str
    samples: Samples

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE


@dataclass(frozen=True, slots=True)
class Result:
    """Percentages, and seconds of processor time a second of sound."""

    wrong: float
    asked_again: float
    cost: float


def corpus(language: str, noise_db: float) -> Iterator[Utterance]:
    said, voices = LANGUAGES[language].answers, callers.VOICES[language]
    yes_no, digit = grammars.yes_no(language), grammars.digit(language)
    meant = [(yes_no, "yes", said.yes[0]), (yes_no, "no", said.no[0])]
    meant += [(digit, str(value), ways[0]) for value, ways in enumerate(said.digits) if value % 2]
    meant += [(digit, grammars.OPERATOR, said.operator[1]), (digit, grammars.REPEAT, said.repeat[1])]
    by = [voices[at % len(voices)] for at in range(len(meant))]
    files = asyncio.run(callers.say([(language, voice, way) for voice, (_, _, way) in zip(by, meant, strict=True)]))
    for voice, (grammar, label, way) in zip(by, meant, strict=True):
        clear = soxr.resample(callers.samples(files[language, voice, way]), callers.RATE, phone_audio.RATE)
        narrow = np.frombuffer(phone_audio.line(clear, noise_db), "<i2").astype(np.float32) / 32768
        yield Utterance(grammar, label, soxr.resample(narrow, phone_audio.RATE, RATE))


def measured(engine: Engine, enough: float, utterances: list[Utterance]) -> Result:
    for grammar in {id(each.grammar): each.grammar for each in utterances}.values():
        engine(utterances[0].samples, grammar)  # a grammar's first time costs more, and comes once
    right = wrong = 0
    began = time.process_time()
    for each in utterances:
        heard = engine(each.samples, each.grammar)
        if heard.label not in (None, DECOY) and heard.margin >= enough:
            right += heard.label == each.label
            wrong += heard.label != each.label
    cost = (time.process_time() - began) / sum(each.seconds for each in utterances)
    taken = right + wrong
    return Result(100 * wrong / max(1, taken), 100 - 100 * taken / len(utterances), cost)


def transcribed(model: Any, language: str) -> Engine:
    """The peer: free transcription, matched with the phrases."""

    def engine(samples: Samples, grammar: Grammar) -> Understood:
        code = whisper.CODES[language]
        segments, _ = model.transcribe(samples, language=code, beam_size=1, without_timestamps=True)
        text = numerals(" ".join(segment.text for segment in segments), language)
        meant = {numerals(plain(way), language): label for label, ways in grammar.phrases.items() for way in ways}
        return Understood(meant.get(text), float("inf"), text)

    return engine


def rows_of(name: str, language: str, ours: Result, peer: str | None = None, theirs: Result | None = None) -> list[Row]:
    told = f"{name} {language}"
    return [
        Row(f"{told}: wrong of those taken", peer, ours.wrong, theirs and theirs.wrong, "%", limit=WRONG_AT_MOST),
        Row(f"{told}: asked again", peer, ours.asked_again, theirs and theirs.asked_again, "%"),
        Row(f"{told}: CPU a second", peer, ours.cost, theirs and theirs.cost, "s", at_most=COST_AT_MOST),
    ]


def by_whisper() -> Iterator[Row]:
    os.environ["OMP_NUM_THREADS"] = "1"
    from faster_whisper import WhisperModel

    folder = models.install(WHISPER)
    recogniser = whisper.Recogniser(folder)
    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)
    for language in LANGUAGES:
        for line, noise_db in LINES.items():
            utterances = list(corpus(language, noise_db))
            ours = measured(recogniser.closed, whisper.ENOUGH.get(language, NOT_OFFERED), utterances)
            theirs = measured(transcribed(model, language), 0.0, utterances)
            yield from rows_of(f"whisper, {line},", language, ours, "transcription", theirs)


def by_vosk() -> Iterator[Row]:
    for language in LANGUAGES:
        variable = "HOTLINE_VOSK_" + language.upper().replace("-", "_")
        folder = os.environ.get(variable)
        if not folder:
            print(f"vosk {language} · no model: {variable} names none", file=sys.stderr)
            continue
        recogniser: Recogniser = vosk.Recogniser(Path(folder))
        for line, noise_db in LINES.items():
            ours = measured(recogniser.closed, vosk.ENOUGH, list(corpus(language, noise_db)))
            yield from rows_of(f"vosk, {line},", language, ours)


def main() -> int:
    return table.show([*by_whisper(), *by_vosk()])


if __name__ == "__main__":
    sys.exit(main())
