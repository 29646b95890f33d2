"""What this room needs of the catalogue (the table `recording`); `hospital` keeps it, `hotline` joins the
two.

A recording's states: open → sealed (the sound is kept) or open → lost (with a coded reason); none is a call
that was never recorded. Every answered call has one recording or one coded reason for none.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from recordings.sealing import Sealed


class Missing(StrEnum):
    """Why there is no sound, as far as this room finds out."""

    SPOOL_FULL = "spool_full"
    """There was no room for it, so it was not begun."""
    NO_AUDIO = "no_audio"
    """Its file was begun, and no sound came."""
    NOT_STARTED = "not_started"
    """The call ended and Asterisk had made no file."""
    ASTERISK_LOST = "asterisk_lost"
    """After a crash neither a plain nor a sealed file is left."""


@dataclass(frozen=True)
class Entry:
    """A row of the catalogue; hash and key are None unless it is sealed, the reason None unless lost or
    none."""

    recording_id: UUID
    state: str
    sha256: str | None = None
    wrapped_key: bytes | None = None
    reason: str | None = None


class Catalogue(Protocol):
    """Each call is one transaction."""

    async def sealed(self, recording_id: UUID, path: str, sealed: Sealed) -> bool:
        """open → sealed, also lost → sealed when the sound has turned up; `path` is relative to the shelf.
        True once the key is kept: then the plain file is deleted and the key is nowhere else."""

    async def failed(self, recording_id: UUID, reason: Missing) -> None:
        """open → lost, with the reason; nothing if it is not open."""

    async def known(self, recording_id: UUID) -> Entry | None:
        """The row, None if there is no such recording."""

    async def unfinished(self) -> Collection[UUID]:
        """The recordings that have been open for a minute or longer; a younger one may be about to begin."""
