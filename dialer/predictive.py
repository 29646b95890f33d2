"""More lines than nurses who are free, for surveys: how many is `pacing.py`; who answers is given to a nurse at once.

Rules: the ceiling of a campaign holds over its last 24 hours, whoever restarts what. Each line is claimed, committed
and ordered as every call, and nothing is dialled while no nurse is ready. An answer is given to a nurse by one
transaction, then joined to her leg; whoever finds none within two seconds hears who called, which Asterisk does by
itself (`[dialer] pooled`): neither a slow nor a dead dialer leaves anybody in silence.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from uuid import UUID

from dialer.pacing import Pace, Tally, pace
from dialer.rates import CampaignRates
from dialer.runner import Dialer
from hospital import pooled
from hospital.attempts import Claimed
from hospital.calling_rules import NotNow
from hospital.pooled import Floor

log = logging.getLogger(__name__)

NO_LIMIT = 10_000  # lines
MOST_PUT_OFF = 50


def tally(floor: Floor) -> Tally:
    """What pacing knows of the last 24 hours."""
    made = Tally()
    for line in floor.lines:
        made.ended(line.answered)
        made.rang_s += line.rang_s
        made.abandoned += line.abandoned
        if line.talked_s is not None:
            made.talks += 1
            made.talked_s += line.talked_s
    made.talked_s += floor.talking_s
    return made


def wanted(floor: Floor) -> Pace:
    """How many to dial for a campaign now, and why not more."""
    limit = floor.campaign.lines or NO_LIMIT
    return pace(floor.nurses, floor.ready, floor.ringing, tally(floor), floor.campaign.ceiling, limit)


class Predictive:
    def __init__(self, dialer: Dialer, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._dialer, self._database, self._telephone = dialer, dialer.database, dialer.telephone
        self._node, self._policy, self._now = dialer.node, dialer.policy, dialer.now
        self._rates = CampaignRates(seconds)
        self._one_at_a_time = asyncio.Lock()

    async def call_due(self) -> int:
        """As many lines as pacing allows, campaign by campaign; how many were dialled. To be called every second."""
        if not self._telephone.is_up() or self._dialer.no_room() is not None:
            return 0
        dialled = 0
        async with self._one_at_a_time:
            up = self._telephone.live_channel_ids()
            for_nobody, floors = await self._database.run(pooled.look, self._now())
            for channel_id in for_nobody:
                if not up.get(channel_id):  # who has answered already hears who called
                    await self._telephone.hang_up(channel_id)
            for floor in floors:
                dialled += await self._dial(floor, wanted(floor).dial)
        return dialled

    async def _dial(self, floor: Floor, lines: int) -> int:
        dialled = put_off = 0
        campaign = floor.campaign
        while dialled < lines and put_off < MOST_PUT_OFF and not self._dialer.held():
            if not self._dialer.takes_orders():
                break
            if not self._rates.allows(campaign.id, campaign.per_second):
                break
            with self._dialer.rate.turn(for_nurse=True) as may_order:
                claimed = await self._claim(campaign.id) if may_order else None
                if claimed is None:
                    break
                if isinstance(claimed, NotNow):
                    put_off += 1
                    continue
                self._rates.used(campaign.id)
                dialled += await self._dialer.dial_pooled(claimed.attempt_id)
        return dialled

    async def _claim(self, campaign_id: UUID) -> Claimed | NotNow | None:
        return await self._database.run(pooled.claim_next, campaign_id, self._node, self._now(), self._policy)

    async def join_waiting(self) -> int:
        """Everybody who has answered gets a nurse, as far as there are free ones. To be told when somebody answers and
        when a nurse may have become free."""
        joined = 0
        while (given := await self._database.run(pooled.give_next, self._now())) is not None:
            try:
                await self._telephone.join(given.channel_id, given.nurse_channel_id)
                joined += 1
            except (ConnectionError, TimeoutError, LookupError):
                log.warning("attempt %s: not joined to a nurse; Asterisk says who called", given.attempt_id)
        return joined
