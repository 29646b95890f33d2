"""A voice's own process: started when it is asked, killed when it is late, started again after it died.

Questions are lines of JSON. An answer is a line of JSON; where it has `samples`, so many 32-bit floats follow. The
first line is `ready`, or `failed` with the reason. One question at a time. A worker that failed rests before its next
start, longer each time, so that a broken one costs nearly nothing; whoever asks meanwhile has `VoiceFailed` at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from speech.voices import VoiceFailed

log = logging.getLogger(__name__)

T = TypeVar("T")

START_S = 60.0  # a model is read from a slow disc
ANSWER_S = 60.0  # 150 letters take 3 s on an idle core, and a worker is nice to others
RESTS = (0.0, 1.0, 5.0, 30.0, 300.0)  # seconds to the next start, by how many failures came before in a row
SAMPLE = 4  # bytes
MOST_SAMPLES = 60 * 48_000


class _Rubbish(ValueError):
    """What came is no answer of a worker."""


@dataclass(frozen=True, slots=True)
class _Running:
    process: asyncio.subprocess.Process
    questions: asyncio.StreamWriter
    answers: asyncio.StreamReader

    async def ask(self, question: Mapping[str, object]) -> tuple[dict[str, Any], bytes]:
        self.questions.write(json.dumps(question).encode() + b"\n")
        await self.questions.drain()
        head = await self.told()
        count = int(head.get("samples", 0))
        if not 0 <= count <= MOST_SAMPLES:
            raise _Rubbish
        return head, await self.answers.readexactly(SAMPLE * count)

    async def told(self) -> dict[str, Any]:
        """The next line; ValueError also at the end of the worker."""
        told = json.loads(await self.answers.readline())
        if not isinstance(told, dict):
            raise _Rubbish
        return told


class Worker:
    """`name` and `command` of the program."""

    def __init__(
        self, name: str, command: Sequence[str], *, answer_s: float = ANSWER_S, rests: Sequence[float] = RESTS
    ) -> None:
        self._name = name
        self._command = tuple(command)
        self._answer_s = answer_s
        self._rests = rests
        self._running: _Running | None = None
        self._one_at_a_time = asyncio.Lock()
        self._failures = 0
        self._not_before = 0.0

    @property
    def process(self) -> int | None:
        """The id of the process, while there is one."""
        return self._running.process.pid if self._running and self._running.process.returncode is None else None

    @property
    def busy(self) -> bool:
        """Whether it was asked and has not answered."""
        return self._one_at_a_time.locked()

    async def ask(self, question: Mapping[str, object]) -> tuple[dict[str, Any], bytes]:
        """The answer and its sound. Raises `VoiceFailed`. May be cancelled, which ends the worker."""
        async with self._one_at_a_time:
            running = self._running if self._running and self.process is not None else await self._started()
            answer = await self._within(self._answer_s, running.ask(question), "to answer")
            self._failures = 0
            return answer

    async def close(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            with contextlib.suppress(ProcessLookupError):
                running.process.kill()
            await running.process.wait()

    async def _started(self) -> _Running:
        if time.monotonic() < self._not_before:
            raise VoiceFailed(f"{self._name} failed {self._failures} times in a row and rests before the next start")
        pipe, quiet = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            *self._command, stdin=pipe, stdout=pipe, stderr=quiet, env=_environment()
        )
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a process started with pipes has none")
        self._running = _Running(process, process.stdin, process.stdout)
        told = await self._within(START_S, self._running.told(), "to start")
        if "ready" not in told:
            raise await self._failed(f"does not start: {told.get('failed', 'it is no worker')}")
        return self._running

    async def _within(self, seconds: float, answer: Coroutine[Any, Any, T], what: str) -> T:
        running = self._running
        try:
            async with asyncio.timeout(seconds):
                return await answer
        except TimeoutError:
            raise await self._failed(f"took more than {seconds:g} s {what} and was ended") from None
        except (OSError, ValueError, asyncio.IncompleteReadError):
            await self.close()
            code = running.process.returncode if running else None
            raise await self._failed(f"ended with {code} when it was {what}") from None
        except BaseException:
            await self.close()  # its late answer would be taken for the next question's
            raise

    async def _failed(self, why: str) -> VoiceFailed:
        await self.close()
        self._not_before = time.monotonic() + self._rests[min(self._failures, len(self._rests) - 1)]
        self._failures += 1
        log.warning("%s %s", self._name, why)
        return VoiceFailed(f"{self._name} {why}")


def _environment() -> dict[str, str]:
    """One thread for libraries that have threads of their own: the model's are counted in the settings."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
