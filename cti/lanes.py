"""Events wait in lanes: in order for each call, side by side for different calls, and never without a limit.

Rules:
- Events of one call are handled one after the other, each to its end, in the order of arrival.
- A slow handler of one call holds up nobody else's call.
- A leg never overtakes itself: when it joins another call (Asterisk then changes its Linkedid) while its old
  lane still has work, it stays in that lane until the work is done.
- What waits is counted. Over the limit `put` raises LanesFull; the owner drops the link and reads everything
  anew, because a list of events that grows for ever is worth less than a fresh look.
- A handler that raises is logged by the event's name and loses that one event, nothing else.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, NamedTuple, TypeVar

E = TypeVar("E")
log = logging.getLogger(__name__)

BREATH = 100  # events handled in one go before the other tasks of the loop get their turn


class LanesFull(Exception):
    """More events wait than the limit allows: read the state anew instead of waiting for them."""


class Lag(NamedTuple):
    """How far the handling is behind: age of the oldest waiting event in seconds, and how many wait."""

    seconds: float
    waiting: int


class _Lane(Generic[E]):
    __slots__ = ("first", "legs", "queue", "task")

    def __init__(self) -> None:
        self.queue: deque[tuple[float, E]] = deque()  # the head stays until it has been handled
        self.legs: set[str] = set()
        self.task: asyncio.Task[None] | None = None
        self.first: Awaitable[None] | None = None  # the handling of the first event, already begun


class Lanes(Generic[E]):
    """`handle(event)` returns None (done) or an awaitable; `name(event)` is what a log may say of it."""

    def __init__(self, handle: Callable[[E], Awaitable[None] | None], name: Callable[[E], str], limit: int) -> None:
        self._handle = handle
        self._name = name
        self._limit = limit
        self._lanes: dict[str, _Lane[E]] = {}
        self._lane_of_leg: dict[str, str] = {}
        self._waiting = 0
        self._held = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def lag(self) -> Lag:
        heads = [lane.queue[0][0] for lane in self._lanes.values() if lane.queue]
        return Lag(time.monotonic() - min(heads) if heads else 0.0, self._waiting)

    def put(self, call: str, leg: str, event: E) -> None:
        """Handle `event` after all earlier ones of the same call; raises LanesFull over the limit."""
        key = self._lane_of_leg.get(leg, call)
        lane = self._lanes.get(key)
        if lane is None:
            started = None
            if not self._held:
                started = self._begin(event)
                if started is None:
                    return
            self._idle.clear()
            lane = self._lanes[key] = _Lane()
            lane.queue.append((time.monotonic(), event))
            if started is not None:
                lane.first = started
                lane.task = asyncio.create_task(self._drain(key, lane))
        else:
            lane.queue.append((time.monotonic(), event))
        self._waiting += 1
        if leg and leg not in lane.legs:
            lane.legs.add(leg)
            self._lane_of_leg[leg] = key
        if self._waiting > self._limit:
            raise LanesFull

    def hold(self) -> None:
        """Keep what comes from now on, handle it after `release`."""
        self._held = True

    def release(self) -> None:
        self._held = False
        for key, lane in list(self._lanes.items()):
            if lane.task is None:
                lane.task = asyncio.create_task(self._drain(key, lane))

    async def drained(self) -> None:
        """Return when nothing waits any more; while held this may be never."""
        await self._idle.wait()

    def clear(self) -> None:
        """Forget all that waits and stop what is being handled."""
        for lane in self._lanes.values():
            if lane.task is not None:
                lane.task.cancel()
            if inspect.iscoroutine(lane.first) and inspect.getcoroutinestate(lane.first) == inspect.CORO_CREATED:
                lane.first.close()  # its task was made in this very turn of the loop and never ran
        self._lanes.clear()
        self._lane_of_leg.clear()
        self._waiting = 0
        self._idle.set()

    def _begin(self, event: E) -> Awaitable[None] | None:
        try:
            return self._handle(event)
        except Exception:
            log.exception("the handler of %s failed", self._name(event))
            return None

    async def _drain(self, key: str, lane: _Lane[E]) -> None:
        handled = 0
        running = lane.first or self._begin(lane.queue[0][1])
        while True:
            if running is not None:
                try:
                    await running
                except Exception:
                    log.exception("the handler of %s failed", self._name(lane.queue[0][1]))
            if self._lanes.get(key) is not lane:
                return  # cleared meanwhile by the very handler that we awaited
            lane.queue.popleft()
            self._waiting -= 1
            if not lane.queue:
                break
            handled += 1
            if handled % BREATH == 0:
                await asyncio.sleep(0)
            running = self._begin(lane.queue[0][1])
        del self._lanes[key]
        for leg in lane.legs:
            del self._lane_of_leg[leg]
        if not self._lanes:
            self._idle.set()
