"""AGI commands a second: our server, a raw asyncio loop, panoramisk's FastAGI, and pyst2 in threads.

    python -m benchmarks.bench_agi [--json]

All four serve the same simulated Asterisk (benchmarks/agi_caller.py, a process of its own) over loopback, in turn, in
one process; a script is COMMANDS times SET VARIABLE, as many calls at once as a busy hospital has. The best of
several rounds counts: what else the machine does only ever makes a side slower. The raw loop neither quotes, parses,
times out nor notices a hang-up: it is the ceiling.
"""

import asyncio
import logging
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks import table
from benchmarks.table import Row
from ivr import agi
from ivr.server import AgiServer
from ivr.session import AgiSession
from tests.pyst2_peer import pyst2_on

HOST, SECRET = "127.0.0.1", "3f2a9c"
CALLS, TOGETHER, COMMANDS, ROUNDS = 150, 50, 50, 6
CALLS_A_SECOND, COMMANDS_A_CALL = 400, 12  # one Asterisk at its limit; a turn is one or two commands


def main() -> int:
    logging.disable(logging.WARNING)
    sides = {"ours": ours, "raw": raw, "panoramisk": through_panoramisk, "pyst2": through_pyst2}
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, side in sides.items():
            with side() as port:
                speeds[name].append(measure(port))
    speed = {name: max(each) for name, each in speeds.items()}
    name, mine = "AGI commands", speed["ours"]
    return table.show(
        [
            Row(name, "raw asyncio", mine, speed["raw"], "/s", at_least=0.4, limit=CALLS_A_SECOND * COMMANDS_A_CALL),
            Row(name, "panoramisk", mine, speed["panoramisk"], "/s", at_least=0.75),
            Row(name, "pyst2 in threads", mine, speed["pyst2"], "/s", at_least=0.8),
        ]
    )


def measure(port: int) -> float:
    """Commands a second of the server on `port`."""
    caller = [sys.executable, "-m", "benchmarks.agi_caller", HOST, str(port), f"{SECRET}/inbound"]
    told = subprocess.run([*caller, str(CALLS), str(TOGETHER)], capture_output=True, text=True, check=True, timeout=60)
    commands, seconds = told.stdout.split()
    assert int(commands) >= CALLS * COMMANDS, f"{commands} commands arrived, not {CALLS} times {COMMANDS}"
    return int(commands) / float(seconds)


@contextmanager
def looping(begin: Any) -> Iterator[int]:
    """Runs the asyncio server that `begin` starts, in a thread of its own; gives its port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(begin(), loop).result()
    try:
        yield (server._server if isinstance(server, AgiServer) else server).sockets[0].getsockname()[1]
    finally:
        if isinstance(server, AgiServer):
            asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
        else:
            loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def ours() -> Any:
    async def handler(session: AgiSession, path: str) -> None:
        for number in range(COMMANDS):
            await session.execute(agi.set_variable("HL_N", str(number)))

    async def begin() -> AgiServer:
        server = AgiServer(handler, SECRET, HOST, 0)
        await server.start()
        return server

    return looping(begin)


def raw() -> Any:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\n\n")
        for number in range(COMMANDS):
            writer.write(b'SET VARIABLE "HL_N" "%d"\n' % number)
            await reader.readline()
        writer.close()

    async def begin() -> asyncio.Server:
        return await asyncio.start_server(serve, HOST, 0)

    return looping(begin)


def through_panoramisk() -> Any:
    from panoramisk.fast_agi import Application

    async def script(request: Any) -> None:
        for number in range(COMMANDS):
            await request.send_command(f'SET VARIABLE "HL_N" "{number}"')

    async def begin() -> asyncio.Server:
        application = Application(loop=asyncio.get_running_loop())
        application.add_route(f"{SECRET}/inbound", script)
        return await asyncio.start_server(application.handler, HOST, 0)

    return looping(begin)


class Pyst2Call(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        script = pyst2_on(self.request)
        for number in range(COMMANDS):
            script.set_variable("HL_N", str(number))


class Pyst2Server(socketserver.ThreadingTCPServer):
    request_queue_size = 1024
    daemon_threads = True


@contextmanager
def through_pyst2() -> Iterator[int]:
    with Pyst2Server((HOST, 0), Pyst2Call) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


if __name__ == "__main__":
    sys.exit(main())
