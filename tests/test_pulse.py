"""The supervisor's children show that they go on; one that hangs is ended, one that is busy or slow to start is not."""

import asyncio
import sys
import time
from pathlib import Path

from hotline.child import Child

BEATS = """
import asyncio, time
from hotline import pulse
async def work():
    {work}
asyncio.run(pulse.beside(work()))
"""
HANGS_AFTER = 8.0  # a worker that gives way to others may itself not be served for seconds


def child(tmp_path: Path, work: str, before: str = "") -> Child:
    program = before + BEATS.format(work=work)
    return Child("worker", lambda: [sys.executable, "-c", program], tmp_path / "log", hangs_after=HANGS_AFTER)


async def test_one_whose_loop_stands_still_is_killed(tmp_path: Path) -> None:
    one = child(tmp_path, "await asyncio.sleep(1); time.sleep(600)")
    await one.start()
    assert await asyncio.wait_for(one.died(), 60) == -9


async def test_one_that_goes_on_and_one_that_starts_slowly_are_left_alone(tmp_path: Path) -> None:
    works = child(tmp_path / "works", "await asyncio.sleep(20)")
    starts = child(tmp_path / "starts", "pass", "import time; time.sleep(20)\n")
    for one in (works, starts):
        one.log.parent.mkdir()
        await one.start()
    assert await asyncio.gather(works.died(), starts.died()) == [0, 0]


async def test_a_supervisor_that_stood_still_itself_kills_nobody(tmp_path: Path) -> None:
    one = child(tmp_path, "await asyncio.sleep(20)")
    await one.start()
    await asyncio.sleep(2)
    time.sleep(HANGS_AFTER + 1)  # noqa: ASYNC251 -- our own loop is what stands still
    assert await one.died() == 0
