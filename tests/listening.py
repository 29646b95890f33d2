"""Finding a known prompt in what a phone heard, by normalised cross-correlation.

A prompt is known by windows of 0.4 s, up to three in each third of it, the loudest there. It was heard when windows of
two different thirds are found at the same distance from one another as in the prompt: one window alone is sometimes
alike in another sentence, neighbours may be in a phrase that two sentences share, and a jitter buffer on a busy machine
damages some. A prompt of hardly a second has no window to spare: its windows are half as long, and must be more alike.
Everything is mono float32 at 8 kHz."""

import wave
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

RATE = 8000
WINDOW = int(0.4 * RATE)
ALIKE = 0.72
"""A window counts as found from this correlation on: µ-law gives about 0.98, other speech stays below 0.5."""
SHORT, SHORT_ALIKE = WINDOW // 2, 0.9
DRIFT = int(0.06 * RATE)
"""How far two windows may have moved against each other (frames lost or repeated by a jitter buffer)."""
_BLOCK = 1 << 13
_STEP = _BLOCK - WINDOW
"""What is compared at once, in samples: a block small enough for the processor's cache, and how far it is to the next,
which begins where no whole window is left of it."""
QUIET = 60.0
"""RMS of 16-bit samples below which nothing is heard; µ-law's idle noise is under 10."""

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Match:
    """Where a prompt begins (sample index in what was searched; negative when its beginning was cut off)."""

    start: int
    likeness: float


@cache
def prompt(path: Path) -> Samples:
    """A rendered prompt: .sln (8 kHz), .sln16 (16 kHz), raw little-endian 16 bit, or .wav of any rate."""
    if path.suffix == ".wav":
        with wave.open(str(path), "rb") as sound:
            rate, raw = sound.getframerate(), sound.readframes(sound.getnframes())
    else:
        rate, raw = {".sln": 8000, ".sln16": 16000}[path.suffix], path.read_bytes()
    samples = np.frombuffer(raw, dtype="<i2").astype(np.float32)
    return samples if rate == RATE else soxr.resample(samples, rate, RATE).astype(np.float32)


def recorded(path: Path | None) -> Samples:
    """What a growing WAV holds by now (nothing when there is none); its header says a length only at the end."""
    raw = path.read_bytes()[44:] if path is not None and path.exists() else b""
    return np.frombuffer(raw[: len(raw) // 2 * 2], dtype="<i2").astype(np.float32)


def windows(sound: Samples) -> list[tuple[int, int]]:
    """(third, where it begins) of the telling windows of a prompt; fewer when it is short."""
    length = window_of(sound)
    thirds = max(1, min(3, len(sound) // length))
    a_third = max(1, min(3, len(sound) // (thirds * length)))
    energy = np.cumsum(np.concatenate(([0.0], sound.astype(np.float64) ** 2)))
    found = []
    for part in range(thirds * a_third):
        first = part * len(sound) // (thirds * a_third)
        last = max((part + 1) * len(sound) // (thirds * a_third) - length, 0)
        first = min(first, last)
        loudness = energy[first + length : last + length + 1] - energy[first : last + 1]
        found.append((part // a_third, first + int(np.argmax(loudness)) if len(loudness) else first))
    return found


def window_of(sound: Samples) -> int:
    """How long the windows of a prompt are, in samples."""
    return WINDOW if len(sound) >= 3 * WINDOW else SHORT


class Heard:
    """A stretch of sound in which prompts are looked for: transformed once, block by block, compared with many
    windows."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        blocks = max(1, -(-len(samples) // _STEP))
        padded = np.zeros(blocks * _STEP + WINDOW, dtype=np.float32)
        padded[: len(samples)] = samples
        self._spectra = np.fft.rfft(np.lib.stride_tricks.sliding_window_view(padded, _BLOCK)[::_STEP])
        self._power = np.cumsum(np.concatenate(([0.0], samples.astype(np.float64) ** 2)))
        self._norms: dict[int, npt.NDArray[np.float64]] = {}

    def likeness(self, window: Samples) -> npt.NDArray[np.float64]:
        """Normalised cross-correlation of `window` (at most WINDOW long, and no longer than what was heard) at every
        position, -1 to 1; 0 where it is quiet."""
        spectra = self._spectra * np.conj(np.fft.rfft(window, _BLOCK))
        products = np.fft.irfft(spectra, _BLOCK)[:, :_STEP].reshape(-1)[: len(self.samples) - len(window) + 1]
        loud = float(np.linalg.norm(window)) or 1.0  # silence is like nothing
        likeness: npt.NDArray[np.float64] = products / (self._local(len(window)) * loud)
        return likeness

    def _local(self, length: int) -> npt.NDArray[np.float64]:
        """The norm of each stretch so long, infinite where it is quiet."""
        if length not in self._norms:
            local = np.sqrt(np.maximum(self._power[length:] - self._power[:-length], 0.0))
            local[local <= QUIET * np.sqrt(length)] = np.inf
            self._norms[length] = local
        return self._norms[length]


def find(heard: Samples, sound: Samples, *, earliest: float = -np.inf) -> Match | None:
    """The first place where `sound` is in `heard` and does not begin before sample `earliest`, or None."""
    telling, length = windows(sound), window_of(sound)
    alike = ALIKE if length == WINDOW else SHORT_ALIKE
    stretch = Heard(heard)
    thirds = {third for third, _ in telling}
    needed = min(2, len(thirds))
    places: list[tuple[int, int, float]] = []
    for third, start in telling:
        if len({other for _, other, _ in places} | {other for other in thirds if other >= third}) < needed:
            return None  # whatever else is found
        window = sound[start : start + length]
        if len(window) < length // 2 or len(heard) < len(window):
            continue
        peaks = _peaks(stretch.likeness(window), alike)
        places += [(at - start, third, score) for at, score in peaks if at - start >= earliest]
    places.sort()
    for first, (begin, _, score) in enumerate(places):
        together = [other for other in places[first:] if other[0] - begin <= DRIFT]
        if len({third for _, third, _ in together}) >= needed:
            return Match(begin, min(score, *(other[2] for other in together)) if needed > 1 else score)
    return None


def _peaks(scores: npt.NDArray[np.float64], alike: float) -> list[tuple[int, float]]:
    """The best position of each run of positions above `alike`, runs nearer than a quarter window being one."""
    found: list[tuple[int, float]] = []
    for at in np.flatnonzero(scores >= alike):
        if found and at - found[-1][0] < WINDOW // 4:
            if scores[at] > found[-1][1]:
                found[-1] = (int(at), float(scores[at]))
        else:
            found.append((int(at), float(scores[at])))
    return found


def loudness(heard: Samples) -> float:
    """RMS in 16-bit units; 0 for nothing."""
    return float(np.sqrt(np.mean(heard.astype(np.float64) ** 2))) if len(heard) else 0.0


def tone(heard: Samples, frequency: float) -> float:
    """The share (0 to 1) of the sound's power within 15 Hz of `frequency`."""
    spectrum = np.abs(np.fft.rfft(heard)) ** 2
    at = np.fft.rfftfreq(len(heard), 1 / RATE)
    total = float(spectrum.sum())
    return float(spectrum[np.abs(at - frequency) < 15].sum()) / total if total else 0.0


def line_noise(seconds: float, rate: int, seed: int = 6) -> Samples:
    """A bad line with nobody on it: a fan that comes and goes, the mains' hum, and crackle."""
    random, at = np.random.default_rng(seed), np.arange(int(seconds * rate)) / rate
    fan = random.standard_normal(len(at)) * (0.01 + 0.008 * np.sin(2 * np.pi * at / 7))
    crackle = (random.random(len(at)) > 1 - 2 / rate) * 0.5
    return (fan + 0.03 * np.sin(2 * np.pi * 50 * at) + crackle).astype(np.float32)
