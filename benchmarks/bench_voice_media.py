"""How a voice turn's sound comes: AudioSocket against chan_websocket, on one Asterisk, in one call.

    python -m benchmarks.bench_voice_media [--json]

Both are executed by the same AGI script, in turn: `EXEC AudioSocket` to a TCP server, `EXEC Dial WebSocket/…` to a
WebSocket server. Set-up is from the command to the caller's first sound; the return from our hang-up to the script's
reply. A key is pressed in each turn of the second part: from the order to the phone to its arrival (the key itself
lasts about 0.2 s). The servers answer each frame with silence. Conclusions: docs/decisions/0012-voice-turns.md.
"""

import asyncio
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from websockets.asyncio.server import ServerConnection, serve

from benchmarks import table
from benchmarks.table import Row
from tests.agi_stand_in import AgiTalk, ivr_that
from tests.asterisk_instance import AsteriskInstance, demo_plan, free_address, speak_static
from tests.phone import Phone

NETWORK = "127.0.60"
TURNS, KEYS, FRAMES = 20, 8, 5
AUDIO_PORT, WEB_PORT = 4600, 4601
SILENCE = bytes(320)
SETUP_MS, RETURN_MS = 100.0, 50.0


class Turn:
    """What one turn told. `frames`: after how many of the caller's the server ends it, None: after a key."""

    def __init__(self, frames: int | None) -> None:
        self.frames = frames
        self.first = self.ended = self.key = 0.0
        self.begun = asyncio.Event()
        self._count = 0

    def sound(self) -> bool:
        """True: the turn is over."""
        self.first = self.first or time.perf_counter()
        self.begun.set()
        self._count += 1
        return self._count == self.frames

    def pressed(self) -> None:
        self.key = time.perf_counter()


class Servers:
    """Both servers; they tell the turn that is under way."""

    def __init__(self) -> None:
        self.turn = Turn(FRAMES)

    async def audio(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.read(1):
            await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
            over = False
            if head[0] == 0x03:
                self.turn.pressed()
                over = self.turn.frames is None
            elif head[0] == 0x10:
                writer.write(b"\x10\x01\x40" + SILENCE)
                over = self.turn.sound()
            if over:
                self.turn.ended = time.perf_counter()
                writer.write(b"\0\0\0")
        writer.close()

    async def web(self, connection: ServerConnection) -> None:
        async for told in connection:
            over = False
            if isinstance(told, bytes):
                await connection.send(SILENCE)
                over = self.turn.sound()
            elif told.startswith("DTMF_END"):
                self.turn.pressed()
                over = self.turn.frames is None
            if over:
                self.turn.ended = time.perf_counter()
                await connection.send("HANGUP")


def commands(asterisk: AsteriskInstance) -> dict[str, Callable[[], str]]:
    return {
        "AudioSocket": lambda: f'EXEC AudioSocket "{uuid4()},{asterisk.address}:{AUDIO_PORT}"',
        "chan_websocket": lambda: f'EXEC Dial "WebSocket/turns/c(slin)v(turn={uuid4()}),5,g"',
    }


async def measure(asterisk: AsteriskInstance) -> list[Row]:
    servers, done = Servers(), asyncio.Event()
    setup: dict[str, list[float]] = {}
    back: dict[str, list[float]] = {}
    keys: dict[str, list[float]] = {}
    lucia: Phone

    async def turn(talk: AgiTalk, name: str, command: str, key: bool) -> None:
        servers.turn = Turn(None if key else FRAMES)
        began = time.perf_counter()
        pressing = asyncio.create_task(press(servers.turn)) if key else None
        said = await talk.says(command)
        returned = time.perf_counter()
        assert said == "200 result=0", f"{name}: {said}"
        if pressing is not None:
            keys.setdefault(name, []).append(servers.turn.key - await pressing)
        else:
            setup.setdefault(name, []).append(servers.turn.first - began)
            back.setdefault(name, []).append(returned - servers.turn.ended)

    async def press(turn: Turn) -> float:
        await turn.begun.wait()
        pressed = time.perf_counter()
        await lucia.presses("5")
        return pressed

    async def conduct(talk: AgiTalk) -> None:
        await talk.takes_over()
        for at in range(TURNS + KEYS):
            for name, command in commands(asterisk).items():
                await turn(talk, name, command(), key=at >= TURNS)
        await talk.says("SET VARIABLE HL_NEXT hangup")
        await talk.says("SET VARIABLE HL_DONE 1")
        done.set()

    async with listening(asterisk, servers, conduct), await asterisk.phone("lucia") as lucia:
        await lucia.dials("600")
        await asyncio.wait_for(done.wait(), 45)
        await lucia.hung_up()
    return [
        _row("voice turn set-up", setup, SETUP_MS),
        _row("voice turn return to AGI", back, RETURN_MS),
        _row("key in a voice turn", keys, None),
    ]


def _row(name: str, took: dict[str, list[float]], limit: float | None) -> Row:
    ours, theirs = (statistics.median(took[side]) * 1000 for side in ("AudioSocket", "chan_websocket"))
    return Row(name, "chan_websocket", ours, theirs, "ms", limit=limit)


@asynccontextmanager
async def listening(
    asterisk: AsteriskInstance, servers: Servers, conduct: Callable[[AgiTalk], Awaitable[None]]
) -> AsyncIterator[None]:
    where = asterisk.folder / "etc" / "websocket_client.conf"
    where.write_text(
        f"[turns]\ntype=websocket_client\nuri=ws://{asterisk.address}:{WEB_PORT}/\n"
        "connection_type=per_call_config\nprotocols=media\n"
    )
    where.chmod(0o644)
    for module in ("res_websocket_client", "chan_websocket"):
        assert "Loaded" in await asterisk.cli(f"module load {module}.so")
    async with (
        await asyncio.start_server(servers.audio, asterisk.address, AUDIO_PORT),
        serve(servers.web, asterisk.address, WEB_PORT, subprotocols=["media"], compression=None),  # type: ignore[list-item]
        ivr_that(asterisk, conduct),
    ):
        yield


def main() -> int:
    os.environ.setdefault("HOTLINE_TEST_NETWORK", NETWORK)
    folder = Path(tempfile.mkdtemp(prefix="bench-voice-"))
    folder.chmod(0o755)
    speak_static(folder / "sounds")
    asterisk = AsteriskInstance(demo_plan(free_address()), folder)
    try:
        asterisk.start()
        return table.show(asyncio.run(measure(asterisk)))
    finally:
        asterisk.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
