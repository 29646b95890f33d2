"""In a house whose PYTHONPATH begins here the core dies, or loses something, at the step that a test names.

The file $DIES_AT holds `kill after claim_next`, or `cut before settle`: what happens, and on which side of which
transaction. It is taken away when that has happened.

kill: the core dies. cut: its link to Asterisk is. asterisk: Asterisk dies. database: the connection of that very
transaction is cut, before its first statement or before its commit. unanswered: it is committed, and nobody is told.
"""

import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

if sys.orig_argv[-2:] == ["run", "core"]:
    from sqlalchemy.exc import OperationalError
    from sqlalchemy.orm import Session

    from hospital.database import Database
    from hotline.numbering import AMI_PORT

    named, run = Path(os.environ["DIES_AT"]), Database.run

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
                for fd in os.listdir("/proc/self/fd"):
                    with suppress(OSError), socket.socket(fileno=os.dup(int(fd))) as one:  # no socket, or of nobody
                        if one.family == socket.AF_INET and one.getpeername()[1] == AMI_PORT:
                            one.shutdown(socket.SHUT_RDWR)

    def asterisk() -> int:
        """Its parent is ours."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            name, _, more = Path(f"/proc/{pid}/stat").read_text().partition(") ")
            if name.endswith("(asterisk") and int(more.split()[1]) == os.getppid():
                return int(pid)
        raise LookupError("no Asterisk")

    def lose(session: Session) -> None:
        connection: Any = session.connection().connection.driver_connection
        with socket.socket(fileno=os.dup(connection.pgconn.socket)) as one:
            one.shutdown(socket.SHUT_RDWR)

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

    Database.run = run_and_look  # type: ignore[assignment]
