"""Where the hotline listens to the telephone: one AMI link, the live calls, and who wants to know of which event.

    board = Switchboard("127.0.0.1", 5038, "core", secret)
    board.on(AgentRinging, pop_the_screen)
    await board.start()

Rules:
- Handlers of one event run one after the other in the order of `on`; one that raises is logged, the rest go on.
- Events of a call reach a handler in order; a handler may be slow, that delays its own call only.
- `AsteriskReady` is told after the live calls were read and before the first event that follows. Its handlers
  may already ask and order; when the link fails under them, the whole of it is done again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from cti.ami import PATIENCE, Ami, AmiDown, AmiEvent, AmiUnanswered, Patience
from cti.events import AsteriskLost, AsteriskReady, Event, LegEnded
from cti.live import LiveCalls

E = TypeVar("E", bound=Event)
Handler = Callable[[E], Awaitable[None] | None]
log = logging.getLogger(__name__)

_STRAGGLER = 1.0  # seconds in which a leg's own events may come after its OriginateResponse


class Switchboard:
    def __init__(self, address: str, port: int, user: str, secret: str, patience: Patience = PATIENCE) -> None:
        self.live = LiveCalls()
        self.ami = Ami(address, port, user, secret, self.hear, self._came_up, self._went_down, patience)
        self._handlers: list[tuple[type[Event], Callable[..., Awaitable[None] | None]]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending: set[str] = set()  # legs whose end is being told

    def on(self, kind: type[E], handler: Handler[E]) -> None:
        """Call `handler` for each event of this kind; `Event` is every kind. It may be async."""
        self._handlers.append((kind, handler))

    async def start(self) -> None:
        await self.ami.start()

    async def stop(self) -> None:
        await self.ami.stop()
        for task in list(self._tasks):
            task.cancel()

    def tell(self, event: Event) -> None:
        """Bring an event to its handlers in the background (one that comes from no AMI event)."""
        self._background(self._tell(event))

    def hear(self, e: AmiEvent) -> Awaitable[None] | None:
        """Follow one event and tell its meaning; None if nobody needs to be told."""
        if e.name == "OriginateResponse":
            self._background(self._judge(e))
            return None
        events = self.live.hear(e)
        wanted = [v for v in events if any(isinstance(v, kind) for kind, _ in self._handlers)]
        self._ending.update(v.channel_id for v in wanted if isinstance(v, LegEnded))
        return self._tell(*wanted) if wanted else None

    def is_ending(self, channel_id: str) -> bool:
        """Whether this leg's end has been heard and its handlers are not done yet."""
        return channel_id in self._ending

    def _background(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _judge(self, e: AmiEvent) -> None:
        await asyncio.sleep(_STRAGGLER)
        failed = self.live.failed(e)
        if failed is not None:
            await self._tell(failed)

    async def _tell(self, *events: Event) -> None:
        for event in events:
            for kind, handler in self._handlers:
                if not isinstance(event, kind):
                    continue
                try:
                    done = handler(event)
                    if done is not None:
                        await done
                except (AmiDown, AmiUnanswered):
                    if isinstance(event, AsteriskReady):
                        raise  # the state has not been read: the link begins anew
                    log.warning("a handler of %s lost the link", type(event).__name__)
                except Exception:
                    log.exception("a handler of %s failed", type(event).__name__)
            if isinstance(event, LegEnded):
                self._ending.discard(event.channel_id)

    async def _came_up(self, again: bool) -> None:
        self._ending.clear()  # what was not told by now never will be
        await self.live.read(self.ami)
        await self._tell(AsteriskReady(datetime.now(UTC), again))

    def _went_down(self, reason: str) -> None:
        self.tell(AsteriskLost(datetime.now(UTC), reason))
