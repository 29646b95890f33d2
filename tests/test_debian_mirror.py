"""Asterisk's root is built from where this machine's apt gets Debian."""

from pathlib import Path

import pytest

from hotline.debian_mirror import NoMirror, mirror

DEB822 = """\
Types: deb
URIs: http://security.example.org/debian-security
Suites: bookworm-security
Components: main

# the archive
Types: deb deb-src
URIs: http://mirror.example.org/debian
Suites: bookworm
 bookworm-updates
Components: main
 contrib
"""


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("HOTLINE_DEBIAN_MIRROR", raising=False)
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def test_deb822_with_folded_fields(apt: Path) -> None:
    (apt / "sources.list.d" / "debian.sources").write_text(DEB822)
    assert mirror(apt) == "http://mirror.example.org/debian"


def test_one_line_with_options(apt: Path) -> None:
    (apt / "sources.list").write_text(
        "# deb http://old.example.org/debian bookworm main\n"
        "deb http://third.example.org/tools stable main\n"
        "deb [arch=amd64 signed-by=/k.gpg] http://mirror.example.org/debian/ bookworm main # ours\n"
    )
    assert mirror(apt) == "http://mirror.example.org/debian/"


def test_a_source_that_is_switched_off_is_not_used(apt: Path) -> None:
    (apt / "sources.list.d" / "debian.sources").write_text("Enabled: no\n" + DEB822.split("# the archive\n")[1])
    with pytest.raises(NoMirror, match="HOTLINE_DEBIAN_MIRROR"):
        mirror(apt)


def test_the_environment_chooses(apt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_DEBIAN_MIRROR", "http://near.example.org/debian")
    assert mirror(apt) == "http://near.example.org/debian"
