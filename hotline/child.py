"""One program that the supervisor keeps running: started, watched, ended, its words kept in a log.

A child dies with its parent (the kernel sees to it), ends in its own way when it is told to, and is killed when it
takes longer than PATIENCE, or hangs."""

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hotline import child_log, pulse
from hotline.nursery import Forked, NotForked, Nursery, dies_with_its_parent

log = logging.getLogger(__name__)

PATIENCE = 12.0  # seconds that a child gets to end


@dataclass
class Child:
    """One program that must run. `stop` ends it cleanly (default: SIGTERM to the process itself)."""

    name: str
    command: Callable[[], list[str]]
    log: Path
    stop: Callable[[int], None] = field(default=lambda pid: os.kill(pid, signal.SIGTERM))
    environment: dict[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    """What its log must not hold."""
    niceness: int = 0
    """Beside that of the house; below 0 only where the house may (as root)."""
    hangs_after: float | None = None
    """Seconds without a pulse (`hotline/pulse.py`) after which it is killed; None for a program that has none."""
    nursery: Nursery | None = None
    """What forks it, by its name; without one, and where that is gone, the command starts it."""
    process: asyncio.subprocess.Process | Forked | None = None
    keeping: asyncio.Task[None] | None = None
    minding: asyncio.Task[None] | None = None
    started_at: float = 0.0
    deaths: int = 0

    async def start(self) -> None:
        if self.hangs_after is None:
            self.process = await self._started()
        else:
            ours, its = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                self.process = await self._started(its)
            except BaseException:
                os.close(ours)
                raise
            finally:
                os.close(its)
            self.minding = asyncio.create_task(self._mind(self.process, ours, self.hangs_after))
        if self.process.stdout is not None:
            self.keeping = asyncio.create_task(child_log.keep(self.process.stdout, self.log, self.secrets))
        self.started_at = time.monotonic()

    async def _started(self, *beat: int) -> asyncio.subprocess.Process | Forked:
        """`beat`: the pipe in which it shows its pulse."""
        if self.nursery is not None:
            with contextlib.suppress(NotForked):
                return await self.nursery.start(self.name, self.niceness, *beat)
        return await asyncio.create_subprocess_exec(
            *self.command(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **self.environment, **pulse.asked(beat)},
            preexec_fn=self._before,
            process_group=0,  # Ctrl-C is for this process; it ends the children in order
            pass_fds=beat,
        )

    async def _mind(self, process: asyncio.subprocess.Process | Forked, pipe: int, limit_s: float) -> None:
        try:
            hung, ended = asyncio.create_task(pulse.stopped(pipe, limit_s)), asyncio.create_task(process.wait())
            await asyncio.wait((hung, ended), return_when=asyncio.FIRST_COMPLETED)
            hung.cancel()
            ended.cancel()
            if process.returncode is None:
                log.error("%s hung for %.0f s and was killed", self.name, limit_s)
                process.kill()
        finally:
            os.close(pipe)

    def _before(self) -> None:
        dies_with_its_parent()
        with contextlib.suppress(PermissionError):
            os.nice(self.niceness)

    async def died(self) -> int:
        """Waits for its end; its exit code."""
        if self.process is None:
            raise RuntimeError(f"{self.name} was never started")
        return await self.process.wait()

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process and self.process.returncode is None else None

    async def end(self) -> None:
        if self.process is None or self.process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):  # a forked one may have ended before we are told
            self.stop(self.process.pid)
        try:
            async with asyncio.timeout(PATIENCE):
                await self.process.wait()
        except TimeoutError:
            log.warning("%s did not end within %.0f s and was killed", self.name, PATIENCE)
            self.process.kill()
            await self.process.wait()
