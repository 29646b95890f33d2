"""Who owns the slots: a `BookingDesk`. `OwnDesk` is our own tables, a hospital's information system is another.

What can be offered is in `slots`, who has it in `appointments`, what a patient would like in `wishes`; all three are
also reached here.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from hospital.appointments import (
    HOLD,
    Appointment,
    Booked,
    Hold,
    NothingToMove,
    SlotTaken,
    appointments,
    booked,
    cancel,
    confirm,
    hold,
    release,
    reschedule,
)
from hospital.database import Database
from hospital.slots import UTC, Department, Doctor, Group, Kind, Opening, Slot, departments, doctors, groups, openings
from hospital.wishes import ANY_TIME, Wish

__all__ = ["HOLD", "Appointment", "Booked", "BookingDesk", "DeskUnreachable", "Hold", "NothingToMove", "OwnDesk"]
__all__ += ["SlotTaken"]
__all__ += ["appointments", "booked", "cancel", "confirm", "hold", "release", "reschedule"]
__all__ += ["Department", "Doctor", "Kind", "Opening", "Slot", "departments", "doctors", "openings"]
__all__ += ["ANY_TIME", "Group", "Told", "Wish", "groups"]


class DeskUnreachable(Exception):
    """Whoever owns the slots can't be asked just now, and nothing of what was asked has been done."""


class BookingDesk(Protocol):
    """Any method raises `DeskUnreachable` where it is sure that nothing was done. What else it raises besides
    `SlotTaken` and `NothingToMove`, and no answer in time, means the same of a question, and of a change that nobody
    knows whether it was done. A caller is then told so, and handed to a person (`ivr/desk_on_the_line.py`).

    `confirm`, `reschedule` and `cancel` may be asked twice and are done once. Ids are the desk's own for what it owns
    (slots, appointments, doctors), and the hotline's for patients."""

    async def departments(self, kind: Kind = "clinic") -> list[Department]: ...

    async def doctors(self, department_code: str) -> list[Doctor]: ...

    async def openings(
        self, department_code: str, at: datetime, *, after: datetime, limit: int, wish: Wish = ANY_TIME
    ) -> list[Opening]:
        """What is free at the instant `at`, begins after `after` and is as wished for, earliest first."""

    async def hold(self, slot_id: UUID, holder: str, at: datetime) -> None:
        """Raises SlotTaken. Holding again what one holds renews the lease."""

    async def release(self, holder: str) -> None:
        """Give back whatever `holder` holds and has not confirmed."""

    async def confirm(self, slot_id: UUID, holder: str, patient_id: UUID, at: datetime, via: str) -> Booked:
        """Raises SlotTaken. Confirming twice gives the same appointment twice."""

    async def appointments(self, patient_id: UUID, at: datetime) -> list[Booked]: ...

    async def cancel(self, appointment_id: UUID, patient_id: UUID, at: datetime) -> bool:
        """False where there was nothing to cancel (another's, or cancelled before)."""

    async def reschedule(
        self, appointment_id: UUID, slot_id: UUID, holder: str, patient_id: UUID, at: datetime, via: str
    ) -> Booked:
        """Confirms the held slot and gives the appointment up, both or neither. Raises SlotTaken, NothingToMove."""


Told = Callable[[Session, Booked, UUID], None]
"""What else belongs to a decision about a patient's appointment."""


class OwnDesk:
    """The hotline's own slot table as a BookingDesk. `zone` is whose mornings and afternoons are meant.

    `confirmed`, `cancelled` and `moved` run inside the deciding transaction (the composition root queues the SMS
    there, so that a booking and its message stand or fall together)."""

    def __init__(
        self,
        database: Database,
        *,
        lease: timedelta = HOLD,
        zone: ZoneInfo = UTC,
        confirmed: Told | None = None,
        cancelled: Told | None = None,
        moved: Told | None = None,
    ) -> None:
        self._database = database
        self._lease, self._zone = lease, zone
        self._confirmed, self._cancelled, self._moved = confirmed, cancelled, moved

    async def departments(self, kind: Kind = "clinic") -> list[Department]:
        return await self._database.run(departments, kind)

    async def doctors(self, department_code: str) -> list[Doctor]:
        return await self._database.run(doctors, department_code)

    async def openings(
        self, department_code: str, at: datetime, *, after: datetime, limit: int, wish: Wish = ANY_TIME
    ) -> list[Opening]:
        run = self._database.run
        return await run(openings, department_code, at, after=after, limit=limit, wish=wish, zone=self._zone)

    async def hold(self, slot_id: UUID, holder: str, at: datetime) -> None:
        await self._database.run(hold, slot_id, holder, at, self._lease)

    async def release(self, holder: str) -> None:
        await self._database.run(release, holder)

    async def confirm(self, slot_id: UUID, holder: str, patient_id: UUID, at: datetime, via: str) -> Booked:
        def confirm_and_tell(session: Session) -> Booked:
            made = confirm(session, slot_id, holder, patient_id, at, via)
            return _tell(session, self._confirmed, made.id, patient_id)

        return await self._database.run(confirm_and_tell)

    async def appointments(self, patient_id: UUID, at: datetime) -> list[Booked]:
        return await self._database.run(appointments, patient_id, at)

    async def cancel(self, appointment_id: UUID, patient_id: UUID, at: datetime) -> bool:
        def cancel_and_tell(session: Session) -> bool:
            done = cancel(session, appointment_id, patient_id, at)
            if done:
                _tell(session, self._cancelled, appointment_id, patient_id)
            return done

        return await self._database.run(cancel_and_tell)

    async def reschedule(
        self, appointment_id: UUID, slot_id: UUID, holder: str, patient_id: UUID, at: datetime, via: str
    ) -> Booked:
        def move_and_tell(session: Session) -> Booked:
            made = reschedule(session, appointment_id, slot_id, holder, patient_id, at, via)
            return _tell(session, self._moved, made.id, patient_id)

        return await self._database.run(move_and_tell)


def _tell(session: Session, told: Told | None, appointment_id: UUID, patient_id: UUID) -> Booked:
    what = booked(session, appointment_id)
    if told is not None:
        told(session, what, patient_id)
    return what
