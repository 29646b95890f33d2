"""Whom the text of a booking reaches, what of it is not true any more when it could leave, and where a red flag is
called about."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import answer_flags, appointment_texts, booking, outbox, patients, text_bookings
from hospital.booking import Slot
from hospital.database import Database
from hospital.outbox import OutboxRow
from hospital.patients import Patient
from hotline.caller_joints import appointment_messages
from tests.characters import LUCIA
from tests.hospital_scene import admit, clinic
from tests.moments import NOON, ZONE

pytestmark = pytest.mark.covers("H4", "I4")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HIS_OWN = "+573015550177"


def nothing(lucia: Patient, child: Patient) -> None: ...


def she_has_died(lucia: Patient, child: Patient) -> None:
    lucia.deceased_at = NOON - DAY


def she_speaks_for_him_no_more(lucia: Patient, child: Patient) -> None:
    child.guardian_until = NOON - DAY


def a_child(session: Session, numbers: list[str], happened: Callable[[Patient, Patient], None]) -> UUID:
    lucia = admit(session, LUCIA)
    child = patients.register(session, name="Mateo", birth=date(2018, 5, 4), language="es", numbers=numbers)
    child.guardian_id = lucia.id
    happened(lucia, child)
    session.flush()
    return child.id


@pytest.mark.parametrize(
    ("numbers", "happened", "reached"),
    [
        ([], nothing, LUCIA.numbers[0]),
        ([HIS_OWN], nothing, LUCIA.numbers[0]),
        ([], she_has_died, None),
        ([], she_speaks_for_him_no_more, None),
        ([HIS_OWN], she_speaks_for_him_no_more, HIS_OWN),
    ],
)
def test_a_childs_guardian_is_told_as_long_as_she_speaks_for_it(
    database: Database, numbers: list[str], happened: Callable[[Patient, Patient], None], reached: str | None
) -> None:
    confirmed = appointment_messages(lambda: NOON, tuple)["confirmed"]
    with database.transaction() as session:
        child = a_child(session, numbers, happened)
        (slot,) = clinic(session)
        booking.hold(session, slot, "desk", NOON)
        made = booking.confirm(session, slot, "desk", child, NOON, "desk")
        confirmed(session, booking.booked(session, made.id), child)
        assert [message.number for message in session.scalars(select(OutboxRow))] == ([reached] if reached else [])
        assert answer_flags.number_of(session, child, NOON) == reached


# ── After hours without a gateway ───────────────────────────────────────────────────────────────────────────────────

TELL = appointment_messages(lambda: NOON, lambda: ("prepare_fasting",))


def booked_and_told(session: Session) -> tuple[UUID, UUID, list[UUID]]:
    """Her appointment, herself, two free times; what was told of it waits for its gateway."""
    slots = clinic(session, 3)
    lucia = admit(session, LUCIA).id
    booking.hold(session, slots[0], "desk", NOON)
    mine = booking.confirm(session, slots[0], "desk", lucia, NOON, "desk").id
    TELL["confirmed"](session, replace(booking.booked(session, mine), preparation=("fasting",)), lucia)
    while (due := outbox.claim(session, NOON)) is not None:
        outbox.not_sent(session, due.id, "gateway_down", NOON)
    return mine, lucia, slots[1:]


def leave(session: Session, at: datetime) -> list[tuple[str, str]]:
    """What is sent once the gateway takes texts again: its wording's key, and the hour that it tells."""
    appointment_texts.take_back(session)
    left = []
    while (due := outbox.claim(session, at)) is not None:
        outbox.sent(session, due.id, "gateway-1", at)
        left.append((due.key, f"{datetime.fromisoformat(due.params['starts_at']).astimezone(ZONE):%H:%M}"))
    return left


def moves(session: Session, mine: UUID, lucia: UUID, to: UUID) -> UUID:
    booking.hold(session, to, "desk", NOON)
    later = booking.reschedule(session, mine, to, "desk", lucia, NOON, "desk").id
    TELL["moved"](session, booking.booked(session, later), lucia)
    return later


def test_what_still_holds_leaves_late(database: Database) -> None:
    with database.transaction() as session:
        booked_and_told(session)
        assert leave(session, NOON + HOUR) == [("appointment_confirmed", "13:00"), ("prepare_fasting", "13:00")]


def test_no_confirmation_follows_what_was_cancelled_meanwhile(database: Database) -> None:
    with database.transaction() as session:
        mine, lucia, _ = booked_and_told(session)
        assert booking.cancel(session, mine, lucia, NOON)
        TELL["cancelled"](session, booking.booked(session, mine), lucia)
        assert leave(session, NOON + HOUR) == [("appointment_cancelled", "13:00")]


def test_of_an_appointment_that_was_moved_twice_the_last_time_alone_is_told(database: Database) -> None:
    with database.transaction() as session:
        mine, lucia, free = booked_and_told(session)
        moves(session, moves(session, mine, lucia, free[0]), lucia, free[1])
        assert leave(session, NOON + HOUR) == [("appointment_moved", "13:40")]


def test_a_time_that_its_clinic_has_changed_is_not_told(database: Database) -> None:
    with database.transaction() as session:
        mine, _, _ = booked_and_told(session)
        session.get_one(Slot, session.get_one(booking.Appointment, mine).slot_id).starts_at += 5 * HOUR
        session.flush()
        assert leave(session, NOON + HOUR) == []


def test_what_was_booked_by_text_on_another_telephone_is_not_confirmed_once_it_is_cancelled(
    database: Database,
) -> None:
    with database.transaction() as session:
        mine, lucia, _ = booked_and_told(session)
        row = text_bookings.begin(session, HIS_OWN, "es", "cardiology", NOON)
        text_bookings.proved(session, row, lucia, NOON)
        text_bookings.confirmed(session, row, booking.booked(session, mine), NOON)
        session.flush()
        booking.cancel(session, mine, lucia, NOON)
        assert leave(session, NOON + HOUR) == []
