"""A clock that jumps is not believed at once: for a while nobody is called by it.

Whether the time was wrong before or is wrong now, a program cannot tell: a machine may have slept or been corrected, or
somebody may have set it wrong. What depends on it is whom we wake at night. So for `hold` nothing is dialled that a
clock decides: long enough for it to be put right, which ends the wait, or for a person to read the alarm. Then the new
time counts. Pure: both clocks are arguments.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

log = logging.getLogger(__name__)

JUMP = timedelta(minutes=1)  # what a clock is put right by little by little is no jump
HOLD = timedelta(minutes=10)


def since_start() -> float:
    """Seconds that nobody sets, and that go on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class SteadyClock:
    """`now` is the clock on the wall, `seconds` one that nobody sets."""

    def __init__(
        self, now: Callable[[], datetime], seconds: Callable[[], float] = since_start, hold: timedelta = HOLD
    ) -> None:
        self._now, self._seconds, self._hold = now, seconds, hold.total_seconds()
        self._wall, self._steady = now(), seconds()
        self._off = timedelta()  # from the clock that was believed
        self._until = 0.0

    def held(self) -> bool:
        """Whether the clock has jumped lately. To be asked before anything that it decides, and every few seconds."""
        wall, steady = self._now(), self._seconds()
        jumped = (wall - self._wall) - timedelta(seconds=steady - self._steady)
        self._wall, self._steady = wall, steady
        if abs(jumped) >= JUMP:
            self._off += jumped
            self._until = steady + self._hold
            log.error("the clock has jumped by %s. Check it: timedatectl", _signed(jumped))
        if abs(self._off) < JUMP or steady < self._until:
            return abs(self._off) >= JUMP
        log.warning("calls go on by a clock that is %s from what it was", _signed(self._off))
        self._off = timedelta()
        return False


def _signed(off: timedelta) -> str:
    rounded = timedelta(seconds=round(abs(off).total_seconds()))
    return f"{'-' if off < timedelta() else '+'}{rounded}"
