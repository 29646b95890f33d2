"""How test files are shared among the workers of pytest-xdist.

A real call mostly waits, at the pace of speech; what it needs, it needs at once, or its sound has holes. So some
workers make the calls, and others, with a lower priority, spend what is left of the processors on everything else.
Files stay whole, for what they set up.
"""

import os
from functools import cache
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

WITH_CALLS = 3  # workers that make calls: six starve the sound on two cores
NICE = 10


def is_quiet(worker: str) -> bool:
    """Whether this worker (gw0, gw1 …) leaves the calls to others."""
    return int(worker.removeprefix("gw")) >= WITH_CALLS


@cache
def has_calls(file: str) -> bool:
    """The controller of the workers sees names of tests only, no marks."""
    return "mark.asterisk" in Path(file).read_text()


class Sharing(LoadFileScheduling):
    """Calls first for who may make them, never for the others."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        quiet = is_quiet(node.gateway.id)
        fitting = next((file for file in self.workqueue if has_calls(file) is not quiet), None)
        if fitting is not None:
            self.workqueue.move_to_end(fitting, last=False)
        elif quiet:
            node.shutdown()
            return
        super()._assign_work_unit(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Sharing:
    return Sharing(config, log)


def pytest_configure(config: pytest.Config) -> None:
    if is_quiet(os.environ.get("PYTEST_XDIST_WORKER", "gw0")):
        os.nice(NICE)
