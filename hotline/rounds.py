"""Work that looks, every so often: what is due lives in SQL, a job asks what it is by now.

Rules: a job never runs beside itself, and one that fails looks again at its next turn. Turns are counted by the event
loop's own clock, which nobody sets: when the machine's clock jumps by an hour or a day, no job waits for that hour to
come again ([decision 46](../docs/decisions/0046-a-clock-that-jumps.md)).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

log = logging.getLogger(__name__)

Job = Callable[[], Awaitable[object]]


@dataclass(eq=False)
class _Round:
    job: Job
    every_s: float
    at_once: bool
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Rounds:
    def __init__(self) -> None:
        self._rounds: list[_Round] = []
        self._tasks: list[asyncio.Task[None]] = []

    def every(self, seconds: float, job: Job, *, at_once: bool = False) -> None:
        """To be told before the start. `at_once`: the first turn is at the start, not `seconds` after it."""
        self._rounds.append(_Round(job, seconds, at_once))

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._goes(one), name=one.job.__name__) for one in self._rounds]

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def turn(self, name: str) -> None:
        """A turn of this job now."""
        await self._turn(next(one for one in self._rounds if one.job.__name__ == name))

    async def _goes(self, one: _Round) -> None:
        loop = asyncio.get_running_loop()
        at = loop.time() + (0 if one.at_once else one.every_s)
        while True:
            await asyncio.sleep(at - loop.time())
            await self._turn(one)
            at = max(at + one.every_s, loop.time())  # turns that were missed are not made up for

    async def _turn(self, one: _Round) -> None:
        async with one.turn:
            try:
                await one.job()
            except Exception:
                log.exception("%s failed; it looks again at its next turn", one.job.__name__)
