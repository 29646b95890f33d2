"""The whole hotline, as `hotline up` runs it, for tests: its own address, data folder, Asterisk and PostgreSQL.

One house a test worker; `house.reset()` before each test empties what calls leave behind (appointments, locks,
callbacks, calls), so that a test finds the demo as it was made, and after each its logs are looked through for people
(tests/canary.py). Phones are real SIP phones (tests/phone.py)."""

import asyncio
import base64
import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch
from uuid import UUID

import pytest
from psycopg.errors import LockNotAvailable
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import OperationalError

from hospital import booking
from hospital.booking import Appointment, Department, Doctor, Opening, Slot
from hospital.calls import Call, CallStep
from hospital.database import Base, Database
from hospital.followups import FollowUpTask
from hospital.patients import Patient
from hotline import asterisk as asterisk_process
from hotline import demo, message_joints, numbering, processes, wiring
from hotline.places import Places, read_secrets
from hotline.settings import Settings
from hotline.settings_file import DEMO, build, load
from scripts.placeholders import Value
from tests.asterisk_instance import free_address, network
from tests.canary import Canary
from tests.forked_house import Up, stock
from tests.late import LATE
from tests.phone import Phone
from tests.site_key import SITE_KEY

R = TypeVar("R", bound=Base)
LEFT_BEHIND = (
    "appointment, hold, call, call_step, screen_pop, number_lock, calling_rate, caller_language, callback, outbox,"
    " attempt, answer, answer_rule, decision, recording, duty, care_case, case_note, rating, closure, edition,"
    " suspension, suspension_notice, recurring_reminder, reminder, campaign, stint, on_call_line, question,"
    " text_talk, text_booking, text_reply, text_stop"
)

PACE = 2.0
"""Phones follow a hurried voice as well as a calm one, and a call mostly waits for the end of a sentence."""


class House:
    """One running hotline."""

    def __init__(self, folder: Path, address: str, *, pace: float = PACE, **environment: str) -> None:
        """`pace`: of its voices. `environment`: more settings, as HOTLINE_… variables."""
        self.address = address
        self.folder = folder
        self.here = Places(folder)
        self.environment = {
            "HOTLINE_ADDRESS": address,
            "HOTLINE_WEB__BIND": address,
            "HOTLINE_DATA": str(folder),
            "HOTLINE_BROWSER_PHONES": "false",
            "HOTLINE_CALLING__RING_SECONDS": "15",
            "HOTLINE_CALLING__PREDICTIVE": "true",  # for campaigns that are so; there is none
            "HOTLINE_VOICES__NATURAL": "false",  # tests listen for the very sound, which must not be replaced behind
            "HOTLINE_VOICES__PACE": str(pace),
            "HOTLINE_SITE_KEY": base64.b64encode(SITE_KEY).decode(),
            **environment,
        }
        voices = {"natural": False, "pace": pace}
        self.settings: Settings = build(
            {**DEMO, "address": address, "web": {"bind": address}, "data": folder, "voices": voices}
        )
        self._process: subprocess.Popen[bytes] | Up | None = None
        self._phone_addresses = itertools.cycle(range(100, 250))
        self.database: Database
        self._demos_tasks: list[UUID]
        self._canary = Canary()

    @contextmanager
    def starting(self) -> Iterator[subprocess.Popen[bytes] | Up]:
        """`hotline up`, which has only begun; killed at the block's end where it still runs."""
        process = self._up()
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def _up(self) -> subprocess.Popen[bytes] | Up:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        self.prompts_of_before()
        environment = {**os.environ, **self.environment}
        with (self.folder / "up.log").open("wb") as sink:
            if "PYTHONPATH" not in self.environment:
                return stock().up(environment, sink)
            return subprocess.Popen(  # what is loaded already is not what it is to load
                [sys.executable, "-m", "hotline", "up"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
            )

    def prompts_of_before(self) -> None:
        """What a house of a test has rendered once is there, for a start that is not about it."""
        share_prompts(SHARED_PROMPTS, self.here.sounds / "cache")

    def start(self) -> None:
        self._process = self._up()
        deadline = time.monotonic() + 150
        while not (self.folder / "running.json").exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError((self.folder / "up.log").read_text(errors="replace"))
            time.sleep(0.05)  # the file is the supervisor's own sign that all of it runs
        self.database = Database(self.here.cluster.url(), connections=4)
        with self.database.transaction() as session:
            # without the one of which Ruth is texted: tests have texts of their own
            kept = select(FollowUpTask.id).where(FollowUpTask.reason != demo.HOW_IT_WAS)
            self._demos_tasks = list(session.scalars(kept))
        share_prompts(self.here.sounds / "cache", SHARED_PROMPTS)

    def stop(self) -> None:
        if self._process is not None:
            if hasattr(self, "database"):
                self.database.close()
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(timeout=40)
            self._process = None
            self.tells_of_nobody()

    def logs(self) -> list[Path]:
        """All that is written for who operates it: by its processes, by Asterisk itself, by `up`."""
        folders = ((self.here.log, "*"), (self.here.asterisk / "log", "*"), (self.folder, "*.log"))
        return [path for folder, names in folders for path in sorted(folder.glob(names)) if path.is_file()]

    def tells_of_nobody(self) -> None:
        """I7: nothing that came into a log since the last look is about a patient."""
        assert self._canary.finds(self.logs()) == []

    @property
    def children(self) -> dict[str, int | None]:
        state: dict[str, dict[str, int | None]] = json.loads((self.folder / "running.json").read_text())
        return state["children"]

    def kill(self, child: str) -> None:
        """kill -9, at once."""
        pid = self.children[child]
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    async def restarted(self, child: str, old: int, within: float = 30) -> None:
        deadline = time.monotonic() + within
        while self.children[child] in (old, None):
            assert time.monotonic() < deadline, f"{LATE}: {child} was not started again"
            await asyncio.sleep(0.05)
        ports = {"ivr": numbering.AGI_PORT, "core": numbering.CONSOLE_PORT, "answers": numbering.ANSWERS_PORT}
        port = ports.get(child)
        if port is not None:
            await self.answering(port)

    def reset(self) -> None:
        # TRUNCATE locks table after table, as the running house reads them in an order of its own: whoever waits with
        # some of them lets go before the two stand in each other's way.
        deadline = time.monotonic() + 20
        while True:
            try:
                return self._empty()
            except OperationalError as error:
                if not isinstance(error.orig, LockNotAvailable) or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def _empty(self) -> None:
        message_joints.sent_file(self.here).unlink(missing_ok=True)
        with self.database.transaction() as session:
            session.execute(text("SET LOCAL lock_timeout = '100ms'"))
            session.execute(text(f"TRUNCATE {LEFT_BEHIND} CASCADE"))
            made = delete(FollowUpTask).where(FollowUpTask.id.not_in(self._demos_tasks))  # by answers, and by our calls
            session.execute(made)
            session.execute(text("UPDATE slot SET state = 'open'"))
            session.execute(
                text(
                    "UPDATE followup_task SET state = 'open', tries = 0, next_try_at = NULL, next_number_rank = NULL,"
                    " stop_reason = NULL, closed_at = NULL, held_since = NULL, summary = ''"
                )
            )
            session.execute(text("UPDATE phone_number SET invalid_since = NULL"))
            session.execute(text("UPDATE patient SET opted_out = '{}', suits = NULL, death_reported_at = NULL"))
            session.execute(text("UPDATE patient SET guardian_declined = '{}'"))

    # ── Phones and sounds ───────────────────────────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def phone(self, username: str) -> AsyncIterator[Phone]:
        """A registered phone of one of the demo's accounts."""
        async with await Phone.start(
            address=f"{network()}.{next(self._phone_addresses)}",
            server=self.address,
            username=username,
            secret=read_secrets(self.here).sip[username],
        ) as phone:
            yield phone

    async def sound(self, key: str, language: str, pace: float = 1.0, **params: Value) -> Path:
        """The very file that a prompt is played from."""
        said = wiring.speaker(self.settings, self.here)
        return (await said.file(key, language, params, pace)).with_suffix(".sln16")

    async def sound_wav(self, key: str, language: str) -> Path:
        """A prompt as a WAV file, for a phone to speak."""
        raw = await self.sound(key, language)
        target = self.folder / f"{key}.{language}.wav"
        with wave.open(str(target), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(16000)
            sound.writeframes(raw.read_bytes())
        return target

    async def cli(self, command: str) -> str:
        return await asterisk_process.asterisk_cli(self.here.asterisk, command)

    async def no_channels(self, within: float = 20) -> None:
        """I10: no call is left in Asterisk."""
        deadline = time.monotonic() + within
        while "0 active channels" not in (shown := await self.cli("core show channels count")):
            assert time.monotonic() < deadline, f"{LATE}: {shown}{await self.cli('core show channels concise')}"
            await asyncio.sleep(0.05)

    async def hangs_everybody_up(self) -> None:
        """A test that failed in mid-call leaves its calls, and they are not the next one's."""
        if "0 active channels" not in await self.cli("core show channels count"):
            await self.cli("channel request hangup all")
            await self.no_channels()
            await asyncio.sleep(1)  # who was on the line is told to be free

    async def until_trunk_is_up(self, within: float = 20) -> None:
        """Asterisk uses a trunk that has answered its OPTIONS."""
        deadline = time.monotonic() + within
        while "Avail" not in (shown := await self.cli("pjsip show contacts")):
            assert time.monotonic() < deadline, f"{LATE}: {shown}"
            await self.cli("pjsip qualify trunk")
            await asyncio.sleep(0.1)

    # ── What is in the database ─────────────────────────────────────────────────────────────────────────────────

    def appointments(self, of: str) -> list[tuple[str, str, str]]:
        """(department, doctor, local start) of a character's booked appointments."""
        with self.database.transaction() as session:
            rows = session.execute(
                select(Department.code, Doctor.name, Slot.starts_at, Patient)
                .join(Doctor, Doctor.department_id == Department.id)
                .join(Slot, Slot.doctor_id == Doctor.id)
                .join(Appointment, Appointment.slot_id == Slot.id)
                .join(Patient, Patient.id == Appointment.patient_id)
                .where(Appointment.state == "booked")
            ).all()
            zone = wiring.zone(self.settings)
            return [
                (code, doctor, starts_at.astimezone(zone).strftime("%Y-%m-%d %H:%M"))
                for code, doctor, starts_at, patient in rows
                if patient.name == demo.NAMES[of]
            ]

    def patient(self, of: str) -> Patient:
        with self.database.transaction() as session:
            return next(one for one in session.scalars(select(Patient)) if one.name == demo.NAMES[of])

    def local(self, opening: Opening) -> tuple[str, str, str]:
        """An opening as `appointments` tells it."""
        at = opening.starts_at.astimezone(wiring.zone(self.settings))
        return opening.department_code, opening.doctor, at.strftime("%Y-%m-%d %H:%M")

    def journal(self, of: str | None = None) -> list[str]:
        """The kinds of all steps, in order; `of` one call."""
        steps = select(CallStep.kind).order_by(CallStep.at, CallStep.seq)
        with self.database.transaction() as session:
            return list(session.scalars(steps if of is None else steps.where(CallStep.call_id == of)))

    def calls(self) -> list[Call]:
        with self.database.transaction() as session:
            return list(session.scalars(select(Call).order_by(Call.started_at)))

    def rows(self, kind: type[R]) -> list[R]:
        with self.database.transaction() as session:
            return list(session.scalars(select(kind)))

    def holds(self) -> int:
        with self.database.transaction() as session:
            return session.scalar(text("SELECT count(*) FROM hold WHERE expires_at < 'infinity'")) or 0

    @contextmanager
    def only_slots(self, department: str, count: int) -> Iterator[list[Opening]]:
        """Inside the block a department has these free slots alone, its first ones."""
        with self.database.transaction() as session:
            at = wiring.now()
            free = booking.openings(session, department, at, after=at, limit=1000)
            withdrawn = [other.slot_id for other in free[count:]]
            session.execute(update(Slot).where(Slot.id.in_(withdrawn)).values(state="withdrawn"))
        try:
            yield free[:count]
        finally:
            with self.database.transaction() as session:
                session.execute(update(Slot).where(Slot.id.in_(withdrawn)).values(state="open"))

    @contextmanager
    def only_slot(self, department: str) -> Iterator[Opening]:
        """Inside the block a department has one free slot, its first."""
        with self.only_slots(department, 1) as (last,):
            yield last

    @asynccontextmanager
    async def without_ivr(self) -> AsyncIterator[None]:
        """The ivr is killed, and cannot come back inside the block: who would start it stands still."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            self.kill("ivr")
            await self.refusing(numbering.AGI_PORT)
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)
            await self.answering(numbering.AGI_PORT)

    @asynccontextmanager
    async def database_hangs(self) -> AsyncIterator[None]:
        """Inside the block PostgreSQL is there and answers nothing."""
        postgres = self.children["postgres"]
        assert postgres is not None
        stopped = [pid for pid in processes.descendants(postgres) if processes.name(pid) == "postgres"]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)

    @asynccontextmanager
    async def database_refuses(self) -> AsyncIterator[None]:
        """PostgreSQL is killed and takes no connection inside the block: who would start it stands still."""
        assert self._process is not None
        old = self.children["postgres"]
        assert old is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            self.kill("postgres")
            await self.until("it takes no connection", lambda: not self._takes_connections())
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)
            await self.restarted("postgres", old)
            await self.until("it takes connections again", self._takes_connections, within=30)

    def _takes_connections(self) -> bool:
        try:
            self.here.cluster.connect("hotline").close()
        except Exception:
            return False
        return True

    async def refusing(self, port: int, within: float = 15) -> None:
        await self._listening(port, False, within)

    async def answering(self, port: int, within: float = 30) -> None:
        await self._listening(port, True, within)

    async def _listening(self, port: int, wanted: bool, within: float) -> None:
        deadline = time.monotonic() + within
        while wanted is not await listens(self.address, port):
            assert time.monotonic() < deadline, f"{LATE}: {port}: {'nobody' if wanted else 'somebody still'} listens"
            await asyncio.sleep(0.01)

    async def until(
        self, what: str, happened: Callable[[], object], within: float = 15, instead: Callable[[], object] = str
    ) -> None:
        """Wait for something in the database; fail with `what`, and what there is `instead`."""
        deadline = time.monotonic() + within
        while not await asyncio.to_thread(happened):
            assert time.monotonic() < deadline, f"{LATE}: {what} {instead()}"
            await asyncio.sleep(0.05)


async def listens(address: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(address, port)
    except OSError:
        return False
    writer.close()
    return True


def every_day(hours: str) -> str:
    """As settings have it: "07:00-19:00"."""
    return ", ".join(f'{day} = ["{hours}"]' for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))


REAL = """
browser_phones = false

[site]
name = "San Rafael Hospital"
emergency_number = "112"
time_zone = "America/Bogota"
country = "co"
languages = ["es", "en"]
callback_number = "+576015550100"

[trunk]
host = "{trunk}"
caller_id = "+576015550100"
numbers = ["+576015550100"]
sources = ["{trunk}"]
allow = ["_+57XXXXXXXXXX"]

[calling]
ring_seconds = 15
hours = {{ {hours} }}
"""


def real_house(folder: Path, trunk: str, more: str = "", hours: str = "00:00-23:59") -> House:
    """A real site, not the demo, which calls at these hours, through a trunk at an address; not started yet. `more`:
    tables for its hotline.toml, whose first lines may be those of [calling]."""
    file = folder / "hotline.toml"
    file.write_text(REAL.format(trunk=trunk, hours=every_day(hours)) + more)
    house = House(folder / "house", free_address(), HOTLINE_SETTINGS=str(file))
    with patch.dict(os.environ, house.environment):
        house.settings = load()
    return house


SHARED_PROMPTS = Path(tempfile.gettempdir()) / f"hotline-test-prompts-{os.geteuid()}"
"""What one house has rendered is not rendered again by the next: a prompt's name says all that it was made from."""


def share_prompts(source: Path, target: Path) -> None:
    if not source.is_dir():
        return
    for folder in source.iterdir():
        if folder.name != "locks":
            there = target / folder.name
            there.mkdir(parents=True, exist_ok=True)
            for name in set(os.listdir(folder)) - set(os.listdir(there)):
                if not name.endswith(".tmp"):
                    with contextlib.suppress(FileExistsError):
                        os.link(f"{folder}/{name}", f"{there}/{name}")  # thousands: no path is made of each


@pytest.fixture(scope="session")
def running_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    started = House(folder, free_address())
    try:
        started.start()
        yield started
    finally:
        started.stop()
        if "HOTLINE_KEEP" not in os.environ:  # set it to read the logs of a failed run
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def house(running_house: House) -> Iterator[House]:
    asyncio.run(running_house.hangs_everybody_up())
    running_house.reset()
    yield running_house
    assert {"up.log", "core.log", "ivr.log", "postgres.log"} <= {path.name for path in running_house.logs()}
    running_house.tells_of_nobody()
