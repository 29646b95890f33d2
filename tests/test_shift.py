"""A nurse's shift, with the machine's calls beside it: everything that can become of a call, by its real signalling and
on real telephones, against the table in `shift.py`.

One house, one nurse, one call after the other; the machine has lines of its own. Red flags go to Tom, who is on call.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select

from hospital import (
    accounts,
    attempts,
    campaigns,
    followups,
    patients,
    questionnaires,
    recordings,
    rota_records,
    surveys,
)
from hospital.attempts import Attempt
from hospital.calendars import DAYS, Calendar
from hospital.callbacks import Callback
from hospital.campaigns import Wanted
from hospital.cases import Case
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.recordings import Recording
from hospital.urgent_calls import UrgentCall
from hotline import databases, demo, postgres, wiring
from tests import pickups
from tests.asterisk_instance import network
from tests.carrier import Carrier
from tests.console import Console, console
from tests.house import House, real_house
from tests.late import LATE
from tests.phone import Phone, PhoneFailed
from tests.phone_audio import VOICES, spoken
from tests.shift import ANA, ANSWERS, CALLED, KEPT, MACHINE, NONE, PHONE, PLANNED, SHIFT, Row, instant, number
from web import words
from web.words.calls import NO_RECORDING

pytestmark = pytest.mark.asterisk

STAFF = {"ana": "nurse", "grace": "supervisor", "tom": "nurse"}
WARD = "nine"  # of what Ana calls for
BIRTH, BIRTH_KEYS = date(1980, 1, 1), "01011980"
OURS = "+576015550100"
SPANISH = "2"
ABOUT_OUR_CALL = "1"
ALL_WELL = ("1", "2#", "1", "2", "2", "1", "2", "2")  # better, a pain of 2 (so it is), no fever, nothing else …
CHEST = ("1", "138#", "1", "1", "85#", "1", "1", "2", "1")  # 138 to 85; some of these: no headache, pain in the chest
GAP_S = 1.0


@pytest.fixture
async def outside() -> AsyncIterator[Carrier]:
    async with Carrier(address=f"{network()}.91") as carrier:
        yield carrier


@pytest.fixture
async def house(outside: Carrier, tmp_path: Path) -> AsyncIterator[House]:
    """A real site whose trunk leads outside, with one contact a day."""
    made = real_house(tmp_path, outside.address, "[automatic]\nlines = 4\nper_second = 4\n")
    await asyncio.to_thread(employ, made)
    try:
        await asyncio.to_thread(made.start)
        yield made
    finally:
        await asyncio.to_thread(made.stop)


def employ(house: House) -> None:
    """Accounts before the first start, so that their telephones work from it on. Tom is on call, day and night."""
    with postgres.running(house.here.cluster):
        databases.ensure_database(house.here.cluster)
        with closing(Database(house.here.cluster.url())) as database, database.transaction() as session:
            made = {
                name: accounts.create(
                    session,
                    username=name,
                    display_name=name.title(),
                    role=role,
                    password=demo.PASSWORDS[name],
                    sip_username=name,
                ).id
                for name, role in STAFF.items()
            }
            at, calendar = wiring.now() - timedelta(days=1), Calendar(wiring.zone(house.settings), "CO")
            line = rota_records.open_line(session, "nurse", "", None, made["grace"], at)
            assert line is not None
            rota_records.add_shift(
                session, calendar, line_id=line, rank=1, account_id=made["tom"], days=list(DAYS), starts=time(),
                ends=time(), first_day=calendar.date_of(at), last_day=None, by=made["grace"], at=at,
            )  # fmt: skip


def everybody_is_due(house: House) -> list[UUID]:
    """A task for each row, in its order: Ana's in a progressive campaign that runs, the machine's in none."""
    at = wiring.now()
    with house.database.transaction() as session:
        grace = accounts.by_sip_username(session, "grace")
        assert grace is not None
        made = campaigns.create(session, Wanted("The shift", "progressive", ward=WARD), grace.id, at)
        campaigns.order(session, made.id, "start", grace.id, at)
        tasks = []
        for n, row in enumerate(SHIFT):
            form = questionnaires.newest(session, "hypertension" if "chest" in row.does else "discharge-day3")
            assert form is not None
            numbers = [number(n, rank) for rank in range(1, len(row.digits) + 1)]
            who = patients.register(session, name=f"Patient {n}", birth=BIRTH, language="es", numbers=numbers)
            who.numbers[0].may_leave_message = "takes messages" in row.does
            due_at = at - timedelta(hours=1) + timedelta(seconds=n)
            task = followups.plan(
                session, patient_id=who.id, questionnaire_id=form.id, reason="discharge_day_3", due_at=due_at
            )
            if row.by == MACHINE:
                task.channel = surveys.CHANNEL
            else:
                task.ward = WARD
            tasks.append(task.id)
        return tasks


class Play:
    """The shift as it goes on."""

    def __init__(self, house: House, outside: Carrier, folder: Path) -> None:
        self.house, self.outside, self._folder = house, outside, folder
        self.tasks = everybody_is_due(house)
        self.page: Console
        self._telephones = 0
        voice = VOICES["es"][0]
        beep = (pickups.silence(0.8), pickups.tone(1000, 0.3))
        self.hello = self._sound("hello", spoken(pickups.HELLO["es"], voice))
        self.greeting = self._sound("greeting", spoken(pickups.BOX["es"], voice), *beep)
        self.fax = self._sound("fax", pickups.silence(0.5), pickups.answer_tone(3.3, reversals=True))

    async def telephone(self, stack: AsyncExitStack, *rows: int) -> Phone:
        """A real one behind the trunk, for the numbers of these rows."""
        self._telephones += 1
        port = 5070 + self._telephones
        for n in rows:
            self.outside.phones[number(n)] = (self.outside.address, port)
        return await stack.enter_async_context(
            await Phone.start(
                address=self.outside.address,
                server=self.house.address,
                username="patient",
                number=number(rows[0]),
                register=False,
                port=port,
                rtp_port=30000 + 40 * self._telephones,
            )
        )

    def call(self, n: int) -> Attempt | None:
        with self.house.database.transaction() as session:
            found = attempts.of_task(session, self.tasks[n])
            return found[-1] if found else None

    async def comes_to(self, n: int, *states: str, within: float = 25) -> None:
        def so() -> bool:
            made = self.call(n)
            return made is not None and made.state in states

        await self.house.until(f"row {n}, {SHIFT[n].does}: {states}", so, within)

    def answers(self, n: int) -> dict[str, object]:
        with self.house.database.transaction() as session:
            return followups.answers(session, self.tasks[n])

    def _sound(self, name: str, *sounds: pickups.Samples) -> Path:
        """Something for telephones to say."""
        file = self._folder / f"{name}.sln"
        file.write_bytes((np.concatenate(sounds) * 32767).astype("<i2").tobytes())
        return file

    # ── Ana ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def ana(self, patient: Phone) -> None:
        """Her shift. `patient`: the telephone of whoever talks with her."""
        async with self.house.phone("ana") as ana, console(self.house, "ana") as self.page:
            await self.page.post("/stint/join", status=204)
            await ana.rings()
            await ana.answers()
            for n, row in enumerate(SHIFT):
                if row.by == ANA:
                    await self._is_hers(n, row, patient)
            assert ana.is_talking, "one leg, from the first patient to the last"
            await self.page.post("/stint/leave")
            await ana.hung_up()

    async def _is_hers(self, n: int, row: Row, patient: Phone) -> None:
        form = f"/followups/{self.tasks[n]}"
        if row.line not in ("answered", "machine"):
            await self.comes_to(n, "ended")
            return
        if row.digits[0] == PHONE:
            await patient.rings()
            await patient.answers()
        await self.comes_to(n, "talking", "ended")
        if row.digits[0] == PHONE:
            await self._talks(n, row, form, patient)
        if row.line == "answered":
            await self.page.post(f"{form}/result/{row.says}")
        if row.digits[0] == ANSWERS or (row.line == "answered" and patient.is_talking):
            await self.page.post(f"{form}/call/hang-up")
        await self.comes_to(n, "ended")
        if row.line == "answered":
            await self.page.post("/stint/ready")

    async def _talks(self, n: int, row: Row, form: str, patient: Phone) -> None:
        """What he does, and what she does with him, before she says whom she reached."""
        if row.line == "machine":
            await patient.speaks(self.greeting)
            await self.page.post(f"{form}/call/machine")
            if row.says:
                await patient.hears(await self.house.sound("outgoing_neutral", "es"))
            await patient.hung_up(within=20)
            return
        for tick in ("name", "birth_date"):
            await self.page.post(f"{form}/ticks/{tick}", on="on")
        await self.page.post(f"{form}/call/{'record' if row.recording == KEPT else 'no-recording'}")
        await patient.speaks(self.hello)
        if row.does == "is well":
            await self.page.post(f"{form}/all-normal")
        for question, value in row.answers.items():
            if row.does != "is well" or question == "pain":
                await self.page.post(f"{form}/answers/{question}", value=_typed(value))
        if "hangs up" in row.does:
            await patient.hangs_up()
            await self.comes_to(n, "ended")
        if "chest" in row.does:
            await self.page.post(f"{form}/result/{row.says}", status=409)  # first the red flag
            await self.page.post(f"{form}/flags/raise")

    # ── The machine ─────────────────────────────────────────────────────────────────────────────────────────────

    async def machines(self, n: int, row: Row, patient: Phone) -> None:
        """What the owner of a telephone does when the machine calls."""
        await patient.rings(within=90)
        if "calls back" in row.does:
            await patient.hung_up(within=25)
            await self.comes_to(n, "ended")
            await self._calls_back(n, row, patient)
            return
        await patient.answers()
        if row.line == "fax":
            await patient.speaks(self.fax)
        elif row.line == "machine":
            await patient.speaks(self.greeting)
            await patient.hears(await self.house.sound("outgoing_neutral", "es"), within=20)
        else:
            await patient.speaks(self.hello)
            await self._ivr_has(number(n), "out")
            await patient.is_spoken_to()
            await patient.presses("1" + BIRTH_KEYS)
            await self._answers(n, row, patient)
            if "chest" in row.does:  # to a person at once, but Ana has a patient, and nobody else is there
                await patient.hears(await self.house.sound("survey_nobody_free", "es"), within=20)
                await self.house.until("she waits", lambda: "queued" in [one.state for one in self.house.calls()])
                await patient.hangs_up()
        await patient.hung_up(within=90)

    async def _calls_back(self, n: int, row: Row, patient: Phone) -> None:
        await patient.dials(OURS)
        await self._ivr_has(number(n), "in")
        await patient.is_spoken_to()
        await patient.presses(SPANISH + ABOUT_OUR_CALL + BIRTH_KEYS)
        await self._answers(n, row, patient)
        await self.house.until("all is asked", lambda: self._state(n) == "done", within=60)
        await patient.hangs_up()

    async def _answers(self, n: int, row: Row, patient: Phone) -> None:
        """By key, as somebody who knows the questions."""
        asked = "hypertension" if "chest" in row.does else "discharge-day3"
        with self.house.database.transaction() as session:
            form = questionnaires.newest(session, asked)
            assert form is not None
            title = {language: str(text) for language, text in form.body["title"].items()}
        await patient.hears(await self.house.sound("survey_intro", "es", answer=title), within=60)
        for keys in CHEST if "chest" in row.does else ALL_WELL:
            if "hangs up" in row.does and len(self.answers(n)) == 2:
                break
            await patient.presses(keys)
            await asyncio.sleep(GAP_S)
        if "hangs up" in row.does:
            await self.house.until("two are answered", lambda: self.answers(n) == row.answers)
            await patient.hangs_up()

    async def _ivr_has(self, whose: str, direction: str) -> None:
        """Keys that are pressed before it speaks are nobody's."""

        def so() -> bool:
            return (whose, direction) in [(one.number, one.direction) for one in self.house.calls()]

        await self.house.until("the ivr has the call", so)

    def _state(self, n: int) -> str:
        with self.house.database.transaction() as session:
            return session.get_one(FollowUpTask, self.tasks[n]).state

    # ── On call ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def tom(self, flags: int) -> None:
        """He is rung for each red flag, and takes it by key."""
        async with self.house.phone("tom") as tom:
            for taken in range(1, flags + 1):
                await tom.rings(within=120)
                first = min((case for case in self.house.rows(Case) if case.state == "open"), key=lambda c: c.opened_at)
                await tom.answers()
                await tom.hears(await self.house.sound("oncall_flag", "en", case=str(first.number)))
                await tom.presses("1")
                await self.house.until("it is his", partial(self._taken, taken), within=30)
                await tom.hung_up(within=30)

    def _taken(self, count: int) -> bool:
        return sum(case.owner_id is not None for case in self.house.rows(Case)) == count


def _typed(value: object) -> str | list[str]:
    return [str(one) for one in value] if isinstance(value, list) else str(value)


@asynccontextmanager
async def side_by_side() -> AsyncIterator[asyncio.TaskGroup]:
    """What fails among them fails as itself: first what no full machine explains (tests/phone.py, `House.until`)."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except ExceptionGroup as failed:
        raise min(failed.exceptions, key=lambda one: isinstance(one, PhoneFailed) or LATE in str(one)) from None


@pytest.mark.alone
@pytest.mark.covers("H13", "H14", "H16", "H18", "H25", "H28", "H33", "I3", "I4", "I5", "I6", "I10")
async def test_what_becomes_of_every_call_of_a_shift(house: House, outside: Carrier, tmp_path: Path) -> None:
    await house.until_trunk_is_up()
    play = Play(house, outside, tmp_path)
    with_telephones = {
        by: [n for n, row in enumerate(SHIFT) if row.by == by and row.digits[0] == PHONE] for by in (ANA, MACHINE)
    }
    flags = sum("chest" in row.does for row in SHIFT)
    async with AsyncExitStack() as stack:
        hers = await play.telephone(stack, *with_telephones[ANA])
        others = [(n, await play.telephone(stack, n)) for n in with_telephones[MACHINE]]
        async with side_by_side() as group:
            group.create_task(play.ana(hers))
            group.create_task(play.tom(flags))
            for n, patient in others:
                group.create_task(play.machines(n, SHIFT[n], patient))
    await house.no_channels(within=20)
    await house.until("all is sealed", lambda: not [one for one in house.rows(Recording) if one.state == "open"])
    zone = wiring.zone(house.settings)
    with house.database.transaction() as session:
        for n, row in enumerate(SHIFT):
            (call,) = attempts.of_task(session, play.tasks[n])
            task = session.get_one(FollowUpTask, play.tasks[n])
            assert call.ended_at is not None
            assert (call.line_result, call.contact_result or "", task.tries, task.state) == (
                row.line, row.says, row.tries, row.state
            ), row  # fmt: skip
            again = instant(row.again, call.ended_at, zone)
            if again is not None:
                assert task.next_try_at is not None and task.next_number_rank == row.rank, row
                assert abs(task.next_try_at.astimezone(UTC) - again.astimezone(UTC)) < timedelta(seconds=2), row
            assert recorded(recordings.of_attempt(session, call.id), call) == row.recording, row
            assert followups.answers(session, task.id) == row.answers, row
            told = [
                words.decision(one.code, one.facts, call.ended_at, zone)
                for one in followups.decisions(session, task.id)
            ]
            hand_written = (PLANNED, CALLED, *row.log)
            assert told == list(filled(hand_written, call, task.next_try_at, call.ended_at, house)), row
        assert len(session.scalars(select(Attempt)).all()) == len(SHIFT)
    assert Counter(outside.calls) == Counter(number(n) for n in range(len(SHIFT))), "each once, and nobody else"
    assert [(case.kind, case.detail, case.state) for case in house.rows(Case)] == [
        ("red_flag", "chest", "owned")
    ] * flags
    assert [(one.line_result, one.result) for one in house.rows(UrgentCall)] == [("answered", "taken")] * flags
    assert [(one.why, one.state) for one in house.rows(Callback)] == [("red_flag", "open")], (
        "nobody was on the line for it"
    )


def filled(lines: Sequence[str], call: Attempt, again: datetime | None, now: datetime, house: House) -> list[str]:
    """The table's lines with their times."""
    zone = wiring.zone(house.settings)
    at = f"{call.claimed_at.astimezone(zone):%H:%M}"
    return [line.format(at=at, again=words.near(again, now, zone) if again else "") for line in lines]


def recorded(kept: Recording | None, call: Attempt) -> str:
    """In the table's words; a recording goes from the notice to the end, or its length is told instead."""
    if kept is None:
        return NONE
    if kept.state == "none":
        return NO_RECORDING[str(kept.reason)]
    assert kept.state == "sealed" and kept.seconds is not None and call.ended_at is not None, kept.state
    talk = (call.ended_at - kept.started_at).total_seconds()
    return KEPT if abs(kept.seconds - talk) <= 0.5 else f"{kept.seconds} s of {talk} s"
