"""The booking desk as a conversation asks it, whoever owns the slots: the one place where a desk fails a caller.

Rules: nobody listens to silence while a system thinks, and nobody waits for it longer than `PATIENCE_S`; then a person
takes over. What was asked to be changed and was not answered may have been done: the caller hears that it is not known,
never that it was done or not. A hold that cannot be given back ends by itself.
"""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn, TypeVar
from uuid import UUID

from hospital.booking import (
    ANY_TIME,
    Booked,
    BookingDesk,
    Department,
    DeskUnreachable,
    Doctor,
    Kind,
    NothingToMove,
    Opening,
    SlotTaken,
    Wish,
)
from ivr.call import Call, CallerLeft, Transferred

log = logging.getLogger(__name__)
T = TypeVar("T")

SILENT_S = 2.0  # then the caller hears that it takes a moment
PATIENCE_S = 10.0


@dataclass
class DeskOnTheLine:
    """`BookingDesk` for the length of one call. Raises `SlotTaken` and `NothingToMove` as the desk does, `Transferred`
    where it cannot be asked, and `CallerLeft`. Times in seconds."""

    desk: BookingDesk
    call: Call
    silent_s: float = SILENT_S
    patience_s: float = PATIENCE_S
    _asked: set[asyncio.Task[Any]] = field(default_factory=set, init=False, repr=False)

    async def departments(self, kind: Kind = "clinic") -> list[Department]:
        return await self._ask(self.desk.departments(kind))

    async def doctors(self, department_code: str) -> list[Doctor]:
        return await self._ask(self.desk.doctors(department_code))

    async def openings(
        self, department_code: str, at: datetime, *, after: datetime, limit: int, wish: Wish = ANY_TIME
    ) -> list[Opening]:
        return await self._ask(self.desk.openings(department_code, at, after=after, limit=limit, wish=wish))

    async def hold(self, slot_id: UUID, holder: str, at: datetime) -> None:
        await self._ask(self.desk.hold(slot_id, holder, at))

    async def release(self, holder: str) -> None:
        try:
            async with asyncio.timeout(self.patience_s):
                await self.desk.release(holder)
        except Exception as failure:
            log.warning("call %s: a hold was not given back (%s)", self.call.id, type(failure).__name__)

    async def confirm(self, slot_id: UUID, holder: str, patient_id: UUID, at: datetime, via: str) -> Booked:
        return await self._ask(self.desk.confirm(slot_id, holder, patient_id, at, via), changes=True)

    async def appointments(self, patient_id: UUID, at: datetime) -> list[Booked]:
        return await self._ask(self.desk.appointments(patient_id, at))

    async def cancel(self, appointment_id: UUID, patient_id: UUID, at: datetime) -> bool:
        return await self._ask(self.desk.cancel(appointment_id, patient_id, at), changes=True)

    async def reschedule(
        self, appointment_id: UUID, slot_id: UUID, holder: str, patient_id: UUID, at: datetime, via: str
    ) -> Booked:
        moved = self.desk.reschedule(appointment_id, slot_id, holder, patient_id, at, via)
        return await self._ask(moved, changes=True)

    async def _ask(self, question: Coroutine[Any, Any, T], *, changes: bool = False) -> T:
        asking = asyncio.create_task(question)
        self._asked.add(asking)
        asking.add_done_callback(self._answered)
        try:
            await asyncio.wait([asking], timeout=self.silent_s)
            if not asking.done():
                if self.call.sayable("one_moment", self.call.language):
                    await self.call.say("one_moment")
                await asyncio.wait([asking], timeout=max(0.0, self.patience_s - self.silent_s))
            if not asking.done():
                raise TimeoutError
            return asking.result()
        except (SlotTaken, NothingToMove, CallerLeft, Transferred):
            raise
        except Exception as failure:
            await self._to_a_person(failure, undecided=changes and not isinstance(failure, DeskUnreachable))
        finally:
            if not changes:  # a change that is under way is not broken off in the middle
                asking.cancel()

    async def _to_a_person(self, failure: Exception, undecided: bool) -> NoReturn:
        told = "desk_undecided" if undecided else "desk_unreachable"
        log.warning("call %s: %s (%s)", self.call.id, told, type(failure).__name__)
        try:
            await self.call.journal.step(told)
            with self.call.without_a_person():
                await self.call.inform(told)
        except (CallerLeft, Transferred):
            raise
        except Exception as error:
            log.error("call %s: %r was not told (%s)", self.call.id, told, type(error).__name__)
        await self.call.transfer(self.call.house.operator_queue, told)

    def _answered(self, asking: asyncio.Task[Any]) -> None:
        self._asked.discard(asking)
        if not asking.cancelled():
            asking.exception()  # whoever still waits has it; a late one is told to nobody
