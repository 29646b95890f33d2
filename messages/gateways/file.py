"""The first gateway: a file of JSON lines, one a message, for the demo, for tests and for a provider that reads files.

    {"id": "…", "at": "2026-11-25T09:20:00+00:00", "to": "+34600000001", "text": "…"}

Rules: only its owner can read it (0600); a line is on disc before its receipt is given; a message id is written once,
whoever writes: the ids in the file are read under the same lock under which the line is appended. A line that a crash
cut short counts as not written.
"""

import asyncio
import errno
import fcntl
import json
import os
from collections.abc import Callable
from datetime import datetime
from io import FileIO
from pathlib import Path

from messages.gateway import Outgoing, Receipt, TryLater


class FileGateway:
    """Appends to `path`; its folder is made if need be. `now` is the clock."""

    name = "file"
    knows_ids = True

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self._path, self._now = path, now
        self._written: set[str] = set()
        self._read_up_to = 0

    async def send(self, message: Outgoing) -> Receipt:
        """Raises `TryLater` if the disc is full or the folder cannot be written to."""
        try:
            await asyncio.to_thread(self._append, message)
        except OSError as failed:
            advice = f"the outbox file cannot be written ({os.strerror(failed.errno or 0)}); free space or give rights"
            raise TryLater("gateway_down", advice) from None
        return Receipt(str(message.message_id))

    def _append(self, message: Outgoing) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        opened = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with FileIO(opened, "r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            os.fchmod(file.fileno(), 0o600)
            whole = self._read_on(file)
            if str(message.message_id) in self._written:
                return
            row = {
                "id": str(message.message_id),
                "at": self._now().isoformat(),
                "to": message.to,
                "text": message.text,
            }
            # The line that a crash cut short is closed first, so that it spoils only itself.
            line = (b"" if whole else b"\n") + json.dumps(row, ensure_ascii=False).encode(errors="replace") + b"\n"
            if os.write(file.fileno(), line) != len(line):
                raise OSError(errno.ENOSPC, "only a part of the line could be written")
            os.fsync(file.fileno())

    def _read_on(self, file: FileIO) -> bool:
        """Learns the ids that were written since the last time; whether the file ends with a whole line."""
        size = os.fstat(file.fileno()).st_size
        if size < self._read_up_to:  # somebody has put a new file in its place
            self._written, self._read_up_to = set(), 0
        new = os.pread(file.fileno(), size - self._read_up_to, self._read_up_to)
        whole_lines = new[: new.rfind(b"\n") + 1]
        self._read_up_to += len(whole_lines)
        for line in new.splitlines():  # the last one may lack only its line end
            try:
                self._written.add(str(json.loads(line)["id"]))
            except (ValueError, TypeError, KeyError):
                continue  # cut short by a crash: not written
        return len(new) == len(whole_lines)
