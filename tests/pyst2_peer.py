"""pyst2's `AGI` as an independent script: the same commands by another author's code, in tests and benchmarks.

What its constructor and `get_result` get wrong is kept out here, and nothing else of it is changed: its parsing and
its commands are what our own are compared with. See docs/decisions/0004-pyst2.md.
"""

import socket
from typing import IO, Any

from asterisk.agi import AGI, AGISIGPIPEHangup  # type: ignore[import-untyped]


class _Silent:
    """pyst2 writes the whole dialogue, caller's number included, to its standard error."""

    def write(self, text: str) -> None:
        """Goes nowhere."""


class _Lines:
    """Its input without what it takes for a reply: an end of file and a HANGUP line (both a ValueError)."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source

    def readline(self) -> bytes:
        while (line := self._source.readline()) == b"HANGUP\n":
            continue
        if not line:
            raise AGISIGPIPEHangup("the connection has ended")
        return line


class Pyst2Script(AGI):  # type: ignore[misc]
    """One script's end of a connection, blocking."""

    def __init__(self, stdin: IO[bytes], stdout: IO[str]) -> None:
        # Not the parent's: it sets a signal handler, which only a main thread may.
        self.stdin = _Lines(stdin)
        self.stdout = stdout
        self.stderr = _Silent()
        self._got_sighup = False
        self.env: dict[str, str] = {}
        self._get_agi_env()

    def reply(self, command: str, *arguments: str) -> tuple[str, str] | str:
        """(result, data) of a command, or the name of the exception that it makes of it."""
        try:
            result: Any = self.execute(command, *(self._quote(argument) for argument in arguments))["result"]
        except Exception as error:
            return type(error).__name__
        return (result[0], result[1])


def pyst2_on(connection: socket.socket) -> Pyst2Script:
    """A script on a connected socket. Returns when the environment was read."""
    return Pyst2Script(connection.makefile("rb"), connection.makefile("w", encoding="utf-8", newline="\n"))
