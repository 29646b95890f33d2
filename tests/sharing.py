"""How test files are shared among the workers of pytest-xdist.

A real call mostly waits, at the pace of speech; what it needs, it needs at once, or its sound has holes. So some
workers make the calls, and others spend what is left of the processors on everything else. Files stay whole, for what
they set up. A test of dozens of calls side by side (`alone`) has the line to itself.
"""

import fcntl
import gc
import os
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

ROOT = Path(__file__).parent.parent
WITH_CALLS = 3  # workers that make calls: with four, two cores are hardly faster, and more is late
NICE = 19
LONGEST = (
    *("faults", "outages", "inbound_calls", "voice_calls", "outgoing_calls", "care_calls", "voices_behind"),
    *("supervisor", "dialplan_ivr", "hostile_callers", "predictive_faults", "queue_calls", "scenarios", "agents"),
    *("shift", "browser_phone", "wheel", "web_form_pages", "web_pages", "dialogues", "hang_ups"),
)
"""Minutes each: they begin, so that none is alone at the end."""


def is_quiet(worker: str) -> bool:
    """Whether this worker (gw0, gw1 …) leaves the calls to others."""
    return _number(worker) >= WITH_CALLS


def _number(worker: str) -> int:
    return int(worker.removeprefix("gw"))


@cache
def has_calls(file: str) -> bool:
    """The controller of the workers sees names of tests only, no marks."""
    return "mark.asterisk" in (ROOT / file).read_text()


class Sharing(LoadFileScheduling):
    """Calls first for who may make them, never for the others."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        quiet = is_quiet(node.gateway.id)
        fitting = min((file for file in self.workqueue if has_calls(file) is not quiet), key=_place, default=None)
        if fitting is not None:
            self.workqueue.move_to_end(fitting, last=False)
        elif quiet:
            node.shutdown()
            return
        super()._assign_work_unit(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Sharing:
    return Sharing(config, log)


def pytest_collection_finish() -> None:
    """Modules and tests stay to the end: nobody needs to look again and again whether they are garbage."""
    gc.freeze()
    gc.set_threshold(20_000)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """The controller of the workers names what failed at once: twenty minutes are long to wait for it."""
    controlled: WorkerController | None = getattr(report, "node", None)
    if controlled is not None and report.outcome in {"failed", "rerun"}:
        terminal = controlled.config.pluginmanager.get_plugin("terminalreporter")
        terminal.ensure_newline()
        terminal.write_line(f"{report.outcome}: {report.nodeid}")


def _place(file: str) -> int:
    name = Path(file).stem.removeprefix("test_")
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)


@pytest.fixture(autouse=True)
def _turn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Calls side by side with others', or with none of them where the test is to be alone."""
    if not _of_several() or not has_calls(request.node.nodeid.partition("::")[0]):
        yield
        return
    shared = tmp_path_factory.getbasetemp().parent
    with (shared / "gate").open("w") as gate, (shared / "line").open("w") as line:
        alone = request.node.get_closest_marker("alone") is not None
        fcntl.flock(gate, fcntl.LOCK_EX)  # who waits to be alone waits here, and lets nobody by
        fcntl.flock(line, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(gate, fcntl.LOCK_UN)
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    """What is new is compiled once: each worker begins with tests of its own, before it reads all of them."""
    if _of_several():
        first, workers = _number(os.environ["PYTEST_XDIST_WORKER"]), int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
        for path in sorted(Path(__file__).parent.glob("test_*.py"))[first::workers]:
            import_module(f"{__package__}.{path.stem}")


def _of_several() -> bool:
    return "PYTEST_XDIST_WORKER" in os.environ


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A worker gives way from its first file without calls on; no file with calls comes after it."""
    if _of_several() and not has_calls(item.nodeid.partition("::")[0]) and os.nice(0) < NICE:
        os.nice(NICE)
