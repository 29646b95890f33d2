"""One supervisor for each data folder: the lock that it holds, and what it tells of the house. Light, for `hotline
status` and whoever else only asks whether the hotline runs."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hotline.cannot_start import CannotStart
from hotline.places import Places


def state_file(here: Places) -> Path:
    """What the supervisor tells of the house while it runs."""
    return here.data / "running.json"


def _lock(here: Places) -> Path:
    return here.data / "supervisor.lock"


@contextmanager
def only_one(here: Places) -> Iterator[None]:
    """One supervisor for each data folder, whatever its address. The kernel lets go when it ends, however it ends."""
    with open(_lock(here), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"A hotline runs already on the data in {here.data} (`hotline status`). Stop it with `hotline down`, "
                "or set another folder (HOTLINE_DATA)."
            ) from None
        yield


def running(here: Places) -> dict[str, object] | None:
    """What `hotline status` tells: the running supervisor's state, None where there is none or it is still starting."""
    try:
        with open(_lock(here)) as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None  # nobody holds it: the state's process number may be another program's by now
    except BlockingIOError:
        pass  # it runs
    except FileNotFoundError:
        return None
    try:
        state: dict[str, object] = json.loads(state_file(here).read_text())
        os.kill(int(str(state["supervisor"])), 0)
    except (FileNotFoundError, ProcessLookupError):
        return None
    return state
