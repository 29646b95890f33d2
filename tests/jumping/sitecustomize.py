"""In a process of a house whose PYTHONPATH begins here: the core begins anew with a clock that a test can set.

Only the core: PostgreSQL and Asterisk stay as they are. libfaketime leaves the clock that nobody sets alone.
"""

import os
import sys
from pathlib import Path

if sys.orig_argv[-2:] == ["run", "core"] and "LD_PRELOAD" not in os.environ:
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    faked = {"LD_PRELOAD": str(library), "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    os.execve(sys.executable, sys.orig_argv, {**os.environ, **faked})  # noqa: S606 -- itself, once more
