"""A database that is made as new after a test is what a new one would be."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from psycopg import Connection, OperationalError
from sqlalchemy import text

from hospital.database import Database
from hotline import databases, postgres
from tests.conftest import cloned, name_in
from tests.copies import Copy


@pytest.fixture
def copy(cluster: postgres.Cluster, demo_template: str) -> Iterator[Copy]:
    with closing(Copy(cluster, demo_template, "test_copy", None)) as made:
        yield made
    databases.drop_database(cluster, "test_copy")


def test_what_was_written_changed_and_taken_out_is_as_it_was(
    cluster: postgres.Cluster, demo_template: str, copy: Copy
) -> None:
    with cloned(cluster, demo_template) as new, cluster.connect(name_in(new)) as opened:
        expected = _all(opened)
    for _ in range(2):  # also of one that was made as new before
        with closing(Database(copy.url)) as database, database.transaction() as session:
            for change in (
                "INSERT INTO call (id, node, direction, started_at) VALUES ('one', 'n1', 'in', now())",
                "INSERT INTO call_step (call_id, seq, at, kind, facts) VALUES ('one', 1, now(), 'rang', '{}')",
                "UPDATE slot SET starts_at = starts_at + interval '1 minute' WHERE doctor_id ="
                " (SELECT id FROM doctor ORDER BY id LIMIT 1)",
                "DELETE FROM result_status",
                "INSERT INTO decision (task_id, at, code) SELECT task_id, at, code FROM decision",
            ):
                session.execute(text(change))
        with cluster.connect("test_copy") as opened:
            assert _all(opened) != expected
        assert copy.renew()
        with cluster.connect("test_copy") as opened:
            assert _all(opened) == expected


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE audit DISABLE TRIGGER audit_only_grows",
        "ALTER TABLE fact ADD COLUMN note text",
        "CREATE TABLE theirs (id int)",
        "DROP INDEX call_number",
        "ALTER DATABASE test_copy CONNECTION LIMIT 3",
    ],
)
def test_one_whose_schema_was_changed_is_not_taken_again(cluster: postgres.Cluster, copy: Copy, change: str) -> None:
    with cluster.connect("test_copy") as admin:
        admin.execute(change.encode())
    assert not copy.renew()


def test_whoever_stays_in_the_middle_of_something_is_sent_away(cluster: postgres.Cluster, copy: Copy) -> None:
    with cluster.connect("test_copy") as somebody:
        somebody.execute("BEGIN")
        somebody.execute("DELETE FROM fact")
        assert copy.renew()
        with pytest.raises(OperationalError):
            somebody.execute("SELECT 1")


def _all(connection: Connection) -> dict[str, object]:
    """Every row of every table in its order, and the numbers that are given out next."""
    of_ours = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = %s"
    found: dict[str, object] = {}
    for kind, read in (("r", 'SELECT * FROM "{}"'), ("S", 'SELECT last_value, is_called FROM "{}"')):
        for (name,) in connection.execute(of_ours, [kind]).fetchall():
            found[name] = connection.execute(read.format(name).encode()).fetchall()
    sizes = "SELECT relname, pg_relation_size(oid), reltuples FROM pg_class WHERE relname = ANY(%s) ORDER BY relname"
    return found | {"sizes": connection.execute(sizes, [["call", "call_step", "result_status", "fact"]]).fetchall()}
