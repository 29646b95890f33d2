"""Asterisk's end of a FastAGI connection as res_agi.c behaves, without Asterisk: for what real calls can't bring about
on demand. What is simulated here is shown on a real one in tests/test_agi_asterisk.py."""

import asyncio
import contextlib
import shlex
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from tests.late import in_time

RATE = 8000  # endpos counts samples of the channel


@dataclass
class Channel:
    """One call. Keys reach the command that runs; pressed between two commands they are lost, as on the real one."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    plays_s: float = 0.03  # how long each sound lasts
    missing: frozenset[str] = frozenset()  # sounds that can't be opened
    mute: frozenset[str] = frozenset()  # verbs that never get a reply
    no_sound: bool = False  # AudioSocket() cannot connect
    commands: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    lost_keys: str = ""
    heard: bytes = b""  # of AudioSocket(): the sound of all turns
    ids: list[str] = field(default_factory=list)  # of turns

    def __post_init__(self) -> None:
        self._key: asyncio.Future[str] | None = None
        self._sound: asyncio.StreamWriter | None = None
        self._changed = asyncio.Condition()
        self._script: asyncio.Task[None] | None = None

    @classmethod
    async def calls(cls, host: str, port: int, script: str, **how: object) -> Self:
        """Connects as `AGI(agi://host:port/script)` does, with Lucía's environment; then serves commands."""
        reader, writer = await asyncio.open_connection(host, port)
        channel = cls(reader, writer, **how)  # type: ignore[arg-type]
        writer.write(environment(host, script))
        channel._script = asyncio.create_task(channel._serve())
        return channel

    async def ended(self, within: float = 5) -> None:
        """Waits until the script has closed the connection."""
        assert self._script is not None
        async with in_time(within, "its end"):
            await self._script

    async def until(self, command: str, times: int = 1, within: float = 5) -> None:
        """Waits until a command that begins so was received (so many times)."""
        async with in_time(within, f"{times} times {command}"), self._changed:
            await self._changed.wait_for(lambda: sum(c.startswith(command) for c in self.commands) >= times)

    def presses(self, key: str) -> None:
        if self._sound is not None:
            self._sound.write(b"\x03\x00\x01" + key.encode())
        elif self._key is not None and not self._key.done():
            self._key.set_result(key)
        else:
            self.lost_keys += key

    async def takes(self, key: str, within: float = 5) -> None:
        """Presses a key once a command waits for it."""
        async with in_time(within, "a command waits for a key"):
            while self._key is None or self._key.done():  # noqa: ASYNC110 - a future that comes and goes
                await asyncio.sleep(0)
        self.presses(key)

    async def speaks(self, *frames: bytes, within: float = 5) -> None:
        """Sends 20 ms of sound each, once a voice turn listens; without their pace."""
        async with in_time(within, "a voice turn listens"):
            while self._sound is None:  # noqa: ASYNC110 - a stream that comes and goes
                await asyncio.sleep(0)
        for frame in frames:
            self._sound.write(b"\x10" + len(frame).to_bytes(2, "big") + frame)

    async def until_heard(self, sound: bytes, within: float = 5) -> None:
        async with in_time(within, "the sound is heard"), self._changed:
            await self._changed.wait_for(lambda: sound in self.heard)

    def loses_sound(self) -> None:
        """AudioSocket() fails in mid-turn, as when its server breaks off; the caller is still there."""
        assert self._sound is not None
        self._sound.transport.abort()

    def hangs_up(self) -> None:
        """With AGIEXITONHANGUP=yes and AGISIGHUP=no: the running command fails and the connection is closed."""
        if self._sound is not None:
            self.writer.close()
            self._sound.close()
            return
        if self._key is not None and not self._key.done():
            self._key.set_result("hangup")
        else:
            self.writer.close()

    async def _serve(self) -> None:
        try:
            while line := await self.reader.readline():
                command = line.decode().strip()
                async with self._changed:
                    self.commands.append(command)
                    self._changed.notify_all()
                await self._answer(shlex.split(command))
        except ConnectionError:
            return  # the script dropped us: that is an end, too
        finally:
            self.writer.close()

    async def _answer(self, words: list[str]) -> None:
        match words:
            case [verb, *_] if verb in self.mute:
                return
            case ["STREAM", "FILE", sound, _, offset]:
                await self._stream(sound, int(offset))
            case ["WAIT", "FOR", "DIGIT", milliseconds]:
                key = await self._pressed_within(int(milliseconds) / 1000)
                self._says(f"200 result={_code(key)}", key)
            case ["GET", "DATA", "", milliseconds, most]:
                await self._collect(int(milliseconds) / 1000, int(most))
            case ["EXEC", "AudioSocket", where]:
                await self._stream_sound(where)
            case ["SET", "VARIABLE", name, value]:
                self.variables[name] = value
                self._says("200 result=1")
            case ["SET", "AUTOHANGUP", _] | ["NOOP"]:
                self._says("200 result=0")
            case _:
                self._says("510 Invalid or unknown command")

    async def _stream(self, sound: str, offset: int) -> None:
        if sound in self.missing:
            self._says("200 result=-1 endpos=0")
            return
        began = asyncio.get_running_loop().time()
        key = await self._pressed_within(max(0.0, self.plays_s - offset / RATE))
        played = offset + round((asyncio.get_running_loop().time() - began) * RATE)
        self._says(f"200 result={_code(key)} endpos={played}", key)

    async def _collect(self, seconds: float, most: int) -> None:
        """ast_app_getdata without a prompt: a row of keys, ended by `#`, by the last one, or by a pause."""
        keys = ""
        while len(keys) < most:
            key = await self._pressed_within(seconds)
            if key == "hangup":
                self._says("200 result=-1", key)
                return
            if not key:
                self._says(f"200 result={keys} (timeout)")
                return
            if key == "#":
                break
            keys += key
        self._says(f"200 result={keys}")

    async def _stream_sound(self, where: str) -> None:
        """app_audiosocket.c: 0 after a hang-up or a lost connection, -1 when there was none."""
        turn, _, address = where.partition(",")
        if self.no_sound:
            self._says("200 result=-1")
            return
        host, _, port = address.partition(":")
        reader, self._sound = await asyncio.open_connection(host, int(port))
        self._sound.write(b"\x01\x00\x10" + UUID(turn).bytes)
        self.ids.append(turn)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while (head := await reader.readexactly(3))[0] == 0x10:
                self.heard += await reader.readexactly(int.from_bytes(head[1:], "big"))
                async with self._changed:
                    self._changed.notify_all()
        self._sound.close()
        self._sound = None
        self._says("200 result=0")

    async def _pressed_within(self, seconds: float) -> str:
        self._key = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                return await self._key
        except TimeoutError:
            return ""
        finally:
            self._key = None

    def _says(self, line: str, key: str = "") -> None:
        self.writer.write(line.encode() + b"\n")
        if key == "hangup":
            self.writer.close()


def environment(host: str, script: str) -> bytes:
    """What Asterisk says first (22.10, PJSIP)."""
    return (
        f"agi_network: yes\nagi_network_script: {script}\nagi_request: agi://{host}/{script}\n"
        "agi_channel: PJSIP/lucia-00000001\nagi_language: es\nagi_type: PJSIP\nagi_uniqueid: n1-1795647600.7\n"
        "agi_version: 22.10.1\nagi_callerid: +573015550101\nagi_calleridname: unknown\nagi_callingpres: 0\n"
        "agi_callingani2: 0\nagi_callington: 0\nagi_callingtns: 0\nagi_dnid: 600\nagi_rdnis: unknown\n"
        "agi_context: ivr\nagi_extension: inbound\nagi_priority: 7\nagi_enhanced: 0.0\nagi_accountcode: \n"
        "agi_threadid: 140000000000000\n\n"
    ).encode()


def _code(key: str) -> int:
    return -1 if key == "hangup" else ord(key) if key else 0
