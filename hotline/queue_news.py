"""What callers hear while they wait: their place and how long it may take, again and again, each in their language.

Asterisk plays `static/queue_callback_offer` at its interval and looks for it by the channel's language, first with what
stands behind its underscore (res/file.c). In a queue the dialplan puts the call behind it (`es_n1-1764140000-7`), so
that a file in the folder of that name is heard by this caller only; without one they hear the offer alone. So nobody
leaves the line to hear where they stand, and the places are Asterisk's own.
"""

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from cti.events import AgentAnswered, AsteriskReady, CallAbandoned, CallerLeftQueue, CallerQueued
from cti.queues import Waiting, waiting
from cti.switchboard import Switchboard
from hospital import waiting as waits
from hospital.database import Database
from scripts.placeholders import Value
from speech.speaker import Speaker
from speech.store import FORMATS
from speech.voices import VoiceFailed

log = logging.getLogger(__name__)

SOUND = "queue_callback_offer"
MARK = "_"  # what parts a language from the call behind it
SETTLED_S = 0.3  # several leave and join at one moment: what follows is told once
AGAIN_S = 15.0  # the wait changes although nobody moves

Part = tuple[str, Mapping[str, Value]]
"""A prompt's key and its values."""


def news(place: int, minutes: int | None) -> list[Part]:
    """What somebody hears who waits at `place` (1 is next) for about `minutes`, None if that is not known."""
    told: list[Part] = [("queue_next", {}) if place == 1 else ("queue_place", {"n": place})]
    if minutes is not None and minutes > 1:
        told.append(("queue_expected", {"minutes": minutes}))
    return [*told, (SOUND, {})]


class QueueNews:
    """Listens to a switchboard and keeps each waiting caller's sound as it is now."""

    def __init__(
        self,
        board: Switchboard,
        database: Database,
        speaker: Callable[[], Coroutine[Any, Any, Speaker]],
        sounds: Path,
        now: Callable[[], datetime],
    ) -> None:
        """`speaker`: says what is in force. `sounds`: Asterisk's folder of sounds."""
        self._board, self._database, self._speaker, self._sounds, self._now = board, database, speaker, sounds, now
        self._moved = asyncio.Event()
        self._told: dict[str, tuple[int, int | None]] = {}
        for kind in (CallerQueued, CallerLeftQueue, AgentAnswered, CallAbandoned, AsteriskReady):
            board.on(kind, self._somebody_moved)

    async def _somebody_moved(self, _: object) -> None:
        self._moved.set()

    async def run(self) -> None:
        """Until it is cancelled. What fails is tried again: meanwhile callers hear the offer alone."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S if self._told else None):
                    await self._moved.wait()
                await asyncio.sleep(SETTLED_S)
            self._moved.clear()
            try:
                await self.tell()
            except (ConnectionError, TimeoutError):
                log.info("places in the queues are told when the link is back")
            except (VoiceFailed, OSError, SQLAlchemyError) as failure:
                log.error("places in the queues are not told (%s)", type(failure).__name__)

    async def tell(self) -> None:
        """Once, as it is now."""
        callers = [one for one in await waiting(self._board.ami) if MARK in one.language]
        at, folders = self._now(), set()
        for queue in {one.queue for one in callers}:
            served = await self._database.run(waits.served_lately, queue, at)
            for one in callers:
                if one.queue == queue:
                    folders.add(one.language)
                    await self._tell(one, waits.expected(one.place, served))
        for folder in [*self._told.keys() - folders]:
            del self._told[folder]
            await asyncio.to_thread(shutil.rmtree, self._sounds / folder, ignore_errors=True)

    async def _tell(self, one: Waiting, minutes: int | None) -> None:
        if self._told.get(one.language) == (one.place, minutes):
            return
        speaker, language = await self._speaker(), one.language.partition(MARK)[0]
        parts = [
            await speaker.file(key, language, values, within=SETTLED_S) for key, values in news(one.place, minutes)
        ]
        target = self._sounds / one.language / "static" / SOUND
        await asyncio.to_thread(_joined, parts, target)
        self._told[one.language] = (one.place, minutes)

    def forget(self) -> None:
        """What an earlier process left behind: its callers are gone, or are told anew."""
        for folder in self._sounds.glob(f"*{MARK}*"):
            shutil.rmtree(folder, ignore_errors=True)


def _joined(parts: list[Path], target: Path) -> None:
    """Plain samples, one after the other, in place at once."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for extension in FORMATS:
        made = target.with_name(f".{target.name}.{extension}")
        made.write_bytes(b"".join(part.with_suffix(f".{extension}").read_bytes() for part in parts))
        made.chmod(0o644)
        made.replace(target.with_name(f"{target.name}.{extension}"))
