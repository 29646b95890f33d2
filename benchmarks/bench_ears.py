"""Answers on a clean and on a noisy telephone line: how many are taken wrongly, how many are asked again, at what cost.

    python -m benchmarks.bench_ears [--json]

Answers (yes, no, digits, commands), the demo's departments and doctors, each as a closed question; days, dates of birth
and alarms (with their denials) in free words, as the rules of `speech/ears` read them. By natural voices that no
prompt uses (tests/callers.py), 8 kHz µ-law: answers 40 and 15 dB above white noise, all else 15. Synthetic speech shows
a change of the engine, not the field.

The peer is faster-whisper's own transcription of the same sound by the same model, with its window of 30 s; of a closed
question its text counts where it is a phrase of the grammar. Cost is processor time for a second of sound. Vosk has
rows where HOTLINE_VOSK_ES, _EN, _PT_BR or _ZH_CN names a folder. Whisper is not offered for Chinese (it is right too
seldom, docs/decisions/0011-ears.md): its rows have no limit, they show why.
"""

import asyncio
import datetime as dt
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soxr  # type: ignore[import-untyped]

from benchmarks import table
from benchmarks.table import Row
from hotline import demo_clinics, models
from hotline.model_catalogue import WHISPER
from scripts import verbalise
from speech.ears import DECOY, Grammar, grammars, plain, red_flags, vosk, whisper
from speech.ears.dates import birth_date, spoken_day
from speech.ears.languages import LANGUAGES, numerals
from speech.ears.worker import RATE, Recogniser, Samples
from tests import callers, phone_audio

LINES = {"clean": 40.0, "noisy": 15.0}  # how far white noise lies below the speech, dB
WRONG_AT_MOST = 10.0  # % of what is taken; a sample of this size has steps of about that
COST_AT_MOST = 1.0  # of the peer's
NOT_OFFERED = 4.0  # the margin for a language that whisper does not offer to callers: the rows show why
TODAY = dt.date(2026, 11, 25)
DAYS = (dt.date(2026, 11, 27), dt.date(2026, 12, 1), dt.date(2026, 12, 15), dt.date(2027, 1, 8))
BIRTHS = (dt.date(1980, 2, 29), dt.date(1944, 3, 17), dt.date(1966, 12, 24), dt.date(1991, 11, 8))
ALARM, NO_ALARM = "alarm", ""

Read = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Utterance:
    """`meant`: the label, or what a rule reads. `samples` at 16 kHz. `grammar`: None for free words, which `read`
    reads."""

    language: str
    meant: str
    samples: Samples
    grammar: Grammar | None
    read: Read

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE


Engine = Callable[[Utterance], str | None]
"""What it was taken for; None: it is asked again."""


@dataclass(frozen=True, slots=True)
class Result:
    """Percentages, and seconds of processor time a second of sound."""

    wrong: float
    asked_again: float
    cost: float


@dataclass(frozen=True, slots=True)
class Said:
    meant: str
    way: str
    grammar: Grammar | None = None
    read: Read = lambda text: None


def corpora(language: str) -> dict[str, list[Said]]:
    """What is said, by kind."""
    known = LANGUAGES[language].answers
    yes_no, digit = grammars.yes_no(language), grammars.digit(language)
    answers = [Said("yes", known.yes[0], yes_no), Said("no", known.no[0], yes_no)]
    answers += [Said(str(value), ways[0], digit) for value, ways in enumerate(known.digits) if value % 2]
    answers += [Said(label, ways[1], digit) for label, ways in _commands(language)]
    return {
        "answers": answers,
        "departments": _choices(language, [names[language] for _, names in demo_clinics.DEPARTMENTS]),
        "doctors": _choices(
            language, [verbalise.doctor(name, feminine, language) for _, name, feminine in demo_clinics.DOCTORS]
        ),
        "days": [Said(day.isoformat(), verbalise.day(day, language), read=partial(_day, language)) for day in DAYS],
        "births": [
            Said(day.isoformat(), verbalise.full_date(day, language), read=partial(_birth, language)) for day in BIRTHS
        ],
        # An alarm that is not heard is asked again, as all that is not understood; a denied one must not be taken.
        "alarms": [Said(ALARM, way, read=partial(_alarm, language, None)) for way in known.urgent],
        "denied alarms": [Said(NO_ALARM, way, read=partial(_alarm, language, NO_ALARM)) for way in known.not_urgent],
    }


def _commands(language: str) -> list[tuple[str, tuple[str, ...]]]:
    known = LANGUAGES[language].answers
    return [(grammars.OPERATOR, known.operator), (grammars.REPEAT, known.repeat)]


def _choices(language: str, names: list[str]) -> list[Said]:
    grammar = grammars.choice(language, {name: (name,) for name in names})
    return [Said(name, name, grammar) for name in names]


def _day(language: str, text: str) -> str | None:
    found = spoken_day(text, language, TODAY)
    return found.date.isoformat() if found else None


def _birth(language: str, text: str) -> str | None:
    found = birth_date(text, language, TODAY)
    return found.isoformat() if found else None


def _alarm(language: str, otherwise: str | None, text: str) -> str | None:
    return ALARM if red_flags.heard(text, language) else otherwise


def spoken(language: str, said: list[Said], noise_db: float) -> list[Utterance]:
    voices = callers.VOICES[language]
    by = [voices[at % len(voices)] for at in range(len(said))]
    files = asyncio.run(callers.say([(language, voice, each.way) for voice, each in zip(by, said, strict=True)]))
    found = []
    for voice, each in zip(by, said, strict=True):
        clear = soxr.resample(callers.samples(files[language, voice, each.way]), callers.RATE, phone_audio.RATE)
        narrow = np.frombuffer(phone_audio.line(clear, noise_db), "<i2").astype(np.float32) / 32768
        wide = soxr.resample(narrow, phone_audio.RATE, RATE)
        found.append(Utterance(language, each.meant, wide, each.grammar, each.read))
    return found


def measured(engine: Engine, utterances: list[Utterance]) -> Result:
    for first in {id(each.grammar): each for each in utterances}.values():
        engine(first)  # a grammar's first time costs more, and comes once
    right = wrong = 0
    began = time.process_time()
    for each in utterances:
        heard = engine(each)
        if heard is not None:
            right += heard == each.meant
            wrong += heard != each.meant
    cost = (time.process_time() - began) / sum(each.seconds for each in utterances)
    taken = right + wrong
    return Result(100 * wrong / max(1, taken), 100 - 100 * taken / len(utterances), cost)


def of(recogniser: Recogniser, enough: float) -> Engine:
    """Ours, as a call takes what it hears."""

    def engine(said: Utterance) -> str | None:
        if said.grammar is None:
            return said.read(recogniser.open(said.samples, said.language).text)
        heard = recogniser.closed(said.samples, said.grammar)
        return heard.label if heard.label not in (None, DECOY) and heard.margin >= enough else None

    return engine


def transcribed(model: Any) -> Engine:
    """The peer: free transcription, matched with the phrases."""

    def engine(said: Utterance) -> str | None:
        code = whisper.CODES[said.language]
        segments, _ = model.transcribe(said.samples, language=code, beam_size=1, without_timestamps=True)
        text = " ".join(segment.text for segment in segments)
        if said.grammar is None:
            return said.read(text)
        phrases = said.grammar.phrases.items()
        meant = {numerals(plain(way), said.language): label for label, ways in phrases for way in ways}
        return meant.get(numerals(text, said.language))

    return engine


def rows_of(name: str, ours: Result, peer: str | None, theirs: Result | None, wrong_at_most: float | None) -> list[Row]:
    return [
        Row(f"{name}: wrong of those taken", peer, ours.wrong, theirs and theirs.wrong, "%", limit=wrong_at_most),
        Row(f"{name}: asked again", peer, ours.asked_again, theirs and theirs.asked_again, "%"),
        Row(f"{name}: CPU a second", peer, ours.cost, theirs and theirs.cost, "s", at_most=COST_AT_MOST),
    ]


def told(engine: str, language: str, ours: Engine, theirs: Engine | None, offered: bool) -> Iterator[Row]:
    """Answers on each line, all else on the noisy one."""
    for kind, said in corpora(language).items():
        for line, noise_db in LINES.items() if kind == "answers" else [("noisy", LINES["noisy"])]:
            utterances = spoken(language, said, noise_db)
            peer = measured(theirs, utterances) if theirs else None
            name = f"{engine}, {line}, {language}{'' if offered else ' (not offered)'}, {kind}"
            limit = WRONG_AT_MOST if offered else None
            yield from rows_of(name, measured(ours, utterances), "transcription" if theirs else None, peer, limit)


def by_whisper() -> Iterator[Row]:
    os.environ["OMP_NUM_THREADS"] = "1"
    from faster_whisper import WhisperModel

    folder = models.install(WHISPER)
    recogniser = whisper.Recogniser(folder)
    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)
    for language in LANGUAGES:
        ours = of(recogniser, whisper.ENOUGH.get(language, NOT_OFFERED))
        yield from told("whisper", language, ours, transcribed(model), language in whisper.ENOUGH)


def by_vosk() -> Iterator[Row]:
    for language in LANGUAGES:
        variable = "HOTLINE_VOSK_" + language.upper().replace("-", "_")
        folder = os.environ.get(variable)
        if not folder:
            print(f"vosk {language} · no model: {variable} names none", file=sys.stderr)
            continue
        recogniser: Recogniser = vosk.Recogniser(Path(folder))
        yield from told("vosk", language, of(recogniser, vosk.ENOUGH), None, True)


def main() -> int:
    return table.show([*by_whisper(), *by_vosk()])


if __name__ == "__main__":
    sys.exit(main())
