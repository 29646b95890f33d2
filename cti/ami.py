"""The connection to Asterisk's manager interface (AMI), kept alive for as long as the hotline runs.

Rules:
- An action is written once or never. While the link is down it is refused (AmiDown: nothing happened). When
  the link falls or the time runs out after it was written, its fate is unknown (AmiUnanswered): ask, never
  repeat.
- No carriage return, line feed or NUL reaches the wire: a value would become a header, a header an action.
- A peer that is silent is asked (Ping) and given up within seconds; then back-off and jitter.
- Events reach `on_event` in order for each call (lanes.py). After each login `on_up` reads Asterisk's state
  while the events wait; they follow when it has returned. Too many waiting events drop the link: all is read
  anew.
- Names and numbers never enter a log: of an event only its name, of an action only its name.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from cti.ami_link import AmiDown, AmiError, AmiEvent, AmiRefused, AmiUnanswered, Link, UnsafeHeader, Value
from cti.lanes import Lag, Lanes, LanesFull

__all__ = [
    "Ami",
    "AmiDown",
    "AmiError",
    "AmiEvent",
    "AmiRefused",
    "AmiUnanswered",
    "Patience",
    "UnsafeHeader",
]

log = logging.getLogger(__name__)
_FORBIDDEN = re.compile(r"[\r\n\0]")


@dataclass(frozen=True, slots=True)
class Patience:
    """Times in seconds. The n-th wait is `first_wait`·2ⁿ, at most `longest_wait`, times 0.5 … 1.5."""

    connect: float = 5.0
    booted: float = 60.0
    resync: float = 30.0
    settle: float = 5.0  # for what was heard on the last link and is still being handled
    ping_every: float = 1.5
    dead_after: float = 4.0
    first_wait: float = 0.25
    longest_wait: float = 8.0
    steady_after: float = 20.0  # a link that lived this long starts the back-off afresh
    most_waiting: int = 20_000  # events


PATIENCE = Patience()


class Ami:
    """`on_up(resync)`: resync is False for the first link only. `on_down(reason)` once for each lost link."""

    def __init__(
        self,
        address: str,
        port: int,
        user: str,
        secret: str,
        on_event: Callable[[AmiEvent], Awaitable[None] | None],
        on_up: Callable[[bool], Awaitable[None]],
        on_down: Callable[[str], None],
        patience: Patience = PATIENCE,
    ) -> None:
        self._where = (address, port)
        self._login = {"Username": user, "Secret": secret, "Events": "on"}
        self._on_up, self._on_down = on_up, on_down
        self._patience = patience
        self._lanes: Lanes[AmiEvent] = Lanes(on_event, lambda e: e.name, patience.most_waiting)
        self._link: Link | None = None
        self._up = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self.asterisk_since = 0.0  # when the Asterisk that we talk to was started, seconds since 1970
        self.links = 0  # how many times the link came up
        self.overflows = 0  # how many times it was dropped because events waited too long

    @property
    def up(self) -> bool:
        """Logged in, Asterisk fully booted, state read."""
        return self._up.is_set() and self._link is not None and not self._link.lost.done()

    @property
    def lag(self) -> Lag:
        """How far we are behind Asterisk: events that wait here, or (by Timestamp) in the sockets between."""
        ours = self._lanes.lag
        return ours._replace(seconds=max(ours.seconds, self._link.delay if self._link else 0.0))

    def take_worst(self) -> Lag:
        """The most that we were behind since this was asked last: a burst is over before anybody looks at `lag`."""
        seconds, waiting = self.lag
        if self._link is not None:
            seconds = max(seconds, self._link.worst)
            self._link.worst = 0.0
        return Lag(seconds, waiting)

    async def start(self) -> None:
        """Begin to connect, and stay connected; returns at once (see wait_up)."""
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Leave; waiting events are forgotten."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        self._lanes.clear()

    async def wait_up(self, within: float = 10.0) -> None:
        """Return when the link is up; raises TimeoutError after `within` seconds."""
        async with asyncio.timeout(within):
            await self._up.wait()

    async def action(self, name: str, within: float = 5.0, /, **headers: Value) -> dict[str, str]:
        """Send one action once and return its response, waiting `within` seconds for it.

        Raises AmiDown, AmiUnanswered, AmiRefused, UnsafeHeader. A list as value is sent as one header an
        item. Originate is always asynchronous and needs a ChannelId of ours, by which everything that becomes
        of it is told apart; its OriginateResponse arrives as an event.
        """
        if name.lower() == "originate":
            if not headers.get("ChannelId"):
                raise ValueError("an Originate needs a ChannelId chosen beforehand")
            headers["Async"] = "true"
        answers = await self._exchange(name, within, headers, as_list=False)
        return answers[0]

    async def listing(self, name: str, within: float = 10.0, /, **headers: Value) -> list[dict[str, str]]:
        """Send an action that is answered by a list of events and return their fields; raises as `action`."""
        answers = await self._exchange(name, within, headers, as_list=True)
        return answers[1:-1]  # without the response before and the …Complete after

    async def _exchange(
        self, name: str, within: float, headers: Mapping[str, Value], as_list: bool
    ) -> list[dict[str, str]]:
        for key, value in headers.items():
            for one in [value] if isinstance(value, (str, int, float)) else value:
                if _FORBIDDEN.search(f"{key}{one}"):
                    raise UnsafeHeader(f"the value of {name}'s header {key!r} holds a line break or NUL")
        link = self._link
        if link is None or link.lost.done():
            raise AmiDown(f"{name} was not sent: no link to Asterisk at {self._where[0]}:{self._where[1]}")
        answers = await link.ask({"Action": name, **headers}, as_list, within)
        if answers[0].get("Response", "").lower() in ("error", "fail", "failure"):
            raise AmiRefused(f"Asterisk refused {name}: {answers[0].get('Message', 'no reason given')}")
        return answers

    async def _keep(self) -> None:
        """One link after the other, for ever."""
        tries = 0
        while True:
            began = time.monotonic()
            reason = await self._one_link()
            if time.monotonic() - began > self._patience.steady_after:
                tries = 0
            pause = min(self._patience.first_wait * 2**tries, self._patience.longest_wait)
            tries = min(tries + 1, 30)
            pause *= 0.5 + random.random()  # noqa: S311 - spreads reconnects, guards nothing
            log.warning("no link to Asterisk (%s); next try in %.1f s", reason, pause)
            await asyncio.sleep(pause)

    async def _one_link(self) -> str:
        """Connect, log in, read the state, and watch until the link is lost; returns why it was."""
        p = self._patience
        link = Link(lambda event: self._received(link, event))
        watch: asyncio.Task[None] | None = None
        try:
            await self._settle()
            self._lanes.hold()
            async with asyncio.timeout(p.connect):
                await asyncio.get_running_loop().create_connection(lambda: link, *self._where)
                answer = (await link.ask({"Action": "Login", **self._login}, False, p.connect))[0]
            if answer.get("Response") != "Success":
                return "login refused: compare the manager user's secret in manager.conf with ours"
            watch = asyncio.create_task(self._watch(link))
            await asyncio.wait({link.booted, link.lost}, timeout=p.booted, return_when=asyncio.FIRST_COMPLETED)
            if link.lost.done():
                return link.lost.result()
            if not link.booted.done():
                return "never heard FullyBooted: the manager user needs the read class system"
            uptime = link.booted.result()
            self.asterisk_since = time.time() - float(uptime) if uptime.isdigit() else time.time()
            self._link = link
            async with asyncio.timeout(p.resync):
                await self._on_up(self.links > 0)
            self.links += 1
            self._up.set()
            log.info("link to Asterisk at %s:%s is up", *self._where)
            self._lanes.release()
            await asyncio.wait({link.lost})  # not `await link.lost`: stop() would cancel the future itself
            return link.lost.result()
        except (OSError, AmiError) as problem:  # TimeoutError is an OSError
            return link.lost.result() if link.lost.done() else f"{type(problem).__name__} {problem}"
        except Exception:
            log.exception("reading Asterisk's state failed")
            return "reading Asterisk's state failed"
        finally:
            self._link = None
            link.drop("closed by us")
            if watch is not None:
                watch.cancel()
            self._lost(link.lost.result())

    async def _settle(self) -> None:
        """What the last link told is handled before the state is read, so that it cannot overwrite it."""
        try:
            async with asyncio.timeout(self._patience.settle):
                await self._lanes.drained()
        except TimeoutError:
            log.warning("%d events of the last link are given up", self._lanes.lag.waiting)
            self._lanes.clear()

    def _lost(self, reason: str) -> None:
        if not self._up.is_set():
            self._lanes.clear()  # events that waited for a state which was never read
            return
        self._up.clear()
        try:
            self._on_down(reason)
        except Exception:
            log.exception("the handler of a lost link failed")

    async def _watch(self, link: Link) -> None:
        """Ask a silent peer, and drop it when it stays silent."""
        p = self._patience
        step = p.ping_every / 2
        while not link.lost.done():
            before = time.monotonic()
            await asyncio.wait({link.lost}, timeout=step)
            now = time.monotonic()
            if now - before > step + 1:
                link.heard = now  # we were the ones who slept: what the peer said is still unread
            elif now - link.heard > p.dead_after:
                link.drop(f"silent for {now - link.heard:.1f} s")
            elif now - link.heard > p.ping_every:
                link.ping()

    def _received(self, link: Link, event: AmiEvent) -> None:
        try:
            self._lanes.put(event.call, event.fields.get("Uniqueid", ""), event)
        except LanesFull:
            self.overflows += 1
            waiting = self._lanes.lag.waiting
            self._lanes.clear()
            link.drop(f"{waiting} events waited: reading the state anew")
