"""Work that looks, every so often: what is due lives in SQL, a job asks what it is by now.

Rules: a job never runs beside itself, and one that fails looks again at its next turn. APScheduler counts turns by the
clock on the wall: set back by a day, every job would sleep for that day. So the seconds that nobody sets are watched
beside it, and after a jump every job has its turn at once
([decision 46](../docs/decisions/0046-a-clock-that-jumps.md)).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler

Job = Callable[[], Awaitable[object]]

WATCHED_S = 1.0
JUMP_S = 1.0  # in a second no clock is put right by as much without being set


class Rounds:
    def __init__(self) -> None:
        once = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}  # late is not missed
        self._scheduler = AsyncIOScheduler(timezone="UTC", job_defaults=once)
        self._watch: asyncio.Task[None] | None = None

    def every(self, seconds: float, job: Job, *, at_once: bool = False) -> None:
        """`at_once`: the first turn is at the start, not `seconds` after it."""
        first = {"next_run_time": _now()} if at_once else {}
        self._scheduler.add_job(job, "interval", seconds=seconds, **first)

    def start(self) -> None:
        self._scheduler.start()
        self._watch = asyncio.create_task(self._goes_by_seconds(), name="rounds")

    def stop(self) -> None:
        self._scheduler.shutdown(wait=False)
        if self._watch is not None:
            self._watch.cancel()

    def look_now(self, *names: str) -> None:
        """These jobs, or all, have their next turn now."""
        for job in self._scheduler.get_jobs():
            if not names or job.func.__name__ in names:
                job.modify(next_run_time=_now())

    async def _goes_by_seconds(self) -> None:
        loop = asyncio.get_running_loop()
        apart = time.time() - loop.time()
        while True:
            await asyncio.sleep(WATCHED_S)
            before, apart = apart, time.time() - loop.time()
            if abs(apart - before) > JUMP_S:
                self.look_now()


def _now() -> datetime:
    return datetime.now(UTC)
