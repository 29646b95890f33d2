"""How many orders to dial a second: of the trunk, of automatic calls, of a campaign."""

from collections.abc import Callable
from uuid import UUID


class Rate:
    """At most `per_second`, on average and in any second (one at a time below 1). `seconds`: a clock."""

    def __init__(self, per_second: float, seconds: Callable[[], float]) -> None:
        self._per_second, self._seconds = per_second, seconds
        self._most = max(1.0, per_second)
        self._left, self._at = self._most, seconds()

    def allows(self) -> bool:
        now = self._seconds()
        self._left = min(self._most, self._left + (now - self._at) * self._per_second)
        self._at = now
        return self._left >= 1

    def used(self) -> None:
        """Also by who was not asked to wait (a nurse who has picked up): the next ones wait longer."""
        self._left -= 1


class Unlimited(Rate):
    """Where the site has no limit."""

    def __init__(self) -> None:
        super().__init__(1.0, lambda: 0.0)

    def allows(self) -> bool:
        return True


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
