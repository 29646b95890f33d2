"""What follows from a line result or a contact result, as a nurse would have it; pure, row by row."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hospital.calling_hours import PRESETS
from hospital.outcome_rules import SHIPPED, Rule
from hospital.outcomes import (
    CONTACT_RESULTS,
    LINE_RESULTS,
    Done,
    Next,
    Standing,
    Stop,
    ToNurse,
    TryAgain,
    after_contact,
    after_line,
    counts,
)

ZONE = ZoneInfo("America/New_York")
US = PRESETS["us"]
pytestmark = pytest.mark.covers("H14", "H18")


def local(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=ZONE).astimezone(UTC)


HALF_AN_HOUR = timedelta(minutes=30)
TEN, EVENING, LATE = local("25 10:00"), local("25 18:30"), local("25 20:59")
TOMORROW_EVENING, TOMORROW_MORNING = local("26 18:10"), local("26 09:40")


def standing(tries: int, rank: int = 1, usable: tuple[int, ...] = (1, 2)) -> Standing:
    return Standing(tries, 3, rank, usable)


FIRST, ONLY, SECOND_NUMBER, LAST = standing(1), standing(1, 1, (1,)), standing(1, 2), standing(3)


@pytest.mark.parametrize(
    ("result", "at", "stands", "next_step"),
    [
        # The phone rang out: the other time of day, the other number.
        ("no_answer", TEN, FIRST, (TOMORROW_EVENING, 2)),
        ("no_answer", EVENING, FIRST, (TOMORROW_MORNING, 2)),
        ("no_answer", TEN, ONLY, (TOMORROW_EVENING, 1)),
        ("no_answer", TEN, SECOND_NUMBER, (TOMORROW_EVENING, 1)),
        ("no_answer", TEN, LAST, "not_reached"),
        ("rejected", TEN, FIRST, (TOMORROW_EVENING, 2)),
        ("rejected", TEN, LAST, "not_reached"),
        ("machine", TEN, FIRST, (TOMORROW_EVENING, 2)),
        ("fax", TEN, FIRST, (TOMORROW_EVENING, 2)),
        # Busy: soon again, but the last try is for another day; and never after the window.
        ("busy", TEN, FIRST, (TEN + timedelta(minutes=30), 1)),
        ("busy", LATE, FIRST, (local("26 08:00"), 1)),
        ("busy", TEN, standing(2), (TOMORROW_EVENING, 2)),
        ("busy", TEN, LAST, "not_reached"),
        # Off, or no coverage.
        ("unreachable", TEN, FIRST, (TEN + timedelta(hours=2), 2)),
        ("unreachable", TEN, ONLY, (TEN + timedelta(hours=2), 1)),
        ("unreachable", EVENING + timedelta(hours=2), FIRST, (local("26 08:00"), 2)),
        # "No such number": the next one in a moment; all of them said so: tomorrow, for carriers err.
        ("invalid_number", TEN, standing(0), (TEN + timedelta(minutes=5), 2)),
        ("invalid_number", TEN, standing(0, 2), (TOMORROW_EVENING, 1)),
        ("invalid_number", TEN, standing(0, 1, (1,)), (TOMORROW_EVENING, 1)),
        ("invalid_number", TEN, standing(0, 1, (2,)), (TEN + timedelta(minutes=5), 2)),
        ("invalid_number", TEN, standing(0, 1, ()), "no_usable_number"),
        # Ours, not the patient's: never the end of the task.
        ("network_failure", TEN, FIRST, (TEN + timedelta(minutes=10), 1)),
        ("network_failure", TEN, LAST, (TEN + timedelta(minutes=10), 1)),
        ("network_failure", LATE, FIRST, (local("26 08:00"), 1)),
        # A number that fails alone is left for the next, and one day for good.
        ("network_failure", TEN, replace(FIRST, alone=2), (TEN + timedelta(minutes=10), 1)),
        ("network_failure", TEN, replace(FIRST, alone=3), (TEN + timedelta(minutes=10), 2)),
        ("network_failure", TEN, replace(ONLY, alone=11), (TEN + timedelta(minutes=10), 1)),
        ("network_failure", TEN, replace(FIRST, alone=12), "not_reached"),
        # One that our trunk may not dial is left at once (it is no usable rank any more).
        ("not_allowed", TEN, standing(0, 1, (2,)), (TEN + timedelta(minutes=1), 2)),
        ("not_allowed", TEN, standing(2, 2, (1,)), (TEN + timedelta(minutes=1), 1)),
        ("not_allowed", TEN, standing(0, 1, ()), "no_usable_number"),
        ("cancelled", TEN, FIRST, (TEN, 1)),
        ("cancelled", TEN, LAST, (TEN, 1)),
        ("cancelled", local("25 21:00"), FIRST, (local("26 08:00"), 1)),
    ],
)
def test_nobody_answered(result: str, at: datetime, stands: Standing, next_step: tuple[datetime, int] | str) -> None:
    judge(after_line(result, stands, at, US, ZONE), next_step)


@pytest.mark.parametrize(
    ("result", "stands", "call_at", "next_step"),
    [
        ("completed", FIRST, None, "done"),
        ("completed", LAST, None, "done"),
        ("partial", FIRST, None, (TOMORROW_EVENING, 1)),
        ("partial", LAST, None, "partly_answered"),
        ("refused", FIRST, None, "refused"),
        ("moved", FIRST, None, "moved"),
        ("deceased", FIRST, None, "reported_deceased"),
        # They asked for it: at their time, within the window, also after the last try.
        ("call_later", FIRST, local("25 16:00"), (local("25 16:00"), 1)),
        ("call_later", LAST, local("25 16:00"), (local("25 16:00"), 1)),
        ("call_later", FIRST, None, (TEN + timedelta(hours=2), 1)),
        ("call_later", FIRST, local("25 23:00"), (local("26 08:00"), 1)),
        ("call_later", FIRST, local("24 16:00"), (TEN, 1)),
        # That number is somebody else's (it is not usable any more): the next one, or the end.
        ("wrong_person", standing(1, 1, (2,)), None, (TEN + timedelta(minutes=5), 2)),
        ("wrong_person", standing(1, 2, (1,)), None, (TEN + timedelta(minutes=5), 1)),
        ("wrong_person", standing(1, 1, ()), None, "no_usable_number"),
        ("wrong_person", standing(3, 1, (2,)), None, "not_reached"),
        ("carer_answered", FIRST, None, (TOMORROW_EVENING, 1)),
        ("carer_answered", LAST, None, "not_reached"),
        ("left_message", FIRST, None, (TOMORROW_EVENING, 1)),
        ("left_message", LAST, None, "not_reached"),
        # Silence is not a refusal.
        ("hung_up", FIRST, None, (TOMORROW_EVENING, 1)),
        ("hung_up", LAST, None, "not_reached"),
        ("language_not_served", FIRST, None, (TOMORROW_EVENING, 1)),
        ("language_not_served", LAST, None, "language_not_served"),
    ],
)
def test_somebody_answered(
    result: str, stands: Standing, call_at: datetime | None, next_step: tuple[datetime, int] | str
) -> None:
    judge(after_contact(result, stands, TEN, US, ZONE, call_at), next_step)


def judge(step: Next, expected: tuple[datetime, int | str] | str) -> None:
    """Fails where another step comes next."""
    match step:
        case TryAgain(at, rank, _):
            assert (at, rank) == expected
        case ToNurse(at):
            assert (at, "nurse") == expected
        case Stop(reason):
            assert reason == expected
        case Done():
            assert expected == "done"
        case _:
            pytest.fail(f"{step} is no step that anybody knows")


def test_every_result_has_a_next_step_inside_the_window() -> None:
    for at in (TEN, LATE, local("25 03:00")):
        steps = [after_line(result, FIRST, at, US, ZONE) for result in LINE_RESULTS - {"answered"}]
        steps += [after_contact(result, FIRST, at, US, ZONE) for result in CONTACT_RESULTS]
        for step in steps:
            if isinstance(step, TryAgain):
                assert step.at >= at
                assert 8 <= step.at.astimezone(ZONE).hour < 21


@pytest.mark.parametrize(
    ("result", "without_ringing", "rang"),
    [
        ("answered", True, True),
        ("busy", True, True),  # many carriers report a refusal as busy
        ("rejected", True, True),
        ("machine", True, True),
        ("no_answer", False, True),
        ("fax", False, True),
        ("cancelled", False, True),
        ("invalid_number", False, True),
        ("unreachable", False, True),
        ("network_failure", False, False),  # a trunk's failure is ours
        ("not_allowed", False, False),
    ],
)
def test_an_attempt_counts_only_if_the_phone_rang(result: str, without_ringing: bool, rang: bool) -> None:
    assert (counts(result, False), counts(result, True)) == (without_ringing, rang)
    assert result in LINE_RESULTS


AUTOMATIC = replace(FIRST, automatic=True)


@pytest.mark.parametrize(
    ("rule", "stands", "next_step"),
    [
        (Rule("same_number", timedelta(hours=1)), FIRST, (TEN + timedelta(hours=1), 1)),
        (Rule("other_number", timedelta(hours=1)), FIRST, (TEN + timedelta(hours=1), 2)),
        (Rule("other_number"), FIRST, (TOMORROW_EVENING, 2)),
        (Rule("same_number", timedelta(hours=12)), FIRST, (local("26 08:00"), 1)),  # never outside the window
        (Rule("same_number", timedelta(hours=1), last_try_another_time=True), standing(2), (TOMORROW_EVENING, 2)),
        (Rule("same_number", timedelta(hours=1)), LAST, "not_reached"),
        (Rule("same_number", timedelta(hours=1)), replace(FIRST, dials=12), "not_reached"),  # whatever rang
        (Rule("same_number", timedelta(hours=1)), replace(FIRST, hurry=timedelta(minutes=30)), (TEN + HALF_AN_HOUR, 1)),
        (Rule("other_channel"), FIRST, "not_reached"),  # and on by the next channel, where the task has one
        (Rule("close"), FIRST, "not_reached"),
        (Rule("nurse"), AUTOMATIC, (TEN, "nurse")),
        (Rule("nurse"), replace(AUTOMATIC, tries=3), (TEN, "nurse")),  # a machine's last try is a nurse's first
        (Rule("nurse"), FIRST, (TEN, "nurse")),
        (Rule("nurse"), LAST, "not_reached"),
    ],
)
def test_each_step_that_a_hospital_may_choose(rule: Rule, stands: Standing, next_step: Any) -> None:
    rules = replace(SHIPPED, line=SHIPPED.line | {"no_answer": rule})
    judge(after_line("no_answer", stands, TEN, US, ZONE, rules), next_step)


def test_who_asked_for_a_time_is_called_by_a_nurse_then() -> None:
    rules = replace(SHIPPED, contact=SHIPPED.contact | {"call_later": Rule("nurse")})
    at_four = local("25 16:00")
    judge(after_contact("call_later", AUTOMATIC, TEN, US, ZONE, at_four, rules), (at_four, "nurse"))
    judge(after_contact("call_later", FIRST, TEN, US, ZONE, at_four, rules), (at_four, 1))


@pytest.mark.parametrize("result", ["completed", "refused", "deceased"])
def test_no_edition_calls_who_is_done_or_has_refused_or_died(result: str) -> None:
    rules = replace(SHIPPED, contact=dict.fromkeys(SHIPPED.contact, Rule("same_number", timedelta(minutes=5))))
    assert not isinstance(after_contact(result, FIRST, TEN, US, ZONE, None, rules), TryAgain | ToNurse)


def test_a_line_that_fails_again_and_again_waits_longer_up_to_an_hour() -> None:
    waits = [after_line("network_failure", replace(FIRST, failures=n), TEN, US, ZONE) for n in range(5)]
    assert [(step.at - TEN) // timedelta(minutes=1) for step in waits if isinstance(step, TryAgain)] == [
        10,
        20,
        40,
        60,
        60,
    ]


def test_who_is_abandoned_again_and_again_is_not_called_for_ever() -> None:
    often = replace(LAST, dials=SHIPPED.most_dials - 1)
    judge(after_contact("abandoned", often, TEN, US, ZONE), (TOMORROW_EVENING, 1))
    judge(after_contact("abandoned", replace(LAST, dials=SHIPPED.most_dials), TEN, US, ZONE), "not_reached")
