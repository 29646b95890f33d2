"""Where this machine's own apt gets Debian from: the private Asterisk root is built from the same place.

Reads both forms of apt's sources (`sources.list(5)`: one line an entry, and deb822 stanzas). No host is written in
the code; the environment's HOTLINE_DEBIAN_MIRROR is used instead of apt's when it is set."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

APT = Path("/etc/apt")


class NoMirror(RuntimeError):
    """This machine's apt names no Debian archive; the message says what to do."""


@dataclass(frozen=True)
class Source:
    """One archive that apt reads binary packages from."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]


def mirror(apt: Path = APT) -> str:
    """The URI of a Debian archive that holds every suite (not the security or a third party's archive).

    Raises NoMirror when apt has none, as on a machine that is not Debian."""
    chosen = os.environ.get("HOTLINE_DEBIAN_MIRROR")
    if chosen:
        return chosen
    for source in sources(apt):
        whole = "main" in source.components and not any("security" in suite for suite in source.suites)
        if whole and source.uri.rstrip("/").endswith("/debian"):
            return source.uri
    raise NoMirror(
        "apt on this machine names no Debian archive, and Asterisk comes from Debian. "
        "Set HOTLINE_DEBIAN_MIRROR to a Debian mirror's address (it ends in /debian)."
    )


def sources(apt: Path = APT) -> Iterator[Source]:
    """Every archive of binary packages in apt's folder, deb822 files first."""
    folder = apt / "sources.list.d"
    for path in sorted(folder.glob("*.sources")):
        yield from read_deb822(path.read_text(errors="replace"))
    for path in [apt / "sources.list", *sorted(folder.glob("*.list"))]:
        if path.exists():
            yield from read_one_line(path.read_text(errors="replace"))


def read_deb822(text: str) -> Iterator[Source]:
    """Stanzas of `Types:`, `URIs:`, `Suites:`, `Components:`; a continued line begins with a blank."""
    for stanza in re.split(r"\n[ \t]*\n", re.sub(r"^#.*\n?", "", text, flags=re.MULTILINE)):
        unfolded = re.sub(r"\n[ \t]+", " ", stanza)
        fields = {
            key.strip().lower(): value.split()
            for key, _, value in (line.partition(":") for line in unfolded.splitlines())
        }
        if "deb" not in fields.get("types", []) or fields.get("enabled") == ["no"]:
            continue
        for uri in fields.get("uris", []):
            yield Source(uri, tuple(fields.get("suites", [])), tuple(fields.get("components", [])))


def read_one_line(text: str) -> Iterator[Source]:
    """`deb [options] uri suite component …`, one a line."""
    for line in text.splitlines():
        words = re.sub(r"\[[^\]]*\]", " ", line.partition("#")[0]).split()
        if len(words) >= 4 and words[0] == "deb":
            yield Source(words[1], (words[2],), tuple(words[3:]))
