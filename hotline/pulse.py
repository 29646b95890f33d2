"""A process that hangs is worse than a dead one: Asterisk waits for its ivr without limit, in silence.

So a child shows that its event loop goes round, by a byte a second into a pipe to the supervisor; one that has shown
nothing for so long that it can't be a busy machine is killed, and from there all goes as after any death: callers hear
the apology and are queued to a person, and the child is started again."""

import asyncio
import contextlib
import os
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

R = TypeVar("R")

NAME = "HOTLINE_PULSE"  # the environment's variable with the number of the pipe's end
BEAT_S = 1.0


def asked(pipes: Sequence[int]) -> dict[str, str]:
    """In whose environment this is, that child shows its pulse in the pipe, where there is one."""
    return {NAME: str(pipes[0])} if pipes else {}


async def beside(work: Coroutine[Any, Any, R]) -> R:
    """Does `work` and shows meanwhile that its loop goes round, where a supervisor looks."""
    pipe = os.environ.pop(NAME, None)
    if pipe is None:
        return await work
    beating = asyncio.create_task(_beat(int(pipe)), name="pulse")
    try:
        return await work
    finally:
        beating.cancel()


async def _beat(pipe: int) -> None:
    os.set_inheritable(pipe, False)  # our own children's beats are not ours
    while True:
        with contextlib.suppress(BlockingIOError):  # full: the supervisor is what stands still
            os.write(pipe, b".")
        await asyncio.sleep(BEAT_S)


async def stopped(pipe: int, limit_s: float) -> None:
    """Returns when the child at the other end, which has begun to beat, has shown nothing for `limit_s`.

    Beats are counted and not timed: one that was sent while we ourselves stood still lies in the pipe."""
    silent: float | None = None
    while silent is None or silent < limit_s:
        await asyncio.sleep(BEAT_S)
        if _drained(pipe):
            silent = 0.0
        elif silent is not None:
            silent += BEAT_S


def _drained(pipe: int) -> bool:
    """Whether there was a beat; all of them are taken out."""
    try:
        return bool(os.read(pipe, 65_536))
    except BlockingIOError:
        return False
