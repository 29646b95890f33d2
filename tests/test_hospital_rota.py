"""The rota as rows: lines, shifts that never meet, days that are otherwise, swaps, and all of it in the chain."""

from datetime import date, datetime, time, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from hospital import audit, rota_records
from hospital.accounts import Account
from hospital.calendars import Calendar
from hospital.database import Database
from hospital.rota import Gap, Line, Turn
from hotline.on_call import GapWatch, told
from tests.hospital_scene import at_once, employ, listening
from tests.moments import NOON, ZONE

pytestmark = pytest.mark.covers("H33")
CALENDAR = Calendar(ZONE, "CO")
TODAY = date(2026, 11, 25)
TUESDAY = date(2026, 12, 1)
DAY = timedelta(days=1)


def staff(session: Session) -> dict[str, UUID]:
    roles = {"ana": "nurse", "ben": "nurse", "grace": "supervisor", "dora": "doctor", "oscar": "none"}
    return {name: employ(session, name, role).id for name, role in roles.items()}


def nights(session: Session, line_id: UUID, who: UUID, by: UUID, **other: object) -> UUID | Turn:
    about: dict[str, object] = {"line_id": line_id, "rank": 1, "account_id": who, "days": range(1, 9)}
    about |= {"starts": time(20), "ends": time(8), "first_day": TODAY, "last_day": None, "by": by, "at": NOON}
    return rota_records.add_shift(session, CALENDAR, **(about | other))  # type: ignore[arg-type]


def line(session: Session, by: UUID, ward: str = "") -> UUID:
    made = rota_records.open_line(session, "nurse", ward, None, by, NOON)
    assert made is not None
    return made


def who(session: Session, moment: datetime) -> list[UUID]:
    return [one.account_id for one in rota_records.load(session, CALENDAR).on_call("nurse", "surgery 2", moment)]


def night_of(day: date) -> datetime:
    return datetime.combine(day, time(23), tzinfo=ZONE)


def test_a_line_is_open_once_and_its_gaps_are_told_until_it_is_closed(database: Database) -> None:
    with database.transaction() as session:
        people = staff(session)
        grace = people["grace"]
        assert rota_records.open_line(session, "nurse", "  surgery \x00 2 ", people["ana"], grace, NOON) is not None
        assert rota_records.open_line(session, "nurse", "Surgery 2", None, grace, NOON) is None
        cardiology = rota_records.open_line(session, "nurse", "CARDIOLOGÍA", None, grace, NOON)
        assert cardiology is not None
        assert rota_records.open_line(session, "nurse", "Cardiología", None, grace, NOON) is None
        assert rota_records.close_line(session, cardiology, grace, NOON)
        (kept,) = rota_records.open_lines(session)
        assert (kept.line, kept.lead_id) == (Line("nurse", "surgery 2"), people["ana"])
        gaps = rota_records.load(session, CALENDAR).gaps(NOON, NOON + DAY)
        assert gaps == [Gap(Line("nurse", "surgery 2"), NOON, NOON + DAY)]
        assert rota_records.close_line(session, kept.id, grace, NOON)
        assert not rota_records.close_line(session, kept.id, grace, NOON)
        assert rota_records.load(session, CALENDAR).gaps(NOON, NOON + DAY) == []
        for role, ward, lead in (("barber", "", None), ("nurse", "x" * 61, None), ("nurse", "", people["oscar"])):
            with pytest.raises(ValueError, match=r"Choose|at most"):
                rota_records.open_line(session, role, ward, lead, grace, NOON)


def test_two_shifts_of_one_rank_never_meet(database: Database) -> None:
    with database.transaction() as session:
        people = staff(session)
        grace = people["grace"]
        of = line(session, grace)
        ana, ben = people["ana"], people["ben"]
        first = nights(session, of, ana, grace)
        met = nights(session, of, ben, grace, starts=time(7), ends=time(20))
        assert isinstance(met, Turn) and met.shift.id == first
        assert isinstance(nights(session, of, ben, grace, rank=2), UUID)
        assert isinstance(nights(session, of, ben, grace, starts=time(8), ends=time(20)), UUID)
        assert who(session, night_of(TODAY)) == [ana, ben]
        assert rota_records.load(session, CALENDAR).gaps(NOON, NOON + 7 * DAY) == []


def test_of_two_who_add_the_same_shift_at_once_one_is_told(database: Database) -> None:
    with database.transaction() as session:
        people = staff(session)
        of = line(session, people["grace"])
    added = at_once(database, *[lambda s: nights(s, of, people["ana"], people["grace"])] * 2)
    assert sorted(type(one).__name__ for one in added) == ["Turn", "UUID"], added


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"rank": 3}, "first or second"),
        ({"days": []}, "at least one day"),
        ({"days": [9]}, "at least one day"),
        ({"last_day": TODAY - DAY}, "before the first"),
        ({"first_day": TODAY - DAY}, "in the past"),
        ({"account_id": "oscar"}, "can be on call"),
    ],
)
def test_what_is_wrong_with_a_shift_is_said(database: Database, wrong: dict[str, object], told: str) -> None:
    with database.transaction() as session:
        people = staff(session)
        if "account_id" in wrong:
            wrong = {"account_id": people[str(wrong["account_id"])]}
        with pytest.raises(ValueError, match=told):
            nights(session, line(session, people["grace"]), people["ana"], people["grace"], **wrong)


def test_a_shift_ends_and_keeps_its_past(database: Database) -> None:
    with database.transaction() as session:
        people = staff(session)
        grace = people["grace"]
        made = nights(session, line(session, grace), people["ana"], grace)
        assert isinstance(made, UUID)
        assert rota_records.end_shift(session, made, TODAY, grace, NOON)
        assert not rota_records.end_shift(session, made, TODAY + DAY, grace, NOON), "it ended sooner"
        assert who(session, night_of(TODAY)) == [people["ana"]]
        assert who(session, night_of(TODAY + DAY)) == []


@pytest.mark.covers("I8")
def test_ana_takes_bens_tuesday_night_when_she_has_agreed(database: Database) -> None:
    with database.transaction() as session, listening(database) as heard:
        people = staff(session)
        ana, ben, grace = people["ana"], people["ben"], people["grace"]
        bens = nights(session, line(session, grace), ben, grace)
        assert isinstance(bens, UUID)
        asked = rota_records.ask_swap(session, CALENDAR, bens, TUESDAY, ana, ben, NOON)
        assert who(session, night_of(TUESDAY)) == [ben], "asked is not agreed"
        assert not rota_records.answer_swap(session, CALENDAR, asked, True, ben, NOON), "only who was asked agrees"
        assert rota_records.answer_swap(session, CALENDAR, asked, True, ana, NOON + timedelta(hours=1))
        assert not rota_records.answer_swap(session, CALENDAR, asked, True, ana, NOON)
        assert who(session, night_of(TUESDAY)) == [ana]
        assert who(session, night_of(TUESDAY + DAY)) == [ben]
        (kept,) = rota_records.swaps(session, TODAY)
        assert (kept.state, kept.asked_by, kept.decided_by) == ("agreed", ben, ana)
        assert kept.decided_at == NOON + timedelta(hours=1)
        rows = [(row.action, row.account_id) for row in audit.newest(session)]
        assert rows[:2] == [("rota.swap_agreed", ana), ("rota.swap_asked", ben)]
        assert audit.verify(session).sound
        session.commit()
        assert f"rota:{asked}" in heard()


def test_who_may_ask_for_a_swap_and_what_becomes_of_it(database: Database) -> None:
    with database.transaction() as session:
        people = staff(session)
        ana, ben, grace, dora = (people[name] for name in ("ana", "ben", "grace", "dora"))
        bens = nights(session, line(session, grace), ben, grace)
        assert isinstance(bens, UUID)
        for taker, by, day, told in (
            (ana, dora, TUESDAY, "somebody else's"),
            (ben, ben, TUESDAY, "somebody else to take"),
            (ben, grace, TUESDAY, "somebody else to take"),
            (people["oscar"], ben, TUESDAY, "can be on call"),
            (ana, ben, TODAY - DAY, "no such turn"),
        ):
            with pytest.raises(ValueError, match=told):
                rota_records.ask_swap(session, CALENDAR, bens, day, taker, by, NOON)
        declined = rota_records.ask_swap(session, CALENDAR, bens, TUESDAY, ana, grace, NOON)
        assert rota_records.answer_swap(session, CALENDAR, declined, False, ana, NOON)
        first = rota_records.ask_swap(session, CALENDAR, bens, TUESDAY, ana, ben, NOON)
        rota_records.ask_swap(session, CALENDAR, bens, TUESDAY, dora, ben, NOON)
        assert not rota_records.answer_swap(session, CALENDAR, first, True, ana, NOON), "somebody else was asked since"
        assert [one.state for one in rota_records.swaps(session, TODAY)] == ["declined", "asked"]
        (asked,) = [one for one in rota_records.swaps(session, TODAY) if one.state == "asked"]
        with pytest.raises(ValueError, match="no such turn"):
            rota_records.answer_swap(session, CALENDAR, asked.id, True, dora, NOON + 30 * DAY)


def test_a_supervisor_decides_that_one_day_is_otherwise(database: Database) -> None:
    with database.transaction() as session:
        people = staff(session)
        ana, ben, grace = people["ana"], people["ben"], people["grace"]
        bens = nights(session, line(session, grace), ben, grace)
        assert isinstance(bens, UUID)
        rota_records.decide_day(session, CALENDAR, bens, TUESDAY, ana, grace, NOON)
        assert who(session, night_of(TUESDAY)) == [ana]
        rota_records.decide_day(session, CALENDAR, bens, TUESDAY, None, grace, NOON)
        assert who(session, night_of(TUESDAY)) == []
        swap = rota_records.ask_swap(session, CALENDAR, bens, TUESDAY, ana, grace, NOON)
        assert rota_records.answer_swap(session, CALENDAR, swap, True, ana, NOON)
        assert who(session, night_of(TUESDAY)) == [ana], "what was agreed last counts"
        assert rota_records.as_planned(session, CALENDAR, bens, TUESDAY, grace, NOON)
        assert not rota_records.as_planned(session, CALENDAR, bens, TUESDAY, grace, NOON)
        assert who(session, night_of(TUESDAY)) == [ben]


def test_whose_account_is_closed_is_a_gap(database: Database) -> None:
    with database.transaction() as session:
        people = staff(session)
        nights(session, line(session, people["grace"]), people["ana"], people["grace"], starts=time(0), ends=time(0))
        assert rota_records.load(session, CALENDAR).gaps(night_of(TODAY), NOON + DAY) == []
        session.get_one(Account, people["ana"]).disabled_at = NOON
        session.flush()
        assert len(rota_records.load(session, CALENDAR).gaps(night_of(TODAY), NOON + DAY)) == 1


def test_the_command_line_reads_the_rota_or_says_that_it_cannot(database: Database) -> None:
    with database.transaction() as session:
        line(session, staff(session)["grace"])
    assert told(database, ZONE, "CO", NOON) == "NOBODY for nurse, any ward, now"
    nowhere = Database(database.url.replace("@/", "@/no_such_"))
    assert told(nowhere, ZONE, "CO", NOON) == "not known: the database does not answer"
    nowhere.close()


async def test_pages_are_told_when_a_gap_comes_near_by_itself(database: Database) -> None:
    now = NOON
    with database.transaction() as session:
        people = staff(session)
        of = line(session, people["grace"])
        nights(session, of, people["ana"], people["grace"], starts=time(0), ends=time(0), last_day=TODAY + 9 * DAY)
    watch = GapWatch(database, CALENDAR, lambda: now)
    with listening(database) as heard:
        told = []
        for days in range(6):
            now = NOON + days * DAY
            await watch.look()
            told.append("rota:gaps" in heard())
    assert told == [True, False, False, True, False, False], "the gap begins on the tenth day"
