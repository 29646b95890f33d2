"""Long speech in pieces that a recogniser takes: parted where the speaker pauses, each with its times."""

from __future__ import annotations

import numpy as np

FRAME_S = 0.02
PAUSE_S = 0.6  # so long a pause ends a sentence
LONGEST_S = 14.0  # of a piece; who speaks on is parted at the quietest frame of its last half
LEAST_S = 0.2  # of speech; less is a cough or a key
AROUND_S = 0.15  # kept before and after: consonants are quiet
LOUD = 0.06  # of the loud frames' power: speech; telephones leave a noise floor well below
SILENT = 40.0  # RMS of 16-bit samples below which nothing is heard


def pieces(pcm: bytes, rate: int) -> list[tuple[float, float]]:
    """(from, to) in seconds, in order; none where nobody speaks. `pcm`: 16-bit little-endian mono."""
    step = int(rate * FRAME_S)
    samples = np.frombuffer(pcm[: len(pcm) // (2 * step) * 2 * step], "<i2").astype(np.float64)
    if not len(samples):
        return []
    power = np.mean(np.square(samples.reshape(-1, step)), axis=1)
    loud = max(float(np.percentile(power, 95)) * LOUD, SILENT**2)
    spoken = np.flatnonzero(power > loud)
    if not len(spoken):
        return []
    breaks = np.flatnonzero(np.diff(spoken) > PAUSE_S / FRAME_S)
    firsts, lasts = spoken[np.r_[0, breaks + 1]], spoken[np.r_[breaks, len(spoken) - 1]] + 1
    found: list[tuple[float, float]] = []
    around, most = int(AROUND_S / FRAME_S), int(LONGEST_S / FRAME_S)
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        if (last - first) * FRAME_S < LEAST_S:
            continue
        begin, end = max(0, first - around), min(len(power), last + around)
        while end - begin > most:
            part = begin + most // 2 + int(np.argmin(power[begin + most // 2 : begin + most]))
            found.append((round(begin * FRAME_S, 2), round(part * FRAME_S, 2)))
            begin = part
        found.append((round(begin * FRAME_S, 2), round(end * FRAME_S, 2)))
    return found
