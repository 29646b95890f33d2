"""Calls without a nurse: what is due is dialled by itself, so many at once, so many a second.

Rules: one contact after the other is claimed, committed and dialled. Nothing is claimed while Asterisk can't be given
an order, or has just not taken one. A contact that may not be called now is put off in the claiming transaction, and
the next one is looked at.
Campaigns and what is in none of them share the lines (`shares.py`); without a campaign there is one share, everything.
"""

import time
from collections.abc import Callable, Collection
from functools import partial
from uuid import UUID

from dialer.in_turn import InTurn
from dialer.rates import Rate
from dialer.runner import Dialer
from dialer.shares import Share
from hospital import agentless, campaigns
from hospital.attempts import Claimed
from hospital.calling_rules import NotNow
from hospital.followups import URGENT

MOST_PUT_OFF = 50  # contacts looked at in one go that may not be called now; the others wait for the next


class Agentless:
    """`kinds`: those that the ivr has something to say about. At most `most` calls at once; `per_second` orders to dial
    (a carrier takes one a second, or less)."""

    def __init__(
        self,
        dialer: Dialer,
        *,
        kinds: Collection[str],
        most: int,
        per_second: float,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dialer, self._database = dialer, dialer.database
        self._node, self._policy, self._now = dialer.node, dialer.policy, dialer.now
        self._kinds, self._most = kinds, most
        self._rate, self._in_turn = Rate(per_second, seconds), InTurn(seconds)

    async def call_due(self) -> int:
        """Dials what is due and may be dialled now; how many it were. To be called about once a second."""
        dialled = put_off = 0
        while put_off < MOST_PUT_OFF and self._may_call() and self._rate.allows():
            with self._dialer.rate.turn() as may_order:
                claimed = await self._claim_next() if may_order else None
                if claimed is None:
                    break
                if isinstance(claimed, NotNow):
                    put_off += 1
                    continue
                self._rate.used()
                dialled += await self._dialer.dial_alone(claimed.attempt_id)
        return dialled

    def _may_call(self) -> bool:
        return self._dialer.takes_orders() and not self._dialer.held()

    async def _claim_next(self) -> Claimed | NotNow | None:
        """What is urgent, else the next of whose turn it is."""
        if not await self._database.run(agentless.anything_due, self._now(), self._kinds):
            return None
        standing = await self._database.run(campaigns.in_force, agentless.CHANNEL)
        running = [one for one in standing if one.state == "running"]
        if not running:
            return await self._claim(self._kinds, None)
        claimed = await self._claim(URGENT & frozenset(self._kinds), None)
        if claimed is not None:
            return claimed
        return await self._in_turn.claim(running, partial(self._claim, self._kinds), Share(None))

    async def _claim(self, kinds: Collection[str], campaign_id: UUID | None) -> Claimed | NotNow | None:
        return await self._database.run(
            agentless.claim_next,
            self._node,
            self._now(),
            self._policy,
            kinds=kinds,
            most=self._most,
            campaign_id=campaign_id,
        )
