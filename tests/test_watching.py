"""What the house's parent does when its machine is full or it errs itself: it goes on, or it ends aloud."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hotline import child_log
from hotline.child import Child
from hotline.settings import Settings
from hotline.settings_file import DEMO, build
from hotline.supervisor import Supervisor

TALKS = """
import sys
for number in range(20_000):
    print("line", number, flush=True)
open(sys.argv[1], "w").close()
sys.stdin.readline()
print("there is room again", flush=True)
"""


async def test_a_child_that_talks_to_a_full_disk_does_not_stand_still(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    log.symlink_to("/dev/full")  # opened as any file; each write to it is refused as a full disk's
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", TALKS, str(said_all := tmp_path / "said all"), stdin=pipe, stdout=pipe
    )
    assert child.stdin is not None
    assert child.stdout is not None
    keeping = asyncio.create_task(child_log.keep(child.stdout, log, ()))
    await until(said_all.exists)
    log.unlink()
    child.stdin.write(b"\n")
    assert await asyncio.wait_for(child.wait(), 10) == 0
    await keeping
    told, *kept = log.read_text().splitlines()
    lost = 20_000 - len(kept) + 1  # what it was still to read when there was room is not
    assert told == f"… {lost} lines were lost here: they could not be written" and lost > 10_000
    assert kept == [*(f"line {number}" for number in range(lost, 20_000)), "there is room again"]


async def until(happened: Callable[[], bool], within: float = 10) -> None:
    deadline = asyncio.get_running_loop().time() + within
    while not happened():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)


class OneChild(Supervisor):
    """A house of one program, which is started as `command` says."""

    command: list[list[str]]

    async def _start_all(self) -> None:
        await self._add(Child("one", lambda: self.command.pop(0), self.here.log / "one.log"))


def settings(tmp_path: Path) -> Settings:
    return build({**DEMO, "data": tmp_path, "voices": {"natural": False}})


async def test_a_house_whose_watcher_fails_ends_aloud(tmp_path: Path) -> None:
    house = OneChild(settings(tmp_path), lambda said: None, None)
    house.here.log.mkdir(parents=True)
    house.command = [["true"]]  # and then there is none: a mistake of ours that nothing foresees
    with pytest.raises(IndexError):
        await asyncio.wait_for(house._start_and_watch(None), 10)


async def test_a_program_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    said: list[str] = []
    house = OneChild(settings(tmp_path), said.append, None)
    house.here.log.mkdir(parents=True)
    house.command = [["true"], [str(tmp_path / "missing")], ["sleep", "60"]]
    running = asyncio.create_task(house._start_and_watch(None))
    await until(lambda: not house.command and house._children[0].pid is not None)
    assert said == [
        "one ended (code 0); starting it again in 0.2 s",
        "one could not be started (No such file or directory); trying again in 1.0 s",
    ]
    house._stopping.set()
    await running
