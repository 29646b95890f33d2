"""Red flags by telephone: who was told is dialled, once for each step, and hung up when somebody has taken it.

Rules: as for patients, a call is in the database, with its channel's id, before Asterisk hears of it, and an order
whose fate is unknown is never given again. Nothing is claimed while Asterisk can't be given an order. What the line did
arrives as events; a call without a leg is over.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from dialer.runner import DOUBT
from hospital import urgent_calls
from hospital.database import Database
from hospital.urgent_calls import Called

log = logging.getLogger(__name__)

RING_S = 30.0
MOST = 20  # people who are called in one go; the others wait for the next


class StaffTelephone(Protocol):
    """Errors as in `dialer.telephone.Telephone`."""

    async def ring_on_call(
        self,
        number: str | None,
        sip_username: str | None,
        channel_id: str,
        timeout_s: float,
        caller_id: str,
        language: str,
    ) -> None:
        """Ring a member of staff; who answers hears the ivr."""

    async def hang_up(self, channel_id: str) -> bool: ...

    def is_up(self) -> bool: ...

    def live_channel_ids(self) -> dict[str, bool]: ...

    def is_ending(self, channel_id: str) -> bool: ...


class OnCallDialer:
    """`after`: how long after a step its people are rung."""

    def __init__(
        self,
        database: Database,
        telephone: StaffTelephone,
        *,
        node: str,
        caller_id: str,
        after: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        self._database, self._telephone, self._now = database, telephone, now
        self._node, self._caller_id, self._after = node, caller_id, after

    async def call_due(self) -> int:
        """Dials whoever is to be called now; how many it were. To be called about once a second."""
        dialled = 0
        for _ in range(MOST):
            if not self._telephone.is_up():
                break
            claimed = await self._database.run(urgent_calls.claim_next, self._node, self._now(), self._after)
            if claimed is None:
                break
            dialled += await self._dial(claimed)
        return dialled

    async def _dial(self, who: Called) -> bool:
        if not await self._database.run(urgent_calls.dialling, who.channel_id, self._now()):
            await self._over(who.channel_id, "cancelled")  # somebody has taken it since the claim
            return False
        try:
            await self._telephone.ring_on_call(
                who.number, who.sip_username, who.channel_id, RING_S, self._caller_id, who.language
            )
        except TimeoutError:
            log.warning("channel %s: the order to call was not confirmed; it is not given again", who.channel_id)
        except ValueError:
            log.error("channel %s: this number may not be dialled (not on the allow-list)", who.channel_id)
            await self._over(who.channel_id, "network_failure")
            return False
        except ConnectionError:
            await self._over(who.channel_id, "cancelled")
            return False
        return True

    async def call_off(self) -> None:
        """Hang up what still rings although the case was taken; to be called every few seconds."""
        for call in await self._database.run(urgent_calls.called_off, self._now()):
            if not await self._telephone.hang_up(call.channel_id):
                await self._over(call.channel_id, "cancelled")

    async def settle(self) -> None:
        """Ends calls without a leg; to be called every few seconds. Nothing is dialled."""
        if not self._telephone.is_up():
            return
        calls = await self._database.run(urgent_calls.live)
        up = self._telephone.live_channel_ids()
        for call in calls:
            since = call.answered_at or call.dialled_at or call.claimed_at
            if call.channel_id in up or self._telephone.is_ending(call.channel_id):  # what became of it comes yet
                continue
            if self._now() - since > DOUBT:
                await self._over(call.channel_id, "cancelled" if call.state == "claimed" else "unknown")

    async def leg_ended(self, channel_id: str, line_result: str) -> None:
        await self._over(channel_id, line_result)

    async def _over(self, channel_id: str, line_result: str) -> None:
        await self._database.run(urgent_calls.line_ended, channel_id, line_result, self._now())
