"""Back to an ear: opens a sealed recording and answers a player's requests for parts of it.

Who may listen, and the audit of who did, is the caller's business (`web` asks `hospital` first). Pure:
`byte_range`, after RFC 9110 (HTTP Semantics), section 14.
"""

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from recordings.catalogue import Catalogue
from recordings.files import Shelf
from recordings.sealing import SealedFile, Tampered, sha256_of

CONTENT_TYPE = "audio/wav"
RANGE = re.compile(r"bytes\s*=\s*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))\s*", re.ASCII | re.IGNORECASE)


class NotThere(Exception):
    """There is no sound to replay: `reason` is the catalogue's code, "open" while it is being recorded, or
    "unknown"."""

    def __init__(self, recording_id: UUID, reason: str) -> None:
        super().__init__(f"recording {recording_id} cannot be replayed: {reason}")
        self.recording_id = recording_id
        self.reason = reason


@dataclass(frozen=True)
class Part:
    """What to send of `total` bytes: start ≤ i < end, under HTTP status 200, 206 or 416."""

    status: int
    start: int
    end: int
    total: int

    def headers(self) -> dict[str, str]:
        """The response's headers. A browser must not keep what was said: no-store."""
        headers = {
            "Accept-Ranges": "bytes",
            "Cache-Control": "no-store",
            "Content-Length": str(self.end - self.start),
        }
        if self.status == 416:
            return headers | {"Content-Range": f"bytes */{self.total}"}
        if self.status == 206:
            headers["Content-Range"] = f"bytes {self.start}-{self.end - 1}/{self.total}"
        return headers | {"Content-Type": CONTENT_TYPE}


def byte_range(header: str | None, total: int) -> Part:
    """What a Range header asks for. One that is absent, malformed, in another unit or of several ranges gets
    the whole (RFC 9110, 14.2: a server may ignore it); one beyond the end gets 416."""
    whole = Part(200, 0, total, total)
    match = RANGE.fullmatch(header.strip()) if header else None
    if not match:
        return whole
    first, last, suffix = match.groups()
    if suffix is not None:
        start, end = max(0, total - int(suffix)), total
    else:
        start, end = int(first), min(total, int(last) + 1) if last else total
        if last and int(last) < int(first):
            return whole  # 14.1.1: an int-range whose end comes before its start is invalid
    return Part(206, start, end, total) if start < end else Part(416, 0, 0, total)


@dataclass(frozen=True)
class Answer:
    """A part that is ready to be sent; its first chunk has been decrypted, so a status can still be
    chosen."""

    part: Part
    body: Iterator[bytes]


def answer(sealed: SealedFile, range_header: str | None) -> Answer:
    """Takes over the open file and closes it after the last byte. Raises `Tampered` if the first chunk is; a
    later one raises from the body, which must break the connection off."""
    part = byte_range(range_header, sealed.size)
    pieces = sealed.stream(part.start, part.end)
    try:
        first = next(pieces, b"")
    except BaseException:
        sealed.close()
        raise
    return Answer(part, _closing(sealed, chain([first] if first else [], pieces)))


def _closing(sealed: SealedFile, pieces: Iterator[bytes]) -> Iterator[bytes]:
    with sealed:
        yield from pieces


class Replay:
    """Opens recordings by their id. `unwrap` turns the catalogue's wrapped key into the recording's."""

    def __init__(self, shelf: Shelf, catalogue: Catalogue, unwrap: Callable[[bytes], bytes]) -> None:
        self._shelf, self._catalogue, self._unwrap = shelf, catalogue, unwrap

    async def open(self, recording_id: UUID) -> SealedFile:
        """The caller closes it. Raises `NotThere`; `Tampered`, also if the file is gone from the shelf; and
        what `unwrap` raises under a wrong site key."""
        wrapped, _ = await self._sealed_entry(recording_id)
        key = self._unwrap(wrapped)
        return await asyncio.to_thread(self._open, recording_id, key)

    async def peaks(self, recording_id: UUID) -> list[float]:
        """How loud each of 600 equal stretches is at most, 0 … 1, for the waveform's picture. Raises as
        `open`."""
        with await self.open(recording_id) as sealed:
            pairs = await asyncio.to_thread(sealed.peaks)
        return [round(max(-int(low), int(high)) / 32768, 4) for low, high in pairs]

    async def verify(self, recording_id: UUID) -> None:
        """Reads the whole recording. Raises as `open` does, `Tampered` naming the first chunk that is
        wrong."""
        wrapped, sha256 = await self._sealed_entry(recording_id)
        await asyncio.to_thread(self._verify, recording_id, self._unwrap(wrapped), sha256)

    async def _sealed_entry(self, recording_id: UUID) -> tuple[bytes, str]:
        entry = await self._catalogue.known(recording_id)
        if entry is None:
            raise NotThere(recording_id, "unknown")
        if entry.wrapped_key is None or entry.sha256 is None:
            raise NotThere(recording_id, entry.reason or entry.state)
        return entry.wrapped_key, entry.sha256

    def _open(self, recording_id: UUID, key: bytes) -> SealedFile:
        try:
            return SealedFile(self._shelf.sealed(recording_id), recording_id, key)
        except FileNotFoundError:
            raise Tampered(recording_id, "the sealed file is gone from the shelf") from None

    def _verify(self, recording_id: UUID, key: bytes, sha256: str) -> None:
        with self._open(recording_id, key) as sealed:
            sealed.verify()
        # Whole in itself, yet not the file that was catalogued: a copy sealed anew by somebody who has its
        # key.
        if sha256_of(self._shelf.sealed(recording_id)) != sha256:
            raise Tampered(recording_id, "the file is not the one that was catalogued")
