"""Where recordings lie: the spool of plain files that Asterisk writes, and the shelf of sealed ones.

    spool/<recording id>.wav        plain; a new file for each recording; best on a tmpfs
    shelf/<aa>/<recording id>.hlr   sealed; aa are the id's first two digits
    shelf/.part/<recording id>.hlr  a sealing that is under way, or was when the process died

Asterisk may see the spool under another name (its root is private), hence `inside`.
"""

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from uuid import UUID

PLAIN = ".wav"
SEALED = ".hlr"


def sync_folder(folder: Path) -> None:
    """Makes new, renamed and deleted names in a folder survive a power cut."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def private_folder(folder: Path) -> Path:
    """The folder, made if need be, open to nobody else. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


@dataclass(frozen=True)
class Spool:
    """The folder of plain files. `root` is its path here, `inside` the one that Asterisk writes to."""

    root: Path
    inside: PurePosixPath

    def plain(self, recording_id: UUID) -> Path:
        return self.root / f"{recording_id}{PLAIN}"

    def for_asterisk(self, recording_id: UUID) -> PurePosixPath:
        """What MixMonitor is told to write to."""
        return self.inside / f"{recording_id}{PLAIN}"

    def waiting(self) -> dict[UUID, Path]:
        """The plain files there are, by recording."""
        return {UUID(path.stem): path for path in self.root.iterdir() if _is_ours(path)}

    def strays(self) -> list[Path]:
        """What lies in the spool and was not put there by the hotline; it is never touched."""
        return sorted(path for path in self.root.iterdir() if not _is_ours(path))

    def plain_bytes(self) -> int:
        """Bytes that plain files take at present."""
        return sum(_size(path) for path in self.root.iterdir())


def _is_ours(path: Path) -> bool:
    try:
        named = str(UUID(path.stem)) == path.stem
    except ValueError:
        return False
    return named and path.suffix == PLAIN and path.is_file() and not path.is_symlink()


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:  # sealed and deleted between listing and looking
        return 0


@dataclass(frozen=True)
class Shelf:
    """The folder of sealed files."""

    root: Path

    def place(self, recording_id: UUID) -> str:
        """Path within the shelf: what the catalogue keeps, so that the shelf may move."""
        return f"{str(recording_id)[:2]}/{recording_id}{SEALED}"

    def sealed(self, recording_id: UUID) -> Path:
        return self.root / self.place(recording_id)

    def part(self, recording_id: UUID) -> Path:
        return self.root / ".part" / f"{recording_id}{SEALED}"

    def make_room(self, recording_id: UUID) -> None:
        """The folders that a sealing needs. Raises OSError."""
        for folder in (self.root, self.sealed(recording_id).parent, self.part(recording_id).parent):
            private_folder(folder)

    def parts(self) -> dict[UUID, Path]:
        """Sealings that never came to their end; their keys are lost, so only the plain files can be sealed
        again."""
        found = (self.root / ".part").glob(f"*{SEALED}")
        return {UUID(path.stem): path for path in found}
