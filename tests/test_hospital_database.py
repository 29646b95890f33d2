"""One transaction a verb, and what changed is told when it is true: after the commit."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from hospital.database import Database, announce, storable
from tests.hospital_scene import listening


def tell(session: Session, subject: str) -> str:
    announce(session, "task", subject)
    return subject


async def test_a_verb_is_one_transaction_in_another_thread(database: Database) -> None:
    with listening(database) as heard:
        assert await database.run(tell, "1") == "1"
        assert heard() == ["task:1"]

        def fails(session: Session) -> None:
            tell(session, "2")
            raise LookupError("it was not to be")

        with pytest.raises(LookupError, match="not to be"):
            await database.run(fails)
        assert heard() == [], "what was rolled back was never told"


def test_a_page_is_told_after_the_commit_and_not_before(database: Database) -> None:
    with listening(database) as heard:
        with database.transaction() as session:
            tell(session, "1")
            session.flush()
            assert heard() == []
        assert heard() == ["task:1"]


@pytest.fixture
def two_connections(database: Database) -> Iterator[Database]:
    narrow = Database(database.url, connections=2)
    yield narrow
    narrow.close()


def test_a_verb_that_hangs_is_stopped_by_the_server(two_connections: Database) -> None:
    with pytest.raises(OperationalError, match="statement timeout"), two_connections.transaction() as session:
        session.execute(text("SET LOCAL statement_timeout = 50"))
        session.execute(text("SELECT pg_sleep(30)"))
    with two_connections.transaction() as session:
        assert session.scalar(text("SHOW statement_timeout")) == "10s"
        assert session.scalar(text("SHOW lock_timeout")) == "4s"


def test_a_server_that_was_restarted_is_found_again(two_connections: Database) -> None:
    with two_connections.transaction() as session:
        session.execute(text("SELECT 1"))
    with (
        pytest.raises(OperationalError, match="terminating connection"),
        two_connections.transaction() as broken_off,
        two_connections.transaction() as other,
    ):
        mine = broken_off.scalar(text("SELECT pg_backend_pid()"))
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": mine})
        broken_off.execute(text("SELECT 1"))
    with two_connections.transaction() as session:
        assert session.scalar(text("SELECT 1")) == 1


def test_words_as_postgresql_can_hold_them(database: Database) -> None:
    assert storable("Lucía 疼\n\t${x}") == "Lucía 疼\n\t${x}"
    assert storable("a\x00b\udcffc\ud800") == "abc".replace("c", "?c") + "?"
    with database.transaction() as session:
        session.execute(text("SELECT CAST(:words AS text)"), {"words": storable("\x00\udcff")})
