"""Whether the audit chain verifies: walked behind the page, by one walk at a time, whoever looks at it how often.

A chain of years takes minutes. The walk goes in slices and rests between them, so that neither the database's
connections nor this process are kept from calls; who looks meanwhile sees how far it is, and what the last one found.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hospital import audit
from hospital.audit import Verdict, Walk
from hospital.database import Database, announce

log = logging.getLogger(__name__)

REST_S = 0.05  # between slices: as long as one takes
TOLD_EVERY = 100  # slices: some ten seconds
PATIENCE_S = 1.0  # that a page waits for a short chain


@dataclass(frozen=True)
class Found:
    """What a walk found, and when it was over."""

    verdict: Verdict
    at: datetime


class ChainWalk:
    """`walked` of `length` rows, while `under_way`. Of a walk that `failed` (no database) nothing else is kept."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now
        self._walking: asyncio.Task[None] | None = None
        self.last: Found | None = None
        self.walked = self.length = 0
        self.under_way = self.failed = False

    async def begin(self) -> None:
        """Unless one is under way. Returns when it is over, or after PATIENCE_S."""
        if self._walking is None or self._walking.done():
            self._walking = asyncio.create_task(self._walk(), name="audit chain")
        await asyncio.wait([self._walking], timeout=PATIENCE_S)

    async def _walk(self) -> None:
        self.walked, self.length, self.under_way, self.failed = 0, 0, True, False
        try:
            self.length = await self._database.run(audit.length)
            walk, slices = Walk(), 0
            while not walk.over:
                walk = await self._database.run(audit.walk_on, walk)
                self.walked, slices = walk.rows, slices + 1
                if slices % TOLD_EVERY == 0:
                    await self._database.run(announce, "chain", walk.rows)
                await asyncio.sleep(REST_S if not walk.over else 0)
            self.last = Found(walk.verdict, self._now())
            if not walk.verdict.sound:
                log.error("the audit chain is broken at row %d", walk.verdict.broken_at)
            self.under_way = False  # before whoever is told looks
            await self._database.run(announce, "chain", walk.rows)
        except Exception:
            log.exception("the audit chain could not be verified")
            self.failed = self.under_way  # else it was, and could not be told
        finally:
            self.under_way = False

    async def stop(self) -> None:
        if self._walking is not None:
            self._walking.cancel()
            await asyncio.wait([self._walking])
