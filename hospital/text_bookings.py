"""Bookings by text message: an examination's free times are offered with numbers, and the number of one books it.

Rules: a number of ours is asked one thing at a time, and what a patient wants goes before what we ask. The birth date
comes first, on a number that is safe and somebody's; each time has a number of its own, so that a reply that comes late
still means what it was said about. Nothing is held while they think: the time is held and confirmed when they reply.
`seeking` and `booking` are ours to do, outside of any transaction, by whoever looks first (`waiting`): whatever is done
twice gives the same. A number gets so many texts a day, and a booking has its end after OPEN without a reply.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, ForeignKey, String, Uuid, cast, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import audit, number_locks, outbox, patients
from hospital.booking import Booked
from hospital.database import Base, Id
from hospital.outbox import OutboxRow
from hospital.patients import Patient
from hospital.text_talks import AT_ONCE
from hospital.vault import Sealed
from hospital.wishes import Part

OPEN = timedelta(hours=2)
LATELY = timedelta(days=1)
OFFERED = 3  # times in a text
MOST = 15  # texts of ours in a booking
MOST_A_DAY = 30  # and to a number
OURS = ("seeking", "booking")


class TextBooking(Base):
    __tablename__ = "text_booking"
    id: Mapped[Id]
    number: Mapped[str] = mapped_column("number_sealed", Sealed("text_booking.number"))
    number_token: Mapped[bytes]
    locale: Mapped[str]
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    department: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="proving")
    offered: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), default=list)
    round_at: Mapped[int] = mapped_column(default=0)
    chosen: Mapped[UUID | None]
    misses: Mapped[int] = mapped_column(default=0)
    sent: Mapped[int] = mapped_column(default=0)
    begun_at: Mapped[datetime]
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    appointment_id: Mapped[UUID | None]


@dataclass(frozen=True)
class Work:
    """What is ours to do in a booking. `chosen`: to be booked, or where times are sought, what was taken meanwhile;
    `heard`: what is not offered again before nothing else is left."""

    id: UUID
    number_token: bytes
    state: str
    department: str
    patient_id: UUID
    suits: Part | None
    heard: frozenset[UUID]
    chosen: UUID | None

    @property
    def holder(self) -> str:
        return f"text/{self.id}"


def may_begin(session: Session, number: str, at: datetime) -> bool:
    """Whether somebody can prove who they are on this number (E.164): it is safe and theirs, their birth date is known,
    and nobody has guessed from there just now."""
    token = patients.number_token(number)
    known = [one.patient for one in patients.candidates(session, number)]
    safe = all(one.safe_to_call for patient in known for one in patient.numbers if one.token == token)
    dated = any(patient.birth_date is not None for patient in known)
    return safe and dated and not number_locks.is_locked(session, number, at)


def too_many(session: Session, number: str, at: datetime) -> bool:
    """Whether this number has had its texts of a day."""
    sent = select(func.coalesce(func.sum(TextBooking.sent), 0)).where(TextBooking.begun_at > at - LATELY)
    mine = sent.where(TextBooking.number_token == patients.number_token(number))
    return session.scalars(mine).one() > MOST_A_DAY - MOST


def begin(session: Session, number: str, locale: str, department: str | None, at: datetime) -> TextBooking:
    """Nothing else is open on this number: whoever calls has ended it."""
    row = TextBooking(
        id=uuid4(), number=number, number_token=patients.number_token(number), locale=locale, department=department,
        state="proving", offered=[], round_at=0, misses=0, sent=0, begun_at=at, asked_at=at, expires_at=at + OPEN,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def of_number(session: Session, token: bytes, at: datetime) -> TextBooking | None:
    """The booking that a reply of this number belongs to, locked. One that has run out is ended."""
    rows = select(TextBooking).where(TextBooking.number_token == token, TextBooking.state != "ended").with_for_update()
    row = session.scalar(rows, execution_options={"populate_existing": True})
    if row is None or row.expires_at > at:
        return row
    end(row, "expired", at)
    session.flush()
    return None


def lately(session: Session, token: bytes, at: datetime) -> TextBooking | None:
    """The newest one of this number, if its last question was not long ago."""
    rows = select(TextBooking).where(TextBooking.number_token == token, TextBooking.asked_at > at - LATELY)
    return session.scalar(rows.order_by(TextBooking.begun_at.desc()).limit(1))


def busy_until(session: Session, token: bytes, at: datetime) -> datetime | None:
    """Until when this number is in a booking; None where it is not."""
    rows = select(TextBooking.expires_at).where(TextBooking.number_token == token, TextBooking.state != "ended")
    return session.scalar(rows.where(TextBooking.expires_at > at))


def asks(row: TextBooking, state: str, at: datetime) -> None:
    """Another turn: theirs, or ours to do."""
    row.state, row.misses, row.asked_at, row.expires_at = state, 0, at, at + OPEN


def end(row: TextBooking, by: str, at: datetime) -> None:
    row.state, row.ended_by, row.ended_at = "ended", by, at


def proved(session: Session, row: TextBooking, patient_id: UUID, at: datetime) -> None:
    row.patient_id = patient_id
    number_locks.identity_confirmed(session, row.number)
    audit.record(session, None, "identity.by_text", f"patient:{patient_id}", at, booking=str(row.id))


def say(session: Session, row: TextBooking, key: str, at: datetime, **params: Any) -> None:
    row.sent, row.asked_at, row.expires_at = row.sent + 1, at, at + OPEN
    outbox.put(
        session, once=f"text_booking/{row.id}/{row.sent}", key=key, locale=row.locale, number=row.number, at=at,
        patient_id=row.patient_id, **params,
    )  # fmt: skip


# ── Ours to do ──────────────────────────────────────────────────────────────────────────────────────────────────────


def waiting(session: Session, before: datetime, number: str | None = None) -> list[UUID]:
    """Bookings in which something is ours to do, asked for before this instant; of one number, or of all."""
    rows = select(TextBooking.id).where(TextBooking.state.in_(OURS), TextBooking.asked_at <= before)
    if number is not None:
        rows = rows.where(TextBooking.number_token == patients.number_token(number))
    return list(session.scalars(rows.order_by(TextBooking.asked_at)))


def work(session: Session, booking_id: UUID) -> Work | None:
    """None where nothing is ours to do."""
    row = session.get(TextBooking, booking_id)
    if row is None or row.state not in OURS or row.department is None or row.patient_id is None:
        return None
    suits = session.get_one(Patient, row.patient_id).suits
    heard = frozenset(row.offered[row.round_at :])
    return Work(row.id, row.number_token, row.state, row.department, row.patient_id, suits, heard, row.chosen)


def still(session: Session, done: Work) -> TextBooking | None:
    """The booking, locked, if this is still to be done in it, and nobody was faster."""
    row = session.get(TextBooking, done.id, with_for_update=True, populate_existing=True)
    return row if row is not None and (row.state, row.chosen) == (done.state, done.chosen) else None


def offers(row: TextBooking, slots: list[UUID], anew: bool, at: datetime) -> int:
    """These are offered; the number of the first. `anew`: all others had been heard."""
    first = len(row.offered) + 1
    if anew:
        row.round_at = len(row.offered)
    row.offered, row.chosen = [*row.offered, *slots], None
    asks(row, "offered", at)
    return first


def confirmed(session: Session, row: TextBooking, booked: Booked, at: datetime) -> None:
    """The desk has booked it, and tells the patient as it does of any booking; where that is on another telephone, or
    nothing, it is told here."""
    row.appointment_id = booked.appointment_id
    end(row, "booked", at)
    told = select(OutboxRow).where(OutboxRow.once == f"appointment_confirmed/{booked.appointment_id}")
    if not any(one.number == row.number for one in session.scalars(told)):
        say(session, row, "appointment_confirmed", at, starts_at=booked.starts_at.isoformat())
    subject = f"patient:{row.patient_id}"
    audit.record(session, None, "appointment.by_text", subject, at, appointment=str(booked.appointment_id))


def hold_back(session: Session, at: datetime) -> int:
    """Texts that could not leave within the hour do not leave any more; how many. To be asked before the outbox
    sends. What is booked is told all the same."""
    newest = func.concat("text_booking/", cast(TextBooking.id, String), "/", TextBooking.sent)
    rows = (
        select(OutboxRow)
        .join(TextBooking, OutboxRow.once == newest)
        .where(OutboxRow.state == "queued", OutboxRow.due_at <= at, TextBooking.asked_at < at - AT_ONCE)
        .where(TextBooking.appointment_id.is_(None))
        .with_for_update(of=OutboxRow, skip_locked=True)
    )
    late = session.scalars(rows, execution_options={"populate_existing": True}).all()
    for message in late:
        outbox.withdraw(session, message)
    return len(late)
