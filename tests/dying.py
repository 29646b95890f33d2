"""A house whose core dies, or loses something, at the step that a test names (`DIES_AT` in its environment).

The file $DIES_AT holds `kill after claim_next`, or `cut before settle`: what happens, and on which side of which
transaction. It is taken away when that has happened.

kill: the core dies. cut: its link to Asterisk is. asterisk: Asterisk dies. database: the connection of that very
transaction is cut, before its first statement or before its commit. unanswered: it is committed, and nobody is told.
"""

import os
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from hospital.database import Database
from hotline import run_core
from hotline.numbering import AMI_PORT
from hotline.settings import Settings


def its_core_dies_at(named: Path) -> None:
    """Of the house that this process becomes; its other processes are as they are everywhere."""
    runs, run = run_core.run_core, Database.run

    async def run_and_look(self: Database, verb: Any, *args: Any, **kwargs: Any) -> Any:
        name = verb.__name__

        def loses(session: Session, *args: Any, **kwargs: Any) -> Any:
            if at(f"before {name}", "database"):
                lose(session)
            made = verb(session, *args, **kwargs)
            if is_a_step(made) and at(f"after {name}", "database"):
                session.flush()
                lose(session)
            return made

        def is_a_step(made: Any) -> bool:
            return made is not None or name != "claim_next"  # a look that found nothing is none

        look(f"before {name}")
        made = await run(self, loses, *args, **kwargs)
        if is_a_step(made):
            look(f"after {name}")
            if at(f"after {name}", "unanswered"):
                raise OperationalError("COMMIT", None, ConnectionError("the connection was lost"))
        return made

    def at(moment: str, *kinds: str) -> str:
        """What is to happen now, if it is one of these; once."""
        text = named.read_text() if named.exists() else ""
        what, _, when = text.partition(" ")
        if when != moment or what not in kinds:
            return ""
        named.unlink()
        return what

    def look(moment: str) -> None:
        match at(moment, "kill", "cut", "asterisk"):
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "asterisk":
                os.kill(asterisk(), signal.SIGKILL)
            case "cut":
                cut()

    async def core(settings: Settings) -> None:
        Database.run = run_and_look  # type: ignore[method-assign]
        await runs(settings)

    run_core.run_core = core


def cut() -> None:
    for fd in os.listdir("/proc/self/fd"):
        with suppress(OSError), socket.socket(fileno=os.dup(int(fd))) as one:  # no socket, or of nobody
            if one.family == socket.AF_INET and one.getpeername()[1] == AMI_PORT:
                one.shutdown(socket.SHUT_RDWR)


def lose(session: Session) -> None:
    connection: Any = session.connection().connection.driver_connection
    with socket.socket(fileno=os.dup(connection.pgconn.socket)) as one:
        one.shutdown(socket.SHUT_RDWR)


def asterisk() -> int:
    """The supervisor's, whose nursery is our parent."""
    supervisor = parent(os.getppid())
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with suppress(FileNotFoundError, ProcessLookupError):
            if parent(int(pid)) == supervisor and Path(f"/proc/{pid}/comm").read_text().strip() == "asterisk":
                return int(pid)
    raise LookupError("no Asterisk")


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])
