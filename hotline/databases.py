"""Databases in a cluster: making the hotline's from schema.sql, and cheap copies of a template for tests."""

import hashlib
from importlib.resources import files
from pathlib import Path

import psycopg
from psycopg import sql

from hotline.postgres import OWNER, Cluster


def schema_text() -> str:
    """schema.sql: beside the packages in a checkout, inside this package in the installed wheel."""
    packaged = files("hotline") / "schema.sql"
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parent.parent / "schema.sql").read_text(encoding="utf-8")


def ensure_database(cluster: Cluster, name: str = "hotline", schema: str | None = None) -> bool:
    """Make the database from the schema when it is missing; True when it was made.

    The schema is applied in one transaction: a database either has all of it or does not exist afterwards. Which one it
    was is kept as the database's comment."""
    schema = schema if schema is not None else schema_text()
    with cluster.connect() as admin:
        if not admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone():
            admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(OWNER)))
        if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return False
        admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER)))
        try:
            apply_schema(cluster.connect(name, OWNER), schema)
            note = sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(_mark(schema)))
            admin.execute(note)
        except psycopg.Error:
            drop_database(cluster, name)
            raise
    return True


def is_of_this_version(cluster: Cluster, name: str = "hotline") -> bool:
    """Whether the database was made from the schema that this version has."""
    with cluster.connect() as admin:
        query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
        found = admin.execute(query, [name]).fetchone()
    return found is not None and found[0] == _mark(schema_text())


def _mark(schema: str) -> str:
    return f"made from schema.sql {hashlib.sha256(schema.encode()).hexdigest()}"


def apply_schema(connection: psycopg.Connection, schema: str) -> None:
    """Run the schema's statements in one transaction and close the connection."""
    with connection, connection.transaction():
        connection.execute(schema.encode())


def drop_database(cluster: Cluster, name: str) -> None:
    """Drop it, whoever is still connected."""
    with cluster.connect() as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
