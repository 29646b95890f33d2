"""`hotline model install vosk-es --from PATH_OR_ADDRESS --sha256 …`: a model that is in no package registry.

The operator says which archive it is: its SHA-256 must be the one that is given. It is unpacked as a stranger's.
Refused, with nothing left behind: names that lead out of the folder, links and devices, a name twice, more files or
bytes than any such model has, and what has no acoustic model in it. The hash of each file is kept in `model.json`, so
that damage is noticed at the next start.
"""

import hashlib
import json
import re
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from hotline import models
from hotline.model_sources import BLOCK, MB, ModelFailed, Say, check, fetched

VOSK = {"vosk-es": "es", "vosk-pt-BR": "pt-BR", "vosk-zh-CN": "zh-CN", "vosk-en": "en"}
"""Name → the language that it is for."""
TESTED = {
    "vosk-es": "vosk-model-small-es-0.42",
    "vosk-pt-BR": "vosk-model-small-pt-0.3",
    "vosk-zh-CN": "vosk-model-small-cn-0.22",
    "vosk-en": "vosk-model-small-en-us-0.15",
}
ACOUSTIC = "final.mdl"  # in am/, or beside the other files of older models
MOST_FILES = 1000
MOST_BYTES = 4000 * MB  # unpacked; the largest model of a language of ours has 3 GB
_SHA256 = re.compile(r"[0-9a-f]{64}")


def install(name: str, source: str | None, sha256: str | None, say: Say = print) -> Path:
    """The model's folder; nothing to do where this archive's is installed. Raises ModelFailed."""
    if source is None or sha256 is None:
        raise ModelFailed(
            f"{name} is in no package registry. Fetch {TESTED[name]}.zip from the makers of Vosk "
            "(https://alphacephei.com/vosk/models), and give it: hotline model install "
            f"{name} --from PATH_OR_ADDRESS --sha256 HASH"
        )
    wanted = sha256.strip().lower()
    if not _SHA256.fullmatch(wanted):
        raise ModelFailed(f"--sha256 wants 64 digits from 0 to f, not {sha256!r}: what sha256sum says of the archive.")
    final = models.folder(name)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        with models.one_at_a_time(final):
            if (models.about(final) or {}).get("archive") == wanted:
                say(f"{name} is installed already: {final}")
                return final
            with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=final.parent) as scratch:
                archive = _archive(source, Path(scratch), say)
                check(archive, wanted, source)
                made = Path(scratch) / "model"
                files = _unpacked(archive, made, source)
                about = {"model": name, "archive": wanted, "files": files}
                models.put(made, final, json.dumps(about, indent=1).encode())
    except OSError as error:
        raise ModelFailed(f"{name} could not be written below {final.parent}: {error.strerror or error}.") from error
    say(f"{name} is installed: {final}")
    return final


def listed() -> Iterator[str]:
    """Two lines for each."""
    for name, language in VOSK.items():
        there = models.folder(name)
        yield f"{name:14}          {f'installed in {there}' if models.about(there) else 'not installed'}"
        yield f"{'':14}speech to text for {language}, by Vosk: your own archive ({TESTED[name]}); licence: Apache-2.0"


def _archive(source: str, scratch: Path, say: Say) -> Path:
    if source.startswith(("http://", "https://")):
        return fetched(source, scratch / "fetched", say, most=MOST_BYTES)
    if not Path(source).is_file():
        raise ModelFailed(f"{source} is no file. Give a zip or tar file, or an http(s) address of one.")
    return Path(source)


def _unpacked(archive: Path, made: Path, called: str) -> dict[str, str]:
    """Writes the model's files below `made`; each one's SHA-256, by name."""
    found: dict[str, str] = {}
    left = MOST_BYTES
    try:
        members = dict(_members(archive, called))
        top = _top(members, called)
        for name, opening in members.items():
            if not name.is_relative_to(top):
                continue
            inside = name.relative_to(top)
            with opening() as content:
                digest, size = _written(content, made / inside, left, called)
            left -= size
            found[inside.as_posix()] = digest
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, ModelFailed):
            raise
        raise ModelFailed(f"{called} is damaged, or no zip or tar file ({error}). Fetch it again.") from None
    return found


def _members(archive: Path, called: str) -> Iterator[tuple[PurePosixPath, "_Opening"]]:
    """The files by name, none of which leads anywhere else."""
    names: set[PurePosixPath] = set()
    for raw, opening in _of_zip(archive) if zipfile.is_zipfile(archive) else _of_tar(archive, called):
        name = PurePosixPath(raw)
        if (
            not name.parts
            or name.is_absolute()
            or ".." in name.parts
            or "\\" in raw
            or ":" in name.parts[0]
            or "\0" in raw
        ):
            raise ModelFailed(f"{called} has a file that would lie outside of the model's folder: it is not installed.")
        if name in names or len(names) >= MOST_FILES:
            raise ModelFailed(f"{called} has a file twice, or more than {MOST_FILES} files: it is no model for Vosk.")
        names.add(name)
        yield name, opening


class _Opening:
    """Opens one member, when it is its turn."""

    def __init__(self, archive: zipfile.ZipFile | tarfile.TarFile, member: zipfile.ZipInfo | tarfile.TarInfo) -> None:
        self._archive, self._member = archive, member

    def __call__(self) -> IO[bytes]:
        if isinstance(self._archive, zipfile.ZipFile):
            return self._archive.open(self._member)  # type: ignore[arg-type]
        content = self._archive.extractfile(self._member)  # type: ignore[arg-type]
        if content is None:
            raise ModelFailed("a member of the archive is no file")
        return content


def _of_zip(archive: Path) -> Iterator[tuple[str, _Opening]]:
    packed = zipfile.ZipFile(archive)
    for member in packed.infolist():
        if not member.is_dir():
            yield member.filename, _Opening(packed, member)


def _of_tar(archive: Path, called: str) -> Iterator[tuple[str, _Opening]]:
    rolled = tarfile.open(archive)  # noqa: SIM115 - read until the last member is
    for member in rolled:
        if member.isfile():
            yield member.name, _Opening(rolled, member)
        elif not member.isdir():
            raise ModelFailed(f"{called} has a link or a device in it: it is not installed.")


def _top(members: dict[PurePosixPath, _Opening], called: str) -> PurePosixPath:
    """The folder that is the model: archives have it inside of one that is named after it."""
    acoustic = [name for name in members if name.name == ACOUSTIC]
    if len(acoustic) != 1:
        raise ModelFailed(f"{called} has no {ACOUSTIC}, or several: it is no model for Vosk.")
    there = acoustic[0].parent
    return there.parent if there.name == "am" else there


def _written(content: IO[bytes], path: Path, most: int, called: str) -> tuple[str, int]:
    """SHA-256 and bytes. What an archive says of its sizes is not believed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        while block := content.read(BLOCK):
            size += len(block)
            if size > most:
                raise ModelFailed(f"{called} unpacks to more than {MOST_BYTES / MB:.0f} MB: it is no model for Vosk.")
            digest.update(block)
            file.write(block)
    return digest.hexdigest(), size
