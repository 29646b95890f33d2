"""Workers that claim all at the same moment: a process each, with a connection of its own, as dialers are."""

import asyncio
import logging
import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Thread
from uuid import UUID, uuid4

import procrastinate
import psycopg

from hospital import accounts, agentless, attempts, vault
from hospital.attempts import Claimed
from hospital.calling_hours import ALWAYS
from hospital.calling_rules import CallingPolicy
from hospital.database import Database
from tests.moments import NOON, ZONE
from tests.site_key import SITE_KEY

_ = accounts  # its table is referred to
POLICY = CallingPolicy(ALWAYS, ZONE, cap_a_day=None, cap_a_week=None)
GATHER_S = 1.0  # until every worker waits for the same moment

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
OPEN = """
    SELECT wait_event_type FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"""
LATER = "UPDATE followup_task SET state = 'open', next_try_at = %(until)s WHERE id = %(task)s"


class Crowd:
    """`size` processes."""

    def __init__(self, url: str, size: int) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        self._pool = ProcessPoolExecutor(size, context, initializer=_begin, initargs=(url,))
        list(self._pool.map(time.sleep, [GATHER_S] * size))  # each is there

    def __enter__(self) -> "Crowd":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def drains(self, work: "Work", workers: int, contacts: int) -> float:
        """Contacts a second, from the moment in which all begin to the end of the last one."""
        began = time.monotonic() + GATHER_S
        ended = list(self._pool.map(_from_then_on, [began] * workers, [work] * workers))
        done = sum(count for count, _ in ended)
        assert done == contacts, f"{done} of {contacts} contacts were claimed"
        return done / (max(at for _, at in ended) - began)


_database: Database


def _begin(url: str) -> None:
    global _database
    logging.disable(logging.WARNING)
    vault.unlock(SITE_KEY)
    _database = Database(url, connections=1)


Work = Callable[[Callable[[], None]], int]
"""Claims until nothing is left, and tells how many it were; what it is given waits for the beginning."""


def _from_then_on(began: float, work: Work) -> tuple[int, float]:
    """Everybody waits for the same moment, so that no process does the work of two."""

    def wait() -> None:
        assert time.monotonic() < began, "the workers were not there in time"
        time.sleep(began - time.monotonic())

    return work(wait), time.monotonic()


def claim_all(wait: Callable[[], None]) -> int:
    wait()
    done = 0
    while True:
        with _database.transaction() as session:
            claimed = agentless.claim_next(session, "n1", NOON, POLICY, kinds=["follow_up"], most=1000)
        if claimed is None:
            return done
        assert isinstance(claimed, Claimed), claimed.code
        with _database.transaction() as session:
            attempts.line_ended(session, claimed.attempt_id, "no_answer", NOON, POLICY)
        done += 1


def take_all(wait: Callable[[], None]) -> int:
    done = 0
    with psycopg.connect(plain(_database.url), autocommit=True) as connection:
        wait()
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


def plain(url: str) -> str:
    return url.replace("postgresql+psycopg", "postgresql")


# ── How long they wait for one another ──────────────────────────────────────────────────────────────────────────────


@dataclass
class Waits:
    """Looks at open transactions, and how many of them waited for a lock."""

    looks: int = 0
    locked: int = 0

    @property
    def percent(self) -> float:
        return 100 * self.locked / max(1, self.looks)


@contextmanager
def waits(url: str) -> Iterator[Waits]:
    seen, over = Waits(), Event()

    def look() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not over.wait(0.01):
                for (kind,) in connection.execute(OPEN).fetchall():
                    seen.looks += 1
                    seen.locked += kind == "Lock"

    looking = Thread(target=look)
    looking.start()
    try:
        yield seen
    finally:
        over.set()
        looking.join()


# ── procrastinate, with jobs that do nothing ────────────────────────────────────────────────────────────────────────


def _app(url: str, done: list[None]) -> procrastinate.App:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, min_size=1, max_size=2))

    @app.task(name="contact")
    async def contact() -> None:
        done.append(None)

    return app


async def set_up_jobs(url: str) -> None:
    app = _app(url, [])
    async with app.open_async():
        await app.schema_manager.apply_schema_async()


async def defer_jobs(url: str, count: int) -> None:
    app = _app(url, [])
    async with app.open_async():
        await app.tasks["contact"].batch_defer_async(*[{}] * count)


def do_jobs(wait: Callable[[], None]) -> int:
    return asyncio.run(_work(plain(_database.url), wait))


async def _work(url: str, wait: Callable[[], None]) -> int:
    done: list[None] = []
    app = _app(url, done)
    async with app.open_async():
        wait()
        await app.run_worker_async(
            wait=False, concurrency=1, listen_notify=False, delete_jobs="always", install_signal_handlers=False
        )
    return len(done)
