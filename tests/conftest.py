"""The database of each test (a copy of a template, new or made as new) and the standing characters.

One private PostgreSQL a test worker, in memory where there is room for it: a copy is seven hundred files. Asterisk and
browsers have fixtures of their own in `tests/asterisk_instance.py`, `tests/phone.py` and `tests/browser.py`.
"""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from argon2 import PasswordHasher
from hypothesis import settings
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from sqlalchemy import create_engine
from sqlalchemy.engine import Engine

from hospital import accounts, identifiers, vault
from hospital import database as database_room
from hospital.database import Database
from hotline import databases, demo, models, numbering, postgres, site_key
from hotline.model_catalogue import KOKORO, WHISPER
from ivr.desk_on_the_line import DeskOnTheLine
from ivr.dialogues import attended, survey
from tests.copies import KEEPS, Copy, Template, clone_database
from tests.moments import NOON, ZONE
from tests.site_key import SITE_KEY, put_site_key
from web import pages

pytest_plugins = ("tests.asterisk_instance", "tests.chromium", "tests.house", "tests.sharing")

settings.register_profile("hotline", deadline=None)  # how fast something is, is no test's to say
settings.load_profile("hotline")

TEMPLATE = "template_hotline"
MEMORY = Path("/dev/shm")  # noqa: S108 -- a file system in memory, for a folder with a name of its own
_ENGINES: dict[tuple[str, int], Engine] = {}
_NAMES: list[str] = []
_TEMPLATES: dict[str, Template] = {}
_COPIES: dict[str, list[Copy]] = {}  # of a template, which no test has now
_RENEWED: set[str] = set()
_DISPOSE = Engine.dispose
_NUMBERS = itertools.count(1)
ROOM = 2 << 30  # bytes; a container may have been given 64 MB


def pytest_runtest_setup(item: pytest.Item) -> None:
    """What needs root says so (`needs_root`) and is left out for an ordinary user; not in CI, which is to show it."""
    if item.get_closest_marker("needs_root") is None or os.geteuid() == 0:
        return
    if "LEAVE_OUT_NOTHING" in os.environ:
        pytest.fail("CI is to show this, and it needs root: run .ci/run as root", pytrace=False)
    pytest.skip("needs root")


@pytest.fixture(scope="session", autouse=True)
def _unlocked() -> None:
    vault.unlock(SITE_KEY)


@pytest.fixture(scope="session", autouse=True)
def _patient() -> Iterator[None]:
    """Tests without calls yield to those with them: their transactions may take their time, and no dialogue takes a
    database or a desk for one that does not answer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database_room, "PATIENCE", 60.0)
        patch.setattr(attended, "DeskOnTheLine", partial(DeskOnTheLine, silent_s=60.0, patience_s=60.0))
        for dialogue in (attended, survey):
            patch.setattr(dialogue, "DATABASE_S", 60.0)
        yield


@pytest.fixture(scope="session", autouse=True)
def site_hasher() -> Iterator[PasswordHasher]:
    """What a site hashes passwords with. Tests make hundreds of accounts, with passwords that are cheap to check."""
    kept, cheap = accounts._hasher, PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        for module in (accounts, identifiers):
            patch.setattr(module, "_hasher", cheap)
        patch.setattr(accounts, "_NOBODY", accounts._of_nobody())
        yield kept


@pytest.fixture(scope="session")
def cluster(_unlocked: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Cluster]:
    """A private PostgreSQL of this worker, not made to survive a power cut."""
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    with (
        tempfile.TemporaryDirectory(prefix="hotline-tests-", dir=MEMORY if in_memory else None) as folder,
        postgres.running(postgres.Cluster(Path(folder) / "data", durable=False)) as running,
    ):
        with running.connect() as admin:  # what is counted, and when, is not for a clock to say
            admin.execute("ALTER SYSTEM SET autovacuum = off")
            admin.execute("SELECT pg_reload_conf()")
        databases.ensure_database(running, TEMPLATE)
        has_key = put_site_key(tmp_path_factory.mktemp("key"))
        with closing(Database(running.url(TEMPLATE))) as template, template.transaction() as session:
            site_key.tie(session, has_key, may_make=False)
        yield running
        for copy in itertools.chain.from_iterable(_COPIES.values()):
            _forget(copy)


class Compiled(BytecodeCache):
    """Templates' code by their text."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key, bucket.checksum] = bucket.code


@pytest.fixture(scope="session", autouse=True)
def _what_is_compiled_stays() -> Iterator[None]:
    """A statement and a template are compiled for a worker's first test and not for each: one engine for each URL, and
    what each console's templates have become."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database_room, "create_engine", _engine)
        patch.setattr(pages, "Environment", partial(Environment, bytecode_cache=Compiled()))
        patch.setattr(Engine, "dispose", _stays)
        yield


def _engine(url: str, *, pool_size: int, connect_args: dict[str, Any], **options: Any) -> Engine:
    if (url, pool_size) not in _ENGINES:
        named = {**connect_args, "application_name": KEEPS}
        _ENGINES[url, pool_size] = create_engine(url, pool_size=pool_size, connect_args=named, **options)
    return _ENGINES[url, pool_size]


def _stays(engine: Engine, close: bool = True) -> None:
    """What `Engine.dispose` is here: the sessions of a copy that is made as new stay for its next test."""
    if not any(one is engine and url in _RENEWED for (url, _), one in _ENGINES.items()):
        _DISPOSE(engine, close)


@contextmanager
def cloned(cluster: postgres.Cluster, template: str) -> Iterator[str]:
    """The URL of a copy of a database, which is dropped afterwards: each takes 11 MB of memory.

    Names come again: with a name comes the engine that its tests share."""
    name = _name()
    url = clone_database(cluster, template, name)
    try:
        yield url
    finally:
        _drop(cluster, name)


@contextmanager
def renewed(cluster: postgres.Cluster, template: str) -> Iterator[str]:
    """The URL of a copy of a database that stays as it is for the whole session. It is made as new afterwards, at a
    fifth of the work of a new copy; nobody may copy it in turn."""
    unused = _COPIES.setdefault(template, [])
    if not unused:
        unused.append(Copy(cluster, template, _name(), _TEMPLATES.get(template)))
    copy = unused.pop()
    _TEMPLATES[template] = copy.template
    _RENEWED.add(copy.url)
    try:
        yield copy.url
    finally:
        if copy.renew():
            unused.append(copy)
        else:
            _forget(copy)
            _drop(cluster, copy.name)


def _forget(copy: Copy) -> None:
    copy.close()
    _RENEWED.remove(copy.url)
    for engine in [engine for (url, _), engine in _ENGINES.items() if url == copy.url]:
        engine.dispose()


def _name() -> str:
    return _NAMES.pop() if _NAMES else f"test_{next(_NUMBERS)}"


def _drop(cluster: postgres.Cluster, name: str) -> None:
    databases.drop_database(cluster, name)
    _NAMES.append(name)


def name_in(url: str) -> str:
    """The name of the database."""
    return url.rpartition("@/")[2].partition("?")[0]


@pytest.fixture
def database(cluster: postgres.Cluster) -> Iterator[Database]:
    """An empty database with the whole schema."""
    with renewed(cluster, TEMPLATE) as url, closing(Database(url)) as opened:
        yield opened


@pytest.fixture(scope="session")
def demo_template(cluster: postgres.Cluster) -> Iterator[str]:
    """The demo's hospital at noon, once for all scenes; each gets a copy."""
    with cloned(cluster, TEMPLATE) as url:
        with closing(Database(url, connections=1)) as database, database.transaction() as session:
            demo.load_scripts(session, NOON)
            demo.people(session, {account.username: "" for account in numbering.DEMO_ACCOUNTS}, ZONE, NOON)
        yield name_in(url)


@pytest.fixture(scope="session")
def kokoro_model() -> Path:
    """The natural voice's model in this machine's cache; `make setup` has put it there, else it is fetched now."""
    return models.install(KOKORO)


@pytest.fixture(scope="session")
def whisper_model() -> Path:
    """The model that tests hear with, from the same cache."""
    return models.install(WHISPER)
