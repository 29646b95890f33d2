"""Copies of a database, for a test each: new ones, and ones that are made as new after a test.

A copy is seven hundred files, and a test writes to five tables or ten. Those are emptied down to the file, what the
template had in them is put back, and numbers that are given out begin again. A copy whose schema is no longer its
template's, or that does not become empty, is dropped.
"""

from dataclasses import dataclass

import psycopg
from psycopg import sql

from hotline.postgres import OWNER, Cluster

KEEPS = "tests"
"""The name of sessions in this process that may stay: they hold nothing while they are idle."""
MOST = 6  # of them, for one copy
LEAVE = """
    SELECT count(*) FILTER (WHERE keeps), bool_and(keeps OR pg_terminate_backend(pid, 10000)) FROM (
        SELECT pid, application_name = %s AND state = 'idle' AS keeps FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
    ) AS others"""
MARK = """
    SELECT 'schema', '', concat_ws(' ',
        (SELECT sum(hashtext(concat_ws(' ', oid, relname, relkind, relnatts, relchecks, relhastriggers, relacl)))
            FROM pg_class WHERE oid >= 16384 AND relpersistence <> 't'),
        (SELECT concat(datallowconn, datconnlimit, datdba) FROM pg_database WHERE datname = current_database()),
        (SELECT count(*) FROM pg_db_role_setting WHERE setdatabase <> 0)"""
NEWEST = "(SELECT concat(count(*), '-', max(xmin::text::bigint)) FROM {} WHERE {} >= 16384)"
"""What is numbered from there on is none of PostgreSQL's own."""
PARTS = {"pg_attribute": "attrelid", "pg_index": "indexrelid", "pg_attrdef": "adrelid"} | dict.fromkeys(
    ("pg_constraint", "pg_trigger", "pg_proc", "pg_type", "pg_rewrite", "pg_event_trigger"), "oid"
)
HAS_PAGES = """
    SELECT 'pages', relname::text, '' FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0"""
ROWS = "SELECT 'rows', '{0}', concat(count(*), '-', max(xmin::text::bigint)) FROM \"{0}\""
NEXT = "SELECT 'next', '{0}', concat(last_value, ', ', is_called::text) FROM \"{0}\""
EMPTY = 'DELETE FROM "{}"'
NEVER_COUNTED = """
    UPDATE pg_class SET relpages = 0, reltuples = -1, relallvisible = 0
    WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s) RETURNING relname, pg_relation_size(oid)"""
"""What PostgreSQL plans with, as it is for a table that nothing has looked at yet."""

State = dict[tuple[str, str], str]


def clone_database(cluster: Cluster, template: str, name: str) -> str:
    """A copy of `template` (nobody may be connected to it): about 30 ms. Returns its SQLAlchemy URL."""
    with cluster.connect() as admin:
        admin.execute(
            # A file copy: checkpoints are free where nothing has to survive, and the copy needs no WAL.
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(OWNER), sql.Identifier(template)
            )
        )
    return cluster.url(name)


@dataclass(frozen=True)
class Template:
    """What a copy had in it before a test: `rows` are those of each table that is not empty, as COPY writes them."""

    rows: dict[str, bytes]
    reads: str
    state: State

    @classmethod
    def of(cls, copy: psycopg.Connection) -> "Template":
        rows = {}
        for table in [name for _, name, _ in copy.execute(HAS_PAGES).fetchall()]:
            with copy.cursor().copy(f'COPY "{table}" TO STDOUT') as out:
                rows[table] = b"".join(map(bytes, out))
        sequences = copy.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'"
        ).fetchall()
        mark = ", ".join([MARK, *(NEWEST.format(part, key) for part, key in PARTS.items())]) + ")"
        reads = [mark, HAS_PAGES, *map(ROWS.format, rows), *(NEXT.format(name) for (name,) in sequences)]
        whole = " UNION ALL ".join(reads)
        return cls(rows, whole, _state(copy, whole))


class Copy:
    """A copy that can be made as new. Nobody but who asks for that is connected to it then."""

    def __init__(self, cluster: Cluster, template: str, name: str, known: Template | None) -> None:
        self.name = name
        self.url = clone_database(cluster, template, name)
        self._admin = cluster.connect(name)
        self._admin.execute("SET session_replication_role = replica")  # no trigger, no foreign key
        self.template = known or Template.of(self._admin)
        self._state = dict(self.template.state)

    def close(self) -> None:
        self._admin.close()

    def renew(self) -> bool:
        """Make it as it was; False where it must be dropped instead."""
        try:
            return self._nobody_else() and self._renewed()
        except psycopg.Error:
            return False

    def _nobody_else(self) -> bool:
        (row,) = self._admin.execute(LEAVE, [KEEPS]).fetchall()
        staying, left = row
        return staying <= MOST and left is not False

    def _renewed(self) -> bool:
        now = _state(self._admin, self.template.reads)
        if now["schema", ""] != self._state["schema", ""]:
            return False
        changed = {what for what in now.keys() | self._state.keys() if now.get(what) != self._state.get(what)}
        tables = sorted({name for kind, name in changed if kind in ("pages", "rows")})
        numbers = [f"SELECT setval('{name}', {self._state[kind, name]})" for kind, name in changed if kind == "next"]
        self._do(*map(EMPTY.format, tables), *numbers)
        if not tables:
            return True
        self._do("VACUUM (INDEX_CLEANUP ON) " + ", ".join(f'"{table}"' for table in tables))
        counted = self._admin.execute(NEVER_COUNTED, [tables]).fetchall()
        if len(counted) != len(tables) or any(size for _, size in counted):
            return False
        for table in tables:
            if table in self.template.rows:
                self._put_back(table)
        return True

    def _put_back(self, table: str) -> None:
        with self._admin.cursor().copy(f'COPY "{table}" FROM STDIN') as into:
            into.write(self.template.rows[table])
        self._state |= _state(self._admin, ROWS.format(table))

    def _do(self, *statements: str) -> None:
        if statements:
            self._admin.execute("; ".join(statements))


def _state(connection: psycopg.Connection, reads: str) -> State:
    return {(kind, name): value for kind, name, value in connection.execute(reads).fetchall()}
