"""Is there room for another recording? The rule is pure; `measure` looks at the disc for it.

Where there is none, calls go on without recording and say so, and the dialer begins no new ones.
"""

import shutil
from dataclasses import dataclass

from recordings.catalogue import Missing
from recordings.files import Spool

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """How full the spool may become. An hour of 16 kHz sound is 110 MiB, of 8 kHz sound 55 MiB."""

    keep_free_bytes: int = 64 * MIB
    """Below this much free space on the spool's file system no further recording begins: the running ones
    need it."""
    quota_bytes: int | None = None
    """Most that all plain files together may take before no further one begins; None where a tmpfs' size says
    it."""


@dataclass(frozen=True)
class Room:
    """What was measured of a spool. `free_bytes` is None if it cannot be written to."""

    free_bytes: int | None
    plain_bytes: int


@dataclass(frozen=True)
class Decision:
    """Whether a recording may begin; if not, the code for the catalogue and a sentence for the operator."""

    allowed: bool
    reason: Missing | None = None
    advice: str = ""


def measure(spool: Spool) -> Room:
    """Looks at the spool. Never raises: a spool that is not there has no room."""
    try:
        return Room(shutil.disk_usage(spool.root).free, spool.plain_bytes())
    except OSError:
        return Room(None, 0)


def may_record(room: Room, limits: Limits) -> Decision:
    """The rule. Calls go on in any case; where this says no the dialer begins no new ones."""
    if room.free_bytes is None:
        return _no("The recordings' spool is not there. Make its folder and give it to the hotline's user.")
    if room.free_bytes < limits.keep_free_bytes:
        free, needed = room.free_bytes // MIB, limits.keep_free_bytes // MIB
        return _no(f"The recordings' spool has {free} MiB left, {needed} are needed. Free some space on it.")
    if limits.quota_bytes is not None and room.plain_bytes >= limits.quota_bytes:
        taken, allowed = room.plain_bytes // MIB, limits.quota_bytes // MIB
        return _no(f"Unsealed recordings take {taken} MiB of {allowed}. The log says why they cannot be sealed.")
    return Decision(True)


def _no(advice: str) -> Decision:
    return Decision(False, Missing.SPOOL_FULL, f"{advice} Recording and dialling then go on by themselves.")
