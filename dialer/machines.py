"""A machine has picked up a nurse's call: one key of hers, and who called is left on it while she goes on.

Rules: nobody is told apart in a nurse's call but by her; nothing stands between the patient's answer and her ear. What
she said is written down before Asterisk is given the order, and she is free only when it has taken it.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from dialer.runner import NotStarted
from dialer.telephone import Telephone
from hospital import machine_calls
from hospital.database import Database

log = logging.getLogger(__name__)


class Machines:
    def __init__(self, database: Database, telephone: Telephone, *, now: Callable[[], datetime]) -> None:
        self._database, self._telephone, self._now = database, telephone, now

    async def picked_up(self, attempt_id: UUID, account_id: UUID) -> bool:
        """Who called is left after the beep where that number allows it, else it is hung up without a word; False where
        it is no call of hers that goes on. Raises NotStarted with what to tell her: then she is on the line still."""
        found = await self._database.run(machine_calls.picked_up, attempt_id, account_id)
        if found is None:
            return False
        try:
            if not found.may_leave_message:
                await self._telephone.hang_up(found.channel_id)
                return True
            await self._telephone.leave_message(found.channel_id)
        except LookupError:  # it has hung up: its end settles the call
            return True
        except (ConnectionError, TimeoutError) as error:
            raise NotStarted("The telephone is not connected just now. End the call, or try again.") from error
        await self._database.run(machine_calls.handed_over, attempt_id, self._now())
        if found.her_leg is not None:
            try:
                await self._telephone.hang_up(found.her_leg)
            except (ConnectionError, TimeoutError):
                log.warning("attempt %s: the nurse's leg could not be ended", attempt_id)
        return True
