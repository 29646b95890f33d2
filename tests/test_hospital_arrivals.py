"""The front desk and the waiting room: each step once, none that may not follow, and a place that is true."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import product
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hospital import arrivals, audit, booking, waiting_rooms
from hospital.audit import AuditRow
from hospital.booking import Appointment
from hospital.database import Database
from hospital.outbox import OutboxRow
from hospital.patients import Patient
from hospital.waiting_rooms import Ticket, WaitingRoom
from tests.characters import JOAO, LUCIA, MEI, PATIENTS, RUTH, WIREMU, Character
from tests.hospital_scene import admit, at_once, clinic, employ, listening
from tests.moments import NOON, ZONE

MINUTE = timedelta(minutes=1)
NINE = NOON - timedelta(hours=4)
"""Nine in the morning at the site."""


def booked(session: Session, *people: Character, first: datetime = NINE) -> list[UUID]:
    """Their appointments with Dr Vega from `first` on, twenty minutes apart."""
    slots = clinic(session, len(people), first=first)
    made = []
    for slot, person in zip(slots, people, strict=True):
        booking.hold(session, slot, person.sip, NINE - timedelta(days=1))
        patient = admit(session, person)
        made.append(booking.confirm(session, slot, person.sip, patient.id, NINE - timedelta(days=1), "ivr").id)
    return made


def states(session: Session) -> list[str]:
    rows = select(Appointment.state).join(booking.Slot, booking.Slot.id == Appointment.slot_id)
    return list(session.scalars(rows.order_by(booking.Slot.starts_at)))


def tom_of(session: Session) -> UUID:
    return employ(session, "tom", "agent").id


@pytest.mark.covers("H5")
def test_lucia_arrives_is_called_and_seen_and_each_step_is_audited(database: Database) -> None:
    with database.transaction() as session:
        tom, (hers,) = tom_of(session), booked(session, LUCIA)
    with listening(database) as heard:
        with database.transaction() as session:
            assert arrivals.arrive(session, hers, tom, NINE - 5 * MINUTE, ZONE) == 1
        with database.transaction() as session:
            assert arrivals.call_in(session, hers, tom, NINE)
        with database.transaction() as session:
            assert arrivals.seen(session, hers, tom, NINE + 15 * MINUTE)
        assert heard().count(f"waiting:{hers}") == 3
    with database.transaction() as session:
        row = session.get_one(Appointment, hers)
        assert (row.state, row.ticket) == ("seen", 1)
        assert (row.arrived_at, row.called_at, row.seen_at) == (NINE - 5 * MINUTE, NINE, NINE + 15 * MINUTE)
        written = list(session.scalars(select(AuditRow).order_by(AuditRow.seq)))
        assert [one.action for one in written] == ["visit.arrived", "visit.called", "visit.seen"]
        assert {(one.account_id, one.subject) for one in written} == {(tom, f"patient:{row.patient_id}")}
        assert {one.detail["appointment"] for one in written} == {str(hers)}
        assert audit.verify(session).sound


@pytest.mark.covers("H5")
def test_two_clerks_register_one_patient_once(database: Database) -> None:
    with database.transaction() as session:
        tom, (hers,) = tom_of(session), booked(session, LUCIA)
    press = partial(arrivals.arrive, appointment_id=hers, by=tom, at=NINE, zone=ZONE)
    told = at_once(database, *[press] * 4)
    assert sorted(map(str, told)) == ["1", "None", "None", "None"]
    with database.transaction() as session:
        assert session.scalars(select(OutboxRow.params)).all() == [{"ticket": 1, "n": 1}]
        assert session.scalars(select(WaitingRoom.tickets)).all() == [1]


@pytest.mark.covers("H5", "H40")
def test_five_who_arrive_at_one_moment_have_five_tickets(database: Database) -> None:
    with database.transaction() as session:
        tom, theirs = tom_of(session), booked(session, *PATIENTS)
    told = at_once(
        database, *(partial(arrivals.arrive, appointment_id=one, by=tom, at=NINE, zone=ZONE) for one in theirs)
    )
    assert sorted(told) == [1, 2, 3, 4, 5]  # type: ignore[type-var]


@pytest.mark.covers("H5")
def test_who_comes_on_another_day_does_not_arrive(database: Database) -> None:
    with database.transaction() as session:
        tom = tom_of(session)
        (tomorrow,) = booked(session, LUCIA, first=NINE + timedelta(days=1))
        assert arrivals.arrive(session, tomorrow, tom, NINE, ZONE) is None
        assert arrivals.arrive(session, uuid4(), tom, NINE, ZONE) is None
        assert states(session) == ["booked"]
        assert session.scalars(select(AuditRow)).all() == []


@pytest.mark.covers("H5")
def test_the_days_edge_is_the_sites(database: Database) -> None:
    """Half past eleven at night in Bogotá is the next day by UTC."""
    late = NINE + timedelta(hours=14, minutes=30)
    with database.transaction() as session:
        tom, (hers,) = tom_of(session), booked(session, LUCIA, first=late)
        assert [one.appointment_id for one in arrivals.today(session, NINE, ZONE)] == [hers]
        assert arrivals.today(session, NINE + timedelta(days=1), ZONE) == []
        assert arrivals.arrive(session, hers, tom, NINE, ZONE) == 1
        (room,) = session.scalars(select(WaitingRoom))
        assert room.day == NINE.astimezone(ZONE).date()


@pytest.mark.covers("H5")
def test_did_not_come_is_not_said_before_the_time(database: Database) -> None:
    with database.transaction() as session:
        tom, (hers,) = tom_of(session), booked(session, LUCIA)
        assert not arrivals.did_not_come(session, hers, tom, NINE - MINUTE)
        assert arrivals.did_not_come(session, hers, tom, NINE)
        assert states(session) == ["no_show"]
        assert arrivals.arrive(session, hers, tom, NINE + MINUTE, ZONE) is None, "first the slip is undone"
        assert arrivals.undo(session, hers, "no_show", tom, NINE + MINUTE, ZONE)
        assert arrivals.arrive(session, hers, tom, NINE + MINUTE, ZONE) == 1


@pytest.mark.covers("H5", "H40")
def test_who_was_called_and_is_not_there_may_come_back_and_waits_again(database: Database) -> None:
    with database.transaction() as session:
        tom, (hers,) = tom_of(session), booked(session, LUCIA)
        arrivals.arrive(session, hers, tom, NINE - 10 * MINUTE, ZONE)
        assert not arrivals.did_not_come(session, hers, tom, NINE), "who waits is there"
        arrivals.call_in(session, hers, tom, NINE)
        assert arrivals.did_not_come(session, hers, tom, NINE + MINUTE)
        assert arrivals.undo(session, hers, "no_show", tom, NINE + 2 * MINUTE, ZONE)
        (ticket,) = waiting_rooms.tickets(session, "cardiology", NINE, ZONE)
        assert (ticket.number, ticket.waits) == (1, True)


@pytest.mark.covers("H5")
def test_a_slip_goes_one_step_back_and_only_from_what_was_shown(database: Database) -> None:
    with database.transaction() as session:
        tom, (hers,) = tom_of(session), booked(session, LUCIA)
        arrivals.arrive(session, hers, tom, NINE, ZONE)
        arrivals.call_in(session, hers, tom, NINE)
        arrivals.seen(session, hers, tom, NINE)
        for shown in ("seen", "called", "arrived"):
            assert arrivals.undo(session, hers, shown, tom, NINE, ZONE)
            assert not arrivals.undo(session, hers, shown, tom, NINE, ZONE), "pressed twice"
        assert states(session) == ["booked"]
        assert arrivals.arrive(session, hers, tom, NINE, ZONE) == 2, "no number is given twice"
        messages = select(OutboxRow.params["ticket"].as_integer()).order_by(OutboxRow.once)
        assert session.scalars(messages).all() == [1, 2]
        assert not arrivals.undo(session, hers, "arrived", tom, NINE + timedelta(days=1), ZONE), "yesterday stays"


@pytest.mark.covers("H5")
def test_what_does_not_follow_is_refused(database: Database) -> None:
    with database.transaction() as session:
        tom, (hers,) = tom_of(session), booked(session, LUCIA)
        assert not arrivals.call_in(session, hers, tom, NINE)
        assert not arrivals.seen(session, hers, tom, NINE)
        assert not arrivals.undo(session, hers, "booked", tom, NINE, ZONE)
        row = session.get_one(Appointment, hers)
        assert booking.cancel(session, hers, row.patient_id, NINE - MINUTE)
        assert arrivals.arrive(session, hers, tom, NINE, ZONE) is None
        assert not arrivals.did_not_come(session, hers, tom, NINE)


@pytest.mark.covers("H5")
def test_who_has_arrived_can_not_be_cancelled_by_telephone(database: Database) -> None:
    with database.transaction() as session:
        tom, (hers,) = tom_of(session), booked(session, LUCIA, first=NINE + 30 * MINUTE)
        patient_id = session.get_one(Appointment, hers).patient_id
        arrivals.arrive(session, hers, tom, NINE, ZONE)
        assert not booking.cancel(session, hers, patient_id, NINE)
        assert states(session) == ["arrived"]


ALL = ("booked", "arrived", "seen", "no_show", "suspended", "cancelled")
LEGAL = {
    *(("booked", one) for one in ("arrived", "no_show", "suspended", "cancelled")),
    *(("arrived", one) for one in ("seen", "no_show", "booked")),
    *(("no_show", one) for one in ("booked", "arrived")),
    ("seen", "arrived"),
    *(("suspended", one) for one in ("cancelled", "booked")),
}
COLUMNS = {
    "arrived": "arrived_at = now(), room_id = :room, ticket = 1, seen_at = NULL, cancelled_at = NULL",
    "seen": "arrived_at = now(), room_id = :room, ticket = 1, seen_at = now(), cancelled_at = NULL",
    "cancelled": "arrived_at = NULL, room_id = NULL, ticket = NULL, seen_at = NULL, cancelled_at = now()",
}
BARE = "arrived_at = NULL, room_id = NULL, ticket = NULL, seen_at = NULL, cancelled_at = NULL"


def force(session: Session, appointment: UUID, state: str, room: UUID) -> None:
    """Rude, but with every column as the state needs it."""
    columns = COLUMNS.get(state, BARE)
    session.execute(
        text(f"UPDATE appointment SET state = :state, {columns} WHERE id = :id"),  # noqa: S608
        {"state": state, "room": room, "id": appointment},
    )


@pytest.mark.covers("H5")
@pytest.mark.parametrize(("before", "after"), [pair for pair in product(ALL, ALL) if pair[0] != pair[1]])
def test_the_table_itself_knows_what_may_follow(before: str, after: str, database: Database) -> None:
    ways = {"seen": ("arrived", "seen"), "booked": ()}
    with database.transaction() as session:
        (hers,) = booked(session, LUCIA)
        department = session.scalars(select(booking.Department.id)).one()
        room = WaitingRoom(department_id=department, day=NINE.date(), tickets=1)
        session.add(room)
        session.flush()
        for state in ways.get(before, (before,)):
            force(session, hers, state, room.id)
        place = room.id
    if (before, after) in LEGAL:
        with database.transaction() as session:
            force(session, hers, after, place)
            assert states(session) == [after]
    else:
        with pytest.raises(IntegrityError, match="does not go from"), database.transaction() as session:
            force(session, hers, after, place)


@pytest.mark.covers("H5")
@pytest.mark.parametrize(
    "rude",
    [
        "UPDATE appointment SET state = 'arrived'",
        "UPDATE appointment SET arrived_at = now()",
        "UPDATE appointment SET ticket = 7",
        "UPDATE appointment SET called_at = now()",
        "UPDATE appointment SET seen_at = now()",
        "INSERT INTO appointment (slot_id, patient_id, booked_via, confirmation, booked_at, state)"
        " SELECT slot_id, patient_id, 'desk', 'rude', now(), 'no_show' FROM appointment",
    ],
)
def test_the_table_refuses_half_an_arrival(rude: str, database: Database) -> None:
    with database.transaction() as session:
        booked(session, LUCIA)
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(text(rude))


@pytest.mark.covers("H40")
def test_the_table_gives_no_ticket_twice(database: Database) -> None:
    with database.transaction() as session:
        tom, (hers, his) = tom_of(session), booked(session, LUCIA, WIREMU)
        arrivals.arrive(session, hers, tom, NINE, ZONE)
        arrivals.arrive(session, his, tom, NINE, ZONE)
    with pytest.raises(IntegrityError, match="ticket"), database.transaction() as session:
        session.execute(text("UPDATE appointment SET ticket = 1"))


# ── The end of a clinic ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H5")
def test_after_the_clinic_who_has_not_come_did_not_come(database: Database) -> None:
    with database.transaction() as session:
        tom, theirs = tom_of(session), booked(session, LUCIA, WIREMU, MEI)
        arrivals.arrive(session, theirs[0], tom, NINE, ZONE)
        ended = NINE + 60 * MINUTE + arrivals.AFTER  # the last of three times of twenty minutes
        assert arrivals.end_clinics(session, ended - MINUTE, ZONE) == 0
        assert arrivals.end_clinics(session, ended, ZONE) == 2
        assert states(session) == ["arrived", "no_show", "no_show"], "who has arrived waits until somebody says more"
        assert arrivals.end_clinics(session, ended, ZONE) == 0
        missed = session.scalars(select(AuditRow).where(AuditRow.action == "visit.no_show")).all()
        assert [one.account_id for one in missed] == [None, None]


@pytest.mark.covers("H5")
def test_of_a_desk_that_nobody_uses_nothing_is_concluded(database: Database) -> None:
    with database.transaction() as session:
        booked(session, LUCIA, WIREMU)
        assert arrivals.end_clinics(session, NINE + timedelta(hours=8), ZONE) == 0
        assert states(session) == ["booked", "booked"]


# ── The place and the wait ──────────────────────────────────────────────────────────────────────────────────────────


def ticket(number: int, due: int, came: int, seen: int | None = None) -> Ticket:
    """Minutes after nine."""
    starts_at, arrived_at = NINE + due * MINUTE, NINE + came * MINUTE
    ids = (UUID(int=number), UUID(int=99), UUID(int=1))
    if seen is None:
        return Ticket(*ids, "Vega", {}, number, "arrived", starts_at, arrived_at, None, None)
    return Ticket(*ids, "Vega", {}, number, "seen", starts_at, arrived_at, None, NINE + seen * MINUTE)


THREE_SEEN = [ticket(1, 0, -5, 12), ticket(2, 20, 0, 24), ticket(3, 40, 5, 36)]
"""Twelve, four and twelve minutes: the second came in at its time, the third as soon as the doctor was free."""


@pytest.mark.covers("H40")
def test_who_comes_late_is_called_after_who_came_in_time() -> None:
    early, in_time, late = ticket(4, 60, -30), ticket(5, 40, 30), ticket(6, 0, 45)
    room = [early, in_time, late]
    assert [one.number for one in waiting_rooms.line(room, early.doctor_id)] == [5, 6, 4]
    assert waiting_rooms.line(room, UUID(int=2)) == []


@pytest.mark.covers("H40")
def test_the_wait_follows_from_the_days_own_pace() -> None:
    first, second = ticket(4, 30, 20), ticket(5, 35, 25)
    room = [*THREE_SEEN, first, second]
    at = NINE + 40 * MINUTE
    waits = [waiting_rooms.wait(one, room, at) for one in (first, second)]
    assert [(one.place, one.minutes) for one in waits] == [(1, 12), (2, 24)]


@pytest.mark.covers("H40")
def test_too_little_is_known_of_a_clinic_that_has_just_begun() -> None:
    waits = ticket(4, 30, 20)
    told = waiting_rooms.wait(waits, [*THREE_SEEN[:2], waits], NINE + 40 * MINUTE)
    assert (told.place, told.minutes) == (1, None)


@pytest.mark.covers("H40")
def test_nobody_is_told_a_time_before_their_appointments_nor_a_guess() -> None:
    soon, far = ticket(4, 80, 20), ticket(4, 180, 20)
    at = NINE + 40 * MINUTE
    assert waiting_rooms.wait(soon, [*THREE_SEEN, soon], at).minutes == 40
    assert waiting_rooms.wait(far, [*THREE_SEEN, far], at).minutes is None
    called = replace(soon, called_at=at)
    assert waiting_rooms.wait(called, [*THREE_SEEN, called], at) == waiting_rooms.Wait(called, 0, None)


@pytest.mark.covers("H40")
def test_the_screen_shows_numbers_and_no_names(database: Database) -> None:
    with database.transaction() as session:
        tom, theirs = tom_of(session), booked(session, *PATIENTS)
        for one in theirs:
            arrivals.arrive(session, one, tom, NINE - MINUTE, ZONE)
        arrivals.call_in(session, theirs[0], tom, NINE)
        (counter,) = waiting_rooms.counters(waiting_rooms.tickets(session, "cardiology", NINE, ZONE))
        assert counter == waiting_rooms.Counter("Vega", (1,), (2, 3, 4), 1)
        for one in theirs:
            arrivals.seen(session, one, tom, NINE)
        assert waiting_rooms.counters(waiting_rooms.tickets(session, "cardiology", NINE, ZONE)) == []
        assert waiting_rooms.tickets(session, "cardiology", NINE + timedelta(days=1), ZONE) == []


@pytest.mark.covers("H40")
def test_a_patient_waits_where_they_have_arrived(database: Database) -> None:
    with database.transaction() as session:
        tom, (hers, his) = tom_of(session), booked(session, LUCIA, WIREMU)
        arrivals.arrive(session, his, tom, NINE, ZONE)
        arrivals.arrive(session, hers, tom, NINE, ZONE)
        wiremu = session.get_one(Appointment, his).patient_id
        (wait,) = waiting_rooms.waits(session, wiremu, NINE, ZONE)
        assert (wait.ticket.number, wait.place, wait.minutes) == (1, 2, None), "Lucía's time is before his"
        assert waiting_rooms.waits(session, wiremu, NINE + timedelta(days=1), ZONE) == []
        arrivals.seen(session, his, tom, NINE)
        assert waiting_rooms.waits(session, wiremu, NINE, ZONE) == []


@pytest.mark.covers("H40")
def test_the_message_says_place_and_wait_and_nobody_without_a_number_gets_one(database: Database) -> None:
    with database.transaction() as session:
        tom, theirs = tom_of(session), booked(session, LUCIA, JOAO, MEI, RUTH)
        for n, one in enumerate(theirs[:3]):
            arrivals.arrive(session, one, tom, NINE - 5 * MINUTE, ZONE)
            arrivals.seen(session, one, tom, NINE + (20 * n + 10) * MINUTE)
        ruth = session.get_one(Appointment, theirs[3]).patient_id
        at = NINE + 60 * MINUTE
        arrivals.arrive(session, theirs[3], tom, at, ZONE)
        message = session.scalars(select(OutboxRow).where(OutboxRow.patient_id == ruth)).one()
        assert (message.key, message.locale) == ("waiting_ticket_minutes", "en")
        assert message.params == {"ticket": 4, "n": 1, "minutes": 10}
        arrivals.undo(session, theirs[3], "arrived", tom, at, ZONE)
        for number in session.get_one(Patient, ruth).numbers:
            number.safe_to_call = False
        assert arrivals.arrive(session, theirs[3], tom, at, ZONE) == 5
        assert len(session.scalars(select(OutboxRow).where(OutboxRow.patient_id == ruth)).all()) == 1
