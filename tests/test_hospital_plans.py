"""When a plan's contacts are due: holidays, make-up weekends, the patient's own clock, and who is meant."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital import clocks
from hospital.business_days import days_later, on_or_after
from hospital.calendars import Calendar, is_business_day
from hospital.plans import Event, Plan, Rule, Step, age, due
from hospital.zones import country_of, zone_of

pytestmark = pytest.mark.covers("H20", "H25")
BOGOTA = ZoneInfo("America/Bogota")
COLOMBIA, CHINA = Calendar(BOGOTA, "CO"), Calendar(ZoneInfo("Asia/Shanghai"), "CN")


def plan(*steps: Step) -> Plan:
    return Plan("p", {"en": "A plan"}, "discharge", Rule(), steps)


def days(steps: tuple[Step, ...], began: str, calendar: Calendar) -> list[str]:
    at = datetime.fromisoformat(began).replace(tzinfo=calendar.zone)
    return [
        f"{one.name} {one.due_at.astimezone(calendar.zone):%Y-%m-%d %H:%M}" for one in due(plan(*steps), at, calendar)
    ]


@pytest.mark.parametrize(
    ("began", "calendar", "expected"),
    [
        ("2026-11-23 11:00", COLOMBIA, "2026-11-26"),
        ("2026-11-25 23:59", COLOMBIA, "2026-11-30"),  # Saturday the 28th → Monday
        ("2026-12-05 11:00", COLOMBIA, "2026-12-09"),  # Tuesday 8 December is a holiday there
        ("2026-12-22 11:00", COLOMBIA, "2026-12-28"),  # Christmas is a Friday
        ("2026-02-11 11:00", CHINA, "2026-02-14"),  # a Saturday that makes up for the Spring Festival
        ("2026-02-13 11:00", CHINA, "2026-02-24"),  # the whole Spring Festival, 15 to 23 February
        ("2026-09-30 11:00", CHINA, "2026-10-08"),  # the National Day week
    ],
)
def test_due_on_a_business_day(began: str, calendar: Calendar, expected: str) -> None:
    assert days((Step("day-3", 3, "form"),), began, calendar) == [f"day-3 {expected} 09:00"]


def test_any_day_is_that_day_and_the_window_ends_with_a_local_day() -> None:
    step = Step("day-1", 1, "form", at=time(17, 30), business_days=False, within=2, within_business_days=False)
    (one,) = due(plan(step), datetime(2026, 11, 28, 3, 0, tzinfo=UTC), COLOMBIA)  # the 27th, 22:00 in Bogotá
    assert one.due_at == datetime(2026, 11, 28, 17, 30, tzinfo=BOGOTA)
    assert one.due_until == datetime(2026, 12, 1, tzinfo=BOGOTA)


def test_two_business_days_over_a_holiday_weekend() -> None:
    (one,) = due(plan(Step("a", 0, "form")), datetime(2026, 12, 24, 8, 0, tzinfo=BOGOTA), COLOMBIA)
    assert one.due_until == datetime(2026, 12, 30, tzinfo=BOGOTA)  # 24th, then 28th and 29th


def test_a_step_that_counts_from_another_and_one_that_recurs() -> None:
    steps = (
        Step("control", 7, "form", since="call"),
        Step("call", 3, "form"),
        Step("check", 28, "form", every=28, until=84, business_days=False),
    )
    assert days(steps, "2026-11-23 11:00", COLOMBIA) == [
        "control 2026-12-03 09:00",
        "call 2026-11-26 09:00",
        "check.1 2026-12-21 09:00",
        "check.2 2027-01-18 09:00",
        "check.3 2027-02-15 09:00",
    ]


@given(st.integers(0, 4 * 365 * 24), st.integers(0, 400), st.integers(0, 6))
def test_no_window_closes_before_it_opens_and_each_day_is_a_business_day(hour: int, after: int, within: int) -> None:
    at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
    for calendar in (COLOMBIA, CHINA, Calendar(ZoneInfo("Australia/Lord_Howe"), "AU"), Calendar(BOGOTA)):
        (one,) = due(plan(Step("s", after, "form", within=within)), at, calendar)
        assert one.due_until > one.due_at
        assert is_business_day(one.day, calendar.country)
        assert one.day >= at.astimezone(calendar.zone).date()


def test_business_days() -> None:
    assert not is_business_day(date(2026, 12, 8), "CO")
    assert is_business_day(date(2026, 12, 8), None)
    assert not is_business_day(date(2026, 12, 6), None)
    assert on_or_after(date(2026, 12, 5), "CO") == date(2026, 12, 7)
    assert days_later(date(2026, 12, 4), 2, "CO") == date(2026, 12, 9)
    assert days_later(date(2026, 12, 4), 0, "CO") == date(2026, 12, 4)
    assert is_business_day(date(2026, 12, 7), "QQ")  # a country that nobody knows


@pytest.mark.parametrize(
    ("rule", "admitted"),
    [
        (Rule(), True),
        (Rule(wards=frozenset({"cardiology"})), True),
        (Rule(wards=frozenset({"urology"})), False),
        (Rule(diagnoses=("I50", "I21")), True),
        (Rule(diagnoses=("I21",)), False),
        (Rule(ages=(65, 200)), True),
        (Rule(ages=(0, 64)), False),
        (Rule(studies=frozenset({"heart-1"})), False),
        (Rule(studies=frozenset({"heart-1", "heart-2026"})), True),
        (Rule(studies=frozenset({"HEART-2026"})), False),  # a study's name is its name
        (Rule(studies=frozenset({"heart-2026"}), wards=frozenset({"cardiology"}), ages=(65, 200)), True),
        (Rule(studies=frozenset({"heart-2026"}), wards=frozenset({"urology"})), False),
        (Rule(wards=frozenset({"cardiology"}), diagnoses=("I5",), ages=(70, 90)), True),
    ],
)
def test_who_is_enrolled_by_rule(rule: Rule, admitted: bool) -> None:
    at = datetime(2026, 11, 25, tzinfo=UTC)
    event = Event("discharge", at, ward="cardiology", diagnosis="i50.9", study="heart-2026", age=72)
    assert rule.admits(event) is admitted


def test_who_is_in_no_study_is_enrolled_by_none() -> None:
    assert not Rule(studies=frozenset({"heart-2026"})).admits(Event("discharge", datetime(2026, 11, 25, tzinfo=UTC)))


def test_whose_age_is_not_known_is_in_no_rule_of_ages() -> None:
    event = Event("discharge", datetime(2026, 11, 25, tzinfo=UTC))
    assert Rule().admits(event)
    assert not Rule(ages=(0, 150)).admits(event)


def test_a_leapling_is_a_year_older_on_the_first_of_march() -> None:
    born = date(1980, 2, 29)
    assert (age(born, date(2026, 2, 28)), age(born, date(2026, 3, 1)), age(None, date(2026, 3, 1))) == (45, 46, None)


@pytest.mark.parametrize(
    ("number", "zone", "country"),
    [
        ("+8613055550103", "Asia/Shanghai", "CN"),
        ("+12025550105", "America/New_York", "US"),
        ("+61491570156", "Australia/Adelaide", "AU"),
        ("+64215550102", "Pacific/Auckland", "NZ"),
        (None, "America/Bogota", "CO"),
        ("+999", "America/Bogota", "CO"),
    ],
)
def test_the_clock_of_a_number(number: str | None, zone: str, country: str) -> None:
    assert zone_of(number, BOGOTA).key == zone
    assert country_of(number, "CO") == country


def test_a_number_of_several_zones_is_the_sites_where_that_is_one() -> None:
    assert zone_of("+61491570156", ZoneInfo("Australia/Sydney")).key == "Australia/Sydney"


def test_a_weekend_that_is_worked_counts_for_the_clock_of_a_case_too() -> None:
    """China worked on Saturday 14 February 2026, before the Spring Festival."""
    friday = datetime(2026, 2, 13, 12, tzinfo=CHINA.zone)
    until = clocks.due("message", friday, clocks.Clocks(CHINA.zone, CHINA.country)).acknowledge_by
    assert until == datetime(2026, 2, 15, tzinfo=CHINA.zone)
