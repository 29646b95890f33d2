"""What a line's tones mean: a beep that asks for a message, a fax, a network that announces that nobody can be had."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from speech.ears.beeps import FRAMES_A_SECOND, Tone, Tones

AFTER_BEEP_S = 0.3  # of silence: it was the last of a row, and it is our turn
FADED = 0.25  # of a beep's loudness: silence enough, with our own prompt coming back in it
BEEP_HZ = (300.0, 2500.0)
CALLING_FAX_HZ, CALLING_FAX_S = (1062.0, 1138.0), (0.38, 0.62)  # CNG, ITU-T T.30: 1100 Hz, half a second every 3.5
ANSWERING_FAX_HZ = (2070.0, 2130.0)  # CED: 2100 Hz for 2.6 to 4 s
NO_SERVICE_HZ = (950.0, 1400.0, 1800.0)  # the three tones before a network's own announcement (ITU-T E.180)


class Signals:
    """One line's. `faxes`: bursts of a fax that calls; `answer_tone`: how long a fax has answered, seconds."""

    def __init__(self) -> None:
        self.faxes = 0
        self.answer_tone = 0.0
        self.no_service = False
        self._tones = Tones()
        self._last: deque[Tone] = deque(maxlen=len(NO_SERVICE_HZ))
        self._beep: Tone | None = None  # perhaps: it has ended, and what follows is not known yet
        self._frame = 0

    @property
    def busy(self) -> bool:
        """A tone goes on, or may have been a beep."""
        return self._tones.sounding is not None or self._beep is not None

    @property
    def pure(self) -> bool:
        """These 20 ms were one frequency."""
        return self._tones.pure

    @property
    def sounding(self) -> bool:
        return self._tones.sounding is not None

    def feed(self, samples: NDArray[np.float64], level: float) -> Tone | None:
        """20 ms and their loudness; a beep, when silence has followed it."""
        self._frame += 1
        ended = self._tones.feed(samples, level)
        if (sounding := self._tones.sounding) is not None and _within(sounding.hz, ANSWERING_FAX_HZ):
            self.answer_tone = max(self.answer_tone, sounding.seconds)
        if ended is not None:
            self._means(ended)
            self._beep = ended if _within(ended.hz, BEEP_HZ) else None
        beep = self._beep
        if beep is None:
            return None
        if sounding is not None or level > FADED * beep.level:
            self._beep = None
        elif self._frame - beep.ended >= AFTER_BEEP_S * FRAMES_A_SECOND:
            self._beep = None
            return beep
        return None

    def _means(self, tone: Tone) -> None:
        self._last.append(tone)
        self.faxes += _within(tone.hz, CALLING_FAX_HZ) and _within(tone.seconds, CALLING_FAX_S)
        in_a_row = len(self._last) == len(NO_SERVICE_HZ)
        alike = all(abs(one.hz - hz) < 30 for one, hz in zip(self._last, NO_SERVICE_HZ, strict=False))
        self.no_service |= in_a_row and alike


def _within(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]
