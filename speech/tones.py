"""Sounds that are no speech."""

from pathlib import Path

import numpy as np

RATE = 16_000
BEEP = "beep.sln16"
HZ, SECONDS, LOUDNESS = 1000, 0.25, 0.3
FADE = RATE // 100  # ten milliseconds, or it clicks


def publish_beep(sounds: Path) -> Path:
    """The tone after which a caller speaks, as raw 16 kHz sound where Asterisk finds it. Made once."""
    target = sounds / BEEP
    if not target.exists():
        time = np.arange(int(RATE * SECONDS)) / RATE
        fade = np.minimum(1.0, np.minimum(np.arange(len(time)), np.arange(len(time))[::-1]) / FADE)
        beside = target.with_suffix(".new")
        beside.write_bytes((np.sin(2 * np.pi * HZ * time) * fade * LOUDNESS * 32767).astype("<i2").tobytes())
        beside.rename(target)
    return target
