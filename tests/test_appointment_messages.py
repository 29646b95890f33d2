"""Whom the text of a booking reaches, and where a red flag is called about."""

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import answer_flags, booking, patients
from hospital.database import Database
from hospital.outbox import OutboxRow
from hospital.patients import Patient
from hotline.caller_joints import appointment_messages
from tests.characters import LUCIA
from tests.hospital_scene import admit, clinic
from tests.moments import NOON

pytestmark = pytest.mark.covers("H4", "I4")
DAY = timedelta(days=1)
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
