"""One call after the other for nurses who have joined: the next is dialled when its nurse is free, never before.

Rules: her phone rings once, and its leg stays up. Exactly one order to dial for each free nurse: the stint is locked
while its next call is claimed, and a nurse has one live attempt (`one_live_attempt_per_nurse`). Claim, rules, order and
what the line did are the `Dialer`'s, as in preview. A nurse whose leg has ended is in no stint any more, and what rings
for her is hung up; so ends the leg of whose account is closed or has another role, after the talk.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from dialer.in_turn import InTurn
from dialer.runner import Dialer, NotStarted
from hospital import stints
from hospital.accounts import Account
from hospital.attempts import Claimed
from hospital.calling_rules import NotNow
from hospital.campaigns import Campaign
from hospital.stints import Stint

log = logging.getLogger(__name__)

MOST_PUT_OFF = 50  # contacts looked at for one nurse in one go that may not be called now
NO_LEG = timedelta(seconds=60)  # a phone that was ordered to ring has been answered or has given up by then


class Progressive:
    def __init__(self, dialer: Dialer, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._dialer, self._database, self._telephone = dialer, dialer.database, dialer.telephone
        self._node, self._policy, self._now = dialer.node, dialer.policy, dialer.now
        self._in_turn = InTurn(seconds)
        self._one_at_a_time = asyncio.Lock()

    # ── What a nurse asks for ───────────────────────────────────────────────────────────────────────────────────

    async def join(self, account_id: UUID, campaign_id: UUID | None) -> None:
        """Ring her phone; when she has picked up she is called for. Raises NotStarted with what to tell her."""
        username = await self._database.run(_sip_username, account_id)
        if username is None:
            raise NotStarted("Your account has no telephone. Ask the administrator to give it one.")
        try:
            stint = await self._database.run(stints.begin, account_id, campaign_id, self._node, self._now())
        except ValueError:
            raise NotStarted("This campaign does not run any more.") from None
        if stint is None:
            raise NotStarted("You take calls already, or are in a call. Try again when it is over.")
        try:
            await self._telephone.ring_staff(username, stint.channel_id, quiet=True)
        except (ConnectionError, ValueError) as error:
            await self._over(stint.channel_id)
            raise NotStarted("The telephone is not connected just now. Try again in a moment.") from error
        except TimeoutError:
            log.warning("stint %s: no answer whether the nurse's phone rings", stint.id)

    async def leave(self, account_id: UUID) -> None:
        """End her leg; what rings for her is hung up. Raises NotStarted while she talks: first the talk is ended."""
        stint, standing = await self._database.run(_standing, account_id, self._now())
        if stint is None:
            return
        if standing == "talking":
            raise NotStarted("End the call first, then leave.")
        try:
            await self._telephone.hang_up(stint.channel_id)
        except (ConnectionError, TimeoutError):
            raise NotStarted("The telephone is not connected just now. Hang up on your phone.") from None
        await self._leg_over(stint.channel_id)

    # ── What the line did ───────────────────────────────────────────────────────────────────────────────────────

    async def leg_answered(self, channel_id: str) -> None:
        """Her phone was picked up: she is free. A patient's: her page hears of it."""
        if await self._database.run(stints.up, channel_id):
            await self.call_next()
        else:
            await self._database.run(stints.changed_by, channel_id)

    async def leg_ended(self, channel_id: str) -> None:
        """To be told after the dialer was. Her leg: the stint is over. A patient's: perhaps she is free again."""
        if await self._over(channel_id):
            return
        await self._database.run(stints.changed_by, channel_id)
        await self.call_next()

    async def _leg_over(self, channel_id: str) -> None:
        """As if its end had been heard: also where her phone never rang."""
        await self._over(channel_id)
        await self._dialer.leg_ended(channel_id, "cancelled")

    async def _over(self, channel_id: str) -> bool:
        return await self._database.run(stints.over, channel_id, self._now())

    async def look_after(self) -> None:
        """Stints whose leg has ended unheard, or whose nurse may not work any more, and write-ups that have ended; to
        be called every second."""
        if not self._telephone.is_up():
            return
        going_on = await self._database.run(stints.live_stints)
        if not going_on:
            return
        up = self._telephone.live_channel_ids()  # read after SQL, as in `Dialer.reconcile`
        for stint in going_on:
            if up.get(stint.channel_id) and stint.state == "ringing":
                await self._database.run(stints.up, stint.channel_id)
            elif stint.channel_id not in up and (stint.state == "up" or self._now() - stint.began_at > NO_LEG):
                await self._leg_over(stint.channel_id)
        for account_id in await self._database.run(stints.out_of_work):
            with contextlib.suppress(NotStarted):  # she talks; it is looked after again in a second
                await self.leave(account_id)
        await self.call_next()

    # ── The next call ───────────────────────────────────────────────────────────────────────────────────────────

    async def call_next(self) -> int:
        """One call for each nurse who is free and for whom something is due; how many it were."""
        async with self._one_at_a_time:
            dialled = 0
            for stint in await self._database.run(stints.free, self._now()):
                dialled += await self._call_for(stint)
            return dialled

    async def _call_for(self, stint: Stint) -> bool:
        for _ in range(MOST_PUT_OFF):
            if not self._telephone.is_up() or self._dialer.no_room() is not None or self._dialer.held():
                return False
            hers = [one for one in await self._database.run(stints.offered) if stint.campaign_id in (None, one.id)]
            if not hers:
                return False
            with self._dialer.rate.turn(for_nurse=True) as may_order:
                claimed = await self._claim(stint, hers) if may_order else None
                if claimed is None:
                    return False
                if isinstance(claimed, Claimed):
                    await self._dialer.dial_next(claimed.attempt_id)
                    return True
        return False

    async def _claim(self, stint: Stint, hers: Sequence[Campaign]) -> Claimed | NotNow | None:
        """The next of the campaign whose turn it is, of those that the nurse works on."""

        async def claim(campaign_id: UUID | None) -> Claimed | NotNow | None:
            if campaign_id is None:  # what is in no campaign is not dialled for a nurse
                return None
            now = self._now()
            return await self._database.run(stints.claim_next, stint.id, campaign_id, self._node, now, self._policy)

        return await self._in_turn.claim(hers, claim)


def _sip_username(session: Session, account_id: UUID) -> str | None:
    return session.get_one(Account, account_id).sip_username


def _standing(session: Session, account_id: UUID, at: datetime) -> tuple[Stint | None, str]:
    stint = stints.current_stint(session, account_id)
    return stint, stints.now(session, stint, at).code if stint else ""
