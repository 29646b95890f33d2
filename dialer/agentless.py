"""Calls without a nurse: what is due is dialled by itself, so many at once, so many a second.

Rules: one contact after the other is claimed, committed and dialled. Nothing is claimed while Asterisk can't be given
an order. A contact that may not be called now is put off in the claiming transaction, and the next one is looked at.
"""

import time
from collections.abc import Callable, Collection
from datetime import datetime

from dialer.runner import Dialer
from dialer.telephone import Telephone
from hospital import agentless
from hospital.attempts import CallingPolicy, NotNow
from hospital.database import Database

MOST_PUT_OFF = 50  # contacts looked at in one go that may not be called now; the others wait for the next


class Agentless:
    """`kinds`: those that the ivr has something to say about. At most `most` calls at once; `per_second` orders to dial
    (a carrier takes one a second, or less)."""

    def __init__(
        self,
        database: Database,
        dialer: Dialer,
        telephone: Telephone,
        policy: CallingPolicy,
        *,
        node: str,
        kinds: Collection[str],
        most: int,
        per_second: float,
        now: Callable[[], datetime],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._dialer, self._telephone, self._policy = database, dialer, telephone, policy
        self._node, self._kinds, self._most, self._now = node, kinds, most, now
        self._rate = Rate(per_second, seconds)

    async def call_due(self) -> int:
        """Dials what is due and may be dialled now; how many it were. To be called about once a second."""
        dialled = put_off = 0
        while self._telephone.is_up() and put_off < MOST_PUT_OFF and self._rate.allows():
            claimed = await self._database.run(
                agentless.claim_next, self._node, self._now(), self._policy, kinds=self._kinds, most=self._most
            )
            if claimed is None:
                break
            if isinstance(claimed, NotNow):
                put_off += 1
                continue
            self._rate.used()
            dialled += await self._dialer.dial_alone(claimed.attempt_id)
        return dialled


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
        self._left -= 1
