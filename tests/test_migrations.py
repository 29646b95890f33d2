"""A database that was brought here by revisions is the one that schema.sql makes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import CommandLine, Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from hospital.database import Database
from hotline import databases, postgres

INI = Path(__file__).parent.parent / "migrations" / "alembic.ini"
# Everything that schema.sql can make, as the server itself words it.
CATALOGUE = text("""
    WITH ours AS (SELECT oid, relname FROM pg_class
                   WHERE relnamespace = 'public'::regnamespace AND relname !~ '^alembic_version')
    SELECT 'column', c.relname, a.attname, concat_ws(' ', a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull,
           a.attidentity, a.attgenerated, a.attcollation, pg_get_expr(d.adbin, d.adrelid))
      FROM ours c JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
      LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    UNION ALL SELECT 'relation', c.relname, r.relkind::text, concat_ws(' ', r.relowner::regrole, r.relacl, r.reloptions)
      FROM ours c JOIN pg_class r USING (oid)
    UNION ALL SELECT 'constraint', c.relname, k.conname, concat_ws(' ', k.convalidated, pg_get_constraintdef(k.oid))
      FROM ours c JOIN pg_constraint k ON k.conrelid = c.oid
    UNION ALL SELECT 'index', c.relname, i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
      FROM ours c JOIN pg_index i ON i.indrelid = c.oid
    UNION ALL SELECT 'trigger', c.relname, t.tgname, concat_ws(' ', t.tgenabled, pg_get_triggerdef(t.oid))
      FROM ours c JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal
    UNION ALL SELECT 'function', proname, '', pg_get_functiondef(oid)
      FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT 'type', typname, typtype::text, ''
      FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typname !~ 'alembic_version'
    ORDER BY 1, 2, 3, 4""")


def catalogue(connection: Connection) -> list[tuple[str, ...]]:
    return [tuple(row) for row in connection.execute(CATALOGUE)]


def upgrade(connection: Connection) -> None:
    config = Config(INI)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@pytest.fixture
def empty(cluster: postgres.Cluster) -> Iterator[Database]:
    databases.ensure_database(cluster, "migrated", schema="")
    opened = Database(cluster.url("migrated"))
    yield opened
    opened.close()
    databases.drop_database(cluster, "migrated")


def test_migrated_is_what_schema_sql_makes(empty: Database, database: Database) -> None:
    with empty.engine.begin() as connection:
        assert catalogue(connection) == []
        upgrade(connection)
    with empty.engine.begin() as connection, database.engine.begin() as made:
        assert catalogue(connection) == catalogue(made)
        kinds = {kind for kind, *_ in catalogue(made)}
        assert kinds == {"column", "relation", "constraint", "index", "trigger", "function", "type"}
        upgrade(connection)  # nothing is left to do
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "0001"


@pytest.mark.parametrize(
    "drift",
    [
        "ALTER TABLE patient ADD COLUMN nickname text",
        "ALTER TABLE outbox ALTER COLUMN tries SET DEFAULT 1",
        "ALTER TABLE outbox ALTER COLUMN error SET NOT NULL",
        "ALTER TABLE attempt DROP CONSTRAINT attempt_check",
        "DROP INDEX outbox_due; CREATE INDEX outbox_due ON outbox (due_at) WHERE state = 'queued'",
        "ALTER TABLE audit DISABLE TRIGGER audit_only_grows",
        "CREATE OR REPLACE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    ],
)
def test_a_drift_would_be_seen(database: Database, drift: str) -> None:
    with database.engine.begin() as connection:
        before = catalogue(connection)
        for statement in drift.split(";") if drift.startswith("DROP INDEX") else [drift]:
            connection.execute(text(statement))
        assert catalogue(connection) != before


def test_a_revision_that_fails_leaves_nothing_behind(empty: Database) -> None:
    with pytest.raises(RuntimeError, match="power cut"), empty.engine.begin() as connection:
        upgrade(connection)
        raise RuntimeError("power cut")
    with empty.engine.begin() as connection:
        assert catalogue(connection) == []
        assert connection.scalar(text("SELECT to_regclass('alembic_version')")) is None


def test_the_database_is_named_on_the_command_line(empty: Database) -> None:
    with pytest.raises(SystemExit, match="Which database"):
        CommandLine().main(["-c", str(INI), "upgrade", "head"])
    CommandLine().main(["-c", str(INI), "-x", f"url={empty.url}", "upgrade", "head"])
    with empty.engine.begin() as connection:
        assert catalogue(connection)
        connection.execute(text("INSERT INTO fact VALUES ('kind', 'demo')"))


def test_revisions_are_one_line_without_a_way_back() -> None:
    script = ScriptDirectory.from_config(Config(INI))
    assert len(script.get_heads()) == 1
    for revision in script.walk_revisions():
        with pytest.raises(RuntimeError):
            revision.module.downgrade()
