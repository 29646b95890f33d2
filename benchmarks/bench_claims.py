"""The queue of contacts: what is due is claimed by many workers at once, and each contact once.

    python -m benchmarks.bench_claims [--json]

Ours is `agentless.claim_next` with all that it asks (window, cap, opt-outs, the decision log), then the attempt's end.
Raw is the least that a queue can do on the same rows: SELECT … FOR UPDATE SKIP LOCKED, an attempt, its end. The peer,
procrastinate, is a queue of jobs on PostgreSQL, with jobs that do nothing. A worker is a process with a connection, as
a dialer is. All on one private PostgreSQL with production durability, in the same run; what is counted is contacts
(jobs) a second, from the first claim to the last end. How far that grows with the workers is also the processor's
affair; that they don't wait for one another's locks is ours, and is counted by itself. A contact that was claimed twice
is a duplicate: there must be none, also while somebody holds a transaction open.
"""

import asyncio
import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
from sqlalchemy import func, select, text

from benchmarks import table
from benchmarks.claim_workers import Crowd, claim_all, defer_jobs, do_jobs, plain, set_up_jobs, take_all, waits
from benchmarks.table import Row
from hospital import patients, questionnaires, vault
from hospital.attempts import Attempt
from hospital.database import Database
from hospital.followups import FollowUpTask
from hotline import databases, postgres
from tests.moments import NOON
from tests.site_key import SITE_KEY

WORKERS, CONTACTS = (1, 4, 16), 160
OF_RAW = 0.02  # what the rules, the log and the mapped classes may cost
A_SECOND = 5.0  # a carrier takes one order to dial a second
WAITING = 10.0  # percent of the workers' time


def main() -> int:
    logging.disable(logging.WARNING)
    vault.unlock(SITE_KEY)
    with (
        tempfile.TemporaryDirectory(prefix="bench-claims-") as folder,
        postgres.running(postgres.Cluster(Path(folder) / "data")) as cluster,
    ):
        databases.ensure_database(cluster)
        with closing(Database(cluster.url())) as database, Crowd(database.url, max(WORKERS)) as crowd:
            rows = measure(database, crowd)
    return table.show(rows)


def measure(database: Database, crowd: Crowd) -> list[Row]:
    _contacts(database)
    asyncio.run(set_up_jobs(plain(database.url)))

    def each(workers: int) -> tuple[float, float, float]:
        return ours(workers), raw(workers), jobs(workers)

    def ours(workers: int) -> float:
        _again(database)
        return crowd.drains(claim_all, workers, CONTACTS)

    def raw(workers: int) -> float:
        _again(database)
        return crowd.drains(take_all, workers, CONTACTS)

    def jobs(workers: int) -> float:
        asyncio.run(defer_jobs(plain(database.url), CONTACTS))
        return crowd.drains(do_jobs, workers, CONTACTS)

    each(max(WORKERS))  # connections, plans and caches of every worker
    rows = []
    for workers in WORKERS:
        rows += _rows(f"{workers} workers" if workers > 1 else "1 worker", *each(workers))
    for workers in (4, max(WORKERS)):
        with _idle_transaction(plain(database.url)):
            rows += _rows(f"{workers} workers, an idle transaction is open", *each(workers))
    with waits(plain(database.url)) as our_waits:
        ours(max(WORKERS))
    with waits(plain(database.url)) as their_waits:
        raw(max(WORKERS))
    name = f"{max(WORKERS)} workers wait for each other's locks"
    rows.append(Row(name, "raw SKIP LOCKED", our_waits.percent, their_waits.percent, "%", limit=WAITING))
    rows.append(Row("contacts claimed twice", None, float(_twice(database)), None, "%", limit=0.0))
    return rows


def _rows(name: str, ours: float, raw: float, jobs: float) -> list[Row]:
    return [
        Row(f"contacts claimed and ended, {name}", "raw SKIP LOCKED", ours, raw, "/s", at_least=OF_RAW, limit=A_SECOND),
        Row(f"contacts claimed and ended, {name}", "procrastinate", ours, jobs, "/s"),
    ]


def _contacts(database: Database) -> None:
    with database.transaction() as session:
        form = questionnaires.publish(session, "form", {"purpose": "follow-up"}, "sha-1", NOON)
        for n in range(CONTACTS):
            patient = patients.register(
                session, name=f"Patient {n}", birth=None, language="es", numbers=[f"+57301555{n:04}"]
            )
            session.add(
                FollowUpTask(
                    patient_id=patient.id,
                    questionnaire_id=form.id,
                    reason="bench",
                    channel="automated_call",
                    due_at=NOON,
                    due_until=NOON + timedelta(days=9),
                    max_tries=1000,
                )
            )


def _again(database: Database) -> None:
    """All of them are due, and no attempt is left."""
    with database.transaction() as session:
        twice = _twice(database)
        assert not twice, f"{twice} contacts were claimed twice"
        session.execute(text("DELETE FROM attempt"))
        session.execute(text("DELETE FROM decision"))
        session.execute(text("UPDATE followup_task SET state = 'open', next_try_at = NULL, tries = 0"))


def _twice(database: Database) -> int:
    with database.transaction() as session:
        tasks = select(Attempt.task_id).group_by(Attempt.task_id).having(func.count() > 1).subquery()
        return session.scalar(select(func.count()).select_from(tasks)) or 0


@contextmanager
def _idle_transaction(url: str) -> Iterator[None]:
    """Somebody looked at the queue and went for a coffee: what is dead can't be cleaned away meanwhile."""
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ  # keeps its snapshot, not as by default
        connection.execute("SELECT count(*) FROM followup_task")
        assert _is_held(url, connection.info.backend_pid), "vacuum goes on"
        yield
        assert _is_held(url, connection.info.backend_pid), "vacuum went on"
        connection.rollback()


def _is_held(url: str, pid: int) -> bool:
    """Whether that transaction's snapshot holds the horizon before which vacuum may clean."""
    with psycopg.connect(url) as other:
        row = other.execute("SELECT backend_xmin IS NOT NULL FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone()
        return row is not None and bool(row[0])


if __name__ == "__main__":
    sys.exit(main())
