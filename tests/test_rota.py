"""Who is on call when: shifts across midnight, holidays, the nights on which clocks change, single days, gaps."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from hospital.calendars import DAYS, HOLIDAY, Calendar
from hospital.rota import ANY_WARD, Gap, Line, Rota, Shift, uncovered
from hotline.on_call import of_rota

pytestmark = pytest.mark.covers("H33")
BOGOTA = Calendar(ZoneInfo("America/Bogota"), "CO")
MADRID = Calendar(ZoneInfo("Europe/Madrid"))  # clocks change on 29 March and 25 October 2026
ANA, BEN, DORA = uuid4(), uuid4(), uuid4()
NURSE, WARD_NURSE = Line("nurse"), Line("nurse", "surgery 2")
MONDAY = date(2026, 11, 23)
WEEK = timedelta(days=7)


def shift(
    who: UUID,
    hours: str,
    days: Iterable[int] = DAYS,
    *,
    line: Line = NURSE,
    rank: int = 1,
    first: date = date(2026, 1, 1),
    last: date | None = None,
) -> Shift:
    starts, ends = map(time.fromisoformat, hours.split("-"))
    return Shift(uuid4(), line, rank, who, frozenset(days), starts, ends, first, last)


def rota(*shifts: Shift, calendar: Calendar = BOGOTA, lines: tuple[Line, ...] = (NURSE,), **more: object) -> Rota:
    return Rota(calendar, lines, shifts, **more)  # type: ignore[arg-type]


def at(text: str, calendar: Calendar = BOGOTA) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=calendar.zone)


def who(found: Rota, moment: datetime, ward: str = "surgery 2", role: str = "nurse") -> list[UUID]:
    return [one.account_id for one in found.on_call(role, ward, moment)]


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    nights = rota(shift(ANA, "20:00-08:00", {1}), shift(BEN, "08:00-20:00", {1}))
    assert who(nights, at("2026-11-23 19:59")) == [BEN]
    assert who(nights, at("2026-11-23 20:00")) == [ANA]
    assert who(nights, at("2026-11-24 07:59")) == [ANA], "Tuesday morning is still Monday's night"
    assert who(nights, at("2026-11-24 08:00")) == []
    assert who(nights, at("2026-11-23 07:59")) == []


def test_the_same_hour_twice_is_a_whole_day() -> None:
    assert rota(shift(ANA, "08:00-08:00", {1})).turns(at("2026-11-23 12:00"), at("2026-11-23 13:00"))[0].ends == at(
        "2026-11-24 08:00"
    )
    assert rota(shift(ANA, "00:00-00:00")).gaps(at("2026-11-23 00:00"), at("2026-11-30 00:00")) == []


def test_the_wards_own_people_come_first_and_the_first_on_call_before_the_second() -> None:
    house = rota(
        shift(DORA, "00:00-00:00", line=Line("doctor")),
        shift(BEN, "00:00-00:00"),
        shift(ANA, "00:00-00:00", line=WARD_NURSE, rank=2),
        shift(BEN, "00:00-00:00", line=WARD_NURSE, rank=1, last=MONDAY),
        shift(DORA, "00:00-00:00", rank=2),
    )
    assert who(house, at("2026-11-23 12:00")) == [BEN, ANA, DORA], "nobody is asked twice"
    assert who(house, at("2026-11-25 12:00")) == [ANA, BEN, DORA]
    assert who(house, at("2026-11-25 12:00"), ward="paediatrics") == [BEN, DORA]
    assert who(house, at("2026-11-25 12:00"), role="doctor") == [DORA]
    assert [one.rank for one in house.on_call("nurse", ANY_WARD, at("2026-11-25 12:00"))] == [1, 2]


def test_wards_are_told_by_their_name_however_it_is_written() -> None:
    house = rota(shift(ANA, "00:00-00:00", line=WARD_NURSE), lines=(Line("nurse", "SURGERY 2"),))
    assert who(house, at("2026-11-25 12:00"), ward="Surgery 2") == [ANA]
    assert house.gaps(at("2026-11-25 12:00"), at("2026-11-26 12:00")) == []


def test_a_public_holiday_is_a_day_of_its_own() -> None:
    feast = at("2026-12-08 12:00")  # a Tuesday
    assert who(rota(shift(ANA, "08:00-20:00", range(1, 8))), feast) == []
    assert who(rota(shift(ANA, "08:00-20:00", {HOLIDAY})), feast) == [ANA]
    assert who(rota(shift(ANA, "08:00-20:00", {2}), calendar=Calendar(BOGOTA.zone)), feast) == [ANA]
    weekdays, feasts = shift(ANA, "08:00-20:00", range(1, 6)), shift(BEN, "08:00-20:00", {HOLIDAY})
    assert rota(weekdays).overlap(feasts) is None, "both may be first on call: they never meet"


@pytest.mark.parametrize(("evening", "hours"), [("2026-03-28", 7), ("2026-10-24", 9), ("2026-06-01", 8)])
def test_the_night_on_which_clocks_change_is_shorter_or_longer(evening: str, hours: int) -> None:
    night = shift(ANA, "23:00-07:00").turn(date.fromisoformat(evening), MADRID)
    assert night.ends - night.begins == timedelta(hours=hours)


@pytest.mark.parametrize("handover", ["01:30", "02:00", "02:30", "03:00", "03:30"])
@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_shifts_that_meet_by_the_clock_meet_on_the_night_of_the_change(day: str, handover: str) -> None:
    """At 02:30 in March there is no such time, in October there are two."""
    early, late = shift(ANA, f"20:00-{handover}"), shift(BEN, f"{handover}-20:00")
    both = rota(early, late, calendar=MADRID)
    midnight = at(f"{day} 00:00", MADRID).astimezone(UTC)
    assert both.gaps(midnight - timedelta(days=1), midnight + timedelta(days=2)) == []
    assert rota(early, calendar=MADRID).overlap(late) is None
    for minutes in range(0, 24 * 60, 10):
        assert len(who(both, midnight + timedelta(minutes=minutes))) == 1


def test_a_clock_time_that_is_jumped_over_is_the_moment_of_the_jump() -> None:
    jump = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    day = date(2026, 3, 29)
    assert [MADRID.instant(day, time(2, m)) for m in (0, 30, 59)] == [jump] * 3
    assert MADRID.instant(day, time(3)) == jump
    assert MADRID.instant(date(2026, 10, 25), time(2, 30)) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "the first"
    nothing = rota(shift(ANA, "02:10-02:50", first=day, last=day), calendar=MADRID)
    assert nothing.turns(jump - WEEK, jump + WEEK) == [], "a shift inside the hour that is missing takes no time"


def test_one_day_may_be_somebody_elses_or_nobodys() -> None:
    nights = shift(BEN, "20:00-08:00")
    tuesday, wednesday = date(2026, 11, 24), date(2026, 11, 25)
    changed = rota(nights, changes={(nights.id, tuesday): ANA, (nights.id, wednesday): None})
    assert who(changed, at("2026-11-24 02:00")) == [BEN]
    assert who(changed, at("2026-11-25 02:00")) == [ANA], "Ana has Ben's Tuesday night"
    assert who(changed, at("2026-11-26 02:00")) == []
    assert who(changed, at("2026-11-27 02:00")) == [BEN]
    assert changed.turn(nights, tuesday).changed and not changed.turn(nights, date(2026, 11, 26)).changed  # type: ignore[union-attr]
    assert who(rota(nights, gone=frozenset({BEN})), at("2026-11-25 02:00")) == [], "whose account is closed is nobody"


def test_gaps_are_told_for_each_line_with_any_wards_people_counted_in() -> None:
    since, until = at("2026-11-23 06:00"), at("2026-11-24 06:00")
    days = shift(ANA, "08:00-20:00", line=WARD_NURSE)
    lines = (NURSE, WARD_NURSE)
    assert rota(days, lines=lines).gaps(since, until) == [
        Gap(NURSE, since, until),
        Gap(WARD_NURSE, since, at("2026-11-23 08:00")),
        Gap(WARD_NURSE, at("2026-11-23 20:00"), until),
    ]
    night = shift(BEN, "19:00-08:30")
    assert rota(days, night, lines=lines).gaps(since, until) == [
        Gap(NURSE, at("2026-11-23 08:30"), at("2026-11-23 19:00"))
    ]
    second = shift(DORA, "00:00-00:00", rank=2)
    assert rota(second).gaps(since, until) == [], "somebody can be reached"
    assert rota(lines=(Line("doctor"),)).gaps(since, until) == [Gap(Line("doctor"), since, until)], "an empty line"
    assert rota(shift(ANA, "00:00-00:00", last=date(2026, 11, 22))).gaps(since, until) == [Gap(NURSE, since, until)]


def test_what_is_uncovered() -> None:
    hour = timedelta(hours=1)
    begin = at("2026-11-23 00:00")
    spans = [(begin + a * hour, begin + b * hour) for a, b in ((5, 7), (2, 4), (1, 3), (6, 6.5))]
    bare = [((a - begin) / hour, (b - begin) / hour) for a, b in uncovered(spans, begin, begin + 9 * hour)]
    assert bare == [(0, 1), (4, 5), (7, 9)]
    assert uncovered([(begin - hour, begin + WEEK)], begin, begin + hour) == []


@pytest.mark.parametrize(
    ("hours", "days", "meets"),
    [
        ("08:00-20:00", {1, 2}, True),
        ("20:00-08:00", {1, 2, 3, 4, 5, 6, 7, 8}, False),
        ("19:59-08:00", {5}, True),
        ("20:00-08:01", {7}, True),  # Sunday's night reaches into Monday
        ("20:00-08:01", {5}, False),  # Friday's does not: on Saturday there is no shift
        ("08:00-20:00", {6, 7}, False),
    ],
)
def test_two_shifts_of_one_rank_must_not_meet(hours: str, days: set[int], meets: bool) -> None:
    weekdays = rota(shift(ANA, "08:00-20:00", range(1, 6)), calendar=Calendar(BOGOTA.zone))
    assert (weekdays.overlap(shift(BEN, hours, days)) is not None) == meets
    assert weekdays.overlap(shift(BEN, hours, days, rank=2)) is None, "first and second on call may"
    assert weekdays.overlap(shift(BEN, hours, days, line=WARD_NURSE)) is None
    assert weekdays.overlap(shift(BEN, hours, days, first=date(2026, 1, 1), last=date(2025, 12, 31))) is None


def test_shifts_that_follow_one_another_by_their_days_do_not_meet() -> None:
    before = rota(shift(ANA, "20:00-08:00", last=MONDAY))
    assert before.overlap(shift(BEN, "20:00-08:00", first=MONDAY + timedelta(days=1))) is None
    assert before.overlap(shift(BEN, "20:00-08:00", first=MONDAY)) is not None
    assert before.overlap(shift(BEN, "07:00-20:00", first=MONDAY + timedelta(days=1))) is not None, "into the morning"


def test_the_command_line_tells_the_first_gap() -> None:
    now = at("2026-11-23 12:00")
    assert "the rota is empty" in of_rota(rota(lines=()), now)
    assert of_rota(rota(), now) == "NOBODY for nurse, any ward, now"
    assert of_rota(rota(shift(ANA, "00:00-00:00")), now) == "somebody for every line in the next seven days"
    days = shift(ANA, "08:00-20:00")
    assert of_rota(rota(days), now) == "NOBODY for nurse, any ward, from Mon 23 Nov 20:00, and 6 more gaps"
