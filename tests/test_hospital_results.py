"""Results by telephone: whether, never what; and bad news is not told by leaving something out."""

from datetime import timedelta

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hospital import audit, patients, results
from hospital.database import Database
from hospital.results import NEXT, IllegalMove, ResultStatus
from hospital.slots import Department
from tests.characters import LUCIA, MEI
from tests.hospital_scene import admit
from tests.moments import NOON

pytestmark = pytest.mark.covers("H8", "H51")
YESTERDAY = NOON - timedelta(days=1)


def blood_test(session: Session, patient: patients.Patient, days_ago: int = 1) -> ResultStatus:
    blood = session.query(Department).first() or Department(
        code="blood", names={"en": "blood test"}, kind="examination"
    )
    session.add(blood)
    session.flush()
    return results.expect(session, patient.id, blood.id, NOON - timedelta(days=days_ago))


def told(session: Session, patient: patients.Patient, *, say_doctor_calls: bool = False) -> list[str]:
    found = results.look(session, patient.id, NOON, call_id="n1-1.1", proxy_id=None, say_doctor_calls=say_doctor_calls)
    return [one.told for one in found]


@pytest.mark.parametrize(
    ("state", "said", "where_the_site_says_so"),
    [("pending", "not_yet", "not_yet"), ("ready", "ready", "ready"), ("doctor_calls", "not_yet", "doctor_calls")],
)
def test_that_a_doctor_wants_to_call_sounds_like_not_yet(
    database: Database, state: str, said: str, where_the_site_says_so: str
) -> None:
    with database.transaction() as session:
        lucia, mei = admit(session, LUCIA), admit(session, MEI)
        status = blood_test(session, lucia)
        if state != "pending":
            results.settle(session, status.id, state, NOON)
        assert told(session, lucia) == [said]
        assert told(session, lucia, say_doctor_calls=True) == [where_the_site_says_so]
        assert told(session, mei) == []


def test_each_look_is_audited_with_who_asked(database: Database) -> None:
    with database.transaction() as session:
        lucia, mei = admit(session, LUCIA), admit(session, MEI)
        status = blood_test(session, lucia)
        told(session, lucia)
        results.look(session, lucia.id, NOON, call_id="n1-1.2", proxy_id=mei.id, say_doctor_calls=False)
        looks = [row.detail for row in audit.of_subject(session, f"patient:{lucia.id}", ("results.told",))]
        assert looks == [
            {"call": "n1-1.2", "proxy": str(mei.id), "results": [str(status.id)]},
            {"call": "n1-1.1", "proxy": None, "results": [str(status.id)]},
        ]
        assert audit.verify(session).sound


def test_old_ones_and_those_to_come_are_not_told(database: Database) -> None:
    with database.transaction() as session:
        lucia = admit(session, LUCIA)
        for days_ago in (-1, 1, 5, 91):
            blood_test(session, lucia, days_ago)
        assert told(session, lucia) == ["not_yet", "not_yet"]


@pytest.mark.parametrize("before", NEXT)
@pytest.mark.parametrize("after", NEXT)
def test_a_result_settles_one_way(database: Database, before: str, after: str) -> None:
    with database.transaction() as session:
        status = blood_test(session, admit(session, LUCIA))
        if before != "pending":
            results.settle(session, status.id, before, NOON)
        if after in NEXT[before]:
            results.settle(session, status.id, after, NOON)
        else:
            with pytest.raises(IllegalMove):
                results.settle(session, status.id, after, NOON)


@pytest.mark.parametrize(
    "rude",
    [
        "UPDATE result_status SET state = 'bad_news'",
        "UPDATE result_status SET state = 'ready'",  # without a moment
        "UPDATE result_status SET settled_at = now()",  # still pending
        "UPDATE result_status SET state = 'ready', settled_at = taken_at - interval '1 minute'",
    ],
)
def test_the_table_refuses_what_must_never_be(database: Database, rude: str) -> None:
    with database.transaction() as session:
        blood_test(session, admit(session, LUCIA))
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(text(rude))


def test_there_is_no_place_for_a_value(database: Database) -> None:
    columns = {column["name"] for column in inspect(database.engine).get_columns("result_status")}
    assert columns == {"id", "patient_id", "department_id", "taken_at", "state", "settled_at"}
