"""The audit chain: it only grows, whoever writes at the same moment, and a change behind its back shows."""

import ast
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hospital import audit
from hospital.audit import Walk
from hospital.database import Database
from tests.hospital_scene import at_once, listening
from tests.moments import NOON, ZONE
from web.words import AUDIT_ACTIONS

pytestmark = pytest.mark.covers("H51", "I8")
GRACE = uuid4()
ROOT = Path(__file__).parent.parent


def write(session: Session, count: int = 5) -> None:
    for n in range(count):
        audit.record(session, GRACE, "recording.play", f"recording:{n}", NOON + timedelta(seconds=n), range=[0, n])


def test_every_look_is_a_row_and_the_chain_verifies(database: Database) -> None:
    with listening(database) as heard:
        with database.transaction() as session:
            write(session)
            audit.record(session, None, "denied", "/recordings", NOON.astimezone(ZONE))
        assert heard() == [f"audit:{n}" for n in range(1, 7)]
    with database.transaction() as session:
        assert audit.verify(session) == audit.Verdict(6, None)
        assert audit.verify(session).sound
        assert audit.count(session) == 6
        assert [row.seq for row in audit.newest(session, limit=2)] == [6, 5]
        assert [row.seq for row in audit.newest(session, action="recording.play", before=3)] == [2, 1]
        assert [row.seq for row in audit.of_subject(session, "recording:3", ("recording.play",))] == [4]
        assert audit.of_subject(session, "recording:3", ("recording.export",)) == []
        assert len(audit.of_subject(session, "recording:3")) == 1


def test_an_empty_chain_is_sound(database: Database) -> None:
    with database.transaction() as session:
        assert audit.verify(session) == audit.Verdict(0, None)


@pytest.mark.parametrize(
    ("forgery", "broken_at"),
    [
        ("UPDATE audit SET action = 'nothing' WHERE seq = 3", 3),
        ("UPDATE audit SET account_id = NULL WHERE seq = 1", 1),
        ("UPDATE audit SET subject = 'recording:9' WHERE seq = 5", 5),
        ("UPDATE audit SET at = at + interval '1 microsecond' WHERE seq = 2", 2),
        ("UPDATE audit SET detail = '{\"range\": [0, 99]}' WHERE seq = 4", 4),
        ("UPDATE audit SET hash = sha256(hash) WHERE seq = 5", 5),
        ("DELETE FROM audit WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("UPDATE audit SET seq = seq + 1 WHERE seq = 5", 5),
        ("UPDATE audit SET prev_hash = sha256(prev_hash) WHERE seq = 2", 2),
    ],
)
def test_a_change_behind_its_back_is_found(database: Database, forgery: str, broken_at: int) -> None:
    with database.transaction() as session:
        write(session)
    with database.transaction() as session:
        session.execute(text("ALTER TABLE audit DISABLE TRIGGER audit_only_grows"))
        session.execute(text(forgery))
        session.execute(text("ALTER TABLE audit ENABLE TRIGGER audit_only_grows"))
    with database.transaction() as session:
        verdict = audit.verify(session)
        assert (verdict.sound, verdict.broken_at, verdict.rows) == (False, broken_at, broken_at - 1)
    for most in (1, 2, 3):
        assert walked(database, most) == verdict, "wherever a slice ends"


def walked(database: Database, most: int, begun: Walk | None = None) -> audit.Verdict:
    """In slices of so many rows, a transaction each."""
    walk = begun or Walk()
    while not walk.over:
        with database.transaction() as session:
            walk = audit.walk_on(session, walk, most)
    return walk.verdict


@pytest.mark.parametrize("most", [1, 2, 4, 5, 9])
def test_a_chain_is_walked_in_slices_while_it_grows(database: Database, most: int) -> None:
    with database.transaction() as session:
        write(session)
    with database.transaction() as session:
        begun = audit.walk_on(session, Walk(), 2)
        assert (begun.rows, begun.over) == (2, False)
        write(session, 2)
    assert walked(database, most, begun) == walked(database, most) == audit.Verdict(7, None)


@pytest.mark.parametrize(
    "forgery",
    [
        "DELETE FROM audit WHERE seq >= 3",  # its end is cut off
        "UPDATE audit SET hash = sha256(hash) WHERE seq = 3",
    ],
)
def test_what_is_cut_off_behind_a_walk_is_found(database: Database, forgery: str) -> None:
    with database.transaction() as session:
        write(session)
    with database.transaction() as session:
        begun = audit.walk_on(session, Walk(), 3)
    with database.transaction() as session:
        session.execute(text("ALTER TABLE audit DISABLE TRIGGER audit_only_grows"))
        session.execute(text(forgery))
        session.execute(text("ALTER TABLE audit ENABLE TRIGGER audit_only_grows"))
    assert walked(database, 3, begun) == audit.Verdict(2, 3)


def test_many_writers_make_one_unbroken_chain(database: Database) -> None:
    results = at_once(database, *[lambda session: write(session, 20)] * 8)
    assert results == [None] * 8
    with database.transaction() as session:
        assert audit.verify(session) == audit.Verdict(160, None)


def test_what_was_rolled_back_leaves_no_gap(database: Database) -> None:
    with database.transaction() as session:
        write(session, 2)
    with pytest.raises(IntegrityError), database.transaction() as session:
        write(session, 2)
        session.execute(text("INSERT INTO department (code, names) VALUES ('x', NULL)"))
    with database.transaction() as session:
        write(session, 1)
        assert audit.verify(session) == audit.Verdict(3, None)


details = st.dictionaries(
    st.text(max_size=6).filter(lambda name: name not in ("session", "account_id", "action", "subject", "at")),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(10**30), 10**30)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(), max_size=6),
        lambda part: (
            st.lists(part, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=3), part, max_size=2)
        ),
        max_leaves=5,
    ),
    max_size=4,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(detail=details, words=st.text(st.characters(), max_size=12))
def test_whatever_is_noted_the_chain_verifies(database: Database, detail: dict[str, Any], words: str) -> None:
    """Numbers that jsonb writes in another way, NUL and bytes that are no UTF-8 in a requested address …"""
    with database.transaction() as session:
        audit.record(session, None, words, words, NOON, **detail)
    with database.transaction() as session:
        assert audit.verify(session).sound


def test_whatever_is_written_into_the_chain_has_words() -> None:
    writes, found = {"record", "looked", "_written", "_written_down", "_moved", "_went_live"}, set()
    for source in (path for room in ("hospital", "web") for path in (ROOT / room).glob("*.py")):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in writes:
                given = (part.value for one in node.args for part in ast.walk(one) if isinstance(part, ast.Constant))
                found |= {one for one in given if isinstance(one, str) and "." in one.rstrip(".")}
    assert len(found) > 50
    assert found - set(AUDIT_ACTIONS) == set()
