"""Slots: one for each caller, whatever happens at the same moment, and a confirmed one stays confirmed."""

from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hospital import booking
from hospital.booking import Appointment, Booked, OwnDesk, SlotTaken
from hospital.database import Database
from tests.characters import LUCIA, WIREMU
from tests.hospital_scene import admit, at_once, clinic
from tests.moments import NOON

LUCIAS_CALL, WIREMUS_CALL = "n1-1.1", "n1-1.2"
SECOND = timedelta(seconds=1)


def offered(session: Session, at=NOON) -> list[UUID]:
    return [o.slot_id for o in booking.openings(session, "cardiology", at, after=at, limit=9)]


def books(session: Session, slot: UUID, holder: str, patient: UUID, at=NOON) -> Appointment:
    booking.hold(session, slot, holder, at)
    return booking.confirm(session, slot, holder, patient, at, "ivr")


@pytest.mark.covers("H2", "I1", "I2")
def test_lucia_takes_the_second_time_she_hears(database: Database) -> None:
    with database.transaction() as session:
        lucia = admit(session, LUCIA).id
        first, second, third = clinic(session, 3)
        assert offered(session) == [first, second, third]
    with database.transaction() as session:
        booking.hold(session, second, LUCIAS_CALL, NOON)
    with database.transaction() as session:
        assert offered(session) == [first, third], "a held time is offered to nobody else"
        appointment = booking.confirm(session, second, LUCIAS_CALL, lucia, NOON + 5 * SECOND, "ivr")
    with database.transaction() as session:
        assert offered(session) == [first, third]
        assert [b.appointment_id for b in booking.appointments(session, lucia, NOON)] == [appointment.id]
        assert offered(session, NOON + timedelta(hours=3)) == [first, third], "no lease ends what is confirmed"


@pytest.mark.covers("I1", "H5")
def test_lucia_and_wiremu_reach_for_the_same_last_time(database: Database) -> None:
    with database.transaction() as session:
        people = {LUCIAS_CALL: admit(session, LUCIA).id, WIREMUS_CALL: admit(session, WIREMU).id}
        slots = clinic(session, 40)

    def reach(session: Session, slot: UUID, call: str) -> Appointment:
        return books(session, slot, call, people[call])

    for slot in slots:
        results = at_once(database, *(partial(reach, slot=slot, call=call) for call in people))
        assert sorted(type(r).__name__ for r in results) == ["Appointment", "SlotTaken"]
    with database.transaction() as session:
        assert session.query(Appointment).count() == len(slots)


@pytest.mark.covers("I1")
def test_eight_callers_and_three_times(database: Database) -> None:
    with database.transaction() as session:
        lucia = admit(session, LUCIA).id
        slots = clinic(session, 3)

    def any_of_them(session: Session, call: str) -> UUID | None:
        for slot in offered(session):
            try:
                with session.begin_nested():
                    return books(session, slot, call, lucia).slot_id
            except SlotTaken:
                continue
        return None

    results = at_once(database, *(partial(any_of_them, call=f"call-{n}") for n in range(8)))
    assert sorted(map(str, filter(None, results))) == sorted(map(str, slots))
    assert results.count(None) == 5


@pytest.mark.covers("I1")
def test_the_table_itself_refuses_a_second_appointment(database: Database) -> None:
    with database.transaction() as session:
        lucia, wiremu = admit(session, LUCIA).id, admit(session, WIREMU).id
        (slot,) = clinic(session)
        books(session, slot, LUCIAS_CALL, lucia)
    rude = "INSERT INTO appointment (slot_id, patient_id, booked_via, confirmation, booked_at)"
    rude += " VALUES (:slot, :patient, 'desk', 'walk-in', now())"
    with pytest.raises(IntegrityError, match="one_booking_per_slot"), database.transaction() as session:
        session.execute(text(rude), {"slot": slot, "patient": wiremu})


@pytest.mark.covers("I1")
def test_somebody_at_the_desk_is_faster_than_a_held_time(database: Database) -> None:
    with database.transaction() as session:
        lucia, wiremu = admit(session, LUCIA).id, admit(session, WIREMU).id
        (slot,) = clinic(session)
        booking.hold(session, slot, LUCIAS_CALL, NOON)
        session.add(
            Appointment(slot_id=slot, patient_id=wiremu, booked_via="desk", confirmation="walk-in", booked_at=NOON)
        )
    with pytest.raises(SlotTaken), database.transaction() as session:
        booking.confirm(session, slot, LUCIAS_CALL, lucia, NOON, "ivr")


@pytest.mark.covers("I2")
def test_who_comes_back_after_the_lease_has_lost_it(database: Database) -> None:
    with database.transaction() as session:
        lucia, wiremu = admit(session, LUCIA).id, admit(session, WIREMU).id
        (slot,) = clinic(session)
        booking.hold(session, slot, LUCIAS_CALL, NOON)
        with pytest.raises(SlotTaken):
            booking.hold(session, slot, WIREMUS_CALL, NOON + booking.HOLD - SECOND)
        booking.hold(session, slot, LUCIAS_CALL, NOON + booking.HOLD - SECOND)  # she still thinks: renewed
        late = NOON + 2 * booking.HOLD - SECOND
        with pytest.raises(SlotTaken):
            booking.confirm(session, slot, LUCIAS_CALL, lucia, late, "ivr")
        assert offered(session, late) == [slot]
        assert books(session, slot, WIREMUS_CALL, wiremu, late).patient_id == wiremu


def test_a_hang_up_gives_the_hold_back_but_not_what_is_confirmed(database: Database) -> None:
    with database.transaction() as session:
        lucia = admit(session, LUCIA).id
        confirmed, held = clinic(session, 2)
        books(session, confirmed, LUCIAS_CALL, lucia)
        booking.hold(session, held, LUCIAS_CALL, NOON)
        booking.release(session, LUCIAS_CALL)
        assert offered(session) == [held]
        with pytest.raises(SlotTaken):
            booking.hold(session, confirmed, WIREMUS_CALL, NOON)


@pytest.mark.covers("I2")
def test_confirming_twice_gives_the_same_appointment(database: Database) -> None:
    with database.transaction() as session:
        lucia = admit(session, LUCIA).id
        (slot,) = clinic(session)
        once = books(session, slot, LUCIAS_CALL, lucia).id
    with database.transaction() as session:
        assert booking.confirm(session, slot, LUCIAS_CALL, lucia, NOON + 9 * booking.HOLD, "ivr").id == once


@pytest.mark.covers("I2")
def test_confirming_twice_at_the_same_moment_gives_the_same_appointment(database: Database) -> None:
    with database.transaction() as session:
        lucia = admit(session, LUCIA).id
        slots = clinic(session, 10)
        for n, slot in enumerate(slots):
            booking.hold(session, slot, f"call-{n}", NOON)
    for n, slot in enumerate(slots):

        def press(session: Session, slot: UUID = slot, holder: str = f"call-{n}") -> UUID:
            return booking.confirm(session, slot, holder, lucia, NOON, "ivr").id

        results = at_once(database, press, press, press)
        assert len(set(results)) == 1, results
        assert isinstance(results[0], UUID), results


@pytest.mark.parametrize("holder", ["%", "n1-1._", "n1-1.%", "\\%", "n1-1.1/%"])
def test_a_holder_that_looks_like_a_pattern_is_nobody_elses(database: Database, holder: str) -> None:
    with database.transaction() as session:
        lucia = admit(session, LUCIA).id
        (slot,) = clinic(session)
        books(session, slot, LUCIAS_CALL, lucia)
        with pytest.raises(SlotTaken):
            booking.confirm(session, slot, holder, lucia, NOON, "ivr")


def test_another_patient_in_the_same_call_does_not_get_lucias_appointment(database: Database) -> None:
    with database.transaction() as session:
        lucia, wiremu = admit(session, LUCIA).id, admit(session, WIREMU).id
        (slot,) = clinic(session)
        books(session, slot, LUCIAS_CALL, lucia)
        with pytest.raises(SlotTaken):
            booking.confirm(session, slot, LUCIAS_CALL, wiremu, NOON, "ivr")


@pytest.mark.covers("H2")
def test_cancelled_and_booked_again_in_the_same_call(database: Database) -> None:
    with database.transaction() as session:
        lucia = admit(session, LUCIA).id
        (slot,) = clinic(session)
        first = books(session, slot, LUCIAS_CALL, lucia)
        assert booking.cancel(session, first.id, lucia, NOON)
        assert offered(session) == [slot]
        assert not booking.cancel(session, first.id, lucia, NOON), "it is cancelled already"
        again = books(session, slot, LUCIAS_CALL, lucia)
        assert again.id != first.id
        assert booking.confirm(session, slot, LUCIAS_CALL, lucia, NOON, "ivr").id == again.id


@pytest.mark.covers("H2")
def test_wiremu_cannot_cancel_lucias_appointment(database: Database) -> None:
    with database.transaction() as session:
        lucia, wiremu = admit(session, LUCIA).id, admit(session, WIREMU).id
        (slot,) = clinic(session)
        hers = books(session, slot, LUCIAS_CALL, lucia)
        assert not booking.cancel(session, hers.id, wiremu, NOON)
        assert not booking.cancel(session, uuid4(), wiremu, NOON)
        assert len(booking.appointments(session, lucia, NOON)) == 1


def test_a_suspended_clinic_is_neither_offered_nor_held_nor_confirmed(database: Database) -> None:
    with database.transaction() as session:
        lucia = admit(session, LUCIA).id
        held, free = clinic(session, 2)
        booking.hold(session, held, LUCIAS_CALL, NOON)
        session.execute(text("UPDATE slot SET state = 'withdrawn'"))
    with database.transaction() as session:
        assert offered(session) == []
        with pytest.raises(SlotTaken):
            booking.hold(session, free, LUCIAS_CALL, NOON)
        with pytest.raises(SlotTaken):
            booking.confirm(session, held, LUCIAS_CALL, lucia, NOON, "ivr")


def test_suspending_the_clinic_while_lucia_confirms(database: Database) -> None:
    """One of the two comes first; then the other knows it: no appointment is made in a clinic that was suspended."""
    with database.transaction() as session:
        lucia = admit(session, LUCIA).id
        slots = clinic(session, 20)
        for slot in slots:
            booking.hold(session, slot, LUCIAS_CALL, NOON)

    def suspend(session: Session, slot: UUID) -> int:
        session.execute(text("UPDATE slot SET state = 'withdrawn' WHERE id = :slot"), {"slot": slot})
        return len(session.scalars(select(Appointment.id).where(Appointment.slot_id == slot)).all())

    def press(session: Session, slot: UUID) -> int:
        booking.confirm(session, slot, LUCIAS_CALL, lucia, NOON, "ivr")
        return 1

    for slot in slots:
        suspended, confirmed = at_once(database, partial(suspend, slot=slot), partial(press, slot=slot))
        assert (suspended, confirmed if confirmed == 1 else type(confirmed)) in {(1, 1), (0, SlotTaken)}


def test_a_time_that_has_begun_is_gone(database: Database) -> None:
    with database.transaction() as session:
        lucia = admit(session, LUCIA).id
        (slot,) = clinic(session, first=NOON + timedelta(minutes=1))
        booking.hold(session, slot, LUCIAS_CALL, NOON)
        begun = NOON + timedelta(minutes=1)
        assert offered(session, begun) == []
        with pytest.raises(SlotTaken):
            booking.confirm(session, slot, LUCIAS_CALL, lucia, begun, "ivr")


@pytest.mark.covers("H4", "I2")
async def test_the_desk_confirms_and_tells_in_one_transaction(database: Database) -> None:
    with database.transaction() as session:
        lucia = admit(session, LUCIA).id
        first, second = clinic(session, 2)
    told: list[Booked] = []

    def tell(session: Session, booked: Booked, patient_id: UUID) -> None:
        if told:
            raise OSError("no room for the message")
        told.append(booked)

    desk = OwnDesk(database, confirmed=tell)
    for slot in (first, second):
        await desk.hold(slot, LUCIAS_CALL, NOON)
    booked = await desk.confirm(first, LUCIAS_CALL, lucia, NOON, "ivr")
    with pytest.raises(OSError, match="no room"):
        await desk.confirm(second, LUCIAS_CALL, lucia, NOON, "ivr")
    assert await desk.appointments(lucia, NOON) == told == [booked]
    assert (booked.doctor, booked.feminine, booked.department_names["es"]) == ("Vega", True, "cardiología")
    await desk.release(LUCIAS_CALL)
    assert [o.slot_id for o in await desk.openings("cardiology", NOON, after=NOON, limit=3)] == [second]
    assert await desk.cancel(booked.appointment_id, lucia, NOON)
    assert [d.name("mi") for d in await desk.departments()] == ["cardiology"]
