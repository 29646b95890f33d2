"""Changing an appointment: the new time is had before the old one is given up; never none, never two (I11)."""

from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hospital import booking
from hospital.booking import Appointment, Booked, NothingToMove, OwnDesk, SlotTaken
from hospital.database import Database
from hospital.patients import Patient
from tests.characters import LUCIA, WIREMU
from tests.hospital_scene import admit, at_once, clinic
from tests.moments import NOON
from tests.test_hospital_booking import LUCIAS_CALL, WIREMUS_CALL, books, offered

pytestmark = pytest.mark.covers("H2", "I11")


def has(session: Session, patient: UUID) -> list[UUID]:
    """The slots of a patient's booked appointments."""
    told = booking.appointments(session, patient, NOON)
    rows = select(Appointment.slot_id).where(Appointment.id.in_([one.appointment_id for one in told]))
    return list(session.scalars(rows))


def test_lucia_moves_to_the_third_time_and_the_first_is_free_again(database: Database) -> None:
    with database.transaction() as session:
        lucia = admit(session, LUCIA).id
        first, second, third = clinic(session, 3)
        old = books(session, first, "another-call", lucia).id
    with database.transaction() as session:
        booking.hold(session, third, LUCIAS_CALL, NOON)
        assert offered(session) == [second], "she still has the first while she decides"
        new = booking.reschedule(session, old, third, LUCIAS_CALL, lucia, NOON, "ivr").id
    with database.transaction() as session:
        assert has(session, lucia) == [third]
        assert offered(session) == [first, second]
        assert session.get_one(Appointment, old).moved_to == new
        assert booking.reschedule(session, old, third, LUCIAS_CALL, lucia, NOON, "ivr").id == new, "pressed twice"
    with database.transaction() as session:
        assert has(session, lucia) == [third]


def test_who_comes_too_late_keeps_the_old_time(database: Database) -> None:
    with database.transaction() as session:
        lucia, wiremu = admit(session, LUCIA).id, admit(session, WIREMU).id
        first, second = clinic(session, 2)
        old = books(session, first, LUCIAS_CALL, lucia).id
        books(session, second, WIREMUS_CALL, wiremu)
    with pytest.raises(SlotTaken), database.transaction() as session:
        booking.reschedule(session, old, second, LUCIAS_CALL, lucia, NOON, "ivr")
    with database.transaction() as session:
        assert has(session, lucia) == [first]


@pytest.mark.parametrize("why", ["cancelled meanwhile", "another's", "unknown"])
def test_nothing_to_move_leaves_no_second_appointment(database: Database, why: str) -> None:
    with database.transaction() as session:
        lucia, wiremu = admit(session, LUCIA).id, admit(session, WIREMU).id
        first, second = clinic(session, 2)
        old = books(session, first, WIREMUS_CALL, wiremu if why == "another's" else lucia).id
        if why == "cancelled meanwhile":
            booking.cancel(session, old, lucia, NOON)
        booking.hold(session, second, LUCIAS_CALL, NOON)
    with pytest.raises(NothingToMove), database.transaction() as session:
        booking.reschedule(session, uuid4() if why == "unknown" else old, second, LUCIAS_CALL, lucia, NOON, "ivr")
    with database.transaction() as session:
        assert has(session, lucia) == ([first] if why == "unknown" else [])
        assert has(session, wiremu) == ([first] if why == "another's" else [])


def test_moving_and_cancelling_at_the_same_moment(database: Database) -> None:
    """One of the two comes first. Afterwards she has the new time or none, and never the old one or both."""
    with database.transaction() as session:
        lucia = admit(session, LUCIA).id
        slots = clinic(session, 20)
        pairs = list(zip(slots[::2], slots[1::2], strict=True))
        olds = {old: books(session, old, f"call-{old}", lucia).id for old, _ in pairs}
        for _, new in pairs:
            booking.hold(session, new, LUCIAS_CALL, NOON)
    for old, new in pairs:
        moved, cancelled = at_once(
            database,
            partial(
                booking.reschedule,
                appointment_id=olds[old],
                slot_id=new,
                holder=LUCIAS_CALL,
                patient_id=lucia,
                at=NOON,
                via="ivr",
            ),
            partial(booking.cancel, appointment_id=olds[old], patient_id=lucia, at=NOON),
        )
        assert (type(moved), cancelled) in {(Appointment, False), (NothingToMove, True)}
        with database.transaction() as session:
            assert (old in has(session, lucia), new in has(session, lucia)) == (False, cancelled is False)


def test_two_moves_of_one_appointment_at_the_same_moment(database: Database) -> None:
    with database.transaction() as session:
        lucia = admit(session, LUCIA).id
        slots = clinic(session, 30)
        triples = list(zip(slots[::3], slots[1::3], slots[2::3], strict=True))
        olds = {old: books(session, old, f"call-{old}", lucia).id for old, *_ in triples}
        for _, *new in triples:
            for slot in new:
                booking.hold(session, slot, f"to-{slot}", NOON)

    def move(session: Session, old: UUID, new: UUID) -> UUID:
        return booking.reschedule(session, old, new, f"to-{new}", lucia, NOON, "ivr").slot_id

    for old, one, other in triples:
        results = at_once(database, partial(move, old=olds[old], new=one), partial(move, old=olds[old], new=other))
        (won,) = [result for result in results if isinstance(result, UUID)]
        assert [type(result) for result in results if result != won] == [NothingToMove]
        with database.transaction() as session:
            assert {old, one, other} & set(has(session, lucia)) == {won}


# What the table itself refuses, whatever the code does.
NONE_LEFT = (
    "UPDATE appointment SET state = 'cancelled', cancelled_at = now(), moved_to = gen_random_uuid() WHERE id = :old"
)
BOTH_KEPT = "UPDATE appointment SET moves = :old WHERE id = :new"
STILL_BOOKED = "UPDATE appointment SET moved_to = :new WHERE id = :old"
SOMEBODY_ELSES = "UPDATE appointment SET state = 'cancelled', cancelled_at = now(), moved_to = :theirs WHERE id = :old"


@pytest.mark.parametrize("rude", [NONE_LEFT, BOTH_KEPT, STILL_BOOKED, SOMEBODY_ELSES])
def test_the_table_itself_refuses_a_move_that_ends_with_none_or_two(database: Database, rude: str) -> None:
    with database.transaction() as session:
        lucia, wiremu = admit(session, LUCIA).id, admit(session, WIREMU).id
        first, second, third = clinic(session, 3)
        old, new = (books(session, slot, LUCIAS_CALL, lucia).id for slot in (first, second))
        theirs = books(session, third, WIREMUS_CALL, wiremu).id
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(text(rude), {"old": old, "new": new, "theirs": theirs})
    with database.transaction() as session:
        assert set(has(session, lucia)) == {first, second}


def test_a_patient_with_moved_appointments_can_be_erased(database: Database) -> None:
    with database.transaction() as session:
        lucia = admit(session, LUCIA).id
        first, second = clinic(session, 2)
        old = books(session, first, "another-call", lucia).id
        booking.hold(session, second, LUCIAS_CALL, NOON)
        booking.reschedule(session, old, second, LUCIAS_CALL, lucia, NOON, "ivr")
    with database.transaction() as session:
        session.execute(text("DELETE FROM phone_number"))
        session.execute(delete(Patient).where(Patient.id == lucia))
    with database.transaction() as session:
        assert session.query(Appointment).count() == 0


@pytest.mark.covers("H4")
async def test_the_desk_moves_and_tells_in_one_transaction(database: Database) -> None:
    with database.transaction() as session:
        lucia = admit(session, LUCIA).id
        first, second = clinic(session, 2)
    told: list[Booked] = []

    def tell(session: Session, booked: Booked, patient_id: UUID) -> None:
        told.append(booked)

    desk = OwnDesk(database, moved=tell)
    await desk.hold(first, LUCIAS_CALL, NOON)
    old = await desk.confirm(first, LUCIAS_CALL, lucia, NOON, "ivr")
    await desk.hold(second, LUCIAS_CALL, NOON)
    new = await desk.reschedule(old.appointment_id, second, LUCIAS_CALL, lucia, NOON, "ivr")
    assert told == [new] == await desk.appointments(lucia, NOON)
    assert new.starts_at == NOON + timedelta(days=1, minutes=20)
