"""Whoever was not served is called back: one owned item for each number, until somebody has spoken with them."""

from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from hospital import callbacks, calls, screen_pops
from hospital.callbacks import Asked, Callback
from hospital.database import Database
from tests.characters import LUCIA, RUTH, WIREMU
from tests.hospital_scene import admit, at_once, employ
from tests.moments import NOON

NUMBER = LUCIA.numbers[0]
pytestmark = pytest.mark.covers("H1")


def asks(session: Session, origin: str, number: str = NUMBER) -> Asked:
    return callbacks.ask(session, origin=origin, number=number, why="abandoned", at=NOON)


def answers(session: Session, call_id: str, number: str | None, account_id: UUID) -> None:
    calls.begin(session, call_id, "n1", number, NOON)
    screen_pops.pop(session, call_id, account_id, f"PJSIP/{call_id}", NOON)
    assert screen_pops.pop_moved(session, call_id, f"PJSIP/{call_id}", "answered", NOON)


def test_lucia_gives_up_twice_and_is_called_back_once(database: Database) -> None:
    with database.transaction() as session:
        lucia = admit(session, LUCIA)
        first, again, wiremu = asks(session, "n1-1"), asks(session, "n1-2"), asks(session, "n1-3", WIREMU.numbers[0])
        assert (first.new, again.new, wiremu.new) == (True, False, True)
        assert again.callback_id == first.callback_id
        kept = session.get_one(Callback, first.callback_id)
        assert (kept.number, kept.patient_id, kept.language) == (NUMBER, lucia.id, "es")
        assert [c.id for c in callbacks.still_open(session)] == [first.callback_id, wiremu.callback_id]
        assert session.get_one(Callback, wiremu.callback_id).patient_id is None, "nobody is known by that number"


def test_one_call_is_collected_once_however_often_it_is_told(database: Database) -> None:
    with database.transaction() as session:
        tom = employ(session, "tom", "agent").id
        first = asks(session, "n1-1")
        callbacks.own(session, first.callback_id, tom, NOON)
        callbacks.finish(session, first.callback_id, tom, "spoke", NOON)
        assert asks(session, "n1-1") == Asked(first.callback_id, new=False), "done long ago; not opened again"
        other = asks(session, "n1-2")
        assert other.new
        assert asks(session, "n1-1").callback_id == first.callback_id


def test_eight_calls_from_one_number_at_the_same_moment(database: Database) -> None:
    results = at_once(database, *(partial(asks, origin=f"n1-{n}") for n in range(8)))
    assert len({r.callback_id for r in results if isinstance(r, Asked)}) == 1
    assert sorted(r.new for r in results if isinstance(r, Asked)) == [False] * 7 + [True]


def test_nothing_is_lost_where_the_open_item_is_closed_at_the_same_moment(database: Database) -> None:
    """Lucía gives up a second time while Tom answers the first: she has been spoken with, or an item is open."""
    with database.transaction() as session:
        admit(session, LUCIA)
        tom = employ(session, "tom", "agent").id
    for n in range(15):
        with database.transaction() as session:
            asks(session, f"first-{n}")
        closed, asked = at_once(
            database,
            lambda session, n=n: answers(session, f"call-{n}", NUMBER, tom),
            partial(asks, origin=f"second-{n}"),
        )
        assert closed is None
        assert isinstance(asked, Asked), asked
        with database.transaction() as session:
            still = callbacks.still_open(session)
            assert len(still) == asked.new
            for callback in still:
                callbacks.own(session, callback.id, tom, NOON)
                callbacks.finish(session, callback.id, tom, "spoke", NOON)


def test_the_item_in_the_way_is_closed_between_two_statements(database: Database) -> None:
    with database.transaction() as session:
        tom = employ(session, "tom", "agent").id
        asks(session, "first")
    closed: list[str] = []

    def tom_is_faster(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO callback") and not closed:
            closed.append(statement)
            with database.transaction() as session:
                answers(session, "call", NUMBER, tom)

    event.listen(database.engine, "after_cursor_execute", tom_is_faster)
    try:
        with database.transaction() as session:
            again = asks(session, "second")
    finally:
        event.remove(database.engine, "after_cursor_execute", tom_is_faster)
    assert closed and again.new
    with database.transaction() as session:
        assert [c.origin for c in callbacks.still_open(session)] == ["second"]


def test_a_later_answered_call_closes_what_was_open_for_its_number(database: Database) -> None:
    with database.transaction() as session:
        tom = employ(session, "tom", "agent").id
        lucias, wiremus = asks(session, "n1-1"), asks(session, "n1-2", WIREMU.numbers[0])
        answers(session, "n1-3", None, tom)  # a withheld number closes nothing
        assert len(callbacks.still_open(session)) == 2
        answers(session, "n1-4", NUMBER, tom)
        assert [c.id for c in callbacks.still_open(session)] == [wiremus.callback_id]
        closed = session.get_one(Callback, lucias.callback_id, populate_existing=True)
        assert (closed.state, closed.outcome, closed.done_at) == ("done", "answered_later", NOON)


def test_a_callback_has_one_owner_who_may_give_it_back(database: Database) -> None:
    with database.transaction() as session:
        tom, grace = employ(session, "tom", "agent").id, employ(session, "grace", "supervisor").id
        item = asks(session, "n1-1", RUTH.numbers[0]).callback_id
        assert not callbacks.finish(session, item, tom, "spoke", NOON), "nobody owns it yet"
        assert callbacks.own(session, item, tom, NOON)
        assert not callbacks.own(session, item, grace, NOON)
        assert not callbacks.finish(session, item, grace, "spoke", NOON)
        assert not callbacks.give_back(session, item, grace)
        assert callbacks.give_back(session, item, tom)
        assert callbacks.own(session, item, grace, NOON)
        assert callbacks.finish(session, item, grace, "spoke", NOON)
        assert not callbacks.own(session, item, tom, NOON)
        assert callbacks.still_open(session) == []


def test_two_agents_reach_for_one_callback(database: Database) -> None:
    with database.transaction() as session:
        staff = [employ(session, name, "agent").id for name in ("tom", "ana", "grace")]
        items = [asks(session, f"n1-{n}", f"+5255555007{n:02}").callback_id for n in range(10)]
    for item in items:
        results = at_once(
            database, *(partial(callbacks.own, callback_id=item, account_id=who, at=NOON) for who in staff)
        )
        assert sorted(map(str, results)) == ["False", "False", "True"]


def is_new(session: Session, origin: str, born: date, number: str = NUMBER) -> Asked:
    return callbacks.ask_new_patient(session, origin=origin, number=number, birth=born, at=NOON, language="es")


def flags(session: Session, origin: str, patient_id: UUID) -> Asked:
    return callbacks.ask_urgently(session, origin=origin, number=NUMBER, patient_id=patient_id, at=NOON, language="es")


def open_items(session: Session) -> list[tuple[str, str, UUID | None, str | None]]:
    session.expire_all()
    return [(one.origin, one.why, one.patient_id, one.birth) for one in callbacks.still_open(session)]


BORN, BORN_TOO = date(1990, 1, 2), date(2020, 3, 4)


def test_somebody_new_on_lucias_telephone_is_not_taken_for_her(database: Database) -> None:
    """Nor is what she had asked for lost by it."""
    with database.transaction() as session:
        lucia = admit(session, LUCIA).id
        asks(session, "n1-1")
        assert is_new(session, "n1-2", BORN).new
        assert open_items(session) == [
            ("n1-1", "abandoned", lucia, None),
            ("n1-2", "new_patient", None, BORN.isoformat()),
        ]


def test_who_is_new_is_one_item_however_often_they_call_and_each_of_two_is_one(database: Database) -> None:
    with database.transaction() as session:
        first = asks(session, "n1-1")
        assert is_new(session, "n1-2", BORN) == Asked(first.callback_id, new=False), "nobody else has that number"
        assert is_new(session, "n1-3", BORN) == Asked(first.callback_id, new=False)
        assert is_new(session, "n1-4", BORN_TOO).new
        assert not asks(session, "n1-5").new, "who gives up is called anyway"
        assert open_items(session) == [
            ("n1-1", "new_patient", None, BORN.isoformat()),
            ("n1-4", "new_patient", None, BORN_TOO.isoformat()),
        ]


def test_a_red_flag_keeps_its_patient_and_its_rank_whoever_else_calls_from_that_number(database: Database) -> None:
    with database.transaction() as session:
        lucia, child = admit(session, LUCIA).id, admit(session, WIREMU).id
        before = asks(session, "n1-1")
        assert flags(session, "n1-2", lucia) == Asked(before.callback_id, new=False), "it is hers, and urgent now"
        is_new(session, "n1-3", BORN)
        assert flags(session, "n1-4", child).new
        assert not flags(session, "n1-5", child).new
        assert not asks(session, "n1-6").new, "she is called before all others"
        told = callbacks.ask_for_patient(
            session, origin="appointment", number=NUMBER, why="suspended", patient_id=child, at=NOON, language="es"
        )
        assert told.new
        urgent, rest = open_items(session)[:2], open_items(session)[2:]
        assert sorted(urgent) == [("n1-1", "red_flag", lucia, None), ("n1-4", "red_flag", child, None)]
        assert sorted(rest) == [
            ("appointment", "suspended", child, None),
            ("n1-3", "new_patient", None, BORN.isoformat()),
        ]


def test_a_red_flag_is_an_item_beside_what_the_same_call_has_left_for_another_number(database: Database) -> None:
    with database.transaction() as session:
        lucia = admit(session, LUCIA).id
        assert asks(session, "n1-1", WIREMU.numbers[0]).new
        flagged = flags(session, "n1-1", lucia)
        assert flagged.new and flags(session, "n1-1", lucia) == Asked(flagged.callback_id, new=False)
        assert not asks(session, "n1-1").new, "who gives up then is called anyway"
        assert [why for _, why, *_ in open_items(session)] == ["red_flag", "abandoned"]
        assert session.get_one(Callback, flagged.callback_id).number == NUMBER


def test_an_answered_call_closes_nothing_of_another_patient(database: Database) -> None:
    with database.transaction() as session:
        tom = employ(session, "tom", "agent").id
        lucia, child = admit(session, LUCIA).id, admit(session, WIREMU).id
        asks(session, "n1-1")
        flags(session, "n1-2", child)
        is_new(session, "n1-3", BORN)
        calls.begin(session, "n1-4", "n1", NUMBER, NOON)
        calls.update_call(session, "n1-4", patient_id=lucia)
        answers(session, "n1-4", NUMBER, tom)
        assert [origin for origin, *_ in open_items(session)] == ["n1-2", "n1-3"]


def to_tell(session: Session, patient_id: UUID) -> Asked:
    return callbacks.ask_for_patient(
        session, origin="moved", number=NUMBER, why="suspended", patient_id=patient_id, at=NOON, language="es"
    )


def test_whoever_calls_unnamed_closes_nothing_of_a_patients_own(database: Database) -> None:
    """Until the agent has ticked two identifiers: then it is that patient who was spoken with, and nobody else."""
    with database.transaction() as session:
        tom = employ(session, "tom", "agent").id
        lucia, child = admit(session, LUCIA).id, admit(session, replace(WIREMU, numbers=(NUMBER,))).id
        asks(session, "n1-1")
        flags(session, "n1-2", child)
        is_new(session, "n1-3", BORN)
        to_tell(session, lucia)
        answers(session, "n1-4", NUMBER, tom)
        assert [origin for origin, *_ in open_items(session)] == ["n1-2", "n1-3", "moved"]
        pop = screen_pops.pops_of(session, tom)[0].id
        assert screen_pops.choose_patient(session, pop, tom, child)
        assert not screen_pops.tick(session, pop, tom, "name", True)
        assert len(open_items(session)) == 3, "one identifier is not enough"
        assert screen_pops.tick(session, pop, tom, "birth_date", True)
        assert [origin for origin, *_ in open_items(session)] == ["n1-3", "moved"]
        flags(session, "n1-5", child)  # a new one, after that call
        newer = session.scalars(select(Callback).where(Callback.origin == "n1-5")).one()
        newer.asked_at = NOON + timedelta(minutes=1)
        screen_pops.tick(session, pop, tom, "address", True)
        assert [origin for origin, *_ in open_items(session)] == ["n1-5", "n1-3", "moved"]
