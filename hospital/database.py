"""The one way into PostgreSQL: sessions for verbs, a thread for coroutines, NOTIFY for what changed.

Rules: database work is synchronous and lives in `hospital`; coroutines cross by `Database.run`, one transaction a
call. No transaction is held across a prompt. Connections wait at most five seconds for the server: a caller who
waits on a dead database is sent to a person instead.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Concatenate, ParamSpec, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import create_engine, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column

P = ParamSpec("P")
T = TypeVar("T")

CHANNEL = "hotline"  # LISTEN hotline; payload is `kind:id`, never data


PATIENCE = 8.0  # seconds that a coroutine waits for a transaction
Id = Annotated[UUID, mapped_column(primary_key=True, default=uuid4)]


class Base(DeclarativeBase):
    """Every mapped class. schema.sql is the truth; a test proves that the classes agree with it."""

    type_annotation_map = {datetime: TIMESTAMP(timezone=True)}  # noqa: RUF012


class Database:
    """One PostgreSQL. `url` as SQLAlchemy writes it: postgresql+psycopg://…"""

    def __init__(self, url: str, *, connections: int = 8) -> None:
        self.url = url
        self.engine: Engine = create_engine(
            url,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=5,
            pool_pre_ping=True,
            hide_parameters=True,  # a parameter may be a name, and an exception's text reaches the log
            connect_args={"connect_timeout": 5, "options": "-c statement_timeout=10000 -c lock_timeout=4000"},
        )
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="database")

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session whose work is committed at the end, or rolled back where an exception leaves it."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def _transact(self, verb: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        with self.transaction() as session:
            return verb(session, *args, **kwargs)

    async def run(self, verb: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`verb(session, …)` in one transaction in a worker thread; its result or its exception.

        TimeoutError after PATIENCE: a database that hangs must not hold a caller; its thread ends when it answers."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE):
            return await loop.run_in_executor(self._threads, lambda: self._transact(verb, *args, **kwargs))

    def close(self) -> None:
        self._threads.shutdown(wait=True)
        self.engine.dispose()


def storable(words: str) -> str:
    """`words` as PostgreSQL can hold them: without NUL, and with a question mark for what is no Unicode (a lone
    surrogate, left by bytes that were no UTF-8). For free text that people or telephones hand in."""
    return words.replace("\x00", "").encode("utf-8", "replace").decode()


_NOTIFY = text("SELECT pg_notify(:channel, :payload)")


def announce(session: Session, kind: str, subject: object) -> None:
    """Tell whoever listens that `kind:subject` changed, when (and only when) this transaction commits."""
    session.execute(_NOTIFY, {"channel": CHANNEL, "payload": f"{kind}:{subject}"})
