"""What is in force, held by a process: asked for when a call begins, so that the next call hears what was published."""

import asyncio
import logging
from collections import OrderedDict

from hospital import editions
from hospital.database import Database
from hotline.in_force import NOTHING_PUBLISHED, InForce, Shipped, assemble

log = logging.getLogger(__name__)

CALLS = 2000  # that may be going on: each is a reference


class Sheets:
    """One for each process. The first one in force is what the files say, until the database has been asked."""

    def __init__(self, shipped: Shipped, database: Database) -> None:
        self.shipped = shipped
        self.held = assemble(shipped, NOTHING_PUBLISHED)
        self._database = database
        self._loading = asyncio.Lock()
        self._calls: OrderedDict[str, InForce] = OrderedDict()
        for problem in self.held.words.refused:
            log.error("a script file was not loaded: %s", problem)

    async def now(self) -> InForce:
        """What the next call hears: one look at one number, and a load where it is another. Raises what the database
        does."""
        if await self._database.run(editions.newest) != self.held.number:
            async with self._loading:
                published = await self._database.run(editions.publications)
                if published.number != self.held.number:
                    self.held = await asyncio.to_thread(assemble, self.shipped, published)
                    log.info("publication %d is in force", published.number)
                    for trouble in self.held.troubles:
                        log.error("%s", trouble)
        return self.held

    async def of_call(self, call_id: str) -> InForce:
        """What the call began with: it comes back to us from a queue, and when the talk is over."""
        if call_id in self._calls:
            self._calls.move_to_end(call_id)
            return self._calls[call_id]
        self._calls[call_id] = found = await self.now()
        if len(self._calls) > CALLS:
            self._calls.popitem(last=False)
        return found
