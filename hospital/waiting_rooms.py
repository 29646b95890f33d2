"""A waiting room: who has arrived, whose turn it is, and about how long that may take.

Rules: a patient has a ticket, a short number of the department's day, and it is all that a screen shows of them. Each
doctor has a line of their own. Who came in time stands in it by the time of the appointment, who came late by when they
came. How long it takes follows from how long that doctor has taken for each today, as for callers in a queue
(`waiting.py`); nobody is told a time before their appointment's, or one where too little is known.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import ceil
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import DATE, ForeignKey, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import waiting
from hospital.database import Base, Id
from hospital.waiting import LONGEST, Served

NEXT = 3  # tickets of a line that a screen shows


class WaitingRoom(Base):
    __tablename__ = "waiting_room"
    id: Mapped[Id]
    department_id: Mapped[UUID] = mapped_column(ForeignKey("department.id"))
    day: Mapped[date] = mapped_column(DATE)
    tickets: Mapped[int]


@dataclass(frozen=True)
class Ticket:
    """Somebody who has arrived. `state`: as the appointment's."""

    appointment_id: UUID
    patient_id: UUID
    doctor_id: UUID
    doctor: str
    department_names: dict[str, str] = field(hash=False)
    number: int
    state: str
    starts_at: datetime
    arrived_at: datetime
    called_at: datetime | None
    seen_at: datetime | None

    @property
    def waits(self) -> bool:
        return self.state == "arrived" and self.called_at is None

    @property
    def is_called(self) -> bool:
        return self.state == "arrived" and self.called_at is not None

    @property
    def turn(self) -> tuple[datetime, int]:
        """Whose is smaller is called before."""
        return max(self.starts_at, self.arrived_at), self.number

    @property
    def served(self) -> Served | None:
        """From when on the doctor could see them, and when they had been seen; None of who was not."""
        if self.seen_at is None:
            return None
        return (self.turn[0] if self.turn[0] <= self.seen_at else self.called_at or self.arrived_at), self.seen_at


@dataclass(frozen=True)
class Wait:
    """What a patient is told. `place`: 1 is next, 0 is called. `minutes`: None where too little is known."""

    ticket: Ticket
    place: int
    minutes: int | None


@dataclass(frozen=True)
class Counter:
    """A doctor's (or a room's) line as the screen shows it: tickets that are called, the newest first, and the next."""

    doctor: str
    called: tuple[int, ...]
    following: tuple[int, ...]
    more: int


def line(tickets: Iterable[Ticket], doctor_id: UUID) -> list[Ticket]:
    """Who waits for this doctor, the next first."""
    return sorted((one for one in tickets if one.doctor_id == doctor_id and one.waits), key=lambda one: one.turn)


def wait(ticket: Ticket, tickets: Sequence[Ticket], at: datetime) -> Wait:
    """Of one of `tickets`, which are all of its room, and who has not been seen."""
    if not ticket.waits:
        return Wait(ticket, 0, None)
    place = line(tickets, ticket.doctor_id).index(ticket) + 1
    served = [one.served for one in tickets if one.doctor_id == ticket.doctor_id]
    minutes = waiting.expected(place, [one for one in served if one is not None])
    if minutes is not None:
        minutes = max(minutes, ceil((ticket.starts_at - at) / timedelta(minutes=1)))
    return Wait(ticket, place, None if minutes is None or minutes > LONGEST else minutes)


def counters(tickets: Sequence[Ticket]) -> list[Counter]:
    """Each line of a room in which somebody is called or waits, by the doctor's name."""
    doctors = sorted({(one.doctor, one.doctor_id) for one in tickets if one.state == "arrived"})
    return [_counter(doctor, [one for one in tickets if one.doctor_id == ident]) for doctor, ident in doctors]


def _counter(doctor: str, tickets: Sequence[Ticket]) -> Counter:
    called = sorted(((one.called_at, one.number) for one in tickets if one.called_at and one.is_called), reverse=True)
    waits = [one.number for one in line(tickets, tickets[0].doctor_id)]
    return Counter(doctor, tuple(number for _, number in called), tuple(waits[:NEXT]), len(waits[NEXT:]))


_TICKETS = """
    SELECT a.id, a.patient_id, d.id, d.name, p.names, a.ticket, a.state, s.starts_at,
           a.arrived_at, a.called_at, a.seen_at
      FROM appointment a JOIN waiting_room w ON w.id = a.room_id JOIN slot s ON s.id = a.slot_id
      JOIN doctor d ON d.id = s.doctor_id JOIN department p ON p.id = d.department_id"""
_OF_DEPARTMENT = text(_TICKETS + " WHERE w.day = :day AND p.code = :department ORDER BY a.ticket")
_OF_ROOM = text(_TICKETS + " WHERE w.id = :room")
_OF_PATIENT = text("""
    SELECT a.id, a.room_id FROM appointment a JOIN waiting_room w ON w.id = a.room_id JOIN slot s ON s.id = a.slot_id
     WHERE a.patient_id = :patient AND w.day = :day AND a.state = 'arrived' ORDER BY s.starts_at, a.id""")


def tickets(session: Session, department_code: str, at: datetime, zone: ZoneInfo) -> list[Ticket]:
    """Of a department's waiting room on the day of `at`, also of who has been seen."""
    given = {"day": at.astimezone(zone).date(), "department": department_code}
    return [Ticket(*row) for row in session.execute(_OF_DEPARTMENT, given)]


def waits(session: Session, patient_id: UUID, at: datetime, zone: ZoneInfo) -> list[Wait]:
    """Where a patient has arrived on the day of `at` and not been seen yet, by the time of the appointment."""
    given = {"day": at.astimezone(zone).date(), "patient": patient_id}
    found = session.execute(_OF_PATIENT, given).all()
    return [wait_of(session, appointment_id, room_id, at) for appointment_id, room_id in found]


def wait_of(session: Session, appointment_id: UUID, room_id: UUID, at: datetime) -> Wait:
    """Of an appointment whose patient has arrived in this room."""
    found = [Ticket(*row) for row in session.execute(_OF_ROOM, {"room": room_id})]
    return wait(next(one for one in found if one.appointment_id == appointment_id), found, at)
