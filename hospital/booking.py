"""Slots and who may have them.

Rules: whoever owns the slots is a `BookingDesk`; `OwnDesk` is our own table, a hospital's information system is
another. A hold is a lease taken in one conditional statement; who comes back after it ended has lost it. A
confirmed slot keeps its hold at infinity, so that a racing caller is refused before the unique index has to.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import ForeignKey, delete, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital.database import Base, Database, Id, announce

HOLD = timedelta(seconds=120)


class SlotTaken(Exception):
    """Somebody else has this slot, or the hold ran out: offer other slots."""


class Department(Base):
    __tablename__ = "department"
    id: Mapped[Id]
    code: Mapped[str]
    names: Mapped[dict[str, str]] = mapped_column(JSONB)
    position: Mapped[int] = mapped_column(default=1)

    def name(self, language: str) -> str:
        """Its name in `language`, else in English, else its code."""
        return self.names.get(language) or self.names.get("en") or self.code


class Doctor(Base):
    __tablename__ = "doctor"
    id: Mapped[Id]
    department_id: Mapped[UUID] = mapped_column(ForeignKey("department.id"))
    name: Mapped[str]
    feminine: Mapped[bool] = mapped_column(default=False)


class Slot(Base):
    __tablename__ = "slot"
    id: Mapped[Id]
    doctor_id: Mapped[UUID] = mapped_column(ForeignKey("doctor.id"))
    starts_at: Mapped[datetime]
    minutes: Mapped[int] = mapped_column(default=20)
    state: Mapped[str] = mapped_column(default="open")


class Hold(Base):
    __tablename__ = "hold"
    slot_id: Mapped[UUID] = mapped_column(ForeignKey("slot.id"), primary_key=True)
    holder: Mapped[str]
    expires_at: Mapped[datetime]


class Appointment(Base):
    __tablename__ = "appointment"
    id: Mapped[Id]
    slot_id: Mapped[UUID] = mapped_column(ForeignKey("slot.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    state: Mapped[str] = mapped_column(default="booked")
    booked_via: Mapped[str]
    confirmation: Mapped[str]
    booked_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Opening:
    """A free slot as it is offered."""

    slot_id: UUID
    starts_at: datetime
    doctor: str
    feminine: bool
    department_code: str
    department_names: dict[str, str]


@dataclass(frozen=True)
class Booked:
    """An appointment as it is told to its patient."""

    appointment_id: UUID
    starts_at: datetime
    doctor: str
    feminine: bool
    department_code: str
    department_names: dict[str, str]


class BookingDesk(Protocol):
    """Who owns the slots. What a method raises besides `SlotTaken` means that the desk can't be asked just now: a
    caller is then handed to a person."""

    async def departments(self) -> list[Department]: ...

    async def openings(self, department_code: str, at: datetime, *, after: datetime, limit: int) -> list[Opening]:
        """What is free at the instant `at` and begins after `after`, earliest first."""

    async def hold(self, slot_id: UUID, holder: str, at: datetime) -> None:
        """Raises SlotTaken. Holding again what one holds renews the lease."""

    async def release(self, holder: str) -> None:
        """Give back whatever `holder` holds and has not confirmed."""

    async def confirm(self, slot_id: UUID, holder: str, patient_id: UUID, at: datetime, via: str) -> Booked:
        """Raises SlotTaken. Confirming twice gives the same appointment twice."""

    async def appointments(self, patient_id: UUID, at: datetime) -> list[Booked]: ...

    async def cancel(self, appointment_id: UUID, patient_id: UUID, at: datetime) -> bool:
        """False where there was nothing to cancel (another's, or cancelled before)."""


def departments(session: Session) -> list[Department]:
    return list(session.scalars(select(Department).order_by(Department.position, Department.code)))


_OPENINGS = text("""
    SELECT s.id, s.starts_at, d.name, d.feminine, p.code, p.names
      FROM slot s JOIN doctor d ON d.id = s.doctor_id JOIN department p ON p.id = d.department_id
     WHERE p.code = :department AND s.state = 'open' AND s.starts_at > :after
       AND NOT EXISTS (SELECT FROM hold h WHERE h.slot_id = s.id AND h.expires_at > :at)
       AND NOT EXISTS (SELECT FROM appointment a WHERE a.slot_id = s.id AND a.state <> 'cancelled')
     ORDER BY s.starts_at, d.name LIMIT :limit""")


def openings(session: Session, department_code: str, at: datetime, *, after: datetime, limit: int) -> list[Opening]:
    """What is free at the instant `at` and begins after `after`, earliest first."""
    asked = {"department": department_code, "at": at, "after": max(at, after), "limit": limit}
    return [Opening(*row) for row in session.execute(_OPENINGS, asked)]


_HOLD = text("""
    INSERT INTO hold (slot_id, holder, expires_at)
    SELECT s.id, :holder, :until FROM slot s
     WHERE s.id = :slot AND s.state = 'open' AND s.starts_at > :at
       AND NOT EXISTS (SELECT FROM appointment a WHERE a.slot_id = s.id AND a.state <> 'cancelled')
    ON CONFLICT (slot_id) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
     WHERE hold.expires_at <= :at OR (hold.holder = excluded.holder AND hold.expires_at < 'infinity')""")


def hold(session: Session, slot_id: UUID, holder: str, at: datetime, lease: timedelta = HOLD) -> None:
    """Take or renew the lease on a slot. Raises SlotTaken."""
    taken = session.execute(_HOLD, {"slot": slot_id, "holder": holder, "at": at, "until": at + lease})
    if _count(taken) != 1:
        raise SlotTaken


def release(session: Session, holder: str) -> None:
    """Give back whatever `holder` holds and has not confirmed."""
    session.execute(delete(Hold).where(Hold.holder == holder, Hold.expires_at < text("'infinity'")))


def confirm(session: Session, slot_id: UUID, holder: str, patient_id: UUID, at: datetime, via: str) -> Appointment:
    """Turn a hold into an appointment, once. Raises SlotTaken where the lease ended or was never had, or where the
    clinic was suspended meanwhile."""
    # The slot's row is shared until the end of this transaction: it can't be withdrawn in the middle of it.
    still_open = session.scalar(
        select(Slot.id).where(Slot.id == slot_id, Slot.state == "open", Slot.starts_at > at).with_for_update(read=True)
    )
    kept = session.execute(
        update(Hold)
        .where(
            Hold.slot_id == still_open,
            Hold.holder == holder,
            Hold.expires_at > at,
            Hold.expires_at < text("'infinity'"),
        )
        .values(expires_at=text("'infinity'"))
        .execution_options(synchronize_session=False)
    )
    if _count(kept) != 1:
        before = _confirmed_before(session, slot_id, holder, patient_id)
        if before is None:
            raise SlotTaken
        return before
    appointment = Appointment(
        slot_id=slot_id,
        patient_id=patient_id,
        booked_via=via,
        confirmation=f"{holder}/{slot_id}/{secrets.token_hex(4)}",
        booked_at=at,
    )
    session.add(appointment)
    try:
        session.flush()
    except IntegrityError as error:
        raise SlotTaken from error
    announce(session, "slot", slot_id)
    return appointment


def _confirmed_before(session: Session, slot_id: UUID, holder: str, patient_id: UUID) -> Appointment | None:
    """What this very confirmation made before: the caller pressed twice, or the answer to the first got lost."""
    standing = session.scalar(
        select(Appointment).where(
            Appointment.slot_id == slot_id, Appointment.patient_id == patient_id, Appointment.state != "cancelled"
        )
    )
    if standing is None or standing.confirmation.rpartition("/")[0] != f"{holder}/{slot_id}":
        return None
    return standing


def cancel(session: Session, appointment_id: UUID, patient_id: UUID, at: datetime) -> bool:
    """Cancel a patient's own booking and free its slot; False where there was none to cancel."""
    slot_id = session.scalar(
        update(Appointment)
        .where(
            Appointment.id == appointment_id,
            Appointment.patient_id == patient_id,
            Appointment.state == "booked",
        )
        .values(state="cancelled", cancelled_at=at)
        .returning(Appointment.slot_id)
    )
    if slot_id is None:
        return False
    session.execute(delete(Hold).where(Hold.slot_id == slot_id))
    announce(session, "slot", slot_id)
    return True


_BOOKED = """
    SELECT a.id, s.starts_at, d.name, d.feminine, p.code, p.names
      FROM appointment a JOIN slot s ON s.id = a.slot_id
      JOIN doctor d ON d.id = s.doctor_id JOIN department p ON p.id = d.department_id"""


def booked(session: Session, appointment_id: UUID) -> Booked:
    return Booked(*session.execute(text(_BOOKED + " WHERE a.id = :id"), {"id": appointment_id}).one())


def appointments(session: Session, patient_id: UUID, at: datetime) -> list[Booked]:
    """What a patient has booked from `at` on, earliest first."""
    rows = session.execute(
        text(_BOOKED + " WHERE a.patient_id = :patient AND a.state = 'booked' AND s.starts_at > :at ORDER BY 2"),
        {"patient": patient_id, "at": at},
    )
    return [Booked(*row) for row in rows]


def _count(result: object) -> int:
    return result.rowcount if isinstance(result, CursorResult) else 0


Told = Callable[[Session, Booked, UUID], None]
"""What else belongs to a decision about a patient's appointment."""


class OwnDesk:
    """The hotline's own slot table as a BookingDesk.

    `confirmed` and `cancelled` run inside the deciding transaction (the composition root queues the SMS there, so
    that a booking and its message stand or fall together)."""

    def __init__(
        self,
        database: Database,
        *,
        lease: timedelta = HOLD,
        confirmed: Told | None = None,
        cancelled: Told | None = None,
    ) -> None:
        self._database = database
        self._lease = lease
        self._confirmed, self._cancelled = confirmed, cancelled

    async def departments(self) -> list[Department]:
        return await self._database.run(departments)

    async def openings(self, department_code: str, at: datetime, *, after: datetime, limit: int) -> list[Opening]:
        return await self._database.run(openings, department_code, at, after=after, limit=limit)

    async def hold(self, slot_id: UUID, holder: str, at: datetime) -> None:
        await self._database.run(hold, slot_id, holder, at, self._lease)

    async def release(self, holder: str) -> None:
        await self._database.run(release, holder)

    async def confirm(self, slot_id: UUID, holder: str, patient_id: UUID, at: datetime, via: str) -> Booked:
        def confirm_and_tell(session: Session) -> Booked:
            appointment = confirm(session, slot_id, holder, patient_id, at, via)
            told = booked(session, appointment.id)
            if self._confirmed is not None:
                self._confirmed(session, told, patient_id)
            return told

        return await self._database.run(confirm_and_tell)

    async def appointments(self, patient_id: UUID, at: datetime) -> list[Booked]:
        return await self._database.run(appointments, patient_id, at)

    async def cancel(self, appointment_id: UUID, patient_id: UUID, at: datetime) -> bool:
        def cancel_and_tell(session: Session) -> bool:
            done = cancel(session, appointment_id, patient_id, at)
            if done and self._cancelled is not None:
                self._cancelled(session, booked(session, appointment_id), patient_id)
            return done

        return await self._database.run(cancel_and_tell)
