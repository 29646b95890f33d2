"""An interpreter is rung into a talk, and leaves it when it is over.

Rules: as for patients, a call is in the database, with its channel's id, before Asterisk hears of it, and an order
whose fate is unknown is never given again. What the line did arrives as events; a call without a leg is over.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from dialer.runner import DOUBT
from hospital import interpreters
from hospital.database import Database

log = logging.getLogger(__name__)

RING_S = 45.0


class InterpreterTelephone(Protocol):
    """Errors as in `dialer.telephone.Telephone`; LookupError: the talk is over."""

    async def ring_interpreter(
        self, number: str, channel_id: str, talk_channel_id: str, timeout_s: float, caller_id: str, language: str
    ) -> None:
        """Who answers is heard by both sides of the talk, and hears both."""

    async def hang_up(self, channel_id: str) -> bool: ...

    def is_up(self) -> bool: ...

    def live_channel_ids(self) -> dict[str, bool]: ...

    def is_ending(self, channel_id: str) -> bool: ...


class Interpreters:
    """`numbers`: language → number. `spoken`: the language in which Asterisk itself would say something."""

    def __init__(
        self,
        database: Database,
        telephone: InterpreterTelephone,
        numbers: Mapping[str, str],
        *,
        node: str,
        caller_id: str,
        spoken: str,
        now: Callable[[], datetime],
    ) -> None:
        self._database, self._telephone, self._now = database, telephone, now
        self._numbers, self._node, self._caller_id, self._spoken = dict(numbers), node, caller_id, spoken

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self._numbers)

    async def ring(self, account_id: UUID, talk: str, language: str) -> str | None:
        """Why not, in words; None: the interpreter's phone is about to ring."""
        number = self._numbers.get(language)
        if number is None:
            return "There is no interpreter for this language. The administrator can add one."
        call = await self._database.run(interpreters.ring, account_id, talk, language, self._node, self._now())
        if call is None:
            return "This talk is over, or an interpreter is in it or is rung already."
        try:
            await self._telephone.ring_interpreter(number, call.channel_id, talk, RING_S, self._caller_id, self._spoken)
        except TimeoutError:
            log.warning("channel %s: the order to call was not confirmed; it is not given again", call.channel_id)
        except ValueError:
            await self.leg_ended(call.channel_id, "network_failure")
            return "The interpreter's number may not be dialled: the administrator adds it to what the trunk allows."
        except LookupError:
            await self.leg_ended(call.channel_id, "cancelled")
            return "The patient is not on the line any more."
        except ConnectionError:
            await self.leg_ended(call.channel_id, "cancelled")
            return "The telephone is not connected just now. Try again in a moment."
        return None

    async def let_go(self, account_id: UUID, talk: str) -> str | None:
        """Hang up the interpreter of one's own talk; why not, in words."""
        call = await self._database.run(interpreters.newest, talk)
        if call is None or call.account_id != account_id or call.state == "ended":
            return "There is no interpreter in this talk."
        await self._hang_up(call.channel_id)
        return None

    async def leg_answered(self, channel_id: str) -> None:
        await self._database.run(interpreters.answered, channel_id, self._now())

    async def leg_ended(self, channel_id: str, line_result: str) -> None:
        await self._database.run(interpreters.line_ended, channel_id, line_result, self._now())

    async def settle(self) -> None:
        """Ends calls of talks that are over, and calls without a leg; to be called about once a second."""
        if not self._telephone.is_up() or not await self._database.run(interpreters.live):
            return
        for call in await self._database.run(interpreters.talk_is_over):
            await self._hang_up(call.channel_id)
        calls = await self._database.run(interpreters.live)
        up = self._telephone.live_channel_ids()
        for call in calls:
            since = call.answered_at or call.dialled_at
            if call.channel_id in up or self._telephone.is_ending(call.channel_id):  # what became of it comes yet
                continue
            if self._now() - since > DOUBT:
                await self.leg_ended(call.channel_id, "unknown")

    async def _hang_up(self, channel_id: str) -> None:
        if not await self._telephone.hang_up(channel_id):
            await self.leg_ended(channel_id, "cancelled")
