"""`hotline up`, forked from a process that has loaded all of it: a worker starts dozens of houses.

All else is as a site has it: what is forked here forks its own nursery, and that the house's processes.
"""

import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

LONGEST = 65_536  # bytes


class Up:
    """One of them, as `subprocess.Popen` would be."""

    def __init__(self, stock: "Stock", pid: int) -> None:
        self._stock = stock
        self.pid = pid

    def poll(self) -> int | None:
        self._stock.listens(0)
        return self._stock.ended.get(self.pid)

    def wait(self, timeout: float | None = None) -> int:
        deadline = time.monotonic() + timeout if timeout is not None else None
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("hotline up", timeout or 0)
            self._stock.listens(0.1)
        return code

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Stock:
    """What a worker's houses are forked from; it ends with the worker, and all of them with it."""

    def __init__(self) -> None:
        self._line, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-c", f"from tests import forked_house; forked_house.serve({its.fileno()})"]
        subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=(its.fileno(),))
        its.close()
        self.ended: dict[int, int] = {}
        self._started: list[int] = []

    def up(self, environment: dict[str, str], sink: BinaryIO) -> Up:
        return self.hotline(("up",), environment, sink)

    def hotline(self, command: Sequence[str], environment: dict[str, str], sink: BinaryIO) -> Up:
        """`hotline run core`, or whatever else."""
        order = {"job": json.dumps([command, environment]), "niceness": 0}
        socket.send_fds(self._line, [json.dumps(order).encode()], [sink.fileno()])
        while not self._started:
            self.listens(1)
        return Up(self, self._started.pop())

    def listens(self, seconds: float) -> None:
        while select.select([self._line], [], [], seconds)[0]:
            told = json.loads(self._line.recv(LONGEST))
            if "started" in told:
                self.ended.pop(told["started"], None)  # a number may come again
                self._started.append(told["started"])
                return
            self.ended[told["ended"]] = told["code"]
            seconds = 0


@functools.cache
def stock() -> Stock:
    return Stock()


def serve(line: int) -> None:
    """In the process that they are forked from."""
    from setproctitle import setproctitle
    from sqlalchemy.orm import configure_mappers

    from hotline import commands, nursery, run_answers, run_core, run_ivr, supervisor  # noqa: F401 -- to be loaded
    from scripts.wording import HERE
    from scripts.wording_files import load_languages
    from tests import dying, jumping

    configure_mappers()
    load_languages(HERE)

    def hotline(job: str, _: Sequence[int]) -> int:
        command, environment = json.loads(job)
        setproctitle(" ".join(("hotline", *command)))
        os.environ.clear()
        os.environ.update(environment)
        if "DIES_AT" in os.environ:
            dying.its_core_dies_at(Path(os.environ["DIES_AT"]))
        if "FAKETIME_TIMESTAMP_FILE" in os.environ:
            jumping.its_core_has_a_clock()
        return commands.main(command)

    sys.exit(nursery.tend(socket.socket(fileno=line), hotline))
