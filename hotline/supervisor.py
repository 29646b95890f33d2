"""`hotline up`: a thin parent of its children (PostgreSQL, Asterisk, ivr, core, answers).

Rules: no child's death takes calls with it: Asterisk's and PostgreSQL's parent is this process, and the others are
started again with back-off, also while the disk is full or the machine has no room for one process more. If this
process dies, the kernel ends the children. Nothing starts half: what is missing or taken is found first, and said with
what to do.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

from pydantic import SecretStr

from dialplans import render
from hotline import (
    asterisk,
    asterisk_root,
    free_ports,
    groundwork,
    numbering,
    one_house,
    postgres,
    processes,
    script_files,
    wiring,
)
from hotline.cannot_start import CannotStart
from hotline.child import Child
from hotline.nursery import Nursery
from hotline.places import Places, make_secrets, places, plan
from hotline.settings import Settings

BACK_OFF = (0.2, 1.0, 3.0, 10.0)  # seconds before a dead child is started again
SOUND = -10  # niceness of what calls are heard by: it needs little, and at once
HANGS = {"ivr": 10.0, "core": 30.0, "answers": 30.0}  # seconds without a pulse: callers wait in silence for the ivr
CALM = 30.0  # a child that lived this long has not "died again"
STATE_AGAIN = 2.0  # seconds until a state that could not be written (a full disk) is written again


class Supervisor:
    """`say` shows progress, a line each, and raises nothing; `line` is a nursery's, which knows these settings
    (`hotline/nursery.py`)."""

    def __init__(self, settings: Settings, say: Callable[[str], None], line: socket.socket | None) -> None:
        self.settings, self.say = settings, say
        self._line = line
        self._nursery: Nursery | None = None
        self.here: Places = places(settings)
        self._children: list[Child] = []
        self._stopping = asyncio.Event()
        self._since = time.time()
        self._left_out: list[str] = []  # what is wrong in files of `scripts/`

    async def run(self, ready: Callable[[], Awaitable[None]] | None = None) -> None:
        """Start all, watch until told to stop (SIGINT, SIGTERM), end all. Raises CannotStart, and what ended the watch
        over a child: a house in which one stays dead must end, for whoever starts houses to see."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, self._stopping.set)
        self._nursery = Nursery(self._line) if self._line is not None else None
        for folder in (self.here.data, self.here.log, self.here.sounds, self.here.recordings, self.here.outbox):
            folder.mkdir(parents=True, exist_ok=True)
        with one_house.only_one(self.here):
            one_house.state_file(self.here).unlink(missing_ok=True)  # one that was killed has left it
            free_ports.check(self.settings)
            await self._start_and_watch(ready)

    async def _start_and_watch(self, ready: Callable[[], Awaitable[None]] | None) -> None:
        watchers: list[asyncio.Task[None]] = []
        behind: list[asyncio.Task[None]] = []
        try:
            if not await self._started():
                return
            watchers = [asyncio.create_task(self._watch(child)) for child in self._children]
            self._write_state()
            if ready is not None:
                await ready()
            if self.settings.voices.natural:
                behind.append(asyncio.create_task(self._improve_voices()))
            await self._told_to_stop(watchers)
            self.say("Stopping …")
        finally:
            self._stopping.set()
            for task in (*watchers, *behind):
                task.cancel()
            for child in reversed(self._children):
                await child.end()
            if self._nursery is not None:
                self._nursery.close()
            one_house.state_file(self.here).unlink(missing_ok=True)

    async def _started(self) -> bool:
        """False where we were told to stop before all of it ran."""
        starting, told = asyncio.create_task(self._start_all()), asyncio.create_task(self._stopping.wait())
        await asyncio.wait((starting, told), return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if starting.done():
            await starting
            return True
        self.say("Stopping …")
        starting.cancel()
        await asyncio.wait([starting])
        return False

    async def _told_to_stop(self, watchers: list[asyncio.Task[None]]) -> None:
        """Raises what ended a watcher before."""
        told = asyncio.create_task(self._stopping.wait())
        await asyncio.wait((told, *watchers), return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        for watcher in watchers:
            if watcher.done():
                watcher.result()

    # ── Starting ────────────────────────────────────────────────────────────────────────────────────────────────

    async def _start_all(self) -> None:
        root = await asyncio.to_thread(asterisk_root.ensure_root, self.say)
        if self.settings.database.url is None:
            self.say("PostgreSQL …")
            await self._start_postgres()
        await asyncio.to_thread(groundwork.lay, self.settings, self.say)
        accounts = await asyncio.to_thread(groundwork.telephones, self.settings)
        secrets = make_secrets(self.here, [account.username for account in accounts])
        self.say("Prompts and scripts …")
        self._left_out = await wiring.prepare(self.settings, self._progress)
        for problem in self._left_out:
            self.say(f"  {script_files.LEFT_OUT} {problem}")
        self.say("Asterisk …")
        configuration = render(plan(self.settings, secrets, accounts))
        # Its warnings name the AGI address with its secret: they come to us, who mask them, and not to a file.
        configuration["logger.conf"] = configuration["logger.conf"].replace("messages.log =>", "console =>")
        asterisk.prepare_instance(self.here.asterisk, configuration)
        asterisk.check_configuration(self.here.asterisk)
        child = Child(
            "asterisk",
            lambda: asterisk.asterisk_command(root, self.here.asterisk, sounds=self.here.sounds),
            self.here.log / "asterisk.log",
            stop=_stop_asterisk,
            secrets=secrets.every(),
            niceness=SOUND,
        )
        await self._add(child)
        await self._until_booted(child)
        self.say("The hotline …")
        await self._add(self._process("ivr", secrets.every(), niceness=SOUND))
        await self._add(self._process("core", secrets.every()))
        if self.settings.answers_url is not None:
            await self._add(self._process("answers", ()))
        await self._until_answering(self.settings.address, numbering.AGI_PORT, "ivr")
        await self._until_answering(self.settings.web.bind, self.settings.web.port, "core")
        if self.settings.answers_url is not None:
            await self._until_answering(self.settings.answers_bind, self.settings.answers.port, "answers")

    async def _until_booted(self, child: Child) -> None:
        """Raises CannotStart with Asterisk's own words."""
        booted = asyncio.create_task(asterisk.wait_until_booted(self.here.asterisk))
        died = asyncio.create_task(child.died())
        try:
            await asyncio.wait((booted, died), return_when=asyncio.FIRST_COMPLETED)
            if booted.done():
                await booted
            else:
                raise asterisk.AsteriskFailed(f"Asterisk ended at its start (code {died.result()}).")
        except asterisk.AsteriskFailed as error:
            if died.done() and child.keeping is not None:
                await child.keeping  # its last words
            words = asterisk.errors_in(child.log)
            raise CannotStart(f"{error} {words and words + '. '}Read {child.log}.") from error
        finally:
            booted.cancel()
            died.cancel()

    def _process(self, name: str, secrets: tuple[str, ...], niceness: int = 0) -> Child:
        """One of the house's own: `hotline run NAME`."""
        return Child(
            name,
            lambda: [sys.executable, "-m", "hotline", "run", name],
            self.here.log / f"{name}.log",
            environment={"HOTLINE_FROZEN": self.settings_json()},
            secrets=secrets,
            niceness=niceness,
            hangs_after=HANGS.get(name),
            nursery=self._nursery,
        )

    def settings_json(self) -> str:
        """The settings as this process read them: a changed file must not split the house."""
        return json.dumps(self.settings.model_dump(mode="python"), default=_plain)

    async def _start_postgres(self) -> None:
        cluster = self.here.cluster
        await asyncio.to_thread(postgres.initialise, cluster)
        await self._add(
            Child(
                "postgres",
                lambda: postgres.server_command(cluster),
                self.here.log / "postgres.log",
                stop=postgres.stop,
            )
        )
        await asyncio.to_thread(postgres.wait_until_ready, cluster)

    async def _add(self, child: Child) -> None:
        self._children.append(child)
        await child.start()

    def _progress(self, done: int, of: int, what: str) -> None:
        if done == of:
            self.say(f"  {of} prompts are ready")

    async def _until_answering(self, address: str, port: int, name: str, seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                _, writer = await asyncio.open_connection(address, port)
                writer.close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise CannotStart(f"{name} did not start. Read {self.here.log / name}.log.") from None
                await asyncio.sleep(0.05)

    async def _improve_voices(self) -> None:
        """A job behind the running house, not a part of it: it ends, and if it fails, the house speaks as it did."""
        job = self._process("voices", ())
        try:
            await job.start()
            if await job.died() != 0:
                self.say(f"The natural voice isn't there; the fast one speaks. Read {job.log}.")
        except OSError as error:
            self.say(f"The natural voice could not be made ({error.strerror}); the fast one speaks.")
        finally:
            await job.end()

    # ── Watching ────────────────────────────────────────────────────────────────────────────────────────────────

    async def _watch(self, child: Child) -> None:
        while True:
            code = await child.died()
            if self._stopping.is_set():
                return
            child.deaths = 1 if time.monotonic() - child.started_at > CALM else child.deaths + 1
            self.say(f"{child.name} ended (code {code}); starting it again in {_back_off(child.deaths):.1f} s")
            await self._start_again(child)
            self._tell_state()

    async def _start_again(self, child: Child) -> None:
        """Until it has: a machine that is out of memory, processes or descriptors has some again one day."""
        while True:
            await asyncio.sleep(_back_off(child.deaths))
            try:
                return await child.start()
            except (OSError, subprocess.SubprocessError) as error:
                child.deaths += 1
                why, wait = getattr(error, "strerror", None) or str(error), _back_off(child.deaths)
                self.say(f"{child.name} could not be started ({why}); trying again in {wait:.1f} s")

    def _tell_state(self) -> None:
        """What `hotline status` reads; on a full disk as soon as there is room."""
        if self._stopping.is_set():
            return
        try:
            self._write_state()
        except OSError as error:
            file = one_house.state_file(self.here)
            self.say(f"{file} could not be written ({error.strerror}); `hotline status` is out of date")
            asyncio.get_running_loop().call_later(STATE_AGAIN, self._tell_state)

    def _write_state(self) -> None:
        state = {
            "supervisor": os.getpid(),
            "since": self._since,
            "console": self.settings.console_url,
            "answers": self.settings.answers_url,
            "address": self.settings.address,
            "left_out": self._left_out,
            "children": {child.name: child.pid for child in self._children},
        }
        told = one_house.state_file(self.here)
        beside = told.with_suffix(".new")
        beside.write_text(json.dumps(state))
        beside.rename(told)


def _back_off(deaths: int) -> float:
    return BACK_OFF[min(deaths, len(BACK_OFF)) - 1]


def _plain(value: object) -> object:
    """A secret is given to our own children as it is: pydantic would write stars."""
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _stop_asterisk(pid: int) -> None:
    for child in [pid, *processes.descendants(pid)]:
        if processes.name(child) == "asterisk":
            os.kill(child, signal.SIGTERM)
            return
    os.kill(pid, signal.SIGTERM)
