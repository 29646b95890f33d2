"""The catalogue: every answered call has one recording or one coded reason for none (I5)."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hospital import attempts, followups, recordings
from hospital.attempts import Attempt, Claimed
from hospital.database import Database
from hospital.recordings import Recording
from tests.characters import JOAO
from tests.hospital_scene import UNCAPPED, admit, at_once, day_three, employ
from tests.moments import NOON

MINUTE = timedelta(minutes=1)
pytestmark = pytest.mark.covers("H16", "I5")


def joaos_call(session: Session, nurse: str = "ana") -> dict[str, Any]:
    """An attempt of a nurse, as a recording names it."""
    ana = employ(session, nurse, "nurse").id
    joao = admit(session, JOAO)
    claimed = attempts.claim(session, day_three(session, joao).id, ana, "n1", NOON, UNCAPPED)
    assert isinstance(claimed, Claimed)
    names = {"call_id": claimed.channel_id, "attempt_id": claimed.attempt_id, "patient_id": joao.id, "account_id": ana}
    return {**names, "at": NOON}


def seals(session: Session, recording_id: UUID, path: str = "ab/1.hlr") -> bool:
    kept = {"path": path, "seconds": 61.5, "sha256": "ff", "wrapped_key": bytes(40)}
    return recordings.sealed(session, recording_id, **kept, at=NOON + MINUTE)


def test_opened_before_the_first_byte_and_sealed_once(database: Database) -> None:
    with database.transaction() as session:
        call = joaos_call(session)
        made = recordings.open_for(session, **call)
        assert made is not None
        assert recordings.open_for(session, **call) is None, "it has one"
        recordings.none_because(session, **call, reason="not_started")
        row = recordings.of_attempt(session, call["attempt_id"])
        assert row is not None and (row.id, row.state, row.reason) == (made, "open", None)
        assert recordings.being_written(session) == {made}
        assert recordings.still_open(session, NOON) == []
        assert recordings.still_open(session, NOON + MINUTE) == [made]
        assert seals(session, made)
        assert not seals(session, made, "ab/2.hlr"), "a sweep met the end of the call"
        recordings.lost(session, made, "no_audio", NOON)
    with database.transaction() as session:
        row = session.get_one(Recording, made)
        assert (row.state, row.path, row.seconds, row.ended_at) == ("sealed", "ab/1.hlr", 61.5, NOON + MINUTE)
        assert recordings.being_written(session) == set()
        assert recordings.still_open(session, NOON + MINUTE) == []


@pytest.mark.parametrize("reason", sorted(recordings.REASONS))
def test_a_coded_reason_instead_of_a_recording(database: Database, reason: str) -> None:
    with database.transaction() as session:
        call = joaos_call(session)
        recordings.none_because(session, **call, reason=reason)
        recordings.none_because(session, **call, reason="not_started")
        assert recordings.open_for(session, **call) is None, "he refused: nothing is recorded later in that call"
        row = recordings.of_attempt(session, call["attempt_id"])
        assert row is not None and (row.state, row.reason) == ("none", reason)
        assert recordings.still_open(session, NOON + MINUTE) == []


def test_a_reason_that_is_no_code_is_refused(database: Database) -> None:
    with database.transaction() as session:
        call = joaos_call(session)
        with pytest.raises(ValueError, match="no reason"):
            recordings.none_because(session, **call, reason="I forgot")
        made = recordings.open_for(session, **call)
        assert made is not None
        with pytest.raises(ValueError, match="no reason"):
            recordings.lost(session, made, "the dog ate it", NOON)


def test_what_was_lost_may_turn_up(database: Database) -> None:
    with database.transaction() as session:
        made = recordings.open_for(session, **joaos_call(session))
        assert made is not None
        recordings.lost(session, made, "asterisk_lost", NOON)
        row = session.get_one(Recording, made, populate_existing=True)
        assert (row.state, row.reason) == ("lost", "asterisk_lost")
        assert seals(session, made)
        session.refresh(row)
        assert (row.state, row.reason) == ("sealed", None)


def test_refused_and_started_at_the_same_moment_is_one_of_both(database: Database) -> None:
    for n in range(8):
        with database.transaction() as session:
            call = joaos_call(session, f"nurse{n}")
        made, _, _ = at_once(
            database,
            partial(recordings.open_for, **call),
            partial(recordings.none_because, **call, reason="refused"),
            partial(recordings.none_because, **call, reason="not_started"),
        )
        with database.transaction() as session:
            row = recordings.of_attempt(session, call["attempt_id"])
            assert row is not None
            assert (row.state == "open") == (made == row.id)
            attempts.line_ended(session, call["attempt_id"], "cancelled", NOON, UNCAPPED)


def test_an_answered_call_that_nobody_recorded_says_so(database: Database) -> None:
    with database.transaction() as session:
        call = joaos_call(session)
        channel = call["call_id"]
        assert attempts.dialling(session, call["attempt_id"], NOON) and attempts.answered(session, channel, NOON)
        # The trunk fails in the middle of the talk: the call stays answered, and is accounted for as such.
        assert attempts.line_ended(session, call["attempt_id"], "network_failure", NOON + MINUTE, UNCAPPED)
        row = recordings.of_attempt(session, call["attempt_id"])
        assert row is not None and (row.state, row.reason) == ("none", "not_started")


@pytest.mark.parametrize("settles", ["Ana says whom she reached", "Ana skips the task"])
def test_a_call_of_unknown_fate_that_was_answered_is_accounted_for(database: Database, settles: str) -> None:
    with database.transaction() as session:
        call = joaos_call(session)
        attempt = call["attempt_id"]
        assert attempts.dialling(session, attempt, NOON)
        task = session.get_one(Attempt, attempt).task_id
        if settles == "Ana skips the task":
            assert attempts.answered(session, call["call_id"], NOON)
        assert attempts.to_review(session, attempt, NOON, "link_lost")
        assert recordings.of_attempt(session, attempt) is None
        if settles == "Ana skips the task":
            assert followups.skip(session, task, "done_elsewhere", NOON, call["account_id"])
        else:
            assert attempts.contact_result(session, attempt, "completed", NOON, UNCAPPED)
        row = recordings.of_attempt(session, attempt)
        assert row is not None and (row.state, row.reason) == ("none", "not_started")
        assert session.get_one(Attempt, attempt, populate_existing=True).line_result == "answered"


def test_the_table_itself_refuses_half_truths(database: Database) -> None:
    with database.transaction() as session:
        call = joaos_call(session)
        call["started_at"] = call.pop("at")
        for state, reason in (("sealed", None), ("none", None), ("lost", None), ("open", "refused")):
            with pytest.raises(IntegrityError), session.begin_nested():
                session.add(Recording(**call, state=state, reason=reason))
                session.flush()
        session.add(Recording(**call, state="open"))
        session.flush()
        with pytest.raises(IntegrityError, match="one_recording_per_attempt"), session.begin_nested():
            session.add(Recording(**call, state="none", reason="refused"))
            session.flush()


@pytest.mark.covers("H17")
def test_the_newest_first_anas_or_everybodys(database: Database) -> None:
    with database.transaction() as session:
        ana, grace = employ(session, "ana", "nurse").id, employ(session, "grace", "supervisor").id
        for n, who in enumerate((ana, grace, ana)):
            recordings.open_for(session, call_id=str(n), at=NOON + n * MINUTE, account_id=who)
        assert [r.call_id for r in recordings.newest(session)] == ["2", "1", "0"]
        assert [r.call_id for r in recordings.newest(session, account_id=ana)] == ["2", "0"]
        assert [r.call_id for r in recordings.newest(session, limit=1)] == ["2"]
        assert recordings.of_attempt(session, uuid4()) is None
