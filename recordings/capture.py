"""From the spool to the shelf: what becomes of the plain file that Asterisk wrote.

1. `may_record` asks whether there is room (`room.py`); the row is opened; `begin` says where Asterisk is to
   write.
2. `finish`, after the hang-up: waits until Asterisk has closed the file, seals it (which reads it back),
   gives the key to the catalogue, deletes the plain file. In this order, so that a crash at any point leaves
   a plain file or a sealed one whose key is known, never neither.
3. `sweep` does the same for what a crash left behind, and says what it cannot settle.

Only one sealing of a recording is under way at a time, in whichever process (the plain file is locked): two
would make two keys, and the catalogue might keep the wrong one.
"""

import asyncio
import errno
import fcntl
import logging
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from uuid import UUID

from recordings.catalogue import Catalogue, Missing
from recordings.files import Shelf, Spool, private_folder, sync_folder
from recordings.room import Decision, Limits, may_record, measure
from recordings.sealing import Sealed, Tampered, Wrap, seal, sha256_of
from recordings.wav import NotWav, inspect, voiced_seconds

log = logging.getLogger(__name__)

CLOSING_SECONDS = 3.0
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Swept:
    """What a sweep found. `kept` are plain files that stay, each with why: somebody has to look."""

    sealed: list[UUID] = field(default_factory=list)
    missing: dict[UUID, Missing] = field(default_factory=dict)
    kept: dict[UUID, str] = field(default_factory=dict)
    strays: list[Path] = field(default_factory=list)


class Capture:
    """`at_once`: how many sealings may run at the same time; each is one thread with a chunk in memory."""

    def __init__(
        self,
        spool: Spool,
        shelf: Shelf,
        catalogue: Catalogue,
        wrap: Wrap,
        limits: Limits | None = None,
        *,
        closing_seconds: float = CLOSING_SECONDS,
        at_once: int = 2,
    ) -> None:
        self._spool, self._shelf, self._catalogue, self._wrap = spool, shelf, catalogue, wrap
        self._limits = limits or Limits()
        self._closing_seconds = closing_seconds
        self._sealing = asyncio.Semaphore(at_once)
        self._live: set[UUID] = set()
        private_folder(shelf.root)

    def may_record(self) -> Decision:
        """Also the dialer's question before it begins a call that is to be recorded."""
        return may_record(measure(self._spool), self._limits)

    def begin(self, recording_id: UUID) -> PurePosixPath:
        """Where MixMonitor is to write, in Asterisk's words; a sweep leaves it alone until `finish`. The row
        is open."""
        self._live.add(recording_id)
        return self._spool.for_asterisk(recording_id)

    async def finish(self, recording_id: UUID, least_voice: float = 0.0) -> Sealed | Missing | None:
        """Settles a recording whose call has ended. None: it was settled before, or the plain file stays for
        the next sweep and the log says why. With less than `least_voice` seconds of voice there is nothing to keep.

        Raises nothing but what the catalogue raises; then, too, the plain file stays."""
        try:
            await self._closed(self._spool.plain(recording_id))
            return await self._settle(recording_id, Swept(), Missing.NOT_STARTED, least_voice)
        finally:
            self._live.discard(recording_id)

    async def sweep(self, live: Collection[UUID]) -> Swept:
        """Settles whatever belongs to no live call: `live` are the recordings that Asterisk is writing now.

        Raises OSError if there is no spool, and what the catalogue raises."""
        # The rows are read before the files: a call that begins in between is then in neither.
        unfinished = await self._catalogue.unfinished()
        found = await asyncio.to_thread(self._spool.waiting)
        swept = Swept(strays=await asyncio.to_thread(self._spool.strays))
        for recording_id in {*unfinished, *found}.difference(live, self._live):
            await self._settle(recording_id, swept, Missing.ASTERISK_LOST)
        await asyncio.to_thread(self._drop_parts)
        if swept.strays:
            log.warning("%d files in the recordings' spool are not the hotline's; they stay", len(swept.strays))
        return swept

    async def _closed(self, plain: Path) -> None:
        """Waits until the header is finished, or the file has not changed for a while: Asterisk closes it
        only after it has told of the recording's end."""
        (finished, size), quiet = await asyncio.to_thread(_written, plain), 0.0
        while not finished and quiet < self._closing_seconds:
            await asyncio.sleep(POLL_SECONDS)
            finished, now = await asyncio.to_thread(_written, plain)
            quiet, size = (quiet + POLL_SECONDS if now == size else 0.0), now

    async def _settle(
        self, recording_id: UUID, swept: Swept, if_no_file: Missing, least_voice: float = 0.0
    ) -> Sealed | Missing | None:
        try:
            file = await asyncio.to_thread(_open_alone, self._spool.plain(recording_id))
        except FileNotFoundError:
            return await self._missing(recording_id, if_no_file, swept)
        except BlockingIOError:
            return None  # somebody else is sealing it
        with file:
            try:
                return await self._settle_plain(recording_id, file, swept, least_voice)
            except _Kept as kept:
                swept.kept[recording_id] = str(kept)
                log.error("recording %s stays unsealed in the spool: %s", recording_id, kept)
                return None

    async def _settle_plain(
        self, recording_id: UUID, file: BinaryIO, swept: Swept, least_voice: float
    ) -> Sealed | Missing | None:
        settled: Sealed | Missing | None = None
        if await self._wants_sealing(recording_id):
            async with self._sealing:
                sealed = await asyncio.to_thread(self._seal, recording_id, file, least_voice)
            if sealed is None:
                settled = await self._missing(recording_id, Missing.NO_AUDIO, swept)
            elif await self._catalogue.sealed(recording_id, self._shelf.place(recording_id), sealed):
                swept.sealed.append(recording_id)
                settled = sealed
            else:
                raise _Kept("the catalogue did not take it, though it was open; seal it again by a sweep")
        await asyncio.to_thread(_discard, self._spool.plain(recording_id))
        return settled

    async def _wants_sealing(self, recording_id: UUID) -> bool:
        """False: it is sealed, and only the plain file's deletion lacked. Raises `_Kept`."""
        entry = await self._catalogue.known(recording_id)
        if entry is None:
            raise _Kept("the catalogue does not know it; was the database restored from an older backup?")
        if entry.state == "none":
            raise _Kept(f"the call was not to be recorded ({entry.reason}); find out why it was, and delete it")
        if entry.state != "sealed":
            return True
        if entry.sha256 != await asyncio.to_thread(self._sha256, recording_id):
            raise _Kept("its sealed file is missing or changed: this plain copy may be the only one")
        return False

    def _seal(self, recording_id: UUID, file: BinaryIO, least_voice: float) -> Sealed | None:
        """None: there is no sound in it. Raises `_Kept`."""
        try:
            if os.fstat(file.fileno()).st_size == 0 or inspect(file).frames == 0:
                return None
            if least_voice and voiced_seconds(file) < least_voice:
                return None
            self._shelf.make_room(recording_id)
            target, part = self._shelf.sealed(recording_id), self._shelf.part(recording_id)
            return seal(file, target, part, recording_id, self._wrap)
        except NotWav as refused:
            raise _Kept(str(refused)) from None
        except Tampered as torn:
            raise _Kept(f"what was written could not be read back ({torn.what}); is the disc failing?") from None
        except OSError as failed:
            code = errno.errorcode.get(failed.errno or 0, "an error")
            raise _Kept(f"{code} while sealing; is the recordings' disc full or read-only?") from None

    def _sha256(self, recording_id: UUID) -> str | None:
        try:
            return sha256_of(self._shelf.sealed(recording_id))
        except FileNotFoundError:
            return None

    async def _missing(self, recording_id: UUID, reason: Missing, swept: Swept) -> Missing | None:
        entry = await self._catalogue.known(recording_id)
        if entry is None or entry.state != "open":
            return None  # settled before
        await self._catalogue.failed(recording_id, reason)
        swept.missing[recording_id] = reason
        log.warning("there is no recording %s: %s", recording_id, reason)
        return reason

    def _drop_parts(self) -> None:
        """Removes sealings that broke off, unless the plain file is still there: sealing it again overwrites
        them."""
        for recording_id, part in self._shelf.parts().items():
            if not self._spool.plain(recording_id).exists():
                part.unlink(missing_ok=True)


class _Kept(Exception):
    """The plain file has to stay; the text says why and what to do."""


def _open_alone(plain: Path) -> BinaryIO:
    """The plain file, open and locked until it is closed. Raises FileNotFoundError, BlockingIOError."""
    file = plain.open("rb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not plain.exists():
            raise BlockingIOError  # whoever held the lock until just now has sealed it
    except BaseException:
        file.close()
        raise
    return file


def _written(plain: Path) -> tuple[bool, int]:
    """Whether Asterisk has closed the file, and its size (-1: there is none)."""
    try:
        with plain.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            try:
                return inspect(file).finished, size
            except NotWav:
                return False, size
    except FileNotFoundError:
        return False, -1


def _discard(plain: Path) -> None:
    plain.unlink(missing_ok=True)
    sync_folder(plain.parent)
