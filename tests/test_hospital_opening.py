"""When people answer: hours, holidays, an emergency; a caller's place; who may be asked to rate a talk, and figures."""

from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from hospital import audit, calls, opening, ratings, waiting
from hospital.calling_hours import Window
from hospital.calls import Call
from hospital.clocks import Clocks, due
from hospital.database import Database
from hospital.opening import Hours, by_the_clock
from hospital.ratings import Figures, may_ask
from hospital.waiting import expected
from tests.characters import LUCIA, WIREMU
from tests.hospital_scene import admit, employ
from tests.moments import NOON, ZONE

OFFICE = Window((((time(8), time(12)), (time(14), time(18))),) * 5 + ((), ()), country="CO", on_holidays=False)
CLOCKS = Clocks(ZONE, "CO")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("moment", "why", "opens"),
    [
        ("2026-11-25 08:00", "", None),
        ("2026-11-25 11:59", "", None),
        ("2026-11-25 12:00", "after_hours", "2026-11-25 14:00"),  # lunch
        ("2026-11-25 18:00", "after_hours", "2026-11-26 08:00"),
        ("2026-11-28 10:00", "after_hours", "2026-11-30 08:00"),  # Saturday has no hours: that is no holiday
        ("2026-12-08 10:00", "holiday", "2026-12-09 08:00"),  # a public holiday
        ("2026-12-24 10:00", "holiday", "2026-12-28 08:00"),  # the site's own, then Christmas and a weekend
        ("2026-12-23 19:00", "after_hours", "2026-12-28 08:00"),
    ],
)
def test_what_the_hours_say(moment: str, why: str, opens: str | None) -> None:
    found = by_the_clock(at(moment), Hours(ZONE, OFFICE, frozenset({date(2026, 12, 24)})))
    assert (found.open, found.why) == (why == "", why)
    assert found.opens_at == (at(opens) if opens else None)


def test_hours_that_never_open_are_a_mistake() -> None:
    closed = frozenset(date(2026, 11, 25) + timedelta(days=n) for n in range(120))
    with pytest.raises(ValueError, match="never open"):
        by_the_clock(NOON, Hours(ZONE, OFFICE, closed))


@pytest.mark.covers("I8")
def test_one_closure_at_a_time_and_who_did_it_is_in_the_chain(database: Database) -> None:
    notices = {"es": "  Hay un corte\nde luz. ", "en": "There is a power cut."}
    with database.transaction() as session:
        grace = employ(session, "grace", "supervisor").id
        assert opening.close(session, grace, notices, NOON)
        assert not opening.close(session, grace, notices, NOON)
        found = opening.now_open(session, NOON, Hours(ZONE))
        assert (found.open, found.why, found.notices and found.notices["es"]) == (
            False,
            "emergency",
            "Hay un corte de luz.",
        )
        assert opening.reopen(session, grace, NOON)
        assert not opening.reopen(session, grace, NOON)
        assert opening.now_open(session, NOON, Hours(ZONE)).open
        assert [row.action for row in audit.newest(session)] == ["opening.reopened", "opening.closed"]
        for bad in ("", "x" * 301):
            with pytest.raises(ValueError, match="1 to 300 letters"):
                opening.close(session, grace, {"en": bad}, NOON)


def test_a_day_with_hours_of_its_own_counts_whatever_else_it_is() -> None:
    hours = Hours(
        ZONE,
        OFFICE,
        frozenset({date(2026, 11, 26)}),
        {
            date(2026, 12, 25): ((time(9), time(10)),),
            date(2026, 11, 27): (),
            date(2026, 11, 28): ((time(9), time.max),),
        },
    )
    assert by_the_clock(at("2026-12-25 09:30"), hours).open
    assert by_the_clock(at("2026-11-28 23:59"), hours).open
    closed = by_the_clock(at("2026-11-26 09:00"), hours)
    assert (closed.open, closed.why, closed.opens_at) == (False, "holiday", at("2026-11-28 09:00"))
    assert by_the_clock(at("2026-11-27 09:00"), hours).why == "holiday"
    assert [len(hours.of_day(date(2026, 11, day))) for day in (25, 26, 27, 28, 29)] == [2, 0, 0, 1, 0]


# ── Waiting ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def served(*waited: tuple[float, float]) -> list[tuple[datetime, datetime]]:
    """Callers by the minute in which they joined and the one in which they were answered."""
    return [(NOON + timedelta(minutes=joined), NOON + timedelta(minutes=answered)) for joined, answered in waited]


@pytest.mark.covers("H40")
@pytest.mark.parametrize(
    ("place", "lately", "minutes"),
    [
        (1, served(), None),
        (3, served((0, 1), (0, 2)), None),  # two answers tell nothing
        (1, served((0, 2), (0, 4), (0, 6)), 2),  # one after the other, two minutes each
        (3, served((0, 2), (0, 4), (0, 6)), 6),
        (1, served((0, 1), (40, 41), (80, 81)), 1),  # when nobody calls, nobody waits
        (2, served((0, 1), (0, 1.1), (0, 1.2)), 1),  # many answer: never less than a minute
        (1, served((0, 61), (0, 122), (0, 183)), None),  # beyond an hour it is a guess
        (7, served((0, 10), (0, 20), (0, 30)), None),
    ],
)
def test_a_wait_is_told_where_it_is_known(
    place: int, lately: list[tuple[datetime, datetime]], minutes: int | None
) -> None:
    assert expected(place, lately) == minutes
    assert expected(place, reversed(lately)) == minutes


@pytest.mark.covers("H40")
def test_the_place_counts_who_waits_in_this_queue(database: Database) -> None:
    with database.transaction() as session:
        for call_id, queue in (("n1-1", "reception"), ("n1-2", "nurses"), ("n1-3", "reception")):
            calls.begin(session, call_id, "n1", None, NOON)
            calls.queued(session, call_id, queue)
        calls.end(session, "n1-3", NOON, "abandoned")
        assert waiting.forecast(session, "reception", NOON).place == 2
        assert waiting.forecast(session, "reception", NOON, "n1-1").place == 1, "who comes back is not before itself"


@pytest.mark.covers("H40")
def test_who_asks_for_a_person_after_the_talk_is_the_last_of_the_line(database: Database) -> None:
    def at(minute: int) -> datetime:
        return NOON + timedelta(minutes=minute)

    with database.transaction() as session:
        for call_id, minute in (("n1-1", 0), ("n1-2", 5)):
            calls.begin(session, call_id, "n1", None, at(minute))
            calls.step(session, call_id, "queued", at(minute), queue="reception")
            calls.queued(session, call_id, "reception")
        answered = update(Call).where(Call.id == "n1-1").values(state="talking", answered_at=at(1))
        session.execute(answered)
        calls.end(session, "n1-1", at(9), "answered")
        assert waiting.forecast(session, "reception", at(10), "n1-1").place == 2
        calls.step(session, "n1-1", "transfer", at(10), queue="reception")
        calls.queued(session, "n1-1", "reception")
        again = session.get_one(Call, "n1-1", populate_existing=True)
        assert (again.state, again.outcome, again.ended_at) == ("queued", None, None)
        assert waiting.forecast(session, "reception", at(11), "n1-1").place == 2
        assert waiting.forecast(session, "reception", at(11), "n1-2").place == 1


# ── Ratings ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H29")
@pytest.mark.parametrize(
    ("answered", "opted_out", "last_asked", "code"),
    [
        (True, False, None, "allowed"),
        (False, False, None, "nobody_answered"),
        (True, True, None, "opted_out"),
        (True, False, NOON - timedelta(hours=12), "asked_today"),
        (True, False, NOON - timedelta(hours=14), "allowed"),  # yesterday, by the site's calendar
    ],
)
def test_who_may_be_asked(answered: bool, opted_out: bool, last_asked: datetime | None, code: str) -> None:
    about = {"answered": answered, "urgent": False, "opted_out": opted_out, "last_asked": last_asked}
    decision = may_ask(**about, at=NOON, zone=ZONE)
    assert (decision.allowed, decision.code) == (code == "allowed", code)


def talk(session: Session, call_id: str, number: str | None, queue: str = "reception", **columns: object) -> None:
    calls.begin(session, call_id, "n1", number, NOON)
    session.execute(update(Call).where(Call.id == call_id).values(answered_at=NOON, queue=queue, **columns))


@pytest.mark.covers("H29")
def test_a_patient_is_asked_once_a_day_from_whatever_telephone(database: Database) -> None:
    with database.transaction() as session:
        lucia = admit(session, LUCIA)
        talk(session, "n1-1", LUCIA.numbers[0], patient_id=lucia.id)
        talk(session, "n1-2", "+573015559999", patient_id=lucia.id)
        talk(session, "n1-3", None)
        assert ratings.ask(session, "n1-1", NOON, ZONE).allowed
        assert ratings.ask(session, "n1-1", NOON, ZONE).code == "asked_today"
        assert ratings.ask(session, "n1-2", NOON, ZONE).code == "asked_today"
        assert ratings.ask(session, "n1-3", NOON, ZONE).allowed, "a withheld number is nobody's"
        talk(session, "n1-4", "+573015558888", queue="urgent")
        assert ratings.ask(session, "n1-4", NOON, ZONE).code == "urgent"
        assert ratings.ask(session, "unknown", NOON, ZONE).code == "nobody_answered"
        lucia.opted_out = ["survey"]
        session.flush()
        tomorrow = NOON + timedelta(days=1)
        assert ratings.ask(session, "n1-2", tomorrow, ZONE).code == "opted_out"


@pytest.mark.covers("I4")
def test_nobody_is_asked_about_a_ward_for_whom_the_guardian_wants_no_surveys(database: Database) -> None:
    with database.transaction() as session:
        lucia, child = admit(session, LUCIA), admit(session, WIREMU)
        child.guardian_id = lucia.id
        talk(session, "n1-1", None, patient_id=child.id, proxy_id=lucia.id)
        talk(session, "n1-2", None, patient_id=child.id)
        talk(session, "n1-3", None, patient_id=child.id, proxy_id=lucia.id)
        child.guardian_declined = ["survey"]
        session.flush()
        assert ratings.ask(session, "n1-1", NOON, ZONE).code == "opted_out"
        assert ratings.ask(session, "n1-2", NOON, ZONE).allowed, "of the patient's own call the guardian says nothing"
        tomorrow = NOON + timedelta(days=1)
        child.guardian_declined, lucia.opted_out = [], ["survey"]
        session.flush()
        assert ratings.ask(session, "n1-1", tomorrow, ZONE).code == "opted_out", "who calls wants none at all"
        lucia.opted_out = []
        session.flush()
        assert ratings.ask(session, "n1-3", tomorrow, ZONE).allowed


@pytest.mark.covers("H29")
def test_figures_say_of_how_many(database: Database) -> None:
    with database.transaction() as session:
        for n in range(8):
            talk(session, f"n1-{n}", f"+5730155501{n:02}")
        talk(session, "n1-other", None, queue="nurses")
        for n in range(6):
            assert ratings.ask(session, f"n1-{n}", NOON, ZONE).allowed
        clock = due("rating", NOON, CLOCKS)
        for n, score in enumerate((5, 4, 2, 5)):
            assert ratings.rate(session, f"n1-{n}", score, NOON, clock)
        assert not ratings.rate(session, "n1-0", 1, NOON, clock), "the first answer stands"
        assert not ratings.rate(session, "n1-7", 1, NOON, clock), "nobody asked"
        since, until = ratings.last_days(NOON, 7, ZONE)
        nurses, reception = ratings.figures(session, since, until)
        assert nurses == Figures("nurses", talks=1, asked=0, answered=0, low=0, mean=None)
        assert nurses.answer_rate is None
        assert reception == Figures("reception", talks=8, asked=6, answered=4, low=1, mean=None)
        assert ratings.rate(session, "n1-4", 4, NOON, clock)
        (_, enough) = ratings.figures(session, since, until)
        assert (enough.answered, enough.mean) == (5, 4.0)
        assert ratings.figures(session, until, until + timedelta(days=1)) == []
