"""In a house whose PYTHONPATH begins here the core dies, or loses Asterisk, at the step that a test names.

The file $DIES_AT holds `kill after claim_next`, or `cut before _settle`: what happens, and on which side of which
transaction. It is taken away when that has happened.
"""

import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

if sys.orig_argv[-2:] == ["run", "core"]:
    from hospital.database import Database
    from hotline.numbering import AMI_PORT

    named, run = Path(os.environ["DIES_AT"]), Database.run

    def look(moment: str) -> None:
        text = named.read_text() if named.exists() else ""
        what, _, when = text.partition(" ")
        if when != moment:
            return
        named.unlink()
        if what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        for fd in os.listdir("/proc/self/fd"):
            try:
                with socket.socket(fileno=os.dup(int(fd))) as one:
                    if one.family == socket.AF_INET and one.getpeername()[1] == AMI_PORT:
                        one.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # no socket, or of nobody

    async def run_and_look(self: Database, verb: Any, *args: Any, **kwargs: Any) -> Any:
        look(f"before {verb.__name__}")
        made = await run(self, verb, *args, **kwargs)
        if made is not None or verb.__name__ != "claim_next":  # a look that found nothing is no step
            look(f"after {verb.__name__}")
        return made

    Database.run = run_and_look  # type: ignore[assignment]
