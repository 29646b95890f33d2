"""A house whose core has a clock that a test can set (`FAKETIME_TIMESTAMP_FILE` in its environment).

Only the core: PostgreSQL and Asterisk stay as they are. libfaketime leaves the clock that nobody sets alone, and all
that waits by it: where it mends what old glibc did there, each wait for Python's lock is over at once, and is begun
again and again. It looks at the file once a second, as each look costs much more than to tell the time.
"""

import os
import sys
from pathlib import Path

from hotline import house_commands, pulse
from hotline.settings import Settings


def its_core_has_a_clock() -> None:
    """Of the house that this process becomes: its core begins anew, as a program, with libfaketime in it."""
    run = house_commands.run

    def begin(settings: Settings, process: str) -> int:
        if process != "core":
            return run(settings, process)
        os.set_inheritable(int(os.environ[pulse.NAME]), True)
        library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
        faked = {
            "LD_PRELOAD": str(library),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        }
        command = [sys.executable, "-m", "hotline", "run", process]
        os.execve(sys.executable, command, {**os.environ, **faked})  # noqa: S606 -- itself, once more

    house_commands.run = begin
