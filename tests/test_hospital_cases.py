"""Cases have one owner and clocks; a voice becomes a case when it is sealed; a red flag ends when somebody answers."""

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import audit, calls, cases, recordings, screen_pops
from hospital.cases import Case, Teller
from hospital.clocks import Clocks, due, standing
from hospital.database import Database
from hospital.outbox import OutboxRow
from tests.characters import LUCIA
from tests.hospital_scene import at_once, employ
from tests.moments import NOON, ZONE

CLOCKS = Clocks(ZONE, "CO")
NUMBER = LUCIA.numbers[0]
pytestmark = pytest.mark.covers("H30", "H35")


def local(at: datetime | None) -> str:
    return at.astimezone(ZONE).strftime("%a %d %b %H:%M") if at else "never"


# ── Clocks ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "acknowledge", "decide"),
    [
        ("red_flag", "Wed 25 Nov 13:05", "never"),
        ("message", "Fri 27 Nov 00:00", "never"),  # the end of Thursday
        ("thanks", "Thu 03 Dec 00:00", "never"),
        # five working days, then ten: the 8th of December is a holiday in Colombia
        ("complaint", "Thu 03 Dec 00:00", "Fri 18 Dec 00:00"),
        ("rating", "Thu 03 Dec 00:00", "Fri 18 Dec 00:00"),
    ],
)
def test_until_when_a_case_is_due(kind: str, acknowledge: str, decide: str) -> None:
    clock = due(kind, NOON, CLOCKS)
    assert (local(clock.acknowledge_by), local(clock.decide_by)) == (acknowledge, decide)


def test_a_kind_without_a_clock_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no clock"):
        due("gossip", NOON, CLOCKS)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1)), st.integers(1, 30))  # noqa: DTZ001
def test_a_clock_never_ends_on_a_day_off_nor_early(day: datetime, days: int) -> None:
    at = day.replace(tzinfo=ZONE)
    end = due("message", at, Clocks(ZONE, "CO", message_days=days)).acknowledge_by.astimezone(ZONE)
    last = end - timedelta(seconds=1)
    assert last.weekday() < 5
    assert end - at >= timedelta(days=days)
    assert (end.hour, end.minute) == (0, 0)


def test_how_a_clock_stands() -> None:
    until = NOON + timedelta(days=4)
    assert standing(NOON, until, NOON) == "in_time"
    assert standing(NOON, until, NOON + timedelta(days=3)) == "due_soon"
    assert standing(NOON, until, until) == "overdue"


# ── Cases ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def tells(session: Session, call_id: str = "n1-1", kind: str = "complaint", caller: str | None = NUMBER) -> UUID:
    """The recording of a voice, still open."""
    calls.begin(session, call_id, "n1", caller, NOON)
    recording_id = recordings.open_for(session, call_id=call_id, at=NOON, kind="message")
    assert recording_id is not None
    cases.draft(session, kind, recording_id, Teller(call_id, caller, None, "es"), NOON, due(kind, NOON, CLOCKS))
    return recording_id


def seals(session: Session, recording_id: UUID) -> None:
    sealed = {"path": f"{recording_id}.hlr", "seconds": 5.0, "sha256": "0" * 64, "wrapped_key": b"key"}
    recordings.sealed(session, recording_id, at=NOON, **sealed)  # type: ignore[arg-type]


def flags(session: Session, call_id: str = "n1-1") -> UUID:
    calls.begin(session, call_id, "n1", NUMBER, NOON)
    clock = due("red_flag", NOON, CLOCKS)
    return cases.open_case(session, "red_flag", f"red_flag/{call_id}", Teller(call_id, NUMBER), NOON, clock, "chest")


def test_a_voice_is_a_case_when_it_is_sealed_and_its_number_is_sent_once(database: Database) -> None:
    with database.transaction() as session:
        voice = tells(session)
        assert cases.of_recording(session, voice) is None
        assert cases.standing_open(session, frozenset({"complaint"})) == []
        seals(session, voice)
        case = cases.of_recording(session, voice)
        assert case is not None
        assert (case.state, case.number, case.caller) == ("open", 10001, NUMBER)
        seals(session, voice)
        (message,) = session.scalars(select(OutboxRow))
        assert (message.key, message.locale, message.params) == ("case_opened", "es", {"case": "10001"})


def test_who_withholds_the_number_gets_no_message_and_a_case(database: Database) -> None:
    with database.transaction() as session:
        voice = tells(session, caller=None)
        seals(session, voice)
        assert cases.of_recording(session, voice) is not None
        assert list(session.scalars(select(OutboxRow))) == []


def test_a_lost_voice_is_no_case_until_it_turns_up(database: Database) -> None:
    with database.transaction() as session:
        voice = tells(session)
        recordings.lost(session, voice, "no_audio", NOON)
        assert [case.state for case in session.scalars(select(Case))] == ["void"]
        seals(session, voice)
        assert cases.of_recording(session, voice) is not None


@pytest.mark.covers("H33")
def test_red_flags_stand_first_then_the_earliest_clock(database: Database) -> None:
    with database.transaction() as session:
        seals(session, tells(session, "n1-1", "complaint"))
        seals(session, tells(session, "n1-2", "message"))
        flags(session, "n1-3")
        kinds = frozenset({"complaint", "message", "red_flag"})
        assert [case.kind for case in cases.standing_open(session, kinds)] == ["red_flag", "message", "complaint"]
        assert [case.kind for case in cases.standing_open(session, frozenset({"message"}))] == ["message"]


def test_ones_own_stand_before_others_and_what_is_due_first_before_the_rest(database: Database) -> None:
    """However many there are: what does not fit falls off at the end."""
    with database.transaction() as session:
        tom = employ(session, "tom", "agent").id
        for n, kind in enumerate(("message", "complaint", "complaint", "message"), 1):
            seals(session, tells(session, f"n1-{n}", kind))
        kinds = frozenset({"complaint", "message"})
        numbers = {one.number: one.id for one in session.scalars(select(Case))}
        cases.own(session, numbers[10003], tom, NOON, CLOCKS)
        cases.own(session, numbers[10004], employ(session, "grace", "supervisor").id, NOON, CLOCKS)
        shown = [one.number for one in cases.standing_open(session, kinds, tom)]
        assert shown == [10003, 10001, 10004, 10002], "a message that somebody has is still due"
        assert [one.number for one in cases.standing_open(session, kinds, tom, 1)] == [10003]
        assert cases.how_many_open(session, kinds) == 4


@pytest.mark.covers("H33")
def test_an_agent_who_answers_owns_the_red_flag_of_that_call_only(database: Database) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        mine, other = flags(session, "n1-1"), flags(session, "n1-2")
        assert flags(session, "n1-1") == mine, "written once, however often it is told"
        screen_pops.pop(session, "n1-1", ana, "PJSIP/ana", NOON)
        assert screen_pops.pop_moved(session, "n1-1", "PJSIP/ana", "answered", NOON)
    with database.transaction() as session:
        answered, waiting = session.get_one(Case, mine), session.get_one(Case, other)
        assert (answered.state, answered.owner_id, answered.acknowledged_at) == ("owned", ana, NOON)
        assert waiting.state == "open"
        with pytest.raises(ValueError, match="with words"):
            cases.close(session, mine, ana, "reached", NOON)
        assert cases.close(session, mine, ana, "reached", NOON, "Her daughter is with her.")
        assert [note.text for note in cases.notes(session, mine)] == ["Her daughter is with her."]
        cases.answered(session, "n1-2", None, NOON)
        session.refresh(waiting)
        assert (waiting.state, waiting.outcome) == ("closed", "answered"), "on the fixed phone nobody could close it"


def test_one_owner_and_only_the_owner_writes_and_closes(database: Database) -> None:
    with database.transaction() as session:
        tom, grace = employ(session, "tom", "agent").id, employ(session, "grace", "supervisor").id
        voice = tells(session)
        seals(session, voice)
        case = cases.of_recording(session, voice)
        assert case is not None
        case_id = case.id
    taken = at_once(database, *(partial(cases.own, case_id=case_id, account_id=a, at=NOON) for a in (tom, grace)))
    assert sorted(taken) == [False, True]
    owner, other = (tom, grace) if taken[0] else (grace, tom)
    with database.transaction() as session:
        assert not cases.note(session, case_id, other, "mine", NOON)
        assert not cases.close(session, case_id, other, "upheld", NOON)
        assert cases.note(session, case_id, owner, "Spoke with the ward.", NOON)
        with pytest.raises(ValueError, match="no outcome of a complaint"):
            cases.close(session, case_id, owner, "emergency_sent", NOON)
        assert cases.give_back(session, case_id, owner, NOON, "On leave from tomorrow.")
        assert cases.own(session, case_id, other, NOON + timedelta(days=1))
        with pytest.raises(ValueError, match="with words"):
            cases.close(session, case_id, other, "upheld", NOON + timedelta(days=2))
        assert cases.close(session, case_id, other, "upheld", NOON + timedelta(days=2), "The ward says sorry.")
        assert not cases.note(session, case_id, owner, "mine", NOON + timedelta(days=2))
        assert cases.note(session, case_id, other, "They rang.", NOON + timedelta(days=3))
        assert cases.note(session, case_id, owner, "So they did.", NOON + timedelta(days=3), supervises=True)
    with database.transaction() as session:
        closed = session.get_one(Case, case_id)
        assert closed.acknowledged_at == NOON, "the first owner acknowledged it"
        assert closed.standing(NOON) == "closed"
        written = [note.text for note in cases.notes(session, case_id)]
        assert written[:3] == ["Spoke with the ward.", "On leave from tomorrow.", "The ward says sorry."]
        assert written[3:] == ["They rang.", "So they did."]
        chain = [(row.action, row.account_id) for row in reversed(audit.of_subject(session, f"case:{case_id}"))]
        assert chain == [
            ("case.taken", owner), ("case.given_back", owner), ("case.taken", other), ("case.closed", other)
        ]  # fmt: skip
        assert sorted(m.key for m in session.scalars(select(OutboxRow))) == ["case_closed", "case_opened"]


def test_the_second_clock_runs_once_it_is_acknowledged(database: Database) -> None:
    with database.transaction() as session:
        tom = employ(session, "tom", "agent").id
        voice = tells(session)
        seals(session, voice)
        case = cases.of_recording(session, voice)
        assert case is not None
        after = case.acknowledge_by
        assert case.standing(after) == "overdue"
        cases.own(session, case.id, tom, NOON)
        session.refresh(case)
        assert case.runs_until() == case.decide_by
        assert case.standing(after) == "in_time"


@pytest.mark.parametrize(
    ("taken", "decide"),
    [
        (timedelta(), "Fri 11 Dec 00:00"),  # ten working days from then; the 8th of December is a holiday
        (timedelta(days=7), "Fri 18 Dec 00:00"),  # on the last day of its first clock
        (timedelta(days=12), "Fri 18 Dec 00:00"),  # too late: that gives nobody more time
    ],
)
def test_a_complaint_is_decided_within_ten_working_days_of_when_it_was_acknowledged(
    database: Database, taken: timedelta, decide: str
) -> None:
    with database.transaction() as session:
        tom, grace = employ(session, "tom", "agent").id, employ(session, "grace", "supervisor").id
        voice = tells(session)
        seals(session, voice)
        case = cases.of_recording(session, voice)
        assert case is not None
        assert cases.own(session, case.id, tom, NOON + taken, CLOCKS)
        session.refresh(case)
        assert local(case.decide_by) == decide
        assert cases.give_back(session, case.id, tom, NOON + taken)
        assert cases.own(session, case.id, grace, NOON + timedelta(days=13), CLOCKS)
        session.refresh(case)
        assert local(case.decide_by) == decide, "once, whoever has it afterwards"


def test_what_is_to_be_decided_is_never_due_before_it_is_to_be_taken(database: Database) -> None:
    quick = Clocks(ZONE, "CO", acknowledge_days=5, decide_days=1)
    with database.transaction() as session:
        tom = employ(session, "tom", "agent").id
        clock = due("complaint", NOON, quick)
        made = cases.open_case(session, "complaint", "complaint/1", Teller("", NUMBER), NOON, clock, "")
        assert cases.own(session, made, tom, NOON, quick)
        assert session.get_one(Case, made).decide_by == clock.acknowledge_by


def test_what_is_being_written_is_left_alone_by_the_sweep_until_the_call_is_over(database: Database) -> None:
    with database.transaction() as session:
        voice = tells(session)
        assert recordings.being_written(session) == {voice}
        calls.end(session, "n1-1", NOON, "left")
        assert recordings.being_written(session) == set()
