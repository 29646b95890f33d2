"""Processes that recognise, kept alive: one task a worker starts it, offers it, sees it end, and starts it again.

Whatever a recogniser does, the asker has an answer or `EarsFailed` within the deadline, and other callers don't notice.
A worker that dies, talks rubbish or is three deadlines late is replaced. A cancelled asker leaves at once; its worker
finishes what it began and is free again, for a new start takes longer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Sequence
from typing import Any

from speech.ears import EarsFailed, wire

DEADLINE_S = 4.0  # from the question to the answer, the wait for a free worker included: callers wait in silence
HUNG = 3  # deadlines until a worker is given up: on a busy machine a new start makes it worse
START_S = 60.0  # a model is read from a slow disc
LONGEST_REST_S = 30.0  # between two starts that failed
SOUND_AFTER_S = 10.0  # a worker that lived longer is started again at once

log = logging.getLogger(__name__)


class _Worker:
    """A process, and the pipes to and from it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None:
            raise ValueError("a worker needs two pipes")
        self.process = process
        self._questions, self._answers = process.stdin, process.stdout

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    async def exchange(self, request: bytes) -> dict[str, Any]:
        self._questions.write(request)
        await self._questions.drain()
        return await self.said()

    async def said(self) -> dict[str, Any]:
        return await wire.received(self._answers)


class Workers:
    """A bounded pool with a bounded queue before it. `async with` starts and ends it."""

    def __init__(
        self,
        command: Sequence[str],
        count: int = 1,
        most_waiting: int = 8,
        deadline_s: float = DEADLINE_S,
        changed: Callable[[], object] = lambda: None,
    ) -> None:
        """`command` is a program that speaks `wire`: it tells {"ready": true}, then answers each request. `changed` is
        called when a worker is there, and when one is gone."""
        self._changed = changed
        self._command = tuple(command)
        self._count = count
        self._most_waiting = most_waiting
        self._deadline_s = deadline_s
        self._idle: asyncio.Queue[_Worker] = asyncio.Queue()
        self._waiting = 0
        self._living: set[_Worker] = set()
        self._keepers: list[asyncio.Task[None]] = []
        self._exchanges: set[asyncio.Task[dict[str, Any]]] = set()

    async def __aenter__(self) -> Workers:
        """Raises `EarsFailed` if not even the first one starts."""
        first = await self._started()
        self._living.add(first)
        self._keepers = [asyncio.create_task(self._keep(first))]
        self._keepers += [asyncio.create_task(self._keep(None)) for _ in range(self._count - 1)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in (*self._keepers, *self._exchanges):
            task.cancel()
        await asyncio.gather(*self._keepers, *self._exchanges, return_exceptions=True)
        self._keepers = []

    @property
    def processes(self) -> tuple[int, ...]:
        """The ids of those that are ready or at work."""
        return tuple(worker.process.pid for worker in self._living if worker.alive)

    async def ask(self, request: bytes) -> dict[str, Any]:
        """Raises `EarsFailed`: late, died, all busy. May be cancelled at any time."""
        if not self._keepers:
            raise EarsFailed("the ears were not started, or are closed already")
        if self._waiting >= self._most_waiting:
            raise EarsFailed(f"all {self._count} recognisers are busy and {self._waiting} wait: allow more workers")
        until = asyncio.get_running_loop().time() + self._deadline_s
        worker = await self._free(until)
        exchange = asyncio.create_task(self._exchange(worker, request))
        self._exchanges.add(exchange)
        exchange.add_done_callback(self._exchanges.discard)
        exchange.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may be left to see it
        try:
            async with asyncio.timeout_at(until):
                return await asyncio.shield(exchange)
        except TimeoutError:
            raise EarsFailed(
                f"a recogniser did not answer within {self._deadline_s:g} s: is the machine overloaded?"
            ) from None

    async def _free(self, until: float) -> _Worker:
        self._waiting += 1
        try:
            async with asyncio.timeout_at(until):
                while not (worker := await self._idle.get()).alive:
                    pass  # it died at rest; its keeper has started another
                return worker
        except TimeoutError:
            raise EarsFailed(f"no recogniser was free within {self._deadline_s:g} s: allow more workers") from None
        finally:
            self._waiting -= 1

    async def _exchange(self, worker: _Worker, request: bytes) -> dict[str, Any]:
        try:
            async with asyncio.timeout(HUNG * self._deadline_s):
                answer = await worker.exchange(request)
            if "failed" in answer:
                raise EarsFailed(f"a recogniser failed ({answer['failed']}) and is replaced")
        except TimeoutError:
            worker.kill()
            raise EarsFailed("a recogniser hung and is replaced") from None
        except (OSError, asyncio.IncompleteReadError, wire.Rubbish):
            worker.kill()
            raise EarsFailed("a recogniser died and is replaced") from None
        except BaseException:
            worker.kill()
            raise
        self._idle.put_nowait(worker)
        return answer

    async def _keep(self, worker: _Worker | None) -> None:
        """One worker after another, for ever; the last one dies with this task."""
        loop, rest = asyncio.get_running_loop(), 0.0
        try:
            while True:
                began = loop.time()
                try:
                    worker = worker or await self._started()
                    self._living.add(worker)
                    self._idle.put_nowait(worker)
                    self._changed()
                    code = await worker.process.wait()
                    log.warning("a recogniser ended with %s; starting it again", code)
                    self._living.discard(worker)
                    self._changed()
                except EarsFailed as failure:
                    log.error("a recogniser did not start: %s", failure)
                worker = None
                rest = 0.0 if loop.time() - began > SOUND_AFTER_S else min(2 * rest + 0.1, LONGEST_REST_S)
                await asyncio.sleep(rest)
        finally:
            if worker is not None:
                self._living.discard(worker)
                await _ended(worker.process)

    async def _started(self) -> _Worker:
        """Raises `EarsFailed`."""
        quiet = asyncio.subprocess.DEVNULL  # what libraries say may hold what was heard
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=pipe, stdout=pipe, stderr=quiet, env=_environment()
            )
        except OSError as error:  # no memory for a process, or too many of them
            raise EarsFailed(f"a recogniser's process could not be started ({error.strerror})") from None
        worker = _Worker(process)
        try:
            async with asyncio.timeout(START_S):
                said = await worker.said()
            if "ready" not in said:
                raise EarsFailed(str(said.get("failed", "it is no recogniser")))
        except BaseException as error:
            await _ended(process)
            if isinstance(error, TimeoutError):
                raise EarsFailed(f"a recogniser was not ready within {START_S:g} s") from None
            if isinstance(error, (OSError, asyncio.IncompleteReadError, wire.Rubbish)):
                raise EarsFailed(f"a recogniser ended with {process.returncode} at its start") from None
            raise
        return worker


def _environment() -> dict[str, str]:
    """One thread a worker: the pool is the parallelism. Nothing is ever looked for on a network."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1"}


async def _ended(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
