"""`python -m speech.ears.worker whisper /models/whisper-base`: one recogniser in a process of its own.

Requests come on standard input, answers leave on what was standard output (libraries that print get standard error
instead). It ends at the end of its input, with its parent, and after any error: a recogniser that failed once is not
trusted again.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
import soxr  # type: ignore[import-untyped]  # it has no stubs
from numpy.typing import NDArray

from speech.ears import Grammar, GrammarRefused, Understood, wire

RATE = 16_000  # what the engines were made for
PR_SET_PDEATHSIG = 1  # linux/prctl.h

Samples = NDArray[np.float32]  # mono, −1 to 1, 16 kHz


class Recogniser(Protocol):
    """What each engine's file offers as `Recogniser`, made from the path of its model."""

    def closed(self, samples: Samples, grammar: Grammar) -> Understood: ...
    def open(self, samples: Samples, language: str) -> Understood: ...


def main(engine: str, model: str) -> int:
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # it would hold a patient's voice
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.nice(max(0, -os.nice(0)))  # not before anybody's sound, as the ivr may be
    try:
        recogniser: Recogniser = importlib.import_module(f"speech.ears.{engine}").Recogniser(Path(model))
    except Exception as error:
        # Of a start alone the message may be told: nothing was heard yet.
        _tell(answers, {"failed": f"{type(error).__name__}: {error}"[:300]})
        return 1
    _tell(answers, {"ready": True})
    while (request := wire.read(sys.stdin.buffer)) is not None:
        try:
            understood = _understood(recogniser, *request)
        except GrammarRefused as refusal:  # not the recogniser's fault
            _tell(answers, {"refused": str(refusal)})
            continue
        except Exception as error:
            _tell(answers, {"failed": type(error).__name__})
            return 1
        _tell(answers, {"label": understood.label, "margin": understood.margin, "text": understood.text})
    return 0


def _understood(recogniser: Recogniser, head: dict[str, Any], sound: bytes) -> Understood:
    samples = np.frombuffer(sound, "<i2").astype(np.float32) / np.float32(32768)
    if head["rate"] != RATE:
        samples = soxr.resample(samples, head["rate"], RATE)
    if head["phrases"] is None:
        return recogniser.open(samples, head["language"])
    phrases = {label: tuple(ways) for label, ways in head["phrases"].items()}
    return recogniser.closed(samples, Grammar(head["language"], phrases))


def _tell(answers: BinaryIO, head: dict[str, object]) -> None:
    answers.write(wire.packed(head))
    answers.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
