"""How far the core is behind Asterisk: looked at all the time, kept in a file for `hotline status`, warned of in a log.

Asterisk does not drop a reader that is slow, it buffers: what is late is seen here only.
"""

import json
import logging
import time
from collections import deque
from pathlib import Path
from typing import TypedDict

from cti.ami import Ami
from hotline.places import Places

log = logging.getLogger(__name__)

EVERY_S = 2.0
KEPT = 30  # looks: a minute
LATE_S = 2.0  # from then on a screen-pop comes after the agent has picked up
STALE_S = 15.0


class Told(TypedDict):
    at: float  # seconds since 1970
    up: bool
    lag_s: float  # the most of the last minute
    waiting: int  # events, now
    overflows: int  # how many times events waited too long, and all was read anew


class LinkWatch:
    def __init__(self, ami: Ami, here: Places) -> None:
        self._ami, self._file = ami, _file(here)
        self._looks: deque[float] = deque(maxlen=KEPT)
        self._overflows = 0

    async def look(self) -> None:
        worst, overflows = self._ami.take_worst(), self._ami.overflows
        if worst.seconds > LATE_S and max(self._looks, default=0.0) <= LATE_S:  # once for a bad minute
            log.warning(
                "%.1f s behind Asterisk, %d events wait: is the machine too busy?", worst.seconds, worst.waiting
            )
        if overflows > self._overflows:
            log.warning("events waited too long and Asterisk's state was read anew, %d times by now", overflows)
        self._looks.append(worst.seconds)
        self._overflows = overflows
        told = Told(
            at=time.time(),
            up=self._ami.up,
            lag_s=round(max(self._looks), 3),
            waiting=worst.waiting,
            overflows=overflows,
        )
        beside = self._file.with_suffix(".new")
        beside.write_text(json.dumps(told))
        beside.rename(self._file)


def last(here: Places) -> Told | None:
    """None where the core says nothing: it is not there, or stands still."""
    try:
        told: Told = json.loads(_file(here).read_text())
    except (OSError, ValueError):
        return None
    return told if time.time() - told["at"] < STALE_S else None


def told(link: Told | None) -> str:
    """For `hotline status`."""
    if link is None:
        return "the core says nothing of Asterisk"
    if not link["up"]:
        return "no link to Asterisk; core.log says why"
    return (
        f"{link['lag_s']:.1f} s behind Asterisk at most, {link['waiting']} events wait, {link['overflows']} overflows"
    )


def _file(here: Places) -> Path:
    return here.data / "link.json"
