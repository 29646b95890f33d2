"""What our pacing is compared with in the simulator: progressive dialling, and VICIdial's three adaptive rules.

The adaptive rules are written anew from a description of how VICIdial behaves; none of its code is here. Every 15 s
the level (lines for each nurse, those who talk included) is multiplied by 1 + d ÷ nurses, where d is the mean of the
last 15 one-second samples of nurses who wait minus callers who wait, and kept between 1 and 3. Over 20 calls in the
last minute of which more than half were dropped halve it. Over 50 calls today of which too many were dropped: `hard`
falls back to 1, `average` halves, `tapered` multiplies by the share of the shift that is left.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from dialer.pacing import Tally, pace

PERIOD_S, TARGET, INTENSITY, MOST_LINES = 15, 0.0, 1.0, 3.0


@dataclass(slots=True)
class Floor:
    """The room as it is at one moment: nurses, ready ones, lines that ring, callers who wait for a nurse."""

    nurses: int
    ready: int
    ringing: int
    waiting: int
    tally: Tally
    ceiling: float
    line_limit: int
    shift_left: float = 1.0  # the share of the day

    @property
    def talking(self) -> int:
        return self.nurses - self.ready


class Pacer(ABC):
    """A policy over one day. `every_s`: how often `sampled` is called (0: never)."""

    every_s = 0.0

    def sampled(self, floor: Floor) -> None:  # noqa: B027 -- most policies take no samples
        """Called every `every_s` seconds."""

    @abstractmethod
    def dial(self, floor: Floor) -> int:
        """How many to dial now; asked whenever something happened."""


class Ours(Pacer):
    def dial(self, floor: Floor) -> int:
        return pace(floor.nurses, floor.ready, floor.ringing, floor.tally, floor.ceiling, floor.line_limit).dial


class Progressive(Pacer):
    def dial(self, floor: Floor) -> int:
        return max(0, min(floor.ready, floor.line_limit) - floor.ringing)


@dataclass
class Adaptive(Pacer):
    """VICIdial's rule; `eased`: (level, share of the shift left) → level where too many were dropped."""

    eased: Callable[[float, float], float]
    level: float = 1.0
    waits: deque[int] = field(default_factory=lambda: deque(maxlen=PERIOD_S))
    minute: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=60 // PERIOD_S + 1))
    seconds: int = 0
    every_s = 1.0

    def sampled(self, floor: Floor) -> None:
        self.waits.append(floor.ready - floor.waiting)
        self.seconds += 1
        if self.seconds % PERIOD_S == 0:
            self._adapt(floor)

    def _adapt(self, floor: Floor) -> None:
        answered, abandoned = floor.tally.answered, floor.tally.abandoned
        self.minute.append((answered, abandoned))
        difference = sum(self.waits) / len(self.waits) + TARGET
        level = self.level * (1 + INTENSITY * difference / floor.nurses)
        level = min(MOST_LINES, max(1.0, level))
        calls, drops = (now - then for now, then in zip(self.minute[-1], self.minute[0], strict=True))
        if calls > 20 and drops > calls / 2:
            level /= 2
        if answered > 50 and abandoned > floor.ceiling * answered:
            level = self.eased(level, floor.shift_left)
        self.level = max(1.0, level)

    def dial(self, floor: Floor) -> int:
        lines = int(self.level * floor.nurses) - floor.talking - floor.waiting
        return max(0, min(lines, floor.line_limit) - floor.ringing)


POLICIES: dict[str, Callable[[], Pacer]] = {
    "hotline": Ours,
    "progressive": Progressive,
    "vicidial-hard": lambda: Adaptive(lambda level, left: 1.0),
    "vicidial-average": lambda: Adaptive(lambda level, left: level / 2),
    "vicidial-tapered": lambda: Adaptive(lambda level, left: level * left),
}
"""By the name that `hotline dialer simulate --policy` takes. Each makes a policy for one day."""
