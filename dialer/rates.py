"""How many orders to dial a second: of the trunk, of automatic calls, of a campaign."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

NURSE_FIRST_S = 2.0  # a nurse for whom there was no order left asks again within this
NOT_TAKEN_S, LONGEST_NOT_TAKEN_S = 1.0, 60.0  # nobody is claimed after an order that was not taken
NOTHING_DUE_S = 10.0  # so long nothing is kept for a nurse for whom nothing was due


class Rate:
    """At most `per_second` in any second: as many whole orders as fit, below 1 one in so many seconds. `seconds`: a
    clock."""

    def __init__(self, per_second: float, seconds: Callable[[], float]) -> None:
        self._most, self._within = max(1, int(per_second)), max(1.0, 1 / per_second)
        self._seconds = seconds
        self._ordered: deque[float] = deque()
        self._promised, self._given = 0, 0
        self._nurse_until = self._nothing_until = seconds()

    def allows(self) -> bool:
        now = self._seconds()
        while self._ordered and now - self._ordered[0] >= self._within:
            self._ordered.popleft()
        return len(self._ordered) + self._promised < self._most

    def used(self) -> None:
        """Also by who was not asked to wait (a nurse who has picked up): the next ones wait longer."""
        self._ordered.append(self._seconds())
        self._given += 1

    @contextmanager
    def turn(self, *, for_nurse: bool = False) -> Iterator[bool]:
        """Whether an order may be given; nobody else's until then. Modes claim beside one another, and an order is
        `used` only when its claim is committed: else all of them would see the same one left. `for_nurse`: one waits
        for a call; calls without a nurse let her go first."""
        now, before = self._seconds(), self._given
        mine = self.allows() and (for_nurse or now >= self._nurse_until)
        if for_nurse and now >= self._nothing_until:
            self._nurse_until = now if mine else now + NURSE_FIRST_S
        self._promised += mine
        try:
            yield mine
        finally:
            self._promised -= mine
            if for_nurse and mine and self._given == before:
                self._nothing_until = now + NOTHING_DUE_S


class Unlimited(Rate):
    """Where the site has no limit."""

    def __init__(self) -> None:
        super().__init__(1.0, lambda: 0.0)

    def allows(self) -> bool:
        return True

    def used(self) -> None:
        self._given += 1


class Brake:
    """After an order that Asterisk did not take, nobody is claimed for a while, each time twice as long: whoever is
    claimed and not dialled is put off, and a list is soon at its end. `seconds`: a clock."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._wait, self._until = 0.0, seconds()

    def not_taken(self) -> None:
        self._wait = min(max(NOT_TAKEN_S, 2 * self._wait), LONGEST_NOT_TAKEN_S)
        self._until = self._seconds() + self._wait

    def taken(self) -> None:
        self._wait, self._until = 0.0, self._seconds()

    def holds(self) -> bool:
        return self._seconds() < self._until


class CampaignRates:
    """A rate for each campaign that has one; a changed limit begins anew."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._rates: dict[UUID | None, tuple[float, Rate]] = {}

    def allows(self, campaign_id: UUID, per_second: float | None) -> bool:
        if per_second is None:
            self._rates.pop(campaign_id, None)
            return True
        kept = self._rates.get(campaign_id)
        if kept is None or kept[0] != per_second:
            kept = self._rates[campaign_id] = (per_second, Rate(per_second, self._seconds))
        return kept[1].allows()

    def used(self, campaign_id: UUID | None) -> None:
        if campaign_id in self._rates:
            self._rates[campaign_id][1].used()
