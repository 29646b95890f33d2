"""Answers on a clean and on a noisy telephone line: how many are taken wrongly, how many are asked again, at what cost.

    python -m benchmarks.bench_ears [--json]

Always the same sample: answers (yes, no, digits, commands) and choices (the demo's departments and doctors) to the
menus of calls (`ivr/phrasebook.py`); dates (days, dates of birth) and alarms with their denials in free words, as the
rules of `speech/ears` read them, and how many of an alarm's words are misheard (in Chinese of the signs, as they
sound). By natural voices that no prompt uses (tests/callers.py), 8 kHz µ-law, 40 and 15 dB above white noise. Synthetic
speech shows a change of the engine, not the field.

The peer is faster-whisper's own transcription of the noisy answers by the same model, with its window of 30 s; its text
counts where it is a phrase of the grammar. Cost is processor time for a second of sound. Vosk has rows where
HOTLINE_VOSK_ES, _EN, _PT_BR or _ZH_CN names a folder. A language that whisper does not offer to callers
(docs/decisions/0055-chinese-by-whisper.md) has no limits: its rows show why.

The first time on a machine the voices speak for two minutes; their sound is kept. What has not begun when `MOST_S` have
passed is left out and named, and the exit status is 1: a busy machine makes it shorter, never endless.
"""

import asyncio
import datetime as dt
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import soxr  # type: ignore[import-untyped]

from benchmarks import table
from benchmarks.table import Row
from hotline import demo_clinics, models
from hotline.model_catalogue import WHISPER
from ivr.house import HouseKeys
from ivr.phrasebook import NO, YES, Phrasebook
from ivr.turn import Prompt
from scripts import verbalise
from scripts.placeholders import Doctor, Value
from scripts.wording import Site, load
from speech.ears import DECOY, Grammar, plain, red_flags, vosk, whisper
from speech.ears.dates import birth_date, spoken_day
from speech.ears.languages import LANGUAGES, numerals
from speech.ears.worker import RATE, Recogniser, Samples
from tests import callers, ear_proxy, phone_audio

MOST_S = 300.0  # from the first utterance on
LINES = {"clean": 40.0, "noisy": 15.0}  # how far white noise lies below the speech, dB
BESIDE_PEER = ("noisy", "answers")
SAID_BACK = "dates"  # always, and they count with a yes: what is read wrongly has no limit
WRONG_AT_MOST = 10.0  # % of what is taken; a sample of this size has steps of about that
COST_AT_MOST = 1.0  # of the peer's
NOT_OFFERED = 4.0  # the margin for a language that whisper does not offer to callers: the rows show why
TODAY = dt.date(2026, 11, 25)
DAYS = (dt.date(2026, 11, 27), dt.date(2026, 12, 1), dt.date(2026, 12, 15), dt.date(2027, 1, 8))
BIRTHS = (dt.date(1980, 2, 29), dt.date(1944, 3, 17), dt.date(1966, 12, 24), dt.date(1991, 11, 8))
ALARM, NO_ALARM = "alarm", ""
SCORES = "12345"  # the keys of a rating

Read = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Said:
    """`meant`: the label, or what a rule reads. `grammar`: None for free words, which `read` reads. `worded`: the words
    are compared, too; a date is written in figures, and in another order than it was said."""

    meant: str
    way: str
    grammar: Grammar | None = None
    read: Read = lambda text: None
    worded: bool = False


@dataclass(frozen=True, slots=True)
class Utterance:
    """`samples` at 16 kHz."""

    language: str
    said: Said
    samples: Samples

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE


Engine = Callable[[Utterance], tuple[str | None, str]]
"""What it was taken for (None: it is asked again), and the words."""


@dataclass(frozen=True, slots=True)
class Result:
    """Percentages, and seconds of processor time a second of sound."""

    wrong: float
    asked_again: float
    misheard: float | None  # of the words; None where they are not compared
    cost: float


class Clock:
    """Tells how far it is, and when time is up."""

    def __init__(self) -> None:
        self._began: float | None = None
        self.left_out = 0

    def allows(self, what: str, utterances: int) -> bool:
        self._began = self._began or time.monotonic()
        passed = time.monotonic() - self._began
        self.left_out += passed >= MOST_S
        told = "left out, for want of time" if passed >= MOST_S else f"{utterances} utterances"
        print(f"{passed:4.0f} s of at most {MOST_S:.0f} · {what}: {told}", file=sys.stderr, flush=True)
        return passed < MOST_S


def corpora(language: str) -> dict[str, list[Said]]:
    """What is said, by kind."""
    known, book = LANGUAGES[language].answers, phrasebook()
    yes_no, score = book.yes_or_no(language), book.menu([Prompt("rating_score")], SCORES, language)
    answers = [Said(YES, known.yes[0], yes_no), Said(NO, known.no[0], yes_no)]
    answers += [Said(key, known.digits[int(key)][0], score) for key in SCORES]
    commands = [(HouseKeys.operator, known.operator), (HouseKeys.repeat, known.repeat)]
    answers += [Said(key, ways[1], score) for key, ways in commands]
    departments = {names[language]: names for _, names in demo_clinics.DEPARTMENTS}
    doctors = {
        verbalise.doctor(name, feminine, language): Doctor(name, feminine) for _, name, feminine in demo_clinics.DOCTORS
    }
    rules = (_birth, _day, partial(_alarm, None), partial(_alarm, NO_ALARM))
    birth, day, alarm, no_alarm = (partial(rule, language) for rule in rules)
    return {
        "answers": answers,
        "choices": [
            *_choices(language, "choose_department", "department", departments),
            *_choices(language, "choose_doctor", "doctor", doctors),
        ],
        "dates": [
            *(Said(date.isoformat(), verbalise.full_date(date, language), read=birth) for date in BIRTHS),
            *(Said(date.isoformat(), verbalise.day(date, language), read=day) for date in DAYS),
        ],
        # An alarm that is not heard is asked again, as all that is not understood; a denied one must not be taken.
        "alarms": [
            *(Said(ALARM, way, read=alarm, worded=True) for way in known.urgent),
            *(Said(NO_ALARM, way, read=no_alarm, worded=True) for way in known.not_urgent),
        ],
    }


@lru_cache(maxsize=1)
def phrasebook() -> Phrasebook:
    """The grammars of calls."""
    site = Site("Hospital", "112", "+6015550199", ZoneInfo("America/Bogota"))
    return Phrasebook(load(site), HouseKeys().urgent)


def _choices(language: str, question: str, kind: str, named: Mapping[str, Value]) -> list[Said]:
    """Rows that are read out; `named`: how each is said, and what it is."""
    rows = [(str(number), way, value) for number, (way, value) in enumerate(named.items(), 1)]
    asked = Prompt(question, choices=[{"key": key, kind: value} for key, _, value in rows])
    grammar = phrasebook().menu([asked], "".join(key for key, *_ in rows), language)
    return [Said(key, way, grammar) for key, way, _ in rows]


def _day(language: str, text: str) -> str | None:
    found = spoken_day(text, language, TODAY)
    return found.date.isoformat() if found else None


def _birth(language: str, text: str) -> str | None:
    found = birth_date(text, language, TODAY)
    return found.isoformat() if found else None


def _alarm(otherwise: str | None, language: str, text: str) -> str | None:
    return ALARM if red_flags.heard(text, language) else otherwise


def voices(language: str, said: list[Said]) -> list[tuple[str, str, str]]:
    """Language, voice and words, as `callers.say` takes them: the voices in turn."""
    known = callers.VOICES[language]
    return [(language, known[at % len(known)], each.way) for at, each in enumerate(said)]


def spoken(language: str, said: list[Said], noise_db: float) -> list[Utterance]:
    asked = voices(language, said)
    files = asyncio.run(callers.say(asked))
    found = []
    for each, one in zip(asked, said, strict=True):
        clear = soxr.resample(callers.samples(files[each]), callers.RATE, phone_audio.RATE)
        narrow = np.frombuffer(phone_audio.line(clear, noise_db), "<i2").astype(np.float32) / 32768
        found.append(Utterance(language, one, soxr.resample(narrow, phone_audio.RATE, RATE)))
    return found


def measured(engine: Engine, utterances: list[Utterance]) -> Result:
    for first in {id(each.said.grammar): each for each in utterances}.values():
        engine(first)  # a grammar's first time costs more, and comes once
    heard, costs = [], []
    for each in utterances:
        began = time.process_time()
        heard.append(engine(each))
        costs.append((time.process_time() - began) / each.seconds)
    taken = [label == each.said.meant for each, (label, _) in zip(utterances, heard, strict=True) if label is not None]
    free = [
        ear_proxy.understood(each.said.way, text, each.language, by_sound=True)
        for each, (_, text) in zip(utterances, heard, strict=True)
        if each.said.worded
    ]
    return Result(
        100 * taken.count(False) / max(1, len(taken)),
        100 - 100 * len(taken) / len(utterances),
        100 - 100 * statistics.mean(free) if free else None,
        statistics.median(costs),
    )


def of(recogniser: Recogniser, enough: float) -> Engine:
    """Ours, as a call takes what it hears."""

    def engine(one: Utterance) -> tuple[str | None, str]:
        if one.said.grammar is None:
            text = recogniser.open(one.samples, one.language).text
            return one.said.read(text), text
        heard = recogniser.closed(one.samples, one.said.grammar)
        sure = heard.label not in (None, DECOY) and heard.margin >= enough
        return (heard.label if sure else None), heard.text

    return engine


def transcribed(model: Any) -> Engine:
    """The peer: free transcription, matched with the phrases."""

    def engine(one: Utterance) -> tuple[str | None, str]:
        assert one.said.grammar is not None  # for the type checker: `BESIDE_PEER` is closed
        code = whisper.CODES[one.language]
        segments, _ = model.transcribe(one.samples, language=code, beam_size=1, without_timestamps=True)
        text = " ".join(segment.text for segment in segments)
        phrases = one.said.grammar.phrases.items()
        meant = {numerals(plain(way), one.language): label for label, ways in phrases for way in ways}
        return meant.get(numerals(text, one.language)), text

    return engine


def rows_of(name: str, ours: Result, theirs: Result | None, wrong_at_most: float | None) -> Iterator[Row]:
    peer = "transcription" if theirs else None
    wrong, asked_again, cost = (theirs.wrong, theirs.asked_again, theirs.cost) if theirs else (None, None, None)
    yield Row(f"{name}: wrong of those taken", peer, ours.wrong, wrong, "%", limit=wrong_at_most)
    yield Row(f"{name}: asked again", peer, ours.asked_again, asked_again, "%")
    if ours.misheard is not None:
        yield Row(f"{name}: words misheard", None, ours.misheard, None, "%")
    yield Row(f"{name}: CPU a second", peer, ours.cost, cost, "s", at_most=COST_AT_MOST)


def told(clock: Clock, name: str, language: str, ours: Engine, theirs: Engine | None, offered: bool) -> Iterator[Row]:
    for kind, said in corpora(language).items():
        for line, noise_db in LINES.items():
            what = f"{name}, {language}{'' if offered else ' (not offered)'}, {line}, {kind}"
            utterances = spoken(language, said, noise_db)
            if clock.allows(what, len(utterances)):
                peer = measured(theirs, utterances) if theirs and (line, kind) == BESIDE_PEER else None
                limit = WRONG_AT_MOST if offered and kind != SAID_BACK else None
                yield from rows_of(what, measured(ours, utterances), peer, limit)


def by_whisper(clock: Clock) -> Iterator[Row]:
    from faster_whisper import WhisperModel

    folder = models.install(WHISPER, say=lambda told: None)
    recogniser = whisper.Recogniser(folder)
    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)
    for language in LANGUAGES:
        ours = of(recogniser, whisper.ENOUGH.get(language, NOT_OFFERED))
        yield from told(clock, "whisper", language, ours, transcribed(model), language in whisper.ENOUGH)


def by_vosk(clock: Clock) -> Iterator[Row]:
    for language in LANGUAGES:
        variable = "HOTLINE_VOSK_" + language.upper().replace("-", "_")
        folder = os.environ.get(variable)
        if not folder:
            print(f"vosk, {language} · no model: {variable} names none", file=sys.stderr)
            continue
        recogniser: Recogniser = vosk.Recogniser(Path(folder))
        yield from told(clock, "vosk", language, of(recogniser, vosk.ENOUGH), None, True)


def main() -> int:
    if os.environ.get("OMP_NUM_THREADS") != "1":  # as workers have it; numpy reads it when it is loaded
        os.environ["OMP_NUM_THREADS"] = "1"
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.bench_ears", *sys.argv[1:]])  # noqa: S606
    for language in LANGUAGES:
        wanted = [one for said in corpora(language).values() for one in voices(language, said)]
        print(f"{language}: what is not kept of {len(wanted)} utterances is spoken", file=sys.stderr, flush=True)
        asyncio.run(callers.say(wanted))
    clock = Clock()
    missed = table.show(row for by in (by_whisper, by_vosk) for row in by(clock))
    return missed or int(clock.left_out > 0)


if __name__ == "__main__":
    sys.exit(main())
