"""Asterisk's end of many FastAGI calls at once, as cheap as it can be: answers each line with 200 result=1.

    python -m benchmarks.agi_caller ADDRESS PORT SCRIPT CALLS TOGETHER

A process of its own, so that it costs the measured server nothing. Prints the commands that it received and the
seconds from the first connection to the end of the last.
"""

import asyncio
import sys
import time

from tests.simulated_asterisk import environment


class Caller(asyncio.Protocol):
    """One call after the other on this place until no more are to be made."""

    def __init__(self, greeting: bytes) -> None:
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._greeting = greeting
        self._commands = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._greeting)

    def data_received(self, data: bytes) -> None:
        lines = data.count(b"\n")  # a script sends one line and waits
        self._commands += lines
        self._transport.write(b"200 result=1\n" * lines)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set_result(self._commands)


async def call(host: str, port: int, script: str, calls: int, together: int) -> tuple[int, float]:
    greeting, left, commands = environment(host, script), calls, 0
    loop = asyncio.get_running_loop()

    async def place() -> None:
        nonlocal left, commands
        while left > 0:
            left -= 1
            _, caller = await loop.create_connection(lambda: Caller(greeting), host, port)
            received = await caller.ended
            commands += received

    began = time.perf_counter()
    await asyncio.gather(*(place() for _ in range(together)))
    return commands, time.perf_counter() - began


if __name__ == "__main__":
    host, port, script, calls, together = sys.argv[1:]
    print(*asyncio.run(call(host, int(port), script, int(calls), int(together))))
