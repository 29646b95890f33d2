"""The cache's files: `<root>/aa/<hash>.sln16` and `.sln` (Asterisk's raw 16 and 8 kHz), and a `.json`
beside them.

Each file is written under a temporary name, synced and renamed, the sidecar last: an entry is there when
its sidecar is. What is killed in between leaves a temporary file, which `sweep` removes, and never half
an entry. A lock is kept by the kernel for a living process only, so a killed one never blocks the others.
Works synchronously: call it in a thread.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

FORMATS = {"sln16": 16_000, "sln": 8_000}
SIDECAR = ".json"
TEMPORARY = ".tmp"


class Store:
    """One root of the cache."""

    def __init__(self, root: Path, mode: int = 0o644) -> None:
        self.root = root
        self._mode = mode  # Asterisk must be able to read what is in it

    def path(self, name: str) -> Path:
        """Where an entry is, without extension."""
        return self.root / name[:2] / name

    def has(self, name: str) -> bool:
        return self.path(name).with_suffix(SIDECAR).exists()

    def used(self, name: str) -> None:
        """An entry is as if it had been made now: `purge` counts from its last use."""
        with contextlib.suppress(FileNotFoundError):
            os.utime(self.path(name).with_suffix(SIDECAR))

    def publish(self, name: str, files: Mapping[str, bytes], about: Mapping[str, object]) -> Path:
        """Write an entry's files (by extension) and its sidecar. Raises `OSError`, leaving
        nothing half done.
        """
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        for extension, content in files.items():
            write(path.with_suffix(f".{extension}"), content, self._mode)
        write(path.with_suffix(SIDECAR), json.dumps(about, ensure_ascii=False, sort_keys=True).encode(), self._mode)
        return path

    def lock(self, name: str, by: str) -> int | None:
        """Take the lock under which an entry is made, or None if another holder has it. Free it with `unlock`.

        One lock file for each of the 256 folders and each voice (`by`): lock files that come and go with their entries
        would race, and a slow voice must not keep a fast one waiting.
        """
        folder = self.root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / f"{by}-{name[:2]}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        return handle

    def unlock(self, handle: int) -> None:
        os.close(handle)

    def secret(self) -> bytes:
        """32 random bytes that belong to this root, made once."""
        path = self.root / "salt"
        self.root.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            write(path, secrets.token_bytes(32), 0o600, replace=False)
        return path.read_bytes()

    def purge(self, older_than: float, now: float | None = None) -> int:
        """Remove entries made (or last `used`) more than `older_than` seconds ago, and what killed writers left.
        Returns how many.
        """
        limit = (time.time() if now is None else now) - older_than
        removed = 0
        for sidecar in self._files(SIDECAR):
            if sidecar.stat().st_mtime < limit:
                # The sidecar first: whoever looks now makes the entry anew.
                for suffix in (SIDECAR, *(f".{extension}" for extension in FORMATS)):
                    sidecar.with_suffix(suffix).unlink(missing_ok=True)
                removed += 1
        self.sweep(older_than, now)
        return removed

    def sweep(self, older_than: float, now: float | None = None) -> int:
        """Remove temporary files that were begun more than `older_than` seconds ago. Returns how many."""
        limit = (time.time() if now is None else now) - older_than
        left = [file for file in self._files(TEMPORARY) if file.stat().st_mtime < limit]
        for file in left:
            file.unlink(missing_ok=True)
        return len(left)

    def _files(self, suffix: str) -> Iterator[Path]:
        return (file for file in self.root.glob(f"*/*{suffix}") if file.is_file())


def write(path: Path, content: bytes, mode: int = 0o644, replace: bool = True) -> None:
    """A whole file or none: temporary name, fsync, rename. With `replace=False` an existing one
    raises FileExistsError.
    """
    temporary = _temporary(path)
    try:
        with open(temporary, "xb", opener=partial(os.open, mode=mode)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _rename(temporary, path, replace)
    finally:
        temporary.unlink(missing_ok=True)


def link(source: Path, path: Path) -> None:
    """Give a file a second name (a copy where the file system has no hard links), replacing what was
    there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    try:
        os.link(source, temporary)
    except OSError:
        write(path, source.read_bytes())
        return
    try:
        _rename(temporary, path, replace=True)
    finally:
        # A rename between two names of one file does nothing, and leaves the temporary name.
        temporary.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    return path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}{TEMPORARY}")


def _rename(temporary: Path, path: Path, replace: bool) -> None:
    if replace:
        os.replace(temporary, path)
    else:
        os.link(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
