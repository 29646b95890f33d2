"""What a child says goes to its file in var/log through the supervisor, which masks it on the way.

Asterisk names the AGI address with its secret, and callers' numbers, in its own warnings; an interpreter that dies
prints what it likes. So no child writes a log file itself. Whatever becomes of the file, its words are taken: a child
whose pipe is full stands still, and the house with it."""

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from hotline.logs import mask

LARGEST = 10_000_000  # bytes; then the file becomes <name>.1 and a new one begins
LONGEST_LINE = 65_536  # bytes


async def keep(output: asyncio.StreamReader, path: Path, secrets: tuple[str, ...]) -> None:
    """Append every line of `output` to `path`, masked, until it ends. A line that never ends is cut into pieces; lines
    that can't be written (the disk is full) are lost, and how many is written in their place as soon as it can be."""
    rest, lost = b"", 0
    while chunk := await output.read(LONGEST_LINE):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > LONGEST_LINE:
            lines, rest = [*lines, rest], b""
        lost = _lost(path, lines, secrets, lost)
    _lost(path, [rest] if rest else [], secrets, lost)


def _lost(path: Path, lines: list[bytes], secrets: tuple[str, ...], before: int) -> int:
    """How many are lost by now, with `before`: 0 where these could be written."""
    told = [f"… {before} lines were lost here: they could not be written".encode()] if before else []
    try:
        _append(path, [*told, *lines], secrets)
    except OSError:
        return before + len(lines)
    return 0


def _append(path: Path, lines: list[bytes], secrets: tuple[str, ...]) -> None:
    """All of them or none."""
    size = path.stat().st_size if path.exists() else 0
    if size > LARGEST:
        path.rename(path.with_name(path.name + ".1"))
        size = 0
    try:
        with path.open("a", encoding="utf-8") as file:
            file.writelines(mask(line.decode(errors="replace"), secrets) + "\n" for line in lines)
    except OSError:
        with suppress(OSError):
            os.truncate(path, size)
        raise
