"""What a patient would like of a time, and in which order free times are offered by it."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital import booking
from hospital.booking import Doctor, Opening, Wish
from hospital.database import Database
from hospital.slots import Department, Slot
from hospital.wishes import part_of, rank, week
from tests.hospital_scene import clinic
from tests.moments import NOON, ZONE

pytestmark = pytest.mark.covers("H42")


def opening(days: int, hour: int, doctor: str = "Vega") -> Opening:
    local = NOON.astimezone(ZONE) + timedelta(days=days)
    return Opening(uuid4(), local.replace(hour=hour, minute=0), doctor, True, "cardiology", {})


def days_and_hours(openings: list[Opening]) -> list[tuple[int, int]]:
    first = NOON.astimezone(ZONE).date()
    return [((one.starts_at.date() - first).days, one.starts_at.hour) for one in openings]


TIMES = [opening(1, 9), opening(2, 15), opening(5, 16), opening(9, 14)]


@pytest.mark.parametrize(
    ("urgency", "prefers", "offered"),
    [
        ("routine", None, [(1, 9), (2, 15), (5, 16), (9, 14)]),
        ("routine", "morning", [(1, 9), (2, 15), (5, 16), (9, 14)]),
        ("routine", "afternoon", [(2, 15), (5, 16), (1, 9), (9, 14)]),  # a week is worth waiting for, no more
        ("soon", "afternoon", [(2, 15), (1, 9), (5, 16), (9, 14)]),
        ("urgent", "afternoon", [(1, 9), (2, 15), (5, 16), (9, 14)]),  # what is urgent is not put off
    ],
)
def test_the_more_urgent_the_less_a_preference_weighs(urgency, prefers, offered) -> None:
    assert days_and_hours(rank(reversed(TIMES), ZONE, urgency=urgency, prefers=prefers)) == offered


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(7, 19)), max_size=30), st.sampled_from(["morning", None]))
def test_every_time_is_offered_once_and_the_order_is_always_the_same(times, prefers) -> None:
    openings = [opening(days, hour, doctor) for days, hour in times for doctor in ("Molina", "Vega")]
    ranked = rank([*openings, *openings], ZONE, prefers=prefers)
    assert sorted(ranked, key=id) == sorted(openings, key=id)
    told = [(one.starts_at, one.doctor) for one in ranked]
    assert told == [(one.starts_at, one.doctor) for one in rank(ranked[::-1], ZONE, prefers=prefers)]


def test_the_week_is_the_sites_and_begins_on_monday() -> None:
    sunday_night = datetime(2026, 11, 30, 3, 0, tzinfo=NOON.tzinfo)  # still Sunday in Bogotá
    for at in (NOON, sunday_night):
        first, after = week(at, ZONE)
        assert (f"{first:%a %d %H:%M}", f"{after:%a %d %H:%M}") == ("Mon 23 00:00", "Mon 30 00:00")
        assert week(at, ZONE, 1)[0] == after


def test_noon_is_afternoon_where_the_site_is() -> None:
    assert part_of(NOON.replace(hour=17, minute=0), ZONE) == "afternoon"  # noon in Bogotá
    assert part_of(NOON.replace(hour=16, minute=59), ZONE) == "morning"


def test_a_wish_is_what_the_desk_looks_for(database: Database) -> None:
    with database.transaction() as session:
        clinic(session, 3, first=NOON + timedelta(days=1))  # Vega, tomorrow at 13:00
        department = session.query(Department).one()
        molina = Doctor(department_id=department.id, name="Molina")
        session.add(molina)
        session.flush()
        monday = NOON + timedelta(days=5, hours=-4)  # next week at 9:00
        session.add_all([Slot(doctor_id=molina.id, starts_at=at) for at in (NOON + timedelta(days=1), monday)])
        session.flush()
        this, following = week(NOON, ZONE), week(NOON, ZONE, 1)

        def found(wish: Wish) -> list[str]:
            rows = booking.openings(session, "cardiology", NOON, after=NOON, limit=9, wish=wish, zone=ZONE)
            return [f"{one.doctor} {one.starts_at.astimezone(ZONE):%a %H:%M}" for one in rows]

        assert found(Wish(doctor_id=molina.id)) == ["Molina Thu 13:00", "Molina Mon 09:00"]
        assert (
            found(Wish(part="morning")) == found(Wish(since=following[0], until=following[1])) == ["Molina Mon 09:00"]
        )
        assert len(found(Wish(since=this[0], until=this[1]))) == 4
        assert found(Wish(molina.id, "afternoon", *following)) == []
        assert [doctor.name for doctor in booking.doctors(session, "cardiology")] == ["Molina", "Vega"]


@pytest.mark.covers("H3", "I1")
def test_an_examination_in_two_rooms_is_offered_once_a_time_and_taken_twice(database: Database) -> None:
    with database.transaction() as session:
        xray = Department(code="xray", names={"en": "X-ray"}, kind="examination", preparation=["no_metal"])
        session.add(xray)
        session.flush()
        rooms = [Doctor(department_id=xray.id, name=name) for name in ("room 1", "room 2")]
        session.add_all(rooms)
        session.flush()
        later = NOON + timedelta(days=1)
        session.add_all([Slot(doctor_id=room.id, starts_at=later) for room in rooms])
        session.flush()
        for holder in ("one", "two"):
            (free,) = booking.openings(session, "xray", NOON, after=NOON, limit=9)
            booking.hold(session, free.slot_id, holder, NOON)
        assert booking.openings(session, "xray", NOON, after=NOON, limit=9) == []
        assert [one.code for one in booking.departments(session, "examination")] == ["xray"]
        assert booking.departments(session) == []
