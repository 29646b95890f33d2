"""A SIP phone for tests that reads like a call.

    phone = await Phone.start(address="127.0.20.31", server="127.0.20.1", username="lucia", secret=…, number=…)
    await phone.dials("600")
    await phone.hears(sounds / "es/static/apology.sln16")
    await phone.presses("1")
    await phone.hung_up()

What is heard is real: the phone writes the sound it receives to a file and `hears` looks for the prompt in it."""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import wave
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests import listening

_PROGRAM = Path(__file__).with_name("phone_process.py")
_LOOK_EVERY = 0.2
# PJSUA2 writes what it heard every 0.25 s (4,000 bytes).
_WRITE_DELAY = 0.3


def before_others() -> None:
    """In a child before it begins: sound needs little of the processor, and has holes where that comes late."""
    with contextlib.suppress(PermissionError):
        os.nice(-10)


class PhoneFailed(AssertionError):
    """The call did not go as the test says; the message tells what happened instead."""


class CallRefused(PhoneFailed):
    """The other side did not take the call."""

    def __init__(self, number: str, code: int, reason: str) -> None:
        super().__init__(f"{number} did not answer: {code} {reason}")
        self.code = code


class Phone:
    """One phone, one call at a time. Make it with `start`, end it with `stop` (or use it as a context manager)."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path, server: str, name: str) -> None:
        self._process = process
        self._folder = folder
        self._server = server
        self._name = name
        self._changed = asyncio.Condition()
        self._reader = asyncio.create_task(self._read_events())
        self._record: Path | None = None
        self._position = 0
        self._ended: tuple[int, str] | None = None
        self._progress = 0
        self._spoken = 0
        self._replying: int | None = None
        self._failed = ""
        self._ready = False
        self._registration: int | None = None
        self.is_talking = False
        self.is_ringing = False
        self.caller = ""
        """The From of the call that rings: `"name" <sip:number@host>`."""
        self.digits = ""
        """Keys that the other side pressed in this call (RFC 4733)."""

    @classmethod
    async def start(
        cls,
        *,
        address: str,
        server: str,
        username: str,
        secret: str = "",
        number: str = "",
        display: str = "",
        register: bool = True,
        port: int = 0,
        rtp_port: int = 30000,
    ) -> Self:
        """A phone on `address`, registered at `server` (an address, or address:port) unless `register` is False.

        `number` is the user part of its address when that is not `username` (an outside line); `display` is the name
        that it claims. Raises PhoneFailed when it cannot start or register."""
        folder = Path(tempfile.mkdtemp(prefix="phone-"))
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(_PROGRAM), stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=before_others
        )
        phone = cls(process, folder, server, username)
        claimed = display.replace("\\", "\\\\").replace('"', '\\"')
        home = server if register else address
        await phone._write(
            {
                "address": address,
                "port": port,
                "rtp_port": rtp_port,
                "server": server,
                "username": username,
                "secret": secret,
                "identity": (f'"{claimed}" ' if display else "") + f"<sip:{number or username}@{home}>",
                "register": register,
                "folder": str(folder),
            }
        )
        try:
            await phone._until(lambda: phone._ready, 10, "start")
            if register:
                await phone._until(lambda: phone._registration is not None, 10, "register")
                if phone._registration != 200:
                    raise PhoneFailed(f"{username} was refused at registration: {phone._registration}")
        except BaseException:
            await phone.stop()
            raise
        return phone

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Hang up, unregister, end the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(5):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    # ── calling and being called ────────────────────────────────────────────────────────────────────────────────

    async def dials(
        self, number: str, *, within: float = 10, answered: bool = True, headers: Mapping[str, str] | None = None
    ) -> None:
        """Call `number`; returns when it was answered (or at once). Raises CallRefused with the SIP code."""
        self._begin_call()
        order = {"do": "dial", "uri": f"sip:{number}@{self._server}", "headers": dict(headers or {})}
        await self._write(order)
        if not answered:
            return
        await self._until(lambda: self.is_talking or self._ended is not None, within, f"be answered by {number}")
        if self._ended is not None and not self.is_talking:
            raise CallRefused(number, *self._ended)

    async def rings(self, within: float = 10) -> str:
        """Wait until this phone rings; returns who calls, as the call says it."""
        await self._until(lambda: self.is_ringing, within, "ring")
        return self.caller

    async def hears_ringback(self, within: float = 5) -> None:
        """Wait until the called side says that it rings (180 or 183)."""
        await self._until(lambda: self._progress >= 180, within, "hear that the other side rings")

    async def answers(self) -> None:
        await self._write({"do": "answer", "code": 200})
        await self._until(lambda: (self.is_talking and self._record is not None) or bool(self._ended), 5, "answer")

    async def rejects(self, code: int = 486) -> None:
        await self._write({"do": "answer", "code": code})
        await self._until(lambda: self._ended is not None, 5, "reject")

    async def replies_at_once(self, code: int) -> None:
        """Give every coming call this code without ringing: 486, 404 …; 0 stays silent, 180 rings (as at first)."""
        self._replying = None
        await self._write({"do": "reply", "code": code})
        await self._until(lambda: self._replying == code, 5, "change what it replies")

    async def hangs_up(self) -> None:
        await self._write({"do": "hang up"})
        await self._until(lambda: self._ended is not None, 5, "hang up")

    async def hung_up(self, within: float = 10) -> int:
        """Wait until the call has ended, whoever ended it; returns the last SIP code (200 for an ordinary end)."""
        await self._until(lambda: self._ended is not None, within, "be hung up on")
        assert self._ended is not None
        return self._ended[0]

    async def is_spoken_to(self, *, within: float = 10) -> None:
        """Wait until something is heard, whatever it is: who speaks listens for keys, too."""
        deadline = asyncio.get_running_loop().time() + within
        while listening.loudness(self.heard_since()[-listening.RATE // 4 :]) <= listening.QUIET:
            if self._ended is not None or asyncio.get_running_loop().time() > deadline:
                raise PhoneFailed(f"nobody spoke to {self._name} within {within} s: {self._told()}, {self._ended}")
            await asyncio.sleep(_LOOK_EVERY)

    # ── keys and voice ──────────────────────────────────────────────────────────────────────────────────────────

    async def presses(self, keys: str, *, gap: float = 0.3) -> None:
        """Press keys (RFC 4733), `gap` seconds from one to the next; each tone lasts about 0.2 s."""
        for index, key in enumerate(keys):
            if index:
                await asyncio.sleep(gap)
            await self._write({"do": "press", "keys": key})

    async def until_pressed(self, keys: str, *, within: float = 5) -> None:
        """Wait until the other side has pressed these keys in this call."""
        await self._until(lambda: keys in self.digits, within, f"get the keys {keys}")

    async def speaks(self, sound: Path) -> None:
        """Say what is in `sound` (.wav, .sln, .sln16); returns when it was said."""
        wav = self._folder / f"says-{sound.stem}.wav"
        with wave.open(str(wav), "wb") as file:
            file.setparams((1, 2, listening.RATE, 0, "NONE", "not compressed"))
            file.writeframes(listening.prompt(sound).astype("<i2").tobytes())
        before = self._spoken
        await self._write({"do": "speak", "wav": str(wav)})
        length = wav.stat().st_size / 2 / listening.RATE
        await self._until(lambda: self._spoken > before or self._ended is not None, length + 5, "say it all")

    # ── hearing ─────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def record(self) -> Path | None:
        """The WAV (8 kHz, mono) of what this call hears; it is gone when the phone has stopped."""
        return self._record

    @property
    def position(self) -> int:
        """How many samples (8 kHz) this call has been heard for."""
        return len(listening.recorded(self._record))

    def heard_since(self, position: int = 0) -> listening.Samples:
        """What was heard from sample `position` of this call on."""
        return listening.recorded(self._record)[position:]

    async def hears(self, sound: Path | Sequence[Path], *, within: float = 25) -> float:
        """Wait until `sound` was heard, or each of several in this order, after what was found before.

        Returns the second of the call at which (the last of) it began. Raises PhoneFailed after `within` seconds for
        each."""
        began = 0.0
        for one in [sound] if isinstance(sound, Path) else sound:
            began = await self._hears_one(one, within)
        return began

    async def hears_none_of(self, sounds: Sequence[Path], *, during: float) -> None:
        """Listen for `during` seconds from now and make sure that none of `sounds` is played."""
        begin = self.position
        await asyncio.sleep(during + _WRITE_DELAY)
        heard = self.heard_since(begin)
        for sound in sounds:
            if await asyncio.to_thread(listening.find, heard, listening.prompt(sound)):
                raise PhoneFailed(f"{self._name} heard {sound.name} and should not have")

    async def hears_nothing(self, *, during: float) -> None:
        """Listen for `during` seconds from now and make sure that it is silent."""
        await asyncio.sleep(_WRITE_DELAY)
        begin = self.position
        await asyncio.sleep(during + _WRITE_DELAY)
        level = listening.loudness(self.heard_since(begin))
        if level > listening.QUIET:
            raise PhoneFailed(f"{self._name} should hear nothing, and hears something of loudness {level:.0f}")

    async def _hears_one(self, sound: Path, within: float) -> float:
        wanted = await asyncio.to_thread(listening.prompt, sound)
        deadline = asyncio.get_running_loop().time() + within
        searched = self._position  # what came before was listened to and is not looked at again
        while True:
            over = self._ended is not None
            if over:
                await asyncio.sleep(_WRITE_DELAY)
            late = asyncio.get_running_loop().time() > deadline
            heard = self.heard_since(searched)
            # of the call's first prompt the phone may miss the beginning, of a later one it may not
            earliest = self._position - listening.DRIFT if self._position else -len(wanted)
            match = await asyncio.to_thread(listening.find, heard, wanted, earliest=earliest - searched)
            if match is not None:
                began = searched + match.start
                # Just past its beginning: the same prompt played again is another one, the next may interrupt it.
                self._position = max(began + listening.WINDOW // 4, self._position)
                return began / listening.RATE
            if over or late:
                raise PhoneFailed(
                    f"{self._name} did not hear {sound.name}: {self._told()} since the last one"
                    + (f", then the call ended ({self._ended})" if over else "")
                )
            searched = max(searched, searched + len(heard) - len(wanted) - 2 * listening.WINDOW)
            await asyncio.sleep(_LOOK_EVERY)

    def _told(self) -> str:
        heard = self.heard_since(self._position)
        return f"{len(heard) / listening.RATE:.1f} s of sound (loudness {listening.loudness(heard):.0f})"

    # ── the process ─────────────────────────────────────────────────────────────────────────────────────────────

    def _begin_call(self) -> None:
        self._ended = None
        self._record = None
        self._position = 0
        self._progress = 0
        self._failed = ""
        self.is_talking = self.is_ringing = False
        self.digits = ""

    async def _write(self, order: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        await self._process.stdin.drain()

    async def _until(self, happened: Callable[[], bool], within: float, what: str) -> None:
        def settled() -> bool:
            return bool(self._failed) or happened()

        try:
            async with asyncio.timeout(within), self._changed:
                await self._changed.wait_for(settled)
        except TimeoutError:
            ended = f"; the call ended with {self._ended}" if self._ended else ""
            raise PhoneFailed(f"{self._name} did not {what} within {within} s{ended}") from None
        if self._failed:
            raise PhoneFailed(f"{self._name} could not {what}: {self._failed}")

    async def _read_events(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                continue  # PJSUA2's own log, when PHONE_LOG asks for it
            async with self._changed:
                self._take(event)
                self._changed.notify_all()
        async with self._changed:
            self._failed = self._failed or "its process ended"
            self._changed.notify_all()

    def _take(self, event: dict[str, Any]) -> None:
        match event["is"]:
            case "ready":
                self._ready = True
            case "registered" | "unregistered":
                self._registration = event["code"]
            case "incoming":
                self._begin_call()
                self.is_ringing = True
                self.caller = event["caller"]
            case "progress":
                self._progress = event["code"]
            case "media":
                self._record = Path(event["record"])
            case "talking":
                self.is_talking, self.is_ringing = True, False
            case "ended":
                self.is_talking = self.is_ringing = False
                self._ended = (event["code"], event["reason"])
            case "digit":
                self.digits += event["digit"]
            case "replying":
                self._replying = event["code"]
            case "spoken":
                self._spoken += 1
            case "failed":
                self._failed = f"{event['order']}: {event['text']}"


async def says_until_heard(speaker: Phone, sound: Path, *listeners: Phone) -> None:
    """Says it up to three times: of what is said in the moment of being joined, the beginning may reach nobody. Raises
    PhoneFailed where one of them has not heard it then."""
    missed: list[BaseException] = []
    for within in (3.0, 3.0, 25.0):
        await speaker.speaks(sound)
        heard = await asyncio.gather(*(one.hears(sound, within=within) for one in listeners), return_exceptions=True)
        missed = [one for one in heard if isinstance(one, BaseException)]
        if not missed:
            return
    raise missed[0]
