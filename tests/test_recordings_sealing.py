"""What was said is sealed: any part can be read back, and nothing can change, move or vanish unseen."""

import os
import shutil
import struct
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from hypothesis import given, settings
from hypothesis import strategies as st

from recordings.format import CHUNK_BYTES, HEADER, TAG_BYTES
from recordings.sealing import Sealed, SealedFile, Tampered, seal, sha256_of

SITE_KEY = bytes(range(32))
JOAO = UUID("5f0c1f4e-0000-4000-8000-000000000001")
RUTH = UUID("5f0c1f4e-0000-4000-8000-000000000002")
SOUND_BYTES = 3 * CHUNK_BYTES + 12_346  # three whole chunks (with the header) and a piece


def wav_of(sound: bytes, rate_hz: int = 8000) -> bytes:
    return (
        struct.pack(
            "<4sI4s4sIHHIIHH", b"RIFF", 36 + len(sound), b"WAVE", b"fmt ", 16, 1, 1, rate_hz, rate_hz * 2, 2, 16
        )
        + struct.pack("<4sI", b"data", len(sound))
        + sound
    )


@dataclass(frozen=True)
class Recorded:
    plain: bytes
    path: Path
    sealed: Sealed

    def open(self, recording_id: UUID = JOAO) -> SealedFile:
        return SealedFile(self.path, recording_id, aes_key_unwrap(SITE_KEY, self.sealed.wrapped_key))


def seal_bytes(plain: bytes, folder: Path, recording_id: UUID = JOAO) -> Recorded:
    source, target = folder / f"{recording_id}.wav", folder / f"{recording_id}.hlr"
    source.write_bytes(plain)
    with source.open("rb") as file:
        sealed = seal(file, target, folder / "part", recording_id, lambda key: aes_key_wrap(SITE_KEY, key))
    return Recorded(plain, target, sealed)


@pytest.fixture(scope="module")
def joaos_call(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    sound = np.random.default_rng(3).integers(-3000, 3000, SOUND_BYTES // 2).astype("<i2").tobytes()
    return seal_bytes(wav_of(sound), tmp_path_factory.mktemp("shelf"))


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("scratch") / "damaged.hlr"


def test_a_recording_comes_back_as_it_was_and_its_catalogue_entry_is_right(joaos_call: Recorded) -> None:
    with joaos_call.open() as opened:
        assert opened.read() == joaos_call.plain
        opened.verify()
    sealed = joaos_call.sealed
    assert sealed.bytes == joaos_call.path.stat().st_size
    assert sealed.sha256 == sha256_of(joaos_call.path)
    assert sealed.seconds == pytest.approx(SOUND_BYTES / 16000)
    assert not sealed.repaired
    assert joaos_call.path.stat().st_mode & 0o777 == 0o600


def test_the_file_is_as_its_description_says(joaos_call: Recorded) -> None:
    """Opened by hand: what was sealed once must open in twenty years."""
    written, key = joaos_call.path.read_bytes(), AESGCM(key_of(joaos_call))
    magic, version, pairs, chunk, size, owner, prefix = struct.unpack(">8sHHIQ16s8s", written[:48])
    assert (magic, version, pairs, chunk, owner) == (b"HLREC\r\n\x1a", 1, 600, 65536, JOAO.bytes)
    assert size == len(joaos_call.plain)
    found, at = b"", 48
    for index, last in [(0, b"\0"), (1, b"\0"), (2, b"\0"), (3, b"\1")]:
        length = min(chunk, size - index * chunk) + 16
        number = index.to_bytes(4, "big")
        found += key.decrypt(prefix + number, written[at : at + length], written[:48] + number + last)
        at += length
    assert found == joaos_call.plain
    number = b"\xff\xff\xff\xff"
    peaks = key.decrypt(prefix + number, written[at:], written[:48] + number + b"\1")
    assert len(peaks) == 600 * 4


def test_nothing_of_the_sound_or_its_key_is_in_the_file(joaos_call: Recorded) -> None:
    written = joaos_call.path.read_bytes()
    assert joaos_call.plain[1000:1016] not in written
    assert b"RIFF" not in written
    key = aes_key_unwrap(SITE_KEY, joaos_call.sealed.wrapped_key)
    assert key not in written


def test_two_sealings_of_the_same_sound_have_nothing_in_common(joaos_call: Recorded, tmp_path: Path) -> None:
    again = seal_bytes(joaos_call.plain, tmp_path)
    assert again.path.read_bytes()[HEADER.size :][:64] != joaos_call.path.read_bytes()[HEADER.size :][:64]
    assert again.sealed.wrapped_key != joaos_call.sealed.wrapped_key


@given(start=st.integers(0, SOUND_BYTES + 100), length=st.integers(0, SOUND_BYTES + 100))
def test_any_range_equals_the_plain_slice(joaos_call: Recorded, start: int, length: int) -> None:
    with joaos_call.open() as opened:
        assert opened.read(start, start + length) == joaos_call.plain[start : start + length]


@given(edge=st.integers(0, 4), before=st.integers(0, 3), after=st.integers(0, 3))
def test_ranges_at_the_edges_of_chunks(joaos_call: Recorded, edge: int, before: int, after: int) -> None:
    start, end = max(0, edge * CHUNK_BYTES - before), edge * CHUNK_BYTES + after
    with joaos_call.open() as opened:
        assert opened.read(start, end) == joaos_call.plain[start:end]


def test_a_range_is_not_counted_from_the_end(joaos_call: Recorded) -> None:
    with joaos_call.open() as opened, pytest.raises(ValueError, match="from its beginning"):
        opened.read(-5, 10)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_flipped_bit_is_found_and_its_chunk_named(joaos_call: Recorded, scratch: Path, data: st.DataObject) -> None:
    written = bytearray(joaos_call.path.read_bytes())
    # The header is drawn as often as all the rest together.
    byte = data.draw(st.integers(0, HEADER.size - 1) | st.integers(0, len(written) - 1) | st.integers(-2500, -1)) % len(
        written
    )
    written[byte] ^= 1 << data.draw(st.integers(0, 7))
    scratch.write_bytes(written)
    with pytest.raises(Tampered) as found, SealedFile(scratch, JOAO, key_of(joaos_call)) as opened:
        opened.verify()
    picture = len(written) - (600 * 4 + TAG_BYTES)
    if HEADER.size <= byte < picture:
        assert found.value.chunk == (byte - HEADER.size) // (CHUNK_BYTES + TAG_BYTES)
        assert str(JOAO) in str(found.value)


def test_sound_beside_a_damaged_chunk_can_still_be_heard(joaos_call: Recorded, scratch: Path) -> None:
    written = bytearray(joaos_call.path.read_bytes())
    written[HEADER.size + CHUNK_BYTES + TAG_BYTES + 7] ^= 1  # chunk 1
    scratch.write_bytes(written)
    with SealedFile(scratch, JOAO, key_of(joaos_call)) as opened:
        assert opened.read(0, CHUNK_BYTES) == joaos_call.plain[:CHUNK_BYTES]
        with pytest.raises(Tampered) as found:
            opened.read(CHUNK_BYTES - 1, CHUNK_BYTES + 1)
        assert found.value.chunk == 1


def test_a_file_cut_off_at_a_chunks_border_does_not_open(joaos_call: Recorded, scratch: Path) -> None:
    written = joaos_call.path.read_bytes()
    for kept in range(4):
        scratch.write_bytes(written[: HEADER.size + kept * (CHUNK_BYTES + TAG_BYTES)])
        with pytest.raises(Tampered, match="its header says"):
            SealedFile(scratch, JOAO, key_of(joaos_call))
    scratch.write_bytes(written + b"\0")
    with pytest.raises(Tampered, match="its header says"):
        SealedFile(scratch, JOAO, key_of(joaos_call))
    scratch.write_bytes(written[:10])
    with pytest.raises(Tampered, match="cut off"):
        SealedFile(scratch, JOAO, key_of(joaos_call))


def test_cutting_off_a_chunk_and_saying_so_in_the_header_is_found(joaos_call: Recorded, scratch: Path) -> None:
    written = bytearray(joaos_call.path.read_bytes()[: HEADER.size + 2 * (CHUNK_BYTES + TAG_BYTES)])
    struct.pack_into(">HIQ", written, 10, 0, CHUNK_BYTES, 2 * CHUNK_BYTES)
    scratch.write_bytes(written)
    with SealedFile(scratch, JOAO, key_of(joaos_call)) as opened, pytest.raises(Tampered) as found:
        opened.read(0, 1)
    assert found.value.chunk == 0


def test_chunks_that_changed_places_are_found(joaos_call: Recorded, scratch: Path) -> None:
    written = joaos_call.path.read_bytes()
    step = CHUNK_BYTES + TAG_BYTES
    first, second = written[HEADER.size :][:step], written[HEADER.size + step :][:step]
    scratch.write_bytes(written[: HEADER.size] + second + first + written[HEADER.size + 2 * step :])
    with SealedFile(scratch, JOAO, key_of(joaos_call)) as opened, pytest.raises(Tampered) as found:
        opened.verify()
    assert found.value.chunk == 0


def test_another_recordings_file_or_chunk_is_found(joaos_call: Recorded, tmp_path: Path) -> None:
    ruths = seal_bytes(joaos_call.plain, tmp_path, RUTH)
    with pytest.raises(Tampered, match="another recording"):
        SealedFile(ruths.path, JOAO, key_of(joaos_call))
    # Her whole sealed sound under his header, and read with her key: the header is bound to every chunk.
    swapped = tmp_path / "swapped.hlr"
    swapped.write_bytes(joaos_call.path.read_bytes()[: HEADER.size] + ruths.path.read_bytes()[HEADER.size :])
    with SealedFile(swapped, JOAO, key_of(ruths)) as opened, pytest.raises(Tampered):
        opened.read(0, 1)


@pytest.mark.covers("I6")
def test_a_recording_whose_header_was_never_finished_is_put_right(tmp_path: Path) -> None:
    whole = wav_of(b"\1\0" * 8000)
    left_by_crash = bytearray(whole + b"\7")  # half a sample more
    struct.pack_into("<I", left_by_crash, 4, 0)
    struct.pack_into("<I", left_by_crash, 40, 0)
    recorded = seal_bytes(bytes(left_by_crash), tmp_path)
    assert recorded.sealed.repaired
    assert recorded.sealed.seconds == 1.0
    with recorded.open() as opened:
        assert opened.read() == whole


def test_a_full_disc_leaves_neither_half_a_file_nor_a_lost_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    before = seal_bytes(wav_of(b"\1\0" * 400), tmp_path).path.read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        seal_bytes(wav_of(b"\2\0" * 800), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{JOAO}.hlr", f"{JOAO}.wav"]
    assert (tmp_path / f"{JOAO}.hlr").read_bytes() == before


def test_the_waveforms_picture(tmp_path: Path) -> None:
    quiet, loud = np.zeros(30_000, "<i2"), np.tile(np.array([25600, -25600], "<i2"), 15_000)
    recorded = seal_bytes(wav_of(quiet.tobytes() + loud.tobytes()), tmp_path)
    with recorded.open() as opened:
        pairs = opened.peaks().tolist()
    assert pairs == [[0, 0]] * 300 + [[-25600, 25600]] * 300


def test_an_hour_is_sealed_in_little_memory(tmp_path: Path) -> None:
    hour = tmp_path / "hour.wav"
    with hour.open("wb") as file:
        file.write(wav_of(b"")[:4] + b"\0\0\0\0" + wav_of(b"")[8:])
        file.truncate(44 + 3600 * 16000)
    tracemalloc.start()
    try:
        with hour.open("rb") as plain:
            sealed = seal(plain, tmp_path / "hour.hlr", tmp_path / "part", JOAO, lambda key: key)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sealed.seconds == 3600
    assert peak < 2_000_000, "sealing must not hold the recording in memory"
    shutil.rmtree(tmp_path)


def key_of(recorded: Recorded) -> bytes:
    return aes_key_unwrap(SITE_KEY, recorded.sealed.wrapped_key)
