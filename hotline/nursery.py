"""Where the house's own processes come from: a process that has loaded all that they need, and forks when it is told.

Loading costs each of them two seconds of processor. Forked, a child that died is back at once, and what all have loaded
is in memory once. The nursery itself does nothing else, has no thread of Python's and opens nothing, so that what is
forked from it is as good as new. It and its children die with the process that made it.
"""

import asyncio
import ctypes
import gc
import json
import logging
import os
import selectors
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from setproctitle import setproctitle

log = logging.getLogger(__name__)

LONGEST = 65_536  # bytes of an order, which is a name or some settings
MOST_GIVEN = 4  # descriptors with an order
FOR_ALL = {signal.SIGINT, signal.SIGTERM}  # a terminal or systemd tells all of us; the supervisor sees to the nursery
KILLED = -signal.SIGKILL  # how a child ended whose nursery is gone: the kernel killed it, too

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class NotForked(Exception):
    """The nursery was killed, or the machine is too full to fork it: a child must be started in another way."""


def dies_with_its_parent() -> None:
    """For a process that was just forked by its parent's first thread.

    Not SIGTERM: Asterisk is gone with us, and one that takes its time to end would keep its port from the next start.
    """
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


# ── In the nursery ──────────────────────────────────────────────────────────────────────────────────────────────────

Job = Callable[[str, Sequence[int]], int]
"""What a child does: an order's text and the descriptors that came with it, to an exit code."""


def make(job: Job) -> socket.socket:
    """Fork a nursery from this process, which has loaded what is needed and has no other thread; returns our end."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sys.stdout.flush()
    if os.fork() == 0:
        ours.close()
        dies_with_its_parent()
        sys.exit(tend(its, job))
    its.close()
    return ours


def tend(line: socket.socket, job: Job) -> int:
    """The nursery's work, until `line` is closed at its other end. Returns an exit code; in a child, `job`'s.

    An order is `{"job": text, "niceness": n}` with descriptors: the child's output, and what it inherits as it is. The
    answer is `{"started": pid}` or `{"refused": errno}`; when a child is over follows `{"ended": pid, "code": n}`,
    negative for a signal.
    """
    setproctitle("hotline nursery")
    gc.disable()
    gc.freeze()  # a child that collects garbage writes to none of this: it stays shared
    os.setpgid(0, 0)
    signal.pthread_sigmask(signal.SIG_BLOCK, FOR_ALL)
    us = os.getpid()
    with selectors.DefaultSelector() as waiting:
        waiting.register(line, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.fileobj is not line:
                    waiting.unregister(key.fileobj)
                    os.close(key.fd)
                    _, status = os.waitpid(key.data, 0)
                    _tell(line, {"ended": key.data, "code": os.waitstatus_to_exitcode(status)})
                    continue
                order, given, _, _ = socket.recv_fds(line, LONGEST, MOST_GIVEN)
                if not order:
                    return 0
                asked = json.loads(order)
                try:
                    child = os.fork()
                except OSError as full:  # not our end: that would be the end of those who run
                    child = None
                    _tell(line, {"refused": full.errno or 0})
                if child == 0:
                    others = [each.fd for each in waiting.get_map().values() if each.fileobj is not line]
                    waiting.close()
                    line.close()
                    for other in others:
                        os.close(other)
                    return job(asked["job"], _become_one(us, asked["niceness"], given))
                for descriptor in given:
                    os.close(descriptor)
                if child is not None:
                    waiting.register(os.pidfd_open(child), selectors.EVENT_READ, child)
                    _tell(line, {"started": child})


def _tell(line: socket.socket, what: dict[str, int]) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):  # nobody is there: the next order will be its end
        line.send(json.dumps(what).encode())


def _become_one(parent: int, niceness: int, given: Sequence[int]) -> Sequence[int]:
    """What starting a program would have done: a group, signals and standard descriptors of its own."""
    gc.enable()
    dies_with_its_parent()
    if os.getppid() != parent:
        os._exit(1)  # it was gone before it could be our end
    os.setpgid(0, 0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FOR_ALL)
    with suppress(PermissionError):
        os.nice(niceness)
    output, *inherited = given
    nothing = os.open(os.devnull, os.O_RDONLY)
    for ours, its in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(ours, its)
    os.close(nothing)
    os.close(output)
    return inherited


# ── Beside it ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Forked:
    """A child of the nursery's, as `asyncio.subprocess.Process` would be one of ours. `returncode` is None while it
    runs."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdout: asyncio.StreamReader | None = None
        self._over = asyncio.Event()

    async def wait(self) -> int:
        await self._over.wait()
        return self.returncode or 0

    def kill(self) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def ended(self, code: int) -> None:
        self.returncode = code
        self._over.set()


class Nursery:
    """What a supervisor knows of its nursery: `line` is what `make` returned."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._ordered: deque[asyncio.Future[Forked]] = deque()
        self._running: dict[int, Forked] = {}
        line.setblocking(False)
        asyncio.get_running_loop().add_reader(line, self._read)

    async def start(self, job: str, niceness: int = 0, *inherited: int) -> Forked:
        """A child that does `job`. Raises NotForked."""
        reading, output = os.pipe()
        said, loop = asyncio.StreamReader(), asyncio.get_running_loop()
        started: asyncio.Future[Forked] = loop.create_future()
        try:
            pipe = os.fdopen(reading, "rb", buffering=0)
            await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(said), pipe)
            order = json.dumps({"job": job, "niceness": niceness}).encode()
            socket.send_fds(self._line, [order], [output, *inherited])
            self._ordered.append(started)
        except OSError as error:
            raise NotForked from error
        finally:
            os.close(output)
        child = await started
        child.stdout = said
        return child

    def _read(self) -> None:
        try:
            told = self._line.recv(LONGEST)
        except BlockingIOError:
            return
        except OSError:
            told = b""
        if not told:
            self._is_gone()
            return
        what: dict[str, int] = json.loads(told)
        if "ended" in what:
            self._running.pop(what["ended"]).ended(what["code"])
            return
        ordered = self._ordered.popleft()  # it answers in the order in which it is told
        if "refused" in what:
            log.error("the nursery could not fork: %s", os.strerror(what["refused"]))
            if not ordered.done():
                ordered.set_exception(NotForked())
            return
        child = self._running[what["started"]] = Forked(what["started"])
        if ordered.done():
            child.kill()  # whoever wanted it was told to stop meanwhile
        else:
            ordered.set_result(child)

    def _is_gone(self) -> None:
        log.error("the nursery is gone, and its children with it")
        asyncio.get_running_loop().remove_reader(self._line)
        self._line.close()
        for ordered in self._ordered:
            if not ordered.done():
                ordered.set_exception(NotForked())
        self._ordered.clear()
        for child in self._running.values():
            child.ended(KILLED)
        self._running.clear()

    def close(self) -> None:
        """When its children have ended."""
        if self._line.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._line)
            self._line.close()
