"""Steady tones in what a line brings: an answering machine's beep, a fax that calls or answers, the network's signals.

No clock: time is the number of frames, 20 ms each, so feed every frame. A tone is one frequency that holds most of the
sound's power, stays within a few hertz and does not swell; speech, music and keys (two tones at once) are none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from speech.ears.voiced import RATE

FRAMES_A_SECOND = 50
FAINT = 100.0  # root mean square of 16-bit samples (−50 dB of full scale): no signal is fainter
PURE = 0.88  # of the sound's power, within a few hertz; µ-law and a noisy line leave 0.95
ABOVE_HUM = 0.3  # and of all power, mains hum included
STEADY_HZ = 20.0
SWELL = 1.6  # from one frame to the next, at most: a sung vowel does more
SHORTEST = 4  # frames: 0.1 s, less what is cut at its two ends
BRIDGED = 3  # frames that may miss in mid-tone: the phase reversals of a fax that answers (ITU-T V.25)
SIZE = 1024
BINS = np.arange(SIZE // 2 + 1) * RATE / SIZE
LOBE = round(70 / (RATE / SIZE))  # bins on either side that are still the tone's
LOWEST = int(np.searchsorted(BINS, 200.0))  # hum is no signal


@dataclass(frozen=True, slots=True)
class Tone:
    """`began`, `ended`: frames. `level`: root mean square."""

    hz: float
    level: float
    began: int
    ended: int

    @property
    def seconds(self) -> float:
        return (self.ended - self.began) / FRAMES_A_SECOND


class Tones:
    """One line's tones."""

    def __init__(self) -> None:
        self.pure = False
        """The last 20 ms were one frequency."""
        self._frame = 0
        self._window = np.hanning(2 * RATE // FRAMES_A_SECOND)
        self._before = np.zeros(RATE // FRAMES_A_SECOND)
        self._sounding: Tone | None = None
        self._level = 0.0

    @property
    def sounding(self) -> Tone | None:
        """The one that goes on, once it has lasted for a tenth of a second."""
        tone = self._sounding
        return tone if tone is not None and tone.ended - tone.began >= SHORTEST else None

    def feed(self, samples: NDArray[np.float64], level: float) -> Tone | None:
        """20 ms and their loudness (root mean square); the tone that has ended, if one has."""
        self._frame += 1
        hz = self._pitch(samples, level)
        self.pure = hz is not None
        rises, falls = level > SWELL * self._level, level * SWELL < self._level
        self._level = level
        tone, ended = self._sounding, self.sounding
        same = tone is not None and hz is not None and abs(hz - tone.hz) <= STEADY_HZ
        if tone is not None and same and not rises:
            if not falls:
                self._sounding = replace(tone, ended=self._frame)
            return None
        if ended is not None and not same and self._frame - ended.ended < BRIDGED:
            return None
        self._sounding = None if hz is None else Tone(hz, level, self._frame - 1, self._frame)
        return ended

    def _pitch(self, samples: NDArray[np.float64], level: float) -> float | None:
        """The frequency of this frame and the one before, where there is but one."""
        both = np.concatenate((self._before, samples))
        self._before = samples
        if level < FAINT:
            return None
        power = np.abs(np.fft.rfft(both * self._window, SIZE)) ** 2
        at = LOWEST + int(np.argmax(power[LOWEST:]))
        lobe = slice(max(at - LOBE, 0), at + LOBE + 1)
        own = float(power[lobe].sum())
        if own < max(PURE * float(power[LOWEST:].sum()), ABOVE_HUM * float(power.sum())):
            return None
        return float((BINS[lobe] * power[lobe]).sum() / own)
