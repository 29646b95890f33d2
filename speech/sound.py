"""A piece of speech in memory: levelled, resampled for the telephone, and judged before anybody hears it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np
import soxr  # type: ignore[import-untyped]  # it has no stubs; its one function is wrapped below
from numpy.typing import NDArray

LOUDNESS = 0.08  # of full scale (−22 dB), mean of what is spoken: every voice and recording is as loud as the others
PEAK = 0.9  # of full scale: room for what resampling and a telephone's codec add
FRAME_S, SPOKEN = 0.02, 0.003  # frames of this length count as spoken down to this part of the loudest one's power
QUIET = 0.01  # of the peak: where speech begins and ends
LEAD, TAIL = 0.05, 0.15  # seconds of silence kept before and after: without them consecutive prompts run together

# Seconds a written letter may take. Measured with espeak-ng at 150 words a minute: 0.07–0.16 in es, en,
# pt-BR and zh-CN, counted as below; the limits leave room for other voices and slow ones, and find cut or
# endless renderings.
FASTEST, SLOWEST = 0.02, 0.35
ALLOWANCE = 1.5  # seconds beside the letters: pauses at punctuation


class SoundRefused(ValueError):
    """A rendering that must not be played: silent, clipped, or of a length that its text cannot have."""


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """One channel of samples from −1 to 1, and how many there are in a second."""

    samples: NDArray[np.float32]
    rate: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate

    @classmethod
    def from_pcm16(cls, pcm: bytes, rate: int, channels: int = 1) -> Sound:
        """From 16-bit little-endian samples; several channels are mixed into one."""
        whole = len(pcm) - len(pcm) % (2 * channels)
        frames = np.frombuffer(pcm[:whole], dtype="<i2").reshape(-1, channels)
        mixed = frames[:, 0].astype(np.float32) if channels == 1 else frames.mean(axis=1, dtype=np.float32)
        return cls((mixed / np.float32(32768)).astype(np.float32), rate)

    def pcm16(self, rate: int) -> bytes:
        """16-bit little-endian samples at another rate (Asterisk's sln is 8000, its sln16 16000)."""
        samples = soxr.resample(self.samples, self.rate, rate, quality="HQ")
        return bytes(np.clip(np.rint(samples * 32767), -32768, 32767).astype("<i2").tobytes())


def check(sound: Sound, text: str, pace: float = 1.0) -> None:
    """Judge a voice's raw sound. Raises `SoundRefused`, saying what is wrong without the text."""
    if not np.isfinite(sound.samples).all():
        raise SoundRefused("holds samples that are no numbers")
    loudest = float(np.abs(sound.samples).max(initial=0.0))
    loudness = float(np.sqrt(np.mean(np.square(sound.samples, dtype=np.float64)))) if len(sound.samples) else 0.0
    if loudest < 0.02 or loudness < 0.002:
        raise SoundRefused(f"is silent (peak {loudest:.4f} of full scale)")
    clipped = float(np.mean(np.abs(sound.samples) >= 0.999))
    if clipped > 0.001:
        raise SoundRefused(f"is clipped ({clipped:.1%} of its samples at full scale)")
    least, most = (seconds / pace for seconds in possible_seconds(text))
    if not least <= sound.seconds <= most:
        raise SoundRefused(f"lasts {sound.seconds:.2f} s; its text can last {least:.2f} to {most:.2f} s")


def possible_seconds(text: str) -> tuple[float, float]:
    """The shortest and longest time in which a text can be spoken."""
    letters = speakable(text)
    return FASTEST * letters, SLOWEST * letters + ALLOWANCE


def speakable(text: str) -> int:
    """How many letters a voice has to speak; a Chinese character and a digit count as a syllable or a
    word.
    """
    count = 0
    for sign in text:
        kind = unicodedata.category(sign)
        if unicodedata.east_asian_width(sign) == "W" and kind == "Lo":
            count += 3
        elif kind[0] == "N":
            count += 4
        elif kind[0] == "L":
            count += 1
    return count


def levelled(sound: Sound) -> Sound:
    """The same speech at the house's loudness, with the silence around it trimmed. The sound must not
    be silent.
    """
    speech = trimmed(sound)
    gain = min(LOUDNESS / loudness(speech), PEAK / float(np.abs(speech.samples).max()))
    return Sound((speech.samples * np.float32(gain)).astype(np.float32), sound.rate)


def loudness(sound: Sound) -> float:
    """Root mean square of what is spoken: pauses, which one voice makes longer than another, do not count."""
    frame = min(int(FRAME_S * sound.rate), len(sound.samples))
    frames = sound.samples[: len(sound.samples) // frame * frame].reshape(-1, frame)
    power = np.mean(np.square(frames, dtype=np.float64), axis=1)
    return float(np.sqrt(power[power > SPOKEN * power.max()].mean()))


def trimmed(sound: Sound) -> Sound:
    """Without the silence before and after, but for what keeps prompts apart. The sound must not be silent."""
    loud = np.abs(sound.samples)
    heard = np.flatnonzero(loud > QUIET * loud.max())
    first = max(0, int(heard[0]) - int(LEAD * sound.rate))
    last = min(len(loud), int(heard[-1]) + int(TAIL * sound.rate))
    return Sound(sound.samples[first:last], sound.rate)
