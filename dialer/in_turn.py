"""Campaigns claim in their turn (`shares.py`), each within the calls a second that it may begin (`rates.py`)."""

from collections.abc import Awaitable, Callable, Iterable
from uuid import UUID

from dialer import shares
from dialer.rates import CampaignRates
from dialer.shares import Share, Turns
from hospital.attempts import Claimed
from hospital.calling_rules import NotNow
from hospital.campaigns import Campaign

Claim = Callable[[UUID | None], Awaitable[Claimed | NotNow | None]]
"""A campaign, or None for what is in none → what is claimed of it; None: nothing is due there."""


class InTurn:
    def __init__(self, seconds: Callable[[], float]) -> None:
        self._rates, self._turns = CampaignRates(seconds), Turns()

    async def claim(self, campaigns: Iterable[Campaign], claim: Claim, *more: Share) -> Claimed | NotNow | None:
        """Of the first that has something to call for; None where none has. `more`: shares that are no campaign's."""
        known: dict[UUID | None, Campaign] = {one.id: one for one in campaigns}
        offered = [*more, *(Share(one.id, one.priority, one.weight) for one in known.values())]
        for share in shares.order(offered, self._turns):
            campaign = known.get(share.of)
            if campaign is not None and not self._rates.allows(campaign.id, campaign.per_second):
                continue
            claimed = await claim(share.of)
            if claimed is None:
                self._turns = shares.had_nothing(self._turns, share)
                continue
            if isinstance(claimed, Claimed):
                self._turns = shares.served(self._turns, share)
                self._rates.used(share.of)
            return claimed
        return None
