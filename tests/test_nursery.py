"""Children that are forked behave as programs that were started: their output, their end, what they inherit."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from hotline import processes
from hotline.nursery import Forked, NotForked, Nursery

PROGRAM = """
import os, socket, sys, time
from hotline import nursery
def job(text, given):
    exec(text)
    return 0
sys.exit(nursery.tend(socket.socket(fileno=int(sys.argv[1])), job))
"""


FULL = """
import errno, os
real, left = os.fork, [1]
def fork():
    if not left:
        raise OSError(errno.EAGAIN, "full")
    left.pop()
    return real()
os.fork = fork
"""


@asynccontextmanager
async def nursery(machine: str = "") -> AsyncIterator[tuple[Nursery, asyncio.subprocess.Process]]:
    """Its jobs are Python; `given` are the descriptors."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-c", machine + PROGRAM, str(its.fileno())]
    process = await asyncio.create_subprocess_exec(*command, pass_fds=(its.fileno(),))
    its.close()
    made = Nursery(ours)
    try:
        yield made, process
    finally:
        made.close()
        await asyncio.wait_for(process.wait(), 30)


async def said(child: Forked) -> str:
    assert child.stdout is not None
    return (await child.stdout.read()).decode()


async def test_what_a_child_says_and_how_it_ends_is_told() -> None:
    async with nursery() as (made, _):
        says = await made.start("print('kia ora'); sys.stderr.write('haere rā'); sys.exit(3)")
        assert await says.wait() == says.returncode == 3
        assert sorted(await said(says)) == sorted("haere rākia ora\n")
        fails = await made.start("1 / 0")
        assert await fails.wait() == 1
        assert "ZeroDivisionError" in await said(fails)
        waits = await made.start("time.sleep(600)")
        os.kill(waits.pid, signal.SIGTERM)
        assert await waits.wait() == -signal.SIGTERM
        waits.kill()  # nothing, and nobody else's process


async def test_a_child_is_its_own_and_inherits_what_it_is_given() -> None:
    ours, its = os.pipe()
    tells = (
        "os.write(given[0], repr((os.getpgid(0) == os.getpid(), os.nice(0), os.read(0, 1),"
        " sorted(os.listdir('/proc/self/fd'), key=int), given)).encode())"
    )
    async with nursery() as (made, _):
        child = await made.start(tells, 7, its)
        os.close(its)
        assert await child.wait() == 0, await said(child)
        alone, niceness, read, open_ones, given = eval(os.read(ours, 1000))  # noqa: S307 -- our own child's
        os.close(ours)
    assert alone
    assert niceness >= 7
    assert read == b"", "its input is empty"
    assert [int(one) for one in open_ones][:3] == [0, 1, 2]
    assert len(open_ones) == 5, f"besides these, the pipe and the folder that it reads: {open_ones} {given}"


async def test_one_that_nobody_waits_for_any_more_is_ended() -> None:
    async with nursery() as (made, process):
        os.kill(process.pid, signal.SIGSTOP)
        starting = asyncio.create_task(made.start("time.sleep(600)"))
        await asyncio.sleep(0.1)
        starting.cancel()
        await asyncio.wait([starting])
        os.kill(process.pid, signal.SIGCONT)
        later = await made.start("print('here')")
        assert await later.wait() == 0
        deadline = time.monotonic() + 20
        while left := processes.descendants(process.pid):
            assert time.monotonic() < deadline, left
            await asyncio.sleep(0.05)


async def test_when_it_is_killed_its_children_have_ended_and_nothing_more_is_started() -> None:
    async with nursery() as (made, process):
        child = await made.start("time.sleep(600)")
        process.kill()
        assert await asyncio.wait_for(child.wait(), 20) == -signal.SIGKILL
        with pytest.raises(ProcessLookupError):
            while True:
                os.kill(child.pid, 0)
                await asyncio.sleep(0.01)
        with pytest.raises(NotForked):
            await made.start("pass")


async def test_a_machine_that_is_too_full_to_fork_takes_no_child_that_runs() -> None:
    async with nursery(FULL) as (made, _):
        child = await made.start("time.sleep(600)")
        with pytest.raises(NotForked):
            await made.start("pass")
        assert child.returncode is None
        os.kill(child.pid, signal.SIGTERM)
        assert await child.wait() == -signal.SIGTERM


async def test_it_ends_by_no_signal_that_is_for_all_but_with_whom_it_serves() -> None:
    async with nursery() as (made, process):
        await (await made.start("pass")).wait()
        for sig in (signal.SIGINT, signal.SIGTERM):
            os.kill(process.pid, sig)
        assert await (await made.start("pass")).wait() == 0
    assert process.returncode == 0
