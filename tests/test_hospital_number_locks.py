"""Three wrong birth dates lock the calling number for the machine, for an hour; the patient is never locked."""

from datetime import timedelta

import pytest

from hospital import number_locks, patients
from hospital.database import Database
from hospital.identifiers import matching
from hospital.number_locks import LOCK, NumberLock
from tests.characters import LUCIA, MEI
from tests.hospital_scene import admit, at_once
from tests.moments import NOON

STRANGER = "+525555500666"
MINUTE = timedelta(minutes=1)
pytestmark = pytest.mark.covers("H2", "I7")


def test_three_wrong_answers_lock_the_number_for_an_hour_and_no_longer(database: Database) -> None:
    with database.transaction() as session:
        admit(session, LUCIA)
        wrong = [number_locks.identity_failed(session, STRANGER, NOON + n * MINUTE) for n in range(3)]
        assert wrong == [False, False, True]
        locked_at = NOON + 2 * MINUTE
        assert number_locks.is_locked(session, STRANGER, locked_at + LOCK - MINUTE)
        assert not number_locks.is_locked(session, STRANGER, locked_at + LOCK)
        assert not number_locks.is_locked(session, LUCIA.numbers[0], locked_at), "she calls from her own phone"
        assert matching(session, LUCIA.numbers[0], {"birth_date": LUCIA.birth.isoformat()})


def test_after_the_hour_the_count_begins_again(database: Database) -> None:
    with database.transaction() as session:
        for _ in range(3):
            number_locks.identity_failed(session, STRANGER, NOON)
        later = NOON + LOCK
        assert not number_locks.is_locked(session, STRANGER, later)
        assert [number_locks.identity_failed(session, STRANGER, later) for _ in range(3)] == [False, False, True]


def test_a_wrong_answer_of_a_call_that_had_begun_before_does_not_unlock_it(database: Database) -> None:
    with database.transaction() as session:
        for minute in (0, 50, 59):
            number_locks.identity_failed(session, STRANGER, NOON + minute * MINUTE)
        late = NOON + 61 * MINUTE  # an hour after the first wrong answer, two minutes after the lock
        assert number_locks.identity_failed(session, STRANGER, late)
        assert number_locks.is_locked(session, STRANGER, late)
        assert not number_locks.is_locked(session, STRANGER, NOON + 59 * MINUTE + LOCK)


def test_a_site_may_be_stricter(database: Database) -> None:
    day = timedelta(days=1)
    with database.transaction() as session:
        wrong = [number_locks.identity_failed(session, STRANGER, NOON, tries=2, lock=day) for _ in range(2)]
        assert wrong == [False, True]
        assert number_locks.is_locked(session, STRANGER, NOON + day - MINUTE)
        assert not number_locks.is_locked(session, STRANGER, NOON + day)


def test_two_wrong_answers_are_forgotten_after_an_hour(database: Database) -> None:
    with database.transaction() as session:
        for n in range(2):
            number_locks.identity_failed(session, STRANGER, NOON + n * MINUTE)
        assert not number_locks.identity_failed(session, STRANGER, NOON + LOCK + MINUTE)


def test_a_right_answer_forgets_the_wrong_ones(database: Database) -> None:
    number = MEI.numbers[0]
    with database.transaction() as session:
        for _ in range(2):
            number_locks.identity_failed(session, number, NOON)
        number_locks.identity_confirmed(session, number)
        assert [number_locks.identity_failed(session, number, NOON) for _ in range(2)] == [False, False]
        number_locks.identity_confirmed(session, "+525555500999")  # nothing to forget


def test_withheld_numbers_share_one_lock_that_takes_ten_times_as_many(database: Database) -> None:
    with database.transaction() as session:
        assert not any(number_locks.identity_failed(session, None, NOON) for _ in range(29))
        number_locks.identity_confirmed(session, None)  # who knows whose failures those were
        assert not number_locks.is_locked(session, None, NOON)
        assert number_locks.identity_failed(session, None, NOON)
        assert number_locks.is_locked(session, None, NOON)
        assert not number_locks.is_locked(session, STRANGER, NOON)
        assert not number_locks.is_locked(session, None, NOON + LOCK)


def test_calls_at_the_same_moment_are_all_counted(database: Database) -> None:
    for n in range(10):
        number = f"+5255555006{n:02}"
        results = at_once(
            database, *[lambda session, number=number: number_locks.identity_failed(session, number, NOON)] * 6
        )
        assert sorted(map(str, results)) == ["False"] * 2 + ["True"] * 4
        with database.transaction() as session:
            lock = session.get_one(NumberLock, patients.number_token(number))
            assert (lock.failures, lock.locked_until) == (6, NOON + LOCK)
