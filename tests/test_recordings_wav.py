"""A WAV is believed by what is on disc, and refused with what is wrong with it."""

import itertools
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.wav import NotWav, Peaks, Wav, inspect

HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


def header(size: int, *, coding: int = 1, channels: int = 1, bits: int = 16, rate: int = 8000) -> bytes:
    frame = channels * bits // 8
    fmt = (b"fmt ", 16, coding, channels, rate, rate * frame, frame, bits)
    return HEADER.pack(b"RIFF", 36 + size, b"WAVE", *fmt, b"data", size)


def looked_at(folder: Path, content: bytes) -> Wav:
    path = folder / "call.wav"
    path.write_bytes(content)
    with path.open("rb") as file:
        return inspect(file)


def test_a_finished_file(tmp_path: Path) -> None:
    wav = looked_at(tmp_path, header(16000) + b"\1\0" * 8000)
    assert (wav.seconds, wav.finished, wav.data_bytes) == (1.0, True, 16000)
    assert wav.header() == header(16000)


@pytest.mark.parametrize(
    ("declared", "case"),
    [
        (0, "the header was written at the beginning and never again"),
        (0xFFFFFFFF, "a stream of unknown length"),
        (32000, "the disc was full before the sound was"),
        (8000, "the header was brought up to date in mid-call, then the process died"),
    ],
)
def test_a_header_that_is_wrong_about_the_length(tmp_path: Path, declared: int, case: str) -> None:
    wav = looked_at(tmp_path, header(0)[:40] + struct.pack("<I", declared) + b"\1\0" * 8000)
    assert (wav.seconds, wav.finished) == (1.0, False), case
    assert wav.header() == header(16000)


def test_a_header_without_sound_is_not_finished(tmp_path: Path) -> None:
    """For its first two seconds a recording looks like this on disc; it must not be taken for an empty one."""
    wav = looked_at(tmp_path, header(0))
    assert (wav.seconds, wav.finished) == (0.0, False)


def test_what_follows_the_sound_is_not_sound(tmp_path: Path) -> None:
    wav = looked_at(tmp_path, header(16000) + b"\1\0" * 8000 + b"LIST" + struct.pack("<I", 4) + b"INFO")
    assert (wav.seconds, wav.finished) == (1.0, True)


def test_what_precedes_the_sound_is_skipped(tmp_path: Path) -> None:
    plain = header(4)
    extra = b"fact" + struct.pack("<I", 3) + b"abc\0"
    wav = looked_at(tmp_path, plain[:36] + extra + plain[36:] + b"\1\0\2\0")
    assert (wav.data_offset, wav.data_bytes, wav.finished) == (44 + len(extra), 4, True)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "0 bytes are no WAV header"),
        (header(0)[:30], "30 bytes are no WAV header"),
        (b"\xff\xfb" * 40, "does not begin with RIFF"),
        (header(100, coding=49) + bytes(100), "coding 49"),
        (header(100, channels=6) + bytes(100), "6 channels"),
        (header(100, rate=0) + bytes(100), "at 0 Hz"),
        (header(0)[:12] + b"data" + bytes(100), "before its format"),
        (header(0)[:36] + b"junk" + struct.pack("<I", 0xFFFFFFF0) + bytes(50), "no sound within"),
    ],
)
def test_what_cannot_be_sealed_is_refused_with_its_reason(tmp_path: Path, content: bytes, what: str) -> None:
    with pytest.raises(NotWav, match=what):
        looked_at(tmp_path, content)


@given(content=st.binary(max_size=300), begun=st.booleans())
def test_no_file_content_breaks_the_reader(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, begun: bool
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    try:
        wav = looked_at(folder, header(0)[:12] + content if begun else content)
    except NotWav:
        return
    assert 0 <= wav.data_bytes <= len(content)


@given(
    samples=st.lists(st.integers(-32768, 32767), max_size=400),
    pairs=st.integers(1, 40),
    cuts=st.lists(st.integers(0, 400)),
)
def test_peaks_are_the_same_however_the_sound_comes_in_pieces(samples: list[int], pairs: int, cuts: list[int]) -> None:
    sound = np.array(samples, "<i2")
    peaks = Peaks(Wav(1, 8000, 16, 44, len(sound) * 2, True), pairs)
    edges = sorted({0, len(sound), *(cut for cut in cuts if cut < len(sound))})
    for start, end in itertools.pairwise(edges):
        peaks.feed(sound[start:end].tobytes())
    count = min(pairs, len(samples))
    stretches = [samples[len(samples) * i // count : len(samples) * (i + 1) // count] for i in range(count)]
    assert peaks.array().tolist() == [[min(stretch), max(stretch)] for stretch in stretches]


def test_two_channels_are_drawn_as_one_and_eight_bits_as_sixteen() -> None:
    stereo = Peaks(Wav(2, 8000, 16, 44, 8, True), 1)
    stereo.feed(np.array([[1, -5], [7, 2]], "<i2").tobytes())
    assert stereo.array().tolist() == [[-5, 7]]
    eight = Peaks(Wav(1, 8000, 8, 44, 3, True), 1)
    eight.feed(bytes([0, 128, 255]))
    assert eight.array().tolist() == [[-32768, 32512]]
