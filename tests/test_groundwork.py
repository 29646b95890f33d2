"""The database before anything works on it: whole or empty, of this version or left alone, in the private cluster and
on another server."""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from hospital.database import Database
from hotline import databases, groundwork, postgres
from hotline.cannot_start import CannotStart
from hotline.postgres import OWNER, Cluster
from hotline.settings import Settings
from hotline.settings_file import DEMO, build
from tests.conftest import TEMPLATE, cloned, name_in
from tests.site_key import put_site_key

SCHEMA = databases.schema_text()


@pytest.fixture
def empty(cluster: Cluster) -> Iterator[str]:
    """The name of a database without a table, as it is between CREATE DATABASE and the schema."""
    with cloned(cluster, "template1") as url:
        yield name_in(url)


def naming(cluster: Cluster, name: str, data: Path) -> Settings:
    put_site_key(data)
    return build({**DEMO, "data": data, "database": {"url": cluster.url(name)}})


def lay(settings: Settings) -> list[str]:
    said: list[str] = []
    groundwork.lay(settings, said.append)
    return said


def tables(cluster: Cluster, name: str) -> int:
    with cluster.connect(name, OWNER) as connection:
        (count,) = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() or (0,)
    return int(count)


@pytest.mark.parametrize(
    ("said", "instead", "same"),
    [
        ("-- what this database is", "-- what is this?", True),
        ("    key   text PRIMARY KEY,", "  key text /* which */\n  PRIMARY KEY,", True),
        ("    key   text PRIMARY KEY,", "    key   text UNIQUE,", False),
        ("'draft', 'published'", "'draft ', 'published'", False),
        ("'draft', 'published'", "'--draft', 'published'", False),
    ],
)
def test_the_mark_is_of_what_the_schema_says_and_not_of_how_it_looks(said: str, instead: str, same: bool) -> None:
    assert said in SCHEMA
    assert (databases.mark(SCHEMA.replace(said, instead)) == databases.mark(SCHEMA)) is same


def test_a_database_whose_making_was_cut_off_is_made_at_the_next_start(cluster: Cluster, empty: str) -> None:
    assert not databases.is_of_this_version(cluster.connect(empty, OWNER))
    assert databases.ensure_database(cluster, empty)
    assert databases.is_of_this_version(cluster.connect(empty, OWNER))
    assert not databases.ensure_database(cluster, empty), "once"


def test_the_schema_and_its_mark_are_there_together_or_not_at_all(cluster: Cluster, empty: str) -> None:
    taken = "INSERT INTO fact VALUES ('schema', 'taken');"
    with pytest.raises(psycopg.errors.UniqueViolation):
        databases.fill(cluster.connect(empty, OWNER), SCHEMA + taken)
    assert tables(cluster, empty) == 0


def test_a_dump_of_the_database_alone_takes_the_mark_along(cluster: Cluster, empty: str) -> None:
    programs = postgres.binaries()[max(postgres.binaries())]
    at = ("-h", str(cluster.socket_folder), "-U", OWNER, "-d")
    dump = subprocess.run([programs / "pg_dump", *at, TEMPLATE], capture_output=True, check=True)
    subprocess.run([programs / "psql", "-q", *at, empty], input=dump.stdout, capture_output=True, check=True)
    assert databases.is_of_this_version(cluster.connect(empty, OWNER))


def test_an_empty_database_of_another_server_is_filled_once(cluster: Cluster, empty: str, tmp_path: Path) -> None:
    settings = naming(cluster, empty, tmp_path)
    assert lay(settings) == []
    assert groundwork.telephones(settings)
    before = tables(cluster, empty)
    assert before > 50
    assert lay(settings) == []
    assert tables(cluster, empty) == before


def test_a_database_of_another_version_on_another_server_is_left_alone(cluster: Cluster, tmp_path: Path) -> None:
    with cloned(cluster, TEMPLATE) as url, closing(Database(url)) as database:
        settings = naming(cluster, name_in(url), tmp_path)
        groundwork.telephones(settings)  # the demo's, which in the private cluster would be made anew
        for change in (
            "UPDATE fact SET value = 'of long ago' WHERE key = 'schema'",
            "DELETE FROM fact WHERE key = 'schema'",
        ):
            with database.transaction() as session:
                session.execute(text(change))
            with pytest.raises(CannotStart, match="was made by another version of the hotline"):
                lay(settings)
        with database.transaction() as session:
            assert session.scalar(text("SELECT value FROM fact WHERE key = 'kind'")) == "demo"


def test_a_database_of_another_program_is_left_alone(cluster: Cluster, empty: str, tmp_path: Path) -> None:
    with cluster.connect(empty, OWNER) as connection:
        connection.execute("CREATE TABLE theirs (id int)")
    with pytest.raises(CannotStart, match=r"that \[database\] url names was made by .* another program"):
        lay(naming(cluster, empty, tmp_path))
    assert tables(cluster, empty) == 1


def test_a_role_that_may_make_no_table_is_told(cluster: Cluster, empty: str, tmp_path: Path) -> None:
    with cluster.connect(empty) as admin:
        admin.execute(f"REVOKE ALL ON SCHEMA public FROM PUBLIC; ALTER DATABASE {empty} OWNER TO postgres")
        admin.execute("ALTER SCHEMA public OWNER TO postgres; GRANT USAGE ON SCHEMA public TO PUBLIC")
    with pytest.raises(CannotStart, match="Let the role of the url own the database"):
        lay(naming(cluster, empty, tmp_path))
    assert tables(cluster, empty) == 0


def test_a_server_that_does_not_answer_is_told(tmp_path: Path) -> None:
    away = build({**DEMO, "data": tmp_path, "database": {"url": "postgresql+psycopg://h:secret@127.0.81.9:1/hotline"}})
    with pytest.raises(CannotStart, match="The database does not answer") as refused:
        lay(away)
    assert "secret" not in str(refused.value)
