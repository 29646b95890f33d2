"""What a command at the terminal needs of the house, with or without the hotline running: the database (a private one
is started where none runs), the wording in force, and a front desk for dialogues.

`apart`: in a database of its own beside the house's, with the demo's people, which is dropped afterwards."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from uuid import uuid4

from hospital.database import Database
from hotline import databases, demo, postgres, script_files, wiring
from hotline.cannot_start import CannotStart
from hotline.groundwork import begin, lay, opened
from hotline.in_force import Shipped
from hotline.one_house import running
from hotline.places import places
from hotline.settings import Settings
from hotline.sheets import Sheets
from ivr.front_desk import FrontDesk
from recordings.files import Spool
from scripts.wording import Wording


@dataclass(frozen=True)
class TerminalHouse:
    database: Database
    words: Wording
    front: FrontDesk


@asynccontextmanager
async def terminal_house(settings: Settings, *, apart: bool = False) -> AsyncIterator[TerminalHouse]:
    here = places(settings)
    if apart and settings.database.url is not None:
        raise CannotStart("A call of ours is rehearsed in the private PostgreSQL, and [database] url names another.")
    with ExitStack() as stack:
        if running(here) is None:
            if settings.database.url is None:
                stack.enter_context(postgres.running(here.cluster))
            lay(settings, lambda line: print(line, file=sys.stderr))
        with closing(opened(settings)) as database, database.transaction() as session:
            begin(session, settings, may_make=settings.demo)  # a real site's first start is `hotline up`
        database = wiring.open_database(settings, here)
        stack.callback(database.close)
        if apart:
            database = stack.enter_context(_beside(here.cluster))
        with database.transaction() as session:  # a first start is long on a busy machine, and nobody waits on a line
            for problem in demo.load_scripts(session, wiring.now()):
                print(f"{script_files.LEFT_OUT} {problem}", file=sys.stderr)
            if settings.demo or apart:
                demo.people(session, wiring.sip_secrets(here), wiring.zone(settings), wiring.now())
        live = await Sheets(Shipped(settings), database).now()
        # Asterisk's spool, but by the name that it has outside: the terminal phone writes there itself
        here.spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        front = wiring.front_desk(settings, database, live.words, Spool(here.spool, PurePosixPath(here.spool)), live)
        yield TerminalHouse(database, live.words, front)


@contextmanager
def _beside(cluster: postgres.Cluster) -> Iterator[Database]:
    name = f"rehearsal_{uuid4().hex}"
    databases.ensure_database(cluster, name)
    try:
        with closing(Database(cluster.url(name))) as database:
            yield database
    finally:
        databases.drop_database(cluster, name)
