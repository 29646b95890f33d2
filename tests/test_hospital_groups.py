"""A time for several people: never more confirmed than it has places, whatever happens at the same moment."""

from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hospital import booking, patients
from hospital.booking import Appointment, Slot, SlotTaken
from hospital.database import Database
from tests.hospital_scene import at_once, clinic
from tests.moments import NOON
from tests.test_hospital_booking import books, offered


def class_of(session: Session, capacity: int, people: int) -> tuple[UUID, list[UUID]]:
    """An antenatal class, and who would like to come."""
    (slot,) = clinic(session, 1)
    session.execute(update(Slot).where(Slot.id == slot).values(capacity=capacity))
    numbers = [f"+57301555{n:04d}" for n in range(people)]
    return slot, [patients.register(session, name="Ana", birth=None, language="es", numbers=[n]).id for n in numbers]


@pytest.mark.covers("H59", "I1")
def test_twelve_reach_for_five_places(database: Database) -> None:
    with database.transaction() as session:
        slot, people = class_of(session, 5, 12)

    def reach(session: Session, n: int) -> Appointment:
        return books(session, slot, f"n1-{n}", people[n])

    results = at_once(database, *(partial(reach, n=n) for n in range(8)))
    results += at_once(database, *(partial(reach, n=n) for n in range(8, 12)))
    assert sorted(type(r).__name__ for r in results) == ["Appointment"] * 5 + ["SlotTaken"] * 7
    with database.transaction() as session:
        (group,) = booking.groups(session, NOON)
        assert (group.capacity, group.taken, group.left) == (5, 5, 0)
        assert offered(session) == []
        seats = session.scalars(text("SELECT seat FROM appointment WHERE state = 'booked' ORDER BY seat"))
        assert list(seats) == [1, 2, 3, 4, 5]


@pytest.mark.covers("H59")
def test_a_place_that_is_given_up_is_offered_again(database: Database) -> None:
    with database.transaction() as session:
        slot, people = class_of(session, 2, 3)
        first = books(session, slot, "n1-0", people[0])
        assert offered(session) == [slot], "a second place is left"
        second = books(session, slot, "n1-1", people[1])
        assert offered(session) == []
    with database.transaction() as session:
        assert booking.cancel(session, first.id, people[0], NOON)
        assert offered(session) == [slot]
        third = books(session, slot, "n1-2", people[2])
        assert (second.seat, third.seat) == (2, 1)
        assert booking.groups(session, NOON)[0].left == 0


@pytest.mark.covers("H59")
def test_a_hold_keeps_one_place_and_is_renewed(database: Database) -> None:
    with database.transaction() as session:
        slot, people = class_of(session, 2, 2)
        for _ in range(3):
            booking.hold(session, slot, "n1-0", NOON)
        booking.hold(session, slot, "n1-1", NOON)
        with pytest.raises(SlotTaken):
            booking.hold(session, slot, "n1-2", NOON)
        made = booking.confirm(session, slot, "n1-0", people[0], NOON, "ivr")
        assert booking.confirm(session, slot, "n1-0", people[0], NOON, "ivr").id == made.id


@pytest.mark.covers("H59", "I1")
@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ("UPDATE appointment SET seat = 3", "appointment_check"),
        ("UPDATE appointment SET seat = 1", "one_booking_per_slot"),
        ("UPDATE appointment SET capacity = 9", "appointment_slot_id_capacity_fkey"),
        ("UPDATE slot SET capacity = 1", "appointment_check"),  # two have booked already
    ],
)
def test_the_schema_refuses_more_than_there_are_places(database: Database, wrong: str, name: str) -> None:
    with database.transaction() as session:
        slot, people = class_of(session, 2, 2)
        for n in range(2):
            books(session, slot, f"n1-{n}", people[n])
    with pytest.raises(IntegrityError, match=name), database.transaction() as session:
        session.execute(text(wrong))
    with database.transaction() as session:
        session.execute(text("UPDATE slot SET capacity = 3"))  # a larger room
        assert booking.groups(session, NOON)[0].left == 1
