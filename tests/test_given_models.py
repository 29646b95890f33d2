"""A model that is in no registry, from the operator's own archive: checked by its SHA-256, unpacked as a stranger's."""

import functools
import hashlib
import http.server
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from hotline import given_models, models
from hotline.commands import main
from hotline.model_sources import ModelFailed

TOP = "vosk-model-small-es-0.42"
FILES = {
    "am/final.mdl": b"an acoustic model",
    "conf/model.conf": b"--frequency=16000",
    "graph/HCLr.fst": b"words",
}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_CACHE", str(tmp_path / "cache"))


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def rolled(path: Path, files: dict[str, bytes], *more: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for member in more:
            archive.addfile(member)
    return path


def good(below: str = TOP) -> dict[str, bytes]:
    return {f"{below}/{name}" if below else name: content for name, content in FILES.items()}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def left() -> set[str]:
    """All files that lie where models do, but the lock."""
    there = models.folder("vosk-es").parent
    found = {path.relative_to(there).as_posix() for path in there.rglob("*") if path.is_file()}
    return {name for name in found if not name.endswith(".lock")}


@pytest.mark.parametrize("form", ["zip", "tar", "flat"])
def test_a_model_is_installed_by_one_command_and_its_damage_is_noticed(
    tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / f"given.{form}"
    (rolled if form == "tar" else zipped)(archive, good("" if form == "flat" else TOP))
    assert main(["model", "install", "vosk-es", "--from", str(archive), "--sha256", sha256(archive).upper()]) == 0
    there = models.folder("vosk-es")
    assert {name: (there / name).read_bytes() for name in FILES} == FILES
    told = json.loads((there / "model.json").read_text())
    assert told["archive"] == sha256(archive) and set(told["files"]) == set(FILES)
    assert models.damaged(there) is None
    (there / "graph/HCLr.fst").write_bytes(b"other words")
    assert models.damaged(there) == "graph/HCLr.fst"
    assert main(["model", "install", "vosk-es", "--from", str(archive), "--sha256", sha256(archive)]) == 0
    assert "installed already" in capsys.readouterr().out
    assert main(["model", "list"]) == 0
    assert f"installed in {there}" in capsys.readouterr().out


def test_a_model_comes_from_an_address(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "given.zip", good())

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/given.zip"
        assert (given_models.install("vosk-es", address, sha256(archive)) / "am/final.mdl").exists()
        server.shutdown()


def test_a_newer_model_takes_the_place_of_the_older(tmp_path: Path) -> None:
    for number in (b"1", b"2"):
        archive = zipped(tmp_path / "given.zip", good() | {f"{TOP}/conf/model.conf": number})
        there = given_models.install("vosk-es", str(archive), sha256(archive))
        assert (there / "conf/model.conf").read_bytes() == number


def link(kind: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(f"{TOP}/graph/other")
    member.type, member.linkname = kind, "/etc/passwd"
    return member


Make = Callable[[Path], Path]
HOSTILE: dict[str, tuple[Make, str]] = {
    "leads up": (lambda at: zipped(at, good() | {f"{TOP}/../../../evil": b"x"}), "outside of the model's folder"),
    "is absolute": (lambda at: rolled(at, good() | {"/tmp/evil": b"x"}), "outside of the model's folder"),  # noqa: S108
    "has a drive": (lambda at: zipped(at, good() | {"C:/evil": b"x"}), "outside of the model's folder"),
    "has backslashes": (lambda at: rolled(at, good() | {"a\\..\\evil": b"x"}), "outside of the model's folder"),
    "a link": (lambda at: rolled(at, good(), link(tarfile.SYMTYPE)), "a link or a device"),
    "a hard link": (lambda at: rolled(at, good(), link(tarfile.LNKTYPE)), "a link or a device"),
    "a device": (lambda at: rolled(at, good(), link(tarfile.CHRTYPE)), "a link or a device"),
    "a name twice": (lambda at: rolled(at, good() | {f"{TOP}/./conf/model.conf": b"x"}), "a file twice"),
    "too many files": (lambda at: zipped(at, good() | {f"{TOP}/{n}": b"" for n in range(1001)}), "more than 1000"),
    "no model": (lambda at: zipped(at, {"readme.txt": b"x"}), r"has no final\.mdl"),
    "two models": (lambda at: zipped(at, good() | good("another")), r"has no final\.mdl, or several"),
    "no archive": (lambda at: (at.write_bytes(b"not an archive") and at) or at, "is damaged, or no zip or tar file"),
    "cut off": (lambda at: _cut(rolled(at, good() | {f"{TOP}/big": bytes(range(256)) * 4000})), "is damaged"),
}


def _cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-200])
    return path


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_archive_is_refused_and_leaves_nothing(tmp_path: Path, what: str) -> None:
    make, told = HOSTILE[what]
    archive = make(tmp_path / "given")
    with pytest.raises(ModelFailed, match=told):
        given_models.install("vosk-es", str(archive), sha256(archive))
    assert left() == set()
    assert not (tmp_path / "evil").exists() and not (tmp_path.parent / "evil").exists()


def test_what_unpacks_to_more_than_any_model_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that it is small: what comes out is counted."""
    monkeypatch.setattr(given_models, "MOST_BYTES", 3_000_000)
    archive = zipped(tmp_path / "given.zip", good() | {f"{TOP}/zeros": bytes(8_000_000)})
    assert archive.stat().st_size < 100_000
    with pytest.raises(ModelFailed, match="unpacks to more than 3 MB"):
        given_models.install("vosk-es", str(archive), sha256(archive))
    assert left() == set()


@pytest.mark.parametrize(
    ("source", "given", "told"),
    [
        (None, None, r"in no package registry.*vosk-model-small-es-0\.42\.zip"),
        ("given.zip", None, "in no package registry"),
        ("given.zip", "abc", "wants 64 digits"),
        ("given.zip", "0" * 64, "is damaged or another one"),
        ("nowhere.zip", "0" * 64, "is no file"),
    ],
)
def test_what_is_missing_or_another_is_told(tmp_path: Path, source: str | None, given: str | None, told: str) -> None:
    zipped(tmp_path / "given.zip", good())
    with pytest.raises(ModelFailed, match=told):
        given_models.install("vosk-es", str(tmp_path / source) if source else None, given)
    assert left() == set()


def test_an_unknown_model_is_told_with_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "install", "vosk-fr"]) == 2
    assert "vosk-es, vosk-pt-BR, vosk-zh-CN, vosk-en" in capsys.readouterr().err
