"""Sealing a recording, and reading a sealed one from any place; `format.py` says how it lies on disc."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from uuid import UUID

import numpy as np
import numpy.typing as npt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from recordings.files import sync_folder
from recordings.format import (
    CHUNK_BYTES,
    HEADER,
    MAGIC,
    MOST_CHUNK_BYTES,
    PAIR_BYTES,
    PEAK_PAIRS,
    PEAKS_INDEX,
    TAG_BYTES,
    VERSION,
    Header,
)
from recordings.wav import NotWav, Peaks, Wav, inspect

Wrap = Callable[[bytes], bytes]


class Tampered(Exception):
    """A sealed recording is not as it was written. `chunk` is the first one that does not open, None where
    the header or the length is wrong. Keep the file, tell the privacy officer, restore it from a backup."""

    def __init__(self, recording_id: UUID, what: str, chunk: int | None = None) -> None:
        super().__init__(f"recording {recording_id}: {what}. Keep the file as evidence and restore it from a backup.")
        self.recording_id = recording_id
        self.what = what
        self.chunk = chunk


@dataclass(frozen=True)
class Sealed:
    """What the catalogue needs to know of a file that has just been sealed."""

    recording_id: UUID
    seconds: float
    sha256: str
    wrapped_key: bytes
    bytes: int
    chunk_bytes: int
    repaired: bool
    """Whether the WAV had never been closed and its sizes were put right."""


def seal(plain: BinaryIO, target: Path, part: Path, recording_id: UUID, wrap: Wrap) -> Sealed:
    """Seals an open WAV into `target`, by way of `part` on the same file system, one chunk in memory at a
    time.

    What was written is read back before it takes its name. The plain file is left alone: `capture` deletes it
    once the catalogue holds the key. Afterwards `target` is on disc whole or not at all. Raises
    `recordings.wav.NotWav`, `Tampered` if it could not be read back, and OSError when the disc is full."""
    wav = inspect(plain)
    peaks = Peaks(wav, PEAK_PAIRS)
    header = Header(
        recording_id=recording_id,
        plain_bytes=len(wav.header()) + wav.data_bytes,
        pairs=peaks.pairs,
        chunk_bytes=CHUNK_BYTES,
        prefix=os.urandom(8),
    )
    key = AESGCM.generate_key(256)
    digest = hashlib.sha256()
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as out:
            for piece in _sealed_pieces(plain, wav, peaks, header, AESGCM(key)):
                out.write(piece)
                digest.update(piece)
            out.flush()
            os.fsync(out.fileno())
        with SealedFile(part, recording_id, key) as written:
            written.verify()
        part.rename(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)
    return Sealed(
        recording_id=recording_id,
        seconds=wav.seconds,
        sha256=digest.hexdigest(),
        wrapped_key=wrap(key),
        bytes=header.file_bytes,
        chunk_bytes=CHUNK_BYTES,
        repaired=not wav.finished,
    )


def _sealed_pieces(plain: BinaryIO, wav: Wav, peaks: Peaks, header: Header, cipher: AESGCM) -> Iterator[bytes]:
    yield header.pack()
    plain.seek(wav.data_offset)
    # 44 bytes of header and chunks of 64 KiB both are whole numbers of frames (1, 2 or 4 bytes), so no frame
    # is torn.
    begun = wav.header()
    for index in range(header.chunks):
        wanted = min(CHUNK_BYTES, header.plain_bytes - index * CHUNK_BYTES) - len(begun)
        sound = plain.read(wanted)
        if len(sound) != wanted:
            raise NotWav("it became shorter while it was being sealed")
        peaks.feed(sound)
        yield cipher.encrypt(header.nonce(index), begun + sound, header.bound(index))
        begun = b""
    if header.pairs:
        picture = peaks.array().astype("<i2").tobytes()
        yield cipher.encrypt(header.nonce(PEAKS_INDEX), picture, header.bound(PEAKS_INDEX))


class SealedFile:
    """A sealed recording open for reading; as many threads as like may read at once. Close it, or use `with`.

    Raises `Tampered` on opening if the header is wrong, belongs to another recording, or does not fit the
    file's length; later from whatever touches a chunk that does not open. A wrong key looks like that,
    too."""

    def __init__(self, path: Path, recording_id: UUID, key: bytes) -> None:
        self.recording_id = recording_id
        self._cipher = AESGCM(key)
        self._file = path.open("rb", buffering=0)
        try:
            self.header = self._read_header()
        except BaseException:
            self._file.close()
            raise

    def _read_header(self) -> Header:
        raw = os.pread(self._file.fileno(), HEADER.size, 0)
        if len(raw) < HEADER.size:
            raise Tampered(self.recording_id, "the header is cut off")
        magic, version, pairs, chunk_bytes, plain_bytes, owner, prefix = HEADER.unpack(raw)
        if magic != MAGIC:
            raise Tampered(self.recording_id, "the file is not a sealed recording")
        if version != VERSION:
            raise Tampered(self.recording_id, f"the header's version is {version}, this release reads {VERSION}")
        if owner != self.recording_id.bytes:
            raise Tampered(self.recording_id, "the file belongs to another recording")
        if not 0 < chunk_bytes <= MOST_CHUNK_BYTES or plain_bytes // chunk_bytes >= PEAKS_INDEX:
            raise Tampered(self.recording_id, f"the header says {plain_bytes} bytes in chunks of {chunk_bytes}")
        header = Header(self.recording_id, plain_bytes, pairs, chunk_bytes, prefix)
        there = os.fstat(self._file.fileno()).st_size
        if there != header.file_bytes:
            raise Tampered(self.recording_id, f"the file has {there} bytes, its header says {header.file_bytes}")
        return header

    @property
    def size(self) -> int:
        """Plain bytes: what a player takes for the length of the WAV file."""
        return self.header.plain_bytes

    def read(self, start: int = 0, end: int | None = None) -> bytes:
        """Plain bytes start ≤ i < end, as a slice would give them. Only the chunks touched are decrypted."""
        return b"".join(self.stream(start, end))

    def stream(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The same piece by piece, at most a chunk at a time."""
        if start < 0 or (end is not None and end < 0):
            raise ValueError("a range of a recording is counted from its beginning")
        end = self.size if end is None else min(end, self.size)
        size = self.header.chunk_bytes
        for index in range(start // size, -(-end // size)) if start < end else ():
            chunk, offset = self._chunk(index), index * size
            yield chunk[max(0, start - offset) : end - offset]

    def peaks(self) -> npt.NDArray[np.int16]:
        """Smallest and largest sample of each of 600 stretches for the waveform's picture, shape (pairs, 2);
        fewer pairs if there are fewer samples."""
        if not self.header.pairs:
            return np.empty((0, 2), np.int16)
        raw = self._open(PEAKS_INDEX, self.header.peaks_offset, self.header.pairs * PAIR_BYTES)
        return np.frombuffer(raw, "<i2").astype(np.int16, copy=False).reshape(-1, 2)

    def verify(self) -> None:
        """Opens every chunk and the peaks. Raises `Tampered` naming the first that is wrong."""
        for index in range(self.header.chunks):
            self._chunk(index)
        self.peaks()

    def _chunk(self, index: int) -> bytes:
        size = self.header.chunk_bytes
        plain_bytes = min(size, self.size - index * size)
        return self._open(index, HEADER.size + index * (size + TAG_BYTES), plain_bytes)

    def _open(self, index: int, offset: int, plain_bytes: int) -> bytes:
        sealed = os.pread(self._file.fileno(), plain_bytes + TAG_BYTES, offset)
        try:
            return self._cipher.decrypt(self.header.nonce(index), sealed, self.header.bound(index))
        except InvalidTag:
            if index == PEAKS_INDEX:
                raise Tampered(self.recording_id, "the waveform's peaks do not open") from None
            raise Tampered(self.recording_id, f"chunk {index} does not open", index) from None

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def sha256_of(path: Path) -> str:
    """Of the sealed file as it lies on disc, in hexadecimal: what a backup can be compared with."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
