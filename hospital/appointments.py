"""Holds and appointments: who has which slot.

Rules: a slot has one seat, a group's has several. A hold is a lease on a seat, taken in one conditional statement; who
comes back after it ended has lost it. A confirmed seat keeps its hold at infinity, so that a racing caller is refused
before the unique index has to. A moved appointment is replaced and given up in one transaction, and the table refuses
anything between (I11).
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, delete, select, text, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital.database import Base, Id, announce
from hospital.slots import Kind, Slot

HOLD = timedelta(seconds=120)
KEPT = ("booked", "suspended")  # what its patient can still give up, or change for another time


class SlotTaken(Exception):
    """Somebody else has this slot, or the hold ran out: offer other slots."""


class NothingToMove(Exception):
    """There is no such booked appointment of this patient (any more): nothing was changed."""


class Hold(Base):
    __tablename__ = "hold"
    slot_id: Mapped[UUID] = mapped_column(ForeignKey("slot.id"), primary_key=True)
    seat: Mapped[int] = mapped_column(primary_key=True, default=1)
    holder: Mapped[str]
    expires_at: Mapped[datetime]


class Appointment(Base):
    __tablename__ = "appointment"
    id: Mapped[Id]
    slot_id: Mapped[UUID] = mapped_column(ForeignKey("slot.id"))
    seat: Mapped[int] = mapped_column(default=1)
    capacity: Mapped[int] = mapped_column(default=1)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    state: Mapped[str] = mapped_column(default="booked")
    booked_via: Mapped[str]
    confirmation: Mapped[str]
    booked_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    room_id: Mapped[UUID | None] = mapped_column(ForeignKey("waiting_room.id"))
    ticket: Mapped[int | None]
    called_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    moved_to: Mapped[UUID | None]
    moves: Mapped[UUID | None]


@dataclass(frozen=True)
class Booked:
    """An appointment as it is told to its patient. `preparation`: codes of the site's sentences."""

    appointment_id: UUID
    starts_at: datetime
    doctor: str
    feminine: bool
    department_code: str
    department_names: dict[str, str] = field(hash=False)
    kind: Kind = "clinic"
    preparation: tuple[str, ...] = ()


_HOLD = text("""
    INSERT INTO hold (slot_id, seat, holder, expires_at)
    SELECT s.id, one.seat, :holder, :until FROM slot s, generate_series(1, s.capacity) AS one(seat)
     WHERE s.id = :slot AND s.state = 'open' AND s.starts_at > :at
       AND NOT EXISTS (SELECT FROM appointment a
                        WHERE a.slot_id = s.id AND a.seat = one.seat AND a.state <> 'cancelled')
       AND NOT EXISTS (SELECT FROM hold h WHERE h.slot_id = s.id AND h.seat = one.seat AND h.expires_at > :at
                                            AND h.holder <> :holder)
     ORDER BY EXISTS (SELECT FROM hold h WHERE h.slot_id = s.id AND h.seat = one.seat AND h.holder = :holder) DESC,
              one.seat LIMIT 1
    ON CONFLICT (slot_id, seat) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
     WHERE hold.expires_at <= :at OR (hold.holder = excluded.holder AND hold.expires_at < 'infinity')""")


def hold(session: Session, slot_id: UUID, holder: str, at: datetime, lease: timedelta = HOLD) -> None:
    """Take or renew the lease on a seat of a slot. Raises SlotTaken."""
    # Who reach for a group at one moment are put in order, or two would find the same seat and one leave for nothing.
    session.execute(select(Slot.id).where(Slot.id == slot_id, Slot.capacity > 1).with_for_update())
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
    still_open = session.execute(
        select(Slot.id, Slot.capacity)
        .where(Slot.id == slot_id, Slot.state == "open", Slot.starts_at > at)
        .with_for_update(read=True)
    ).one_or_none()
    seat = session.scalar(
        update(Hold)
        .where(
            Hold.slot_id == (still_open.id if still_open else None),
            Hold.holder == holder,
            Hold.expires_at > at,
            Hold.expires_at < text("'infinity'"),
        )
        .values(expires_at=text("'infinity'"))
        .returning(Hold.seat)
        .execution_options(synchronize_session=False)
    )
    if still_open is None or seat is None:
        before = _confirmed_before(session, slot_id, holder, patient_id)
        if before is None:
            raise SlotTaken
        return before
    appointment = Appointment(
        slot_id=slot_id,
        seat=seat,
        capacity=still_open.capacity,
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
    """Cancel a patient's own booking, suspended or not, and free its slot; False where there was none to cancel."""
    freed = session.execute(
        update(Appointment)
        .where(
            Appointment.id == appointment_id,
            Appointment.patient_id == patient_id,
            Appointment.state.in_(KEPT),
        )
        .values(state="cancelled", cancelled_at=at)
        .returning(Appointment.slot_id, Appointment.seat)
    ).one_or_none()
    if freed is None:
        return False
    _free(session, freed.slot_id, freed.seat)
    return True


def _free(session: Session, slot_id: UUID, seat: int) -> None:
    session.execute(delete(Hold).where(Hold.slot_id == slot_id, Hold.seat == seat))
    announce(session, "slot", slot_id)


def reschedule(
    session: Session, appointment_id: UUID, slot_id: UUID, holder: str, patient_id: UUID, at: datetime, via: str
) -> Appointment:
    """Confirm the held slot and give the old appointment up, both or neither. Raises SlotTaken, NothingToMove; the
    caller's transaction must end with either. Moving twice gives the same appointment."""
    taken = confirm(session, slot_id, holder, patient_id, at, via)
    if taken.moves == appointment_id:
        return taken
    given_up = session.execute(
        update(Appointment)
        .where(
            Appointment.id == appointment_id,
            Appointment.id != taken.id,
            Appointment.patient_id == patient_id,
            Appointment.state.in_(KEPT),
        )
        .values(state="cancelled", cancelled_at=at, moved_to=taken.id)
        .returning(Appointment.slot_id, Appointment.seat)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if given_up is None or taken.moves is not None:
        raise NothingToMove
    taken.moves = appointment_id
    _free(session, given_up.slot_id, given_up.seat)
    session.flush()
    return taken


_BOOKED = """
    SELECT a.id, s.starts_at, d.name, d.feminine, p.code, p.names, p.kind, p.preparation
      FROM appointment a JOIN slot s ON s.id = a.slot_id
      JOIN doctor d ON d.id = s.doctor_id JOIN department p ON p.id = d.department_id"""


def booked(session: Session, appointment_id: UUID) -> Booked:
    rows = session.execute(text(_BOOKED + " WHERE a.id = :id"), {"id": appointment_id})
    return _told(rows.one())


def appointments(session: Session, patient_id: UUID, at: datetime) -> list[Booked]:
    """What a patient has booked from `at` on, earliest first."""
    rows = session.execute(
        text(_BOOKED + " WHERE a.patient_id = :patient AND a.state = 'booked' AND s.starts_at > :at ORDER BY 2, 3, 1"),
        {"patient": patient_id, "at": at},
    )
    return [_told(row) for row in rows]


def _told(row: Sequence[Any]) -> Booked:
    told = Booked(*row)
    return replace(told, preparation=tuple(told.preparation))


def _count(result: object) -> int:
    return result.rowcount if isinstance(result, CursorResult) else 0
