"""Lucía's card on Tom's page while his phone rings; on nobody else's, and its clinical part after two identifiers."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from hospital import calls, patients, screen_pops
from hospital.calls import Call
from hospital.database import Database
from hospital.patients import PhoneNumber
from hospital.screen_pops import ScreenPop
from tests.characters import LUCIA, MEI, RUTH
from tests.hospital_scene import admit, at_once, employ, listening
from tests.moments import NOON

CALL, LEG = "n1-1764093600.7", "PJSIP/tom-00000001"
MINUTE = timedelta(minutes=1)


def rings(session: Session, account_id: UUID, call_id: str = CALL, leg: str = LEG, number: str | None = None) -> UUID:
    calls.begin(session, call_id, "n1", number or LUCIA.numbers[0], NOON)
    calls.queued(session, call_id, "reception")
    return screen_pops.pop(session, call_id, account_id, leg, NOON)


@pytest.mark.covers("H15", "I9")
def test_only_the_ringing_agent_sees_the_card(database: Database) -> None:
    with database.transaction() as session:
        lucia = admit(session, LUCIA)
        tom, ana = employ(session, "tom", "agent").id, employ(session, "ana", "nurse").id
    with listening(database) as heard:
        with database.transaction() as session:
            made = rings(session, tom)
            assert rings(session, tom) == made, "told twice, one card"
            assert heard() == [], "no page is told of what may yet be rolled back"
        assert f"screen_pop:{made}" in heard()
    with database.transaction() as session:
        (card,) = screen_pops.pops_of(session, tom)
        assert (card.id, card.patient_id, card.ticked, card.state) == (made, lucia.id, [], "ringing")
        assert screen_pops.pops_of(session, ana) == []
        assert not screen_pops.tick(session, made, ana, "name", True)
        assert not screen_pops.choose_patient(session, made, ana, lucia.id)
        assert session.get_one(ScreenPop, made).ticked == []


@pytest.mark.covers("I9")
def test_a_card_that_rang_out_is_no_longer_his(database: Database) -> None:
    with database.transaction() as session:
        lucia = admit(session, LUCIA)
        tom, ana = employ(session, "tom", "agent").id, employ(session, "ana", "nurse").id
        missed = rings(session, tom)
        assert screen_pops.pop_moved(session, CALL, LEG, "missed", NOON)
        rings(session, ana, leg="PJSIP/ana-1")
        session.expire_all()
        assert screen_pops.pops_of(session, tom) == []
        assert not screen_pops.tick(session, missed, tom, "name", True)
        assert not screen_pops.choose_patient(session, missed, tom, lucia.id)
        assert [p.channel for p in screen_pops.pops_of(session, ana)] == ["PJSIP/ana-1"]


@pytest.mark.covers("I10")
@pytest.mark.parametrize(
    ("moves", "allowed", "call"),
    [
        (["answered", "ended"], [True, True], "talking"),
        (["missed", "answered"], [True, False], "queued"),
        (["missed", "ended"], [True, False], "queued"),
        (["answered", "answered"], [True, False], "talking"),
        (["answered", "missed"], [True, False], "talking"),
        (["ended", "answered"], [True, False], "queued"),
    ],
)
def test_a_card_moves_as_the_table_says(database: Database, moves: list[str], allowed: list[bool], call: str) -> None:
    with database.transaction() as session:
        rings(session, employ(session, "tom", "agent").id)
        assert [screen_pops.pop_moved(session, CALL, LEG, state, NOON) for state in moves] == allowed
        assert session.get_one(Call, CALL, populate_existing=True).state == call
        assert not screen_pops.pop_moved(session, CALL, "PJSIP/other", "answered", NOON)


@pytest.mark.covers("I10")
def test_a_talk_that_a_crash_left_open_does_not_block_the_next(database: Database) -> None:
    with database.transaction() as session:
        tom, ana = employ(session, "tom", "agent").id, employ(session, "ana", "nurse").id
        old = rings(session, tom)
        screen_pops.pop_moved(session, CALL, LEG, "answered", NOON)
        rings(session, ana, "n1-8", "PJSIP/ana-1")
        screen_pops.pop_moved(session, "n1-8", "PJSIP/ana-1", "answered", NOON)
    # The core process died; Tom's phone did not. His next call:
    with database.transaction() as session:
        rings(session, tom, "n1-9", "PJSIP/tom-2")
        assert screen_pops.pop_moved(session, "n1-9", "PJSIP/tom-2", "answered", NOON + MINUTE)
    with database.transaction() as session:
        left = session.get_one(ScreenPop, old)
        assert (left.state, left.ended_at) == ("ended", NOON + MINUTE)
        assert [(p.call_id, p.state) for p in screen_pops.pops_of(session, tom)] == [("n1-9", "answered")]
        assert [(p.call_id, p.state) for p in screen_pops.pops_of(session, ana)] == [("n1-8", "answered")]
        assert not screen_pops.pop_moved(session, "n1-9", "PJSIP/tom-2", "answered", NOON), "told twice"
        assert [p.state for p in screen_pops.pops_of(session, tom)] == ["answered"], "and that ended nothing"


@pytest.mark.covers("I10")
def test_a_page_and_the_switchboard_answer_at_the_same_moment(database: Database) -> None:
    with database.transaction() as session:
        rings(session, employ(session, "tom", "agent").id)
    results = at_once(database, *[lambda s: screen_pops.pop_moved(s, CALL, LEG, "answered", NOON)] * 4)
    assert sorted(map(str, results)) == ["False"] * 3 + ["True"]


@pytest.mark.covers("H51", "I9")
def test_the_clinical_part_opens_at_two_identifiers(database: Database) -> None:
    with database.transaction() as session:
        admit(session, LUCIA)
        tom = employ(session, "tom", "agent").id
        card = rings(session, tom)
        screen_pops.pop_moved(session, CALL, LEG, "answered", NOON)
        assert not screen_pops.tick(session, card, tom, "name", True)
        assert not screen_pops.tick(session, card, tom, "name", True), "the same one twice is one"
        assert screen_pops.tick(session, card, tom, "birth_date", True)
        assert not screen_pops.tick(session, card, tom, "name", False), "a wrong tick is taken back"
        with pytest.raises(ValueError, match="identifies nobody"):
            screen_pops.tick(session, card, tom, "nice voice", True)


@pytest.mark.covers("H15", "I9")
def test_tom_chooses_between_the_patients_of_a_number(database: Database) -> None:
    with database.transaction() as session:
        lucia, ruth, mei = admit(session, LUCIA), admit(session, RUTH), admit(session, MEI)
        number = LUCIA.numbers[0]
        ruth.numbers.append(PhoneNumber(rank=3, number=number, token=patients.number_token(number), owner="carer"))
        tom = employ(session, "tom", "agent").id
        card = rings(session, tom)
        assert session.get_one(ScreenPop, card).patient_id is None, "two may be calling: nobody is chosen for him"
        assert not screen_pops.tick(session, card, tom, "name", True), "first: whom?"
        assert not screen_pops.choose_patient(session, card, tom, mei.id), "she has nothing to do with this number"
        assert not screen_pops.choose_patient(session, card, tom, uuid4())
        assert screen_pops.choose_patient(session, card, tom, lucia.id)
        screen_pops.tick(session, card, tom, "name", True)
        screen_pops.tick(session, card, tom, "birth_date", True)
        assert screen_pops.choose_patient(session, card, tom, ruth.id)
        assert session.get_one(ScreenPop, card).ticked == [], "what was ticked was Lucía's"


@pytest.mark.covers("H15")
def test_who_was_recognised_by_the_ivr_is_on_the_card(database: Database) -> None:
    with database.transaction() as session:
        lucia = admit(session, LUCIA)
        tom = employ(session, "tom", "agent").id
        calls.begin(session, CALL, "n1", None, NOON)
        calls.update_call(session, CALL, patient_id=lucia.id, identified_by=["record", "birth_date"])
        session.expire_all()
        card = screen_pops.pop(session, CALL, tom, LEG, NOON)
        assert session.get_one(ScreenPop, card).patient_id == lucia.id


def test_the_last_call_stays_on_the_page_until_the_next_rings(database: Database) -> None:
    with database.transaction() as session:
        tom = employ(session, "tom", "agent").id
        rings(session, tom)
        screen_pops.pop_moved(session, CALL, LEG, "answered", NOON)
        screen_pops.pop_moved(session, CALL, LEG, "ended", NOON + MINUTE)
        session.expire_all()
        assert [p.state for p in screen_pops.pops_of(session, tom)] == ["ended"]
        rings(session, tom, "n1-9", "PJSIP/tom-2")
        assert [p.call_id for p in screen_pops.pops_of(session, tom)] == ["n1-9"]


def test_the_first_to_answer_is_written_down(database: Database) -> None:
    """Tom hands her on to Ana: the caller's wait ended with Tom."""
    with database.transaction() as session:
        tom, ana = employ(session, "tom", "agent").id, employ(session, "ana", "nurse").id
        rings(session, tom)
        screen_pops.pop_moved(session, CALL, LEG, "answered", NOON)
        rings(session, ana, leg="PJSIP/ana-1")
        screen_pops.pop_moved(session, CALL, "PJSIP/ana-1", "answered", NOON + MINUTE)
        call = session.get_one(Call, CALL, populate_existing=True)
        assert (call.answered_by, call.answered_at) == (tom, NOON)


@pytest.mark.covers("I5")
def test_a_call_ends_once_and_its_journal_is_in_order(database: Database) -> None:
    with database.transaction() as session:
        calls.begin(session, CALL, "n1", LUCIA.numbers[0], NOON)
        calls.begin(session, CALL, "n1", None, NOON)  # AMI saw it too, and knows less
        assert session.get_one(Call, CALL).number == LUCIA.numbers[0]
    writers = at_once(
        database, *[lambda s, n=n: calls.step(s, CALL, "chose", NOON, menu="main", key=str(n)) for n in range(8)]
    )
    assert writers == [None] * 8
    assert sorted(map(str, at_once(database, *[lambda s: calls.end(s, CALL, NOON, "done")] * 4))) == ["False"] * 3 + [
        "True"
    ]
    with database.transaction() as session:
        assert [step.seq for step in calls.journal(session, CALL)] == [*range(1, 9)]
        assert not calls.end(session, CALL, NOON + MINUTE, "abandoned")
        calls.queued(session, CALL, "nurses")
        call = session.get_one(Call, CALL)
        assert (call.state, call.outcome, call.ended_at, call.queue) == ("ended", "done", NOON, None)
        with pytest.raises(ValueError, match="state is not set this way"):
            calls.update_call(session, CALL, state="talking")
