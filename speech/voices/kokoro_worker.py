"""`python -m speech.voices.kokoro_worker FOLDER THREADS`: the model in a process of its own.

A line of JSON comes on standard input for each piece of text: `text`, `accent`, `voice`, `speed`. A line of JSON leaves
on what was standard output, `samples` (how many follow, 32-bit floats, little-endian, 24 kHz) or `failed`; the first
line is `ready`. It ends at the end of its input, and with its parent. The calls of this machine come first: it is nice,
and it is what the kernel ends when memory is short.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from speech.sound import Sound, trimmed
from speech.voices.phonemes import Unspeakable, symbols, utterances

RATE = 24_000
MOST = 400  # symbols at once: the model takes 510, and hurries when it has more than this
STYLES = 510  # rows of a voice: one for each number of symbols
PAUSE = 0.15  # seconds between two utterances, beside the silence that `trimmed` leaves around each
NICE = 5
FIRST_TO_GO = "500"  # of 1000, for the kernel's choice when memory is short
PR_SET_PDEATHSIG = 1  # linux/prctl.h

MODEL, ALPHABET = "kokoro.onnx", "vocab.json"

Samples = NDArray[np.float32]


class Model:
    """Takes 0.2 GB, and 0.4 GB while it speaks: memory is given back after each piece. (Without onnxruntime's arena
    for memory the C library keeps 1.3 GB, or asks the kernel for each block, which costs as much again as the model.)
    """

    def __init__(self, folder: Path, threads: int) -> None:
        import onnxruntime  # here: only this process needs it

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        self._session = onnxruntime.InferenceSession(str(folder / MODEL), options, providers=["CPUExecutionProvider"])
        self._run = onnxruntime.RunOptions()
        self._run.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        self._alphabet: dict[str, int] = json.loads((folder / ALPHABET).read_text(encoding="utf-8"))["vocab"]
        self._folder = folder
        self._voices: dict[str, Samples] = {}

    def say(self, text: str, accent: str, voice: str, speed: float) -> Samples:
        """Raises `Unspeakable`, also where nothing of the text is left to say."""
        said = [self._utter(part, voice, speed) for part in utterances(symbols(text, accent), self._alphabet, MOST)]
        if not said:
            raise Unspeakable("there is nothing to say in it")
        return joined(said, PAUSE / speed)

    def _utter(self, part: str, voice: str, speed: float) -> Samples:
        tokens = [self._alphabet[sign] for sign in part]
        style = self._style(voice)[min(len(tokens), STYLES - 1)]
        given = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": style.reshape(1, -1),
            "speed": np.array([speed], np.float32),
        }
        samples: Samples = self._session.run(None, given, self._run)[0].ravel()
        return samples

    def _style(self, voice: str) -> Samples:
        if voice not in self._voices:
            path = self._folder / "voices" / f"{voice}.bin"
            self._voices[voice] = np.fromfile(path, "<f4").reshape(STYLES, -1)
        return self._voices[voice]


def joined(parts: list[Samples], pause: float) -> Samples:
    """One sound of several, `pause` seconds of silence between two."""
    silence = np.zeros(int(pause * RATE), np.float32)
    pieces: list[Samples] = []
    for part in parts:
        pieces += [silence] if pieces else []
        pieces.append(trimmed(Sound(part, RATE)).samples if part.any() else part)
    return np.concatenate(pieces)


def main(folder: str, threads: str) -> int:
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no answer
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # not when it has finished its piece: at once
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # it would hold patients' names
    os.nice(max(NICE, NICE - os.nice(0)))  # also where the ivr, which began it, goes before others
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(FIRST_TO_GO)
    try:
        model = Model(Path(folder), int(threads))
    except Exception as error:  # whatever a damaged model does
        _tell(answers, {"failed": f"{type(error).__name__}: {error}"[:300]})  # no text was seen yet
        return 1
    _tell(answers, {"ready": True})
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        try:
            samples = model.say(asked["text"], asked["accent"], asked["voice"], asked["speed"])
        except Unspeakable as problem:
            _tell(answers, {"failed": str(problem)})
        except Exception as error:  # one sentence that the model cannot say is no reason to end
            _tell(answers, {"failed": type(error).__name__})
        else:
            _tell(answers, {"samples": len(samples)}, samples.astype("<f4").tobytes())
    return 0


def _tell(answers: BinaryIO, head: dict[str, object], sound: bytes = b"") -> None:
    answers.write(json.dumps(head).encode() + b"\n" + sound)
    answers.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
