"""Sealing ten minutes of 16 kHz sound against copying them; a jump to the middle against decrypting everything.

    python -m benchmarks.bench_sealing

Both sides write to the same folder and wait for the disc (fsync). The median of several rounds is taken, ours and the
peer's alternating, so that a busy machine slows both.
"""

import os
import shutil
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import numpy as np

from benchmarks.table import Row, show
from recordings.sealing import SealedFile, seal

SECONDS, RATE_HZ, ROUNDS = 600, 16000, 7
SEALED_WITHIN_S = 5.0
PART_BYTES = 65536
PART_OF_WHOLE = 0.1


def main() -> int:
    """Prints the rows; the exit status is 1 if a limit is not kept."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wav = folder / "call.wav"
        wav.write_bytes(_ten_minutes())
        keys: list[bytes] = []
        recording_id = uuid4()

        def ours() -> None:
            keys.clear()
            with wav.open("rb") as plain:
                seal(plain, folder / "call.hlr", folder / "part", recording_id, _remember(keys))

        sealing, copying = _alternating(ours, lambda: _copy(wav, folder / "copy.wav"))
        with SealedFile(folder / "call.hlr", recording_id, keys[0]) as sealed:
            middle = sealed.size // 2
            part, whole = _alternating(lambda: sealed.read(middle, middle + PART_BYTES), sealed.read)
    return show(
        [
            Row("seal 10 min of a call", "copy and fsync", sealing, copying, "s", limit=SEALED_WITHIN_S),
            Row("read 64 KiB from the middle", "decrypt all", part, whole, "s", at_most=PART_OF_WHOLE),
        ]
    )


def _ten_minutes() -> bytes:
    sound = np.random.default_rng(1).integers(-8000, 8000, SECONDS * RATE_HZ).astype("<i2").tobytes()
    fmt = (b"fmt ", 16, 1, 1, RATE_HZ, RATE_HZ * 2, 2, 16)
    return struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(sound), b"WAVE", *fmt, b"data", len(sound)) + sound


def _remember(keys: list[bytes]) -> Callable[[bytes], bytes]:
    def wrap(key: bytes) -> bytes:
        keys.append(key)
        return key

    return wrap


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as plain, target.open("wb") as copy:
        shutil.copyfileobj(plain, copy, 1 << 20)
        copy.flush()
        os.fsync(copy.fileno())


def _alternating(ours: Callable[[], object], peer: Callable[[], object]) -> tuple[float, float]:
    """Median seconds of each."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for which, work in enumerate((ours, peer)):
            begun = time.perf_counter()
            work()
            took[which].append(time.perf_counter() - begun)
    return statistics.median(took[0]), statistics.median(took[1])


if __name__ == "__main__":
    sys.exit(main())
