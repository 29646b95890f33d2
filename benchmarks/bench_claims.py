"""The queue of contacts: what is due is claimed by many workers at once, and each contact once.

    python -m benchmarks.bench_claims [--json]

Ours is `agentless.claim_next` with all that it asks (window, cap, opt-outs, the decision log), then the attempt's end.
Raw is the least that a queue can do on the same rows: SELECT … FOR UPDATE SKIP LOCKED, an attempt, its end. The peer,
procrastinate, is a queue of jobs on PostgreSQL, with jobs that do nothing, in one process. All on one private
PostgreSQL with production durability, in the same run; what is counted is contacts (jobs) a second, from the first
claim to the last end. A contact that was claimed twice is a duplicate: there must be none, also while somebody holds a
transaction open.
"""

import asyncio
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import procrastinate
import psycopg
from sqlalchemy import func, select, text

from benchmarks import table
from benchmarks.table import Row
from hospital import accounts, agentless, attempts, patients, questionnaires, vault
from hospital.attempts import Attempt, Claimed
from hospital.calling_hours import ALWAYS
from hospital.calling_rules import CallingPolicy
from hospital.database import Database
from hospital.followups import FollowUpTask
from hotline import databases, postgres
from tests.moments import NOON, ZONE
from tests.site_key import SITE_KEY

_ = accounts  # its table is referred to
WORKERS, CONTACTS = (1, 4, 16), 160
POLICY = CallingPolicy(ALWAYS, ZONE, cap_a_day=None, cap_a_week=None)
OF_RAW = 0.02  # what the rules, the log and the mapped classes may cost
A_SECOND = 5.0  # a carrier takes one order to dial a second

Drain = Callable[[int], float]
"""Number of workers → contacts a second."""

NEXT = """
    SELECT id, patient_id FROM followup_task
     WHERE channel = 'automated_call' AND kind = 'follow_up' AND state = 'open'
       AND coalesce(next_try_at, due_at) <= %(at)s
     ORDER BY priority, due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED"""
BEGIN = """
    INSERT INTO attempt (id, task_id, patient_id, number_id, number_token, channel_id, claimed_at, dial_until)
    SELECT %(id)s, %(task)s, n.patient_id, n.id, n.token, %(channel)s, %(at)s, %(until)s
      FROM phone_number n WHERE n.patient_id = %(patient)s"""
END = "UPDATE attempt SET state = 'ended', line_result = 'no_answer', ended_at = %(at)s WHERE id = %(id)s"
LATER = "UPDATE followup_task SET state = 'open', next_try_at = %(until)s WHERE id = %(task)s"


def main() -> int:
    logging.disable(logging.WARNING)
    vault.unlock(SITE_KEY)
    with (
        tempfile.TemporaryDirectory(prefix="bench-claims-") as folder,
        postgres.running(postgres.Cluster(Path(folder) / "data")) as cluster,
    ):
        databases.ensure_database(cluster)
        database = Database(cluster.url(), connections=max(WORKERS))
        try:
            rows = measure(database)
        finally:
            database.close()
    return table.show(rows)


def measure(database: Database) -> list[Row]:
    url = database.url.replace("postgresql+psycopg", "postgresql")
    _contacts(database)
    jobs = Jobs(url)
    ours, raw = _ours(database), _raw(database, url)
    ours(2), raw(2), jobs(2)  # connections, plans and caches
    rows = []
    for workers in WORKERS:
        a, b, c = ours(workers), raw(workers), jobs(workers)
        rows += _rows(f"{workers} workers" if workers > 1 else "1 worker", a, b, c)
    with _idle_transaction(url):
        rows += _rows("4 workers, an idle transaction is open", ours(4), raw(4), jobs(4))
    rows.append(Row("contacts claimed twice", None, float(_duplicates(database)), None, "%", limit=0.0))
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


def _duplicates(database: Database) -> int:
    return _twice(database)


def _drained(database: Database, workers: int, work: Callable[[int], int]) -> float:
    _again(database)
    with ThreadPoolExecutor(workers) as crowd:
        begun = time.perf_counter()
        done = sum(crowd.map(work, range(workers)))
        took = time.perf_counter() - begun
    assert done == CONTACTS, f"{done} of {CONTACTS} contacts were claimed"
    return done / took


def _ours(database: Database) -> Drain:
    def work(_: int) -> int:
        done = 0
        while True:
            with database.transaction() as session:
                claimed = agentless.claim_next(session, "n1", NOON, POLICY, kinds=["follow_up"], most=1000)
            if claimed is None:
                return done
            assert isinstance(claimed, Claimed), claimed.code
            with database.transaction() as session:
                attempts.line_ended(session, claimed.attempt_id, "no_answer", NOON, POLICY)
            done += 1

    return lambda workers: _drained(database, workers, work)


def _raw(database: Database, url: str) -> Drain:
    def work(_: int) -> int:
        done = 0
        with psycopg.connect(url, autocommit=True) as connection:
            while True:
                attempt: dict[str, object] = {"id": uuid4(), "at": NOON, "until": NOON + timedelta(days=1)}
                with connection.transaction():
                    found: tuple[UUID, UUID] | None = connection.execute(NEXT, attempt).fetchone()
                    if found is None:
                        return done
                    attempt |= {"task": found[0], "patient": found[1], "channel": f"n1-{attempt['id']}"}
                    connection.execute("UPDATE followup_task SET state = 'calling' WHERE id = %(task)s", attempt)
                    connection.execute(BEGIN, attempt)
                with connection.transaction():
                    connection.execute(END, attempt)
                    connection.execute(LATER, attempt)
                done += 1

    return lambda workers: _drained(database, workers, work)


class Jobs:
    """procrastinate, with jobs that do nothing."""

    def __init__(self, url: str) -> None:
        self._url = url
        asyncio.run(self._apply())

    def _app(self) -> procrastinate.App:
        app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=self._url, max_size=max(WORKERS) + 2))

        @app.task(name="contact")
        async def contact() -> None:
            self.done += 1

        return app

    async def _apply(self) -> None:
        app = self._app()
        async with app.open_async():
            await app.schema_manager.apply_schema_async()

    def __call__(self, workers: int) -> float:
        return asyncio.run(self._drain(workers))

    async def _drain(self, workers: int) -> float:
        self.done = 0
        app = self._app()
        async with app.open_async():
            await app.tasks["contact"].batch_defer_async(*[{}] * CONTACTS)
            begun = time.perf_counter()
            await app.run_worker_async(
                wait=False,
                concurrency=workers,
                listen_notify=False,
                delete_jobs="always",
                install_signal_handlers=False,
            )
            took = time.perf_counter() - begun
        assert self.done == CONTACTS, f"{self.done} of {CONTACTS} jobs were done"
        return self.done / took


@contextmanager
def _idle_transaction(url: str) -> Iterator[None]:
    """Somebody looked at the queue and went for a coffee: what is dead can't be cleaned away meanwhile."""
    with psycopg.connect(url) as connection:
        connection.execute("SELECT count(*) FROM followup_task")
        yield
        connection.rollback()


if __name__ == "__main__":
    sys.exit(main())
