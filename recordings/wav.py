"""WAV as Asterisk's MixMonitor leaves it: linear PCM behind a RIFF header whose sizes may never have been
filled in.

Asterisk writes the header with sizes of 0 at once, the sound in blocks of 32 KiB (2 s at 8 kHz), and the
sizes when it closes the file. So a file left behind by a crash says that it is empty (and lacks up to one
block), and so does one that is being written. The bytes on disc are believed, not the header. Measured by
killing Asterisk 22.10.1.

Source: "Multimedia Programming Interface and Data Specifications 1.0" (IBM/Microsoft, 1991), chapter
RIFF/WAVE; Asterisk's formats/format_wav.c.
"""

import os
import struct
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

HEADER_BYTES = 44
PCM = 1
SEARCHED_BYTES = 4096  # where "fmt " and "data" must have been found; Asterisk needs 44
MOST_DATA_BYTES = 0xFFFFFFFF - HEADER_BYTES
NO_SIZE = (0, 0xFFFFFFFF)


class NotWav(Exception):
    """The file cannot be read as a PCM recording; the text says what is wrong with it, never what is in
    it."""


@dataclass(frozen=True)
class Wav:
    """The shape of one recording: where its sound lies in the file and what the header should have said."""

    channels: int
    rate_hz: int
    bits: int
    data_offset: int
    data_bytes: int
    finished: bool
    """Whether the header's sizes agree with the file; False for one that was never closed."""

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8

    @property
    def frames(self) -> int:
        return self.data_bytes // self.frame_bytes

    @property
    def seconds(self) -> float:
        return self.frames / self.rate_hz

    def header(self) -> bytes:
        """The 44 bytes that belong before the sound, with true sizes."""
        a_second = self.rate_hz * self.frame_bytes
        return struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            *(b"RIFF", HEADER_BYTES - 8 + self.data_bytes, b"WAVE"),
            *(b"fmt ", 16, PCM, self.channels, self.rate_hz, a_second, self.frame_bytes, self.bits),
            *(b"data", self.data_bytes),
        )


def inspect(file: BinaryIO) -> Wav:
    """Reads the shape of an open file, whose size on disc decides where the sound ends. Raises `NotWav`."""
    there = os.fstat(file.fileno()).st_size
    head = os.pread(file.fileno(), SEARCHED_BYTES, 0)
    if there < HEADER_BYTES:
        raise NotWav(f"{there} bytes are no WAV header: nothing was written before the recording broke off")
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        raise NotWav("it does not begin with RIFF and WAVE")
    channels = rate_hz = bits = 0
    at = 12
    while at + 8 <= len(head):
        name, size = struct.unpack_from("<4sI", head, at)
        at += 8
        if name == b"fmt " and at + 16 <= len(head):
            coding, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", head, at)
            if coding != PCM or channels not in (1, 2) or bits not in (8, 16) or not rate_hz:
                raise NotWav(
                    f"coding {coding}, {channels} channels of {bits} bits at {rate_hz} Hz cannot be sealed, only "
                    "linear PCM of 8 or 16 bits; record with a file name that ends in .wav"
                )
        elif name == b"data":
            if not channels:
                raise NotWav("the sound comes before its format")
            return _shape(file, Wav(channels, rate_hz, bits, at, size, False))
        at += size + size % 2
    raise NotWav(f"no sound within the first {SEARCHED_BYTES} bytes")


def _shape(file: BinaryIO, declared: Wav) -> Wav:
    """What the file really holds, `declared` being what its header says."""
    there = os.fstat(file.fileno()).st_size
    on_disc, said = there - declared.data_offset, declared.data_bytes
    finished = said not in NO_SIZE and (said == on_disc or _ends_there(file, declared.data_offset + said, there))
    data_bytes = said if finished else on_disc
    data_bytes -= data_bytes % declared.frame_bytes  # half a sample: where the disc or the process gave up
    if data_bytes > MOST_DATA_BYTES:
        raise NotWav(f"{data_bytes} bytes of sound are more than a WAV can say (4 GiB)")
    return replace(declared, data_bytes=data_bytes, finished=finished)


def _ends_there(file: BinaryIO, end: int, there: int) -> bool:
    """Whether the sound ends at `end` although the file goes on: one byte of padding, or a further RIFF
    chunk. Else what follows is sound, written after the last time the header was brought up to date."""
    rest = os.pread(file.fileno(), 8, end) if end < there else b""
    if len(rest) == 8:
        name, size = struct.unpack("<4sI", rest)
        return bytes(name).isalnum() and size <= there - end - 8
    return len(rest) == 1


class Peaks:
    """Smallest and largest sample of `pairs` equal stretches of a recording, fed piece by piece in one pass.

    The result is an int16 array of shape (pairs, 2); fewer pairs than asked for when there are fewer frames,
    and none when there is no sound. Two channels are drawn as one."""

    def __init__(self, wav: Wav, pairs: int) -> None:
        self._wav = wav
        self.pairs = min(pairs, wav.frames)
        # Stretch i holds the frames from edges[i] (inclusive) to edges[i + 1].
        self._edges = np.array([wav.frames * i // self.pairs for i in range(self.pairs + 1)] if self.pairs else [0])
        self._low = np.full(self.pairs, 32767, np.int16)
        self._high = np.full(self.pairs, -32768, np.int16)
        self._at = 0

    def feed(self, sound: bytes) -> None:
        """Takes the next whole frames of the recording."""
        frames = _samples(sound, self._wav)
        if not len(frames):
            return
        first = int(np.searchsorted(self._edges, self._at, side="right")) - 1
        last = int(np.searchsorted(self._edges, self._at + len(frames) - 1, side="right")) - 1
        starts = np.maximum(self._edges[first : last + 1] - self._at, 0)
        low = np.minimum.reduceat(frames.min(axis=1), starts)
        high = np.maximum.reduceat(frames.max(axis=1), starts)
        self._low[first : last + 1] = np.minimum(self._low[first : last + 1], low)
        self._high[first : last + 1] = np.maximum(self._high[first : last + 1], high)
        self._at += len(frames)

    def array(self) -> npt.NDArray[np.int16]:
        return np.stack([self._low, self._high], axis=1)


def _samples(sound: bytes, wav: Wav) -> npt.NDArray[np.int16]:
    """Frames of shape (n, channels), 8-bit sound (unsigned in WAV) widened to 16."""
    if wav.bits == 8:
        widened = (np.frombuffer(sound, np.uint8).astype(np.int16) - 128) * np.int16(256)
        return widened.reshape(-1, wav.channels)
    return np.frombuffer(sound, "<i2").astype(np.int16, copy=False).reshape(-1, wav.channels)


VOICED = 256  # mean absolute sample of a stretch that is no silence: Asterisk's own threshold (dsp.conf)
STRETCH_S = 0.02


def voiced_seconds(file: BinaryIO) -> float:
    """How much of an open file is louder than silence, in stretches of 20 ms. Raises `NotWav`."""
    wav = inspect(file)
    stretch = int(wav.rate_hz * STRETCH_S)
    voiced = 0
    for start in range(0, wav.frames, stretch * 500):
        frames = min(stretch * 500, wav.frames - start)
        sound = os.pread(file.fileno(), frames * wav.frame_bytes, wav.data_offset + start * wav.frame_bytes)
        level = np.abs(_samples(sound, wav).astype(np.int32)).mean(axis=1)
        whole = level[: len(level) // stretch * stretch].reshape(-1, stretch)
        voiced += int((whole.mean(axis=1) >= VOICED).sum())
    return voiced * STRETCH_S
