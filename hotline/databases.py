"""Databases in a cluster: making the hotline's from schema.sql, and cheap copies of a template for tests."""

import hashlib
import re
from importlib.resources import files
from pathlib import Path

import psycopg
from psycopg import sql

from hotline.postgres import OWNER, Cluster

FILLING = 0x686F746C  # the advisory lock of whoever fills a database
A_TABLE = "SELECT 1 FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') LIMIT 1"
LITERAL_OR_UNTOLD = re.compile(r"(?P<literal>'[^']*')|--[^\n]*|/\*.*?\*/|\s+", re.DOTALL)


def schema_text() -> str:
    """schema.sql: beside the packages in a checkout, inside this package in the installed wheel."""
    packaged = files("hotline") / "schema.sql"
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parent.parent / "schema.sql").read_text(encoding="utf-8")


def ensure_database(cluster: Cluster, name: str = "hotline", schema: str | None = None) -> bool:
    """Make the database from the schema when it is missing, or when whoever made it was killed before it had a table;
    True when it was made."""
    with cluster.connect() as admin:
        if not admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone():
            admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(OWNER)))
        there = admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not there:
            admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER)))
        try:
            return fill(cluster.connect(name, OWNER), schema)
        except psycopg.Error:
            if not there:
                drop_database(cluster, name)
            raise


def fill(connection: psycopg.Connection, schema: str | None = None) -> bool:
    """Apply the schema where the database has no table yet, all of it or nothing, and close the connection; True where
    it was applied. Of two that come at once one does it."""
    with connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [FILLING])
        if connection.execute(A_TABLE).fetchone():
            return False
        apply_schema(connection, schema if schema is not None else schema_text())
    return True


def apply_schema(connection: psycopg.Connection, schema: str) -> None:
    """Run the schema's statements, and write down in `fact` which schema it was, in the caller's transaction."""
    connection.execute(schema.encode())
    if _has_facts(connection):  # every schema of ours; a test's need not
        connection.execute("INSERT INTO fact (key, value) VALUES ('schema', %s)", [mark(schema)])


def is_of_this_version(connection: psycopg.Connection) -> bool:
    """Whether the database was made from the schema that this version has. Closes the connection."""
    with connection:
        if not _has_facts(connection):
            return False
        found = connection.execute("SELECT value FROM fact WHERE key = 'schema'").fetchone()
    return found is not None and found[0] == mark(schema_text())


def mark(schema: str) -> str:
    """Which schema: the SHA-256 of its text without comments and blank space, but of each string as it stands."""
    told = LITERAL_OR_UNTOLD.sub(lambda found: found["literal"] or "", schema)
    return hashlib.sha256(told.encode()).hexdigest()


def _has_facts(connection: psycopg.Connection) -> bool:
    found = connection.execute("SELECT to_regclass('fact') IS NOT NULL").fetchone()
    return found is not None and bool(found[0])


def drop_database(cluster: Cluster, name: str) -> None:
    """Drop it, whoever is still connected."""
    with cluster.connect() as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
