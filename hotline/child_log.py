"""What a child says goes to its file in var/log through the supervisor, which masks it on the way.

Asterisk names the AGI address with its secret, and callers' numbers, in its own warnings; an interpreter that dies
prints what it likes. So no child writes a log file itself."""

import asyncio
from pathlib import Path

from hotline.logs import mask

LARGEST = 10_000_000  # bytes; then the file becomes <name>.1 and a new one begins
LONGEST_LINE = 65_536  # bytes


async def keep(output: asyncio.StreamReader, path: Path, secrets: tuple[str, ...]) -> None:
    """Append every line of `output` to `path`, masked, until it ends. A line that never ends is cut into pieces."""
    rest = b""
    while chunk := await output.read(LONGEST_LINE):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > LONGEST_LINE:
            lines, rest = [*lines, rest], b""
        _append(path, lines, secrets)
    if rest:
        _append(path, [rest], secrets)


def _append(path: Path, lines: list[bytes], secrets: tuple[str, ...]) -> None:
    if path.exists() and path.stat().st_size > LARGEST:
        path.rename(path.with_name(path.name + ".1"))
    with path.open("a", encoding="utf-8") as file:
        file.writelines(mask(line.decode(errors="replace"), secrets) + "\n" for line in lines)
