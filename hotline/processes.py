"""The processes below a process, read from /proc: bwrap stands between us and the server that we mean."""

from collections import defaultdict, deque
from contextlib import suppress
from pathlib import Path


def name(pid: int) -> str:
    """The program's short name, or "" when the process is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def parent(pid: int) -> int:
    """Raises OSError when the process is gone."""
    # "pid (name) state parent …"; a name may hold blanks and brackets, so count from its end
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def descendants(pid: int) -> list[int]:
    """Children first, then their children, and so on."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError):  # it ended while we were looking
                children[parent(int(entry.name))].append(int(entry.name))
    found: list[int] = []
    waiting = deque([pid])
    while waiting:
        below = sorted(children[waiting.popleft()])
        found += below
        waiting += below
    return found
