"""Whether what a caller's line brings is our own prompt: hybrids and loudspeakers send a part of it back.

The sound of the last 0.1 s is looked for in what was played during the last 0.6 s, whatever the delay. An echo is the
prompt but for loudness and delay, so the two correlate; a caller who speaks over the prompt does not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

HEARD = 800  # samples at 8 kHz, 0.1 s: a stretch that is long enough to be told from other speech
LATEST = 4096  # samples, 0.5 s: the longest way there and back, with both ends' jitter buffers
ALIKE = 0.7  # of 1, normalised: above what two voices reach by chance, below what an echo on a noisy line has
QUIET = 1000.0  # energy of 0.1 s of silence


class Echo:
    """One caller's line."""

    def __init__(self) -> None:
        self._heard = np.zeros(HEARD, np.float32)
        self._sent = np.zeros(LATEST + HEARD, np.float32)
        self._since = LATEST + HEARD  # samples since something was last sent

    def heard(self, frame: NDArray[np.int16], sent: NDArray[np.int16], wanted: bool = True) -> bool:
        """Whether the last 0.1 s of the line are what we sent. `sent` is empty when nothing is played. The answer is
        only worked out when it is `wanted`; every frame must be given.
        """
        self._heard = _moved(self._heard, frame, len(frame))
        self._sent = _moved(self._sent, sent, len(frame))
        self._since = 0 if len(sent) else self._since + len(frame)
        if not wanted or self._since >= len(self._sent):
            return False
        return _likeness(self._heard, self._sent) >= ALIKE


def _moved(buffer: NDArray[np.float32], new: NDArray[np.int16], by: int) -> NDArray[np.float32]:
    """The buffer with `by` samples more; what is missing of `new` is silence."""
    fresh = np.zeros(by, np.float32)
    fresh[: min(by, len(new))] = new[:by]
    return np.concatenate((buffer[by:], fresh))


def _likeness(heard: NDArray[np.float32], sent: NDArray[np.float32]) -> float:
    """The greatest normalised correlation of `heard` with any stretch of `sent`, 0 to 1."""
    size = 1 << (len(sent) + len(heard) - 1).bit_length()
    products = np.fft.irfft(np.fft.rfft(sent, size) * np.conj(np.fft.rfft(heard, size)), size)
    products = products[: len(sent) - len(heard) + 1]
    squares = np.concatenate(([0.0], np.cumsum(np.square(sent, dtype=np.float64))))
    energies = squares[len(heard) :] - squares[: -len(heard)]
    own = float(heard.astype(np.float64) @ heard)
    if own < QUIET:
        return 0.0
    loud = energies > QUIET
    return float(np.max(np.abs(products[loud]) / np.sqrt(energies[loud] * own), initial=0.0))
