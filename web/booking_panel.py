"""A visit is booked from a page while its patient is on the line: where, free times, one held and read out, booked; or
moved, when it is the other time of an appointment that there is.

Over the same desk as every other way (`hospital.booking`): what somebody else took meanwhile is told, and other times
are offered. Who is booked for, and under which name a time is held, the page says (`Booker`). A hold that nobody
confirms ends by itself."""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from fastapi import Request, Response

from hospital.booking import Booked, Department, NothingToMove, Opening, SlotTaken
from web.doors import pages_of, services
from web.ports import Services
from web.refusals import Refusal

log = logging.getLogger(__name__)

PATIENCE = 5.0  # seconds that whoever owns the slots may take; the patient is on the line
SHOWN = 6
GONE = "This appointment is not there any more: it was moved, cancelled or is over."
TAKEN = "This time has been taken meanwhile, or was held too long. Offer another one."

T = TypeVar("T")


@dataclass(frozen=True)
class Booker:
    """`at`: the address of the panel; `holder`: under what times are held; `via`: as in `appointment.booked_via`;
    `instead`: the appointment that is given up for the new one."""

    at: str
    patient_id: UUID
    holder: str
    via: str
    instead: Booked | None = None


@dataclass(frozen=True)
class Panel:
    """What is shown. `openings`: free times of `chosen`; `held`: the one that is being read out; `told`: what came of
    the step before, `booked` where it was booked. `instead`: what is moved."""

    at: str
    departments: list[Department]
    chosen: Department | None = None
    openings: tuple[Opening, ...] = ()
    after: datetime | None = None
    held: Opening | None = None
    told: str = ""
    booked: Booked | None = None
    instead: Booked | None = None

    @property
    def later(self) -> datetime | None:
        """From where the next times are; None where these are the last."""
        return self.openings[-1].starts_at if len(self.openings) == SHOWN else None


def part(request: Request, panel: Panel) -> Response:
    return pages_of(request).part(request, "booking/panel.html", panel=panel, now=services(request).clock())


def instant(written: str) -> datetime:
    """What the page sent as a time. Raises Refusal."""
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        raise Refusal(422, "This is no time.") from None
    if found.tzinfo is None:
        raise Refusal(422, "This is no time.")
    return found


async def panel(
    house: Services, booker: Booker, code: str = "", after: datetime | None = None, *, told: str = ""
) -> Panel:
    """The departments, and the free times of the one with this code. What was held is given back."""
    departments = await _departments(house)
    chosen = next((one for one in departments if one.code == code), None)
    await _patiently(house.desk.release(booker.holder))
    if chosen is None:
        return Panel(booker.at, departments, told=told, instead=booker.instead)
    now = house.clock()
    found = await _patiently(house.desk.openings(code, now, after=max(after or now, now), limit=SHOWN))
    return Panel(booker.at, departments, chosen, tuple(found), after, told=told, instead=booker.instead)


async def hold(house: Services, booker: Booker, code: str, slot_id: UUID, starts_at: datetime) -> Panel:
    """The time is the patient's while it is read out; or other times, where it is not free any more."""
    departments = await _departments(house)
    chosen = next((one for one in departments if one.code == code), None)
    await _patiently(house.desk.release(booker.holder))
    now, since = house.clock(), starts_at - timedelta(microseconds=1)
    free = await _patiently(house.desk.openings(code, now, after=max(since, now), limit=SHOWN * SHOWN))
    wanted = next((one for one in free if one.slot_id == slot_id), None)
    if chosen is None or wanted is None:
        return await panel(house, booker, code, told=TAKEN)
    try:
        await _patiently(house.desk.hold(slot_id, booker.holder, now))
    except SlotTaken:
        return await panel(house, booker, code, told=TAKEN)
    return Panel(booker.at, departments, chosen, held=wanted, instead=booker.instead)


async def confirm(house: Services, booker: Booker, code: str, slot_id: UUID) -> Panel:
    """Booked or moved, once however often it is pressed; or other times, where the hold has ended."""
    departments, desk = await _departments(house), house.desk
    decided = (slot_id, booker.holder, booker.patient_id, house.clock(), booker.via)
    try:
        if booker.instead is None:
            booked = await desk.confirm(*decided)
        else:
            booked = await desk.reschedule(booker.instead.appointment_id, *decided)
    except SlotTaken:
        return await panel(house, booker, code, told=TAKEN)
    except NothingToMove:
        return Panel(booker.at, departments, told=GONE)
    except Exception as error:
        log.warning("the booking desk did not answer to a confirmation (%s)", type(error).__name__)
        raise Refusal(
            503, "It is not known whether the visit is booked: look at what is booked, and let reception call."
        ) from None
    return Panel(booker.at, departments, booked=booked, instead=booker.instead)


async def booked_by(house: Services, patient_id: UUID) -> list[Booked]:
    """What the patient has booked, earliest first."""
    return await _patiently(house.desk.appointments(patient_id, house.clock()))


async def cancel(house: Services, patient_id: UUID, appointment_id: UUID) -> bool:
    """False where there was nothing to cancel."""
    return await _patiently(house.desk.cancel(appointment_id, patient_id, house.clock()))


async def _departments(house: Services) -> list[Department]:
    """Clinics, then examinations."""
    return [one for kind in ("clinic", "examination") for one in await _patiently(house.desk.departments(kind))]


async def _patiently(asked: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(PATIENCE):
            return await asked
    except SlotTaken:
        raise
    except Exception as error:
        # any desk may be behind this Protocol
        log.warning("the booking desk did not answer (%s)", type(error).__name__)
        raise Refusal(503, "The booking desk does not answer just now. Let reception call the patient.") from None
