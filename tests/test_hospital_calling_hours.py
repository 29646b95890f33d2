"""When a patient may be called: on their clock, on ordinary days, on holidays, and on the two odd nights of a year."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hospital.calling_hours import ALWAYS, NEVER, PRESETS, Window, closes, first_allowed, may_call
from hospital.calling_rules import CallingPolicy, cap_ends, earliest

NEW_YORK, BOGOTA, SYDNEY = ZoneInfo("America/New_York"), ZoneInfo("America/Bogota"), ZoneInfo("Australia/Sydney")
ZONES = (
    "America/New_York",
    "America/Bogota",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Asia/Shanghai",
    "Africa/Cairo",
)
MINUTE = timedelta(minutes=1)
pytestmark = pytest.mark.covers("I4")


def local(text: str, zone: ZoneInfo, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("preset", "zone", "at", "opens"),
    [
        ("us", NEW_YORK, "2026-11-25 08:00", None),
        ("us", NEW_YORK, "2026-11-25 07:59", "2026-11-25 08:00"),
        ("us", NEW_YORK, "2026-11-25 20:59", None),
        ("us", NEW_YORK, "2026-11-25 21:00", "2026-11-26 08:00"),  # Thanksgiving is a day like others there
        ("us", NEW_YORK, "2026-11-29 12:00", None),  # a Sunday
        ("co", BOGOTA, "2026-11-25 06:59", "2026-11-25 07:00"),
        ("co", BOGOTA, "2026-11-25 19:00", "2026-11-26 07:00"),
        ("co", BOGOTA, "2026-11-28 14:59", None),  # a Saturday
        ("co", BOGOTA, "2026-11-28 15:00", "2026-11-30 07:00"),  # over the Sunday
        ("co", BOGOTA, "2026-11-29 12:00", "2026-11-30 07:00"),
        ("co", BOGOTA, "2026-12-08 12:00", "2026-12-09 07:00"),  # the Immaculate Conception, a Tuesday
        ("co", BOGOTA, "2026-12-24 20:00", "2026-12-26 08:00"),  # over Christmas, to a Saturday
        ("au", SYDNEY, "2026-11-25 20:30", "2026-11-26 09:00"),
        ("au", SYDNEY, "2026-11-28 17:00", "2026-11-29 09:00"),
        ("au", SYDNEY, "2026-12-25 12:00", "2026-12-27 09:00"),  # Christmas, Boxing Day, then a Sunday
        ("cn", ZoneInfo("Asia/Shanghai"), "2026-11-25 21:00", "2026-11-26 09:00"),
        ("nz", ZoneInfo("Pacific/Auckland"), "2026-11-25 20:00", "2026-11-26 09:00"),
    ],
)
def test_the_presets(preset: str, zone: ZoneInfo, at: str, opens: str | None) -> None:
    decision = may_call(local(at, zone), PRESETS[preset], zone)
    assert decision.allowed == (opens is None)
    assert decision.not_before == (local(opens, zone) if opens else None)
    assert decision.code == ("allowed" if opens is None else "outside_window")


def test_it_is_the_patients_clock_not_ours() -> None:
    at = local("2026-11-25 21:30", NEW_YORK)
    assert not may_call(at, PRESETS["us"], NEW_YORK).allowed
    assert may_call(at, PRESETS["us"], ZoneInfo("America/Los_Angeles")).allowed


def test_a_lunch_nap_is_free_of_calls() -> None:
    nap = Window((((time(9), time(12)), (time(15), time(20))),) * 7)
    assert may_call(local("2026-11-25 13:00", BOGOTA), nap, BOGOTA).not_before == local("2026-11-25 15:00", BOGOTA)
    assert closes(local("2026-11-25 11:59", BOGOTA), nap, BOGOTA) == local("2026-11-25 12:00", BOGOTA)


@pytest.mark.parametrize(
    ("evening", "morning_utc"),
    [
        ("2026-03-07 21:30", "2026-03-08T12:00+00:00"),  # the night is an hour shorter: 08:00 is UTC−4
        ("2026-10-31 21:30", "2026-11-01T13:00+00:00"),  # and an hour longer: UTC−5
    ],
)
def test_the_morning_after_the_clocks_change(evening: str, morning_utc: str) -> None:
    assert first_allowed(local(evening, NEW_YORK), PRESETS["us"], NEW_YORK) == datetime.fromisoformat(morning_utc)


def test_hours_that_a_night_skips_or_has_twice() -> None:
    """Nobody calls then; a site's own window may be written so all the same, and must not hang or dial early."""
    skipped = Window((((time(2, 15), time(2, 45)), (time(10), time(11))),) * 7)
    assert first_allowed(local("2026-03-08 01:50", NEW_YORK), skipped, NEW_YORK) == local("2026-03-08 10:00", NEW_YORK)
    into = Window((((time(1), time(2, 30)),),) * 7)
    assert closes(local("2026-03-08 01:30", NEW_YORK), into, NEW_YORK) == local("2026-03-08 03:00", NEW_YORK)
    twice = Window((((time(1, 45), time(2)),),) * 7)
    second = local("2026-11-01 01:10", NEW_YORK, fold=1)
    assert first_allowed(second, twice, NEW_YORK) == local("2026-11-01 01:45", NEW_YORK, fold=1)


def test_the_demo_may_always_call_and_a_window_that_never_opens_says_so() -> None:
    midnight = local("2026-11-26 00:00", BOGOTA)
    for at in (midnight - timedelta(microseconds=1), midnight, midnight + timedelta(hours=12)):
        assert may_call(at, ALWAYS, BOGOTA).allowed
        assert closes(at, ALWAYS, BOGOTA) - at >= timedelta(days=6)
    with pytest.raises(ValueError, match="never opens"):
        first_allowed(midnight, Window((NEVER,) * 7), BOGOTA)
    with pytest.raises(ValueError, match="not open"):
        closes(midnight, PRESETS["us"], BOGOTA)


clocks = st.times(min_value=time(6), max_value=time(22, 59)).map(lambda t: t.replace(second=0, microsecond=0))
days = st.lists(clocks, min_size=2, max_size=4, unique=True).map(
    lambda ts: tuple((a, b) for a, b in zip(*[iter(sorted(ts)[: len(ts) // 2 * 2])] * 2, strict=True))
)
windows = st.lists(days, min_size=7, max_size=7).map(lambda week: Window(tuple(week)))
instants = st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + minutes * MINUTE)


@settings(max_examples=150, deadline=None)
@given(at=instants, window=windows, zone=st.sampled_from(ZONES).map(ZoneInfo))
def test_the_first_allowed_instant_is_allowed_and_the_first(at: datetime, window: Window, zone: ZoneInfo) -> None:
    first = first_allowed(at, window, zone)
    assert first >= at
    assert may_call(first, window, zone).allowed
    assert (first == at) == may_call(at, window, zone).allowed
    between = at
    while between < first:
        assert not may_call(between, window, zone).allowed
        between += 11 * MINUTE
    end = closes(first, window, zone)
    assert end > first
    assert may_call(end - timedelta(microseconds=1), window, zone).allowed
    assert not may_call(end, window, zone).allowed


# ── How often ───────────────────────────────────────────────────────────────────────────────────────────────────────

POLICY = CallingPolicy(PRESETS["us"], NEW_YORK)


@pytest.mark.parametrize(
    ("contacts", "at", "free"),
    [
        ([], "2026-11-25 10:00", None),
        (["2026-11-25 09:00"], "2026-11-25 20:00", "2026-11-26"),
        (["2026-11-24 20:59"], "2026-11-25 08:00", None),  # another day, though eleven hours later
        (["2026-11-20 10:00", "2026-11-22 10:00", "2026-11-24 10:00"], "2026-11-25 10:00", "2026-11-27"),
        (["2026-11-18 10:00", "2026-11-22 10:00", "2026-11-24 10:00"], "2026-11-25 10:00", None),
        (["2026-11-20 10:00", "2026-11-22 10:00", "2026-11-25 10:00"], "2026-11-25 11:00", "2026-11-27"),
        (["2026-10-31 23:30"], "2026-11-01 00:30", None),
        (["2026-11-01 00:30"], "2026-11-01 23:59", "2026-11-02"),  # a day of twenty-five hours is one day
    ],
)
def test_one_call_a_day_and_three_a_week(contacts: list[str], at: str, free: str | None) -> None:
    rung = [local(contact, NEW_YORK) for contact in contacts]
    ends = cap_ends(rung, local(at, NEW_YORK), POLICY)
    assert ends == (local(f"{free} 00:00", NEW_YORK) if free else None)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 20 * 24 * 60), max_size=12), st.integers(1, 3), st.integers(1, 5))
def test_what_is_announced_is_allowed_when_it_comes(minutes_ago: list[int], a_day: int, a_week: int) -> None:
    at = local("2026-11-03 10:00", NEW_YORK)
    policy = CallingPolicy(PRESETS["us"], NEW_YORK, a_day, a_week)
    rung = [at - ago * MINUTE for ago in minutes_ago]
    when = earliest(at, rung, policy)
    assert may_call(when, policy.window, NEW_YORK).allowed
    assert cap_ends(rung, when, policy) is None
    assert (when == at) == (cap_ends(rung, at, policy) is None)


def test_the_demo_has_no_cap() -> None:
    at = local("2026-11-25 10:00", NEW_YORK)
    assert cap_ends([at] * 99, at, CallingPolicy(ALWAYS, NEW_YORK, None, None)) is None


def test_holidays_are_looked_up_for_the_day_not_for_today() -> None:
    new_year = local("2026-12-31 20:00", BOGOTA)
    assert first_allowed(new_year, PRESETS["co"], BOGOTA).astimezone(BOGOTA).date() == date(2027, 1, 2)
