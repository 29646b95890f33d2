"""The live stream: notices of the database, fanned out to the pages of who is signed in.

A page gets kind and id only, and only what its account may know of (I9: a screen-pop is told to the agent who is
ringing and to nobody else). It then fetches the fragment, which checks the rights again. A page that comes, or comes
back, is told what it has missed. One that has missed much, or is too slow, loses its queue and gets one `look_again`
instead: memory is bounded and nothing is missed."""

import asyncio
import json
import logging
import secrets
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from hospital.notices import LOOK_AGAIN, Notice

_ROOM = 64  # notices that one page may lag behind
HEARTBEAT = 15.0  # seconds; so soon a page of a session that was ended elsewhere is cut off, and other rights hold

log = logging.getLogger(__name__)


class Listener(Protocol):
    """Who a page belongs to."""

    @property
    def account_id(self) -> UUID: ...

    def may(self, right: str) -> bool: ...


@dataclass(frozen=True)
class Audience:
    """Who may be told: these accounts, or everybody with this right, or `all`."""

    accounts: frozenset[UUID] = frozenset()
    right: str | None = None
    all: bool = False

    def has(self, listener: Listener) -> bool:
        if self.all or listener.account_id in self.accounts:
            return True
        return self.right is not None and listener.may(self.right)


EVERYBODY = Audience(all=True)


class Source(Protocol):
    def listen(self) -> AsyncIterator[Notice]: ...


@dataclass(eq=False)
class Subscription:
    """One open page. `next()` waits for what it is to be told."""

    listener: Listener
    queue: asyncio.Queue[tuple[str, Notice]] = field(default_factory=lambda: asyncio.Queue(_ROOM))

    def put(self, position: str, notice: Notice) -> None:
        if self.queue.full():
            while not self.queue.empty():
                self.queue.get_nowait()
            notice = LOOK_AGAIN
        self.queue.put_nowait((position, notice))


class Hub:
    """Give it to `create_app`; the app runs `run()` while it lives."""

    def __init__(self, source: Source, audience: Callable[[Notice], Awaitable[Audience]]) -> None:
        """audience: who may be told of a notice (asked once for each notice, in order)."""
        self._source, self._audience = source, audience
        self._open: set[Subscription] = set()
        self._boot, self._count = secrets.token_hex(4), 0
        self._lately: deque[tuple[int, Notice, Audience]] = deque(maxlen=_ROOM)

    @property
    def position(self) -> str:
        """Where the stream is now. A page carries it, so that what happens before it listens is not missed."""
        return f"{self._boot}-{self._count}"

    async def run(self) -> None:
        async with aclosing(self._source.listen()) as notices:  # type: ignore[type-var]
            async for notice in notices:
                await self._tell(notice)

    async def _tell(self, notice: Notice) -> None:
        if notice == LOOK_AGAIN:
            return self._spread(notice, EVERYBODY)
        try:
            audience = await self._audience(notice)
        except Exception:
            # one row that cannot be read must not silence the stream for everybody
            log.exception("live stream: no audience for a notice of kind %s", notice.kind)
            return
        self._spread(notice, audience)

    def _spread(self, notice: Notice, audience: Audience) -> None:
        self._count += 1
        self._lately.append((self._count, notice, audience))
        for subscription in self._open:
            if audience.has(subscription.listener):
                subscription.put(self.position, notice)

    def _since(self, position: str) -> list[tuple[int, Notice, Audience]]:
        """What was told after it, or `look_again` where that is not known any more."""
        boot, _, count = position.partition("-")
        missed = self._count - int(count) if boot == self._boot and count.isascii() and count.isdigit() else -1
        if not 0 <= missed <= len(self._lately):
            return [(self._count, LOOK_AGAIN, EVERYBODY)]
        return [one for one in self._lately if one[0] > self._count - missed]

    @contextmanager
    def subscribed(self, listener: Listener, after: str) -> Iterator[Subscription]:
        """One page's subscription, from position `after` on ("" = a page that has seen nothing)."""
        subscription = Subscription(listener)
        for count, notice, audience in self._since(after):
            if audience.has(listener):
                subscription.put(f"{self._boot}-{count}", notice)
        self._open.add(subscription)
        try:
            yield subscription
        finally:
            self._open.discard(subscription)

    def __len__(self) -> int:
        """How many pages listen."""
        return len(self._open)


async def stream(
    hub: Hub, listener: Listener, after: str, who_is_there: Callable[[], Awaitable[Listener | None]]
) -> AsyncIterator[str]:
    """The page's stream in the format of server-sent events (HTML standard §9.2). `who_is_there` is asked every
    HEARTBEAT, however much is told: with the rights of now, or None where the session has ended."""
    clock = asyncio.get_running_loop().time
    with hub.subscribed(listener, after) as subscription:
        yield "retry: 1500\n\n"
        ask_at = clock() + HEARTBEAT
        while True:
            if clock() >= ask_at:
                there = await who_is_there()
                if there is None:
                    yield "event: signed_out\ndata: {}\n\n"
                    return
                subscription.listener, ask_at = there, clock() + HEARTBEAT
                yield ": still here\n\n"
            try:
                async with asyncio.timeout_at(ask_at):
                    position, notice = await subscription.queue.get()
            except TimeoutError:
                continue
            yield f"id: {position}\ndata: {json.dumps({'kind': notice.kind, 'id': notice.id})}\n\n"
