"""The computer's clock jumps by an hour or a day, forward and back: nobody is called by a clock that is not to be
believed, nothing that was begun waits for an hour that comes twice, and all of it goes on.

Both clocks are arguments here; the last test has a real dialer whose clock is set by libfaketime.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from dialer.agentless import Agentless
from dialer.progressive import Progressive
from dialer.runner import DOUBT, Dialer, NotStarted
from dialer.steady import HOLD, SteadyClock
from hospital import answer_flags, attempts, climbing, followups, patients, questionnaires, surveys
from hospital.attempts import Attempt, Claimed
from hospital.cases import Case
from hospital.database import Database
from hospital.followups import DecisionRow, FollowUpTask
from hospital.urgent import Ladder, Reach, Step, next_step
from hotline.rounds import Rounds
from tests import outside
from tests.asterisk_instance import network
from tests.characters import JOAO, LUCIA, MEI
from tests.hospital_scene import POLICY, admit, day_three, employ
from tests.house import House, real_house
from tests.moments import NOON
from tests.outside import Witness
from tests.test_dialer import HOTLINE, UNANSWERED, Exchange, Shelf
from tests.test_progressive import Ward
from tests.test_urgent import ANA, CALENDAR, on_call, red_flag, staff

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
JUMPS = pytest.mark.parametrize("jump", [HOUR, DAY, -HOUR, -DAY])


class Computer:
    """`clock` is what its clock says. `passes` lets time pass, `jumps` sets the clock."""

    def __init__(self) -> None:
        self.clock, self.seconds = NOON, 0.0
        self.steady = SteadyClock(lambda: self.clock, lambda: self.seconds)

    def passes(self, time: timedelta) -> None:
        self.clock += time
        self.seconds += time.total_seconds()

    def jumps(self, by: timedelta) -> None:
        self.clock += by


# ── Whether it is believed ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_clock_that_goes_on_as_it_should_is_believed() -> None:
    computer = Computer()
    for _ in range(100):
        computer.passes(MINUTE)
        computer.jumps(SECOND / 2)  # put right little by little
        assert not computer.steady.held()


@JUMPS
def test_after_a_jump_nobody_is_called_by_it_for_a_while(jump: timedelta, caplog: pytest.LogCaptureFixture) -> None:
    computer = Computer()
    computer.jumps(jump)
    assert computer.steady.held(), "at once, not at the next look"
    assert "jumped by" in caplog.text and str(abs(jump)) in caplog.text and "timedatectl" in caplog.text
    computer.passes(HOLD - SECOND)
    assert computer.steady.held()
    computer.passes(SECOND)
    assert not computer.steady.held(), "it is the time by now: a computer that slept, or was wrong before"


@JUMPS
def test_a_clock_that_is_put_right_again_is_believed_at_once(jump: timedelta) -> None:
    computer = Computer()
    computer.jumps(jump)
    assert computer.steady.held()
    computer.passes(2 * MINUTE)
    computer.jumps(-jump + SECOND)
    assert not computer.steady.held()


def test_a_second_jump_begins_the_wait_anew() -> None:
    computer = Computer()
    computer.jumps(HOUR)
    assert computer.steady.held()
    computer.passes(HOLD - SECOND)
    computer.jumps(HOUR)
    computer.passes(MINUTE)
    assert computer.steady.held()


# ── What the dialer does ────────────────────────────────────────────────────────────────────────────────────────────


class Night(Computer):
    """Lucía, João and Mei are to be asked by the machine, all due; nobody answers."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database, self.exchange = database, Exchange()
        self.dialer = Dialer(
            database,
            self.exchange,
            Shelf(),
            POLICY,
            node="n1",
            caller_id=HOTLINE,
            now=lambda: self.clock,
            held=self.steady.held,
            seconds=lambda: self.seconds,
        )
        self.automatic = Agentless(
            self.dialer, kinds={"follow_up"}, most=1, per_second=1.0, seconds=lambda: self.seconds
        )
        with database.transaction() as session:
            self.ana = employ(session, "ana", "nurse").id
            for who in (LUCIA, JOAO, MEI):
                day_three(session, admit(session, who, zone="America/Bogota"), due_at=NOON - 2 * DAY)
            session.execute(update(FollowUpTask).values(channel="automated_call", due_until=NOON + 9 * DAY))

    async def second(self) -> int:
        """Whom it dials within one; each call has rung out before the next."""
        self.passes(SECOND)
        dialled = await self.automatic.call_due()
        for channel_id in list(self.exchange.up):
            await self.dialer.leg_rang(channel_id)
            self.exchange.up.pop(channel_id)
            await self.dialer.leg_ended(channel_id, "no_answer")
        return dialled

    @property
    def numbers(self) -> list[str]:
        return [about for order, about in self.exchange.orders if order.startswith("dial")]

    def attempts(self) -> list[Attempt]:
        with self.database.transaction() as session:
            return attempts.live(session)


@pytest.fixture
def night(database: Database) -> Night:
    return Night(database)


@pytest.mark.covers("I3", "I4")
@JUMPS
async def test_nobody_is_dialled_twice_or_at_a_wrong_hour_and_nobody_is_forgotten(
    night: Night, jump: timedelta
) -> None:
    """At one in the afternoon; an hour is within the window, a day is too: still nobody is dialled by that clock."""
    assert await night.second() == 1
    night.jumps(jump)
    assert [await night.second() for _ in range(5)] == [0] * 5
    night.jumps(-jump)
    assert sum([await night.second() for _ in range(5)]) == 2
    assert sorted(night.numbers) == sorted(who.numbers[0] for who in (LUCIA, JOAO, MEI)), "each once"


@pytest.mark.covers("I3", "I4")
async def test_a_clock_that_stays_as_it_jumped_is_gone_by_after_a_while(night: Night) -> None:
    assert await night.second() == 1
    night.jumps(DAY)
    assert await night.second() == 0
    night.passes(HOLD)
    assert sum([await night.second() for _ in range(5)]) == 2
    night.jumps(-DAY)  # and it was wrong after all
    assert await night.second() == 0
    night.passes(HOLD)
    assert [await night.second() for _ in range(5)] == [0] * 5, "who was called is not called again, by either clock"
    assert len(set(night.numbers)) == 3


@pytest.mark.covers("I4")
async def test_a_jump_into_the_night_dials_nobody_when_it_is_believed(night: Night) -> None:
    night.jumps(9 * HOUR)  # ten in the evening
    assert await night.second() == 0
    night.passes(HOLD)
    assert [await night.second() for _ in range(3)] == [0] * 3 and night.numbers == []


@pytest.mark.covers("I4")
@JUMPS
async def test_ana_is_told_why_she_can_call_nobody(night: Night, jump: timedelta) -> None:
    night.jumps(jump)
    with night.database.transaction() as session:
        task_id = session.scalars(update(FollowUpTask).values(channel="nurse_call").returning(FollowUpTask.id)).first()
    assert isinstance(task_id, UUID)
    with pytest.raises(NotStarted, match="clock has just been changed"):
        await night.dialer.start(task_id, night.ana)
    assert night.exchange.orders == []


@pytest.mark.covers("I4")
async def test_no_call_is_begun_for_a_nurse_whose_leg_is_up(database: Database) -> None:
    ward, computer = Ward(database), Computer()
    ward.dialer.held = computer.steady.held
    progressive = Progressive(ward.dialer)
    computer.jumps(HOUR)
    assert computer.steady.held()
    await ward.joins(ward.ana)
    assert await progressive.call_next() == 0 and ward.dialled == []
    computer.jumps(-HOUR)
    assert await progressive.call_next() == 1


@pytest.mark.covers("I3", "I10")
@JUMPS
async def test_an_order_in_doubt_is_settled_by_seconds_that_pass(night: Night, jump: timedelta) -> None:
    """Forward it would be asked too soon, and Mei be dialled again while her phone rings; back, not for a day."""
    night.exchange.fails["dial alone"] = UNANSWERED
    night.passes(SECOND)
    assert await night.automatic.call_due() == 1
    night.exchange.up.clear()  # not there yet
    night.jumps(jump)
    night.exchange.knows = False
    await night.dialer.settle_doubtful()
    assert [call.state for call in night.attempts()] == ["dialling"]
    night.passes(DOUBT)
    await night.dialer.settle_doubtful()
    assert night.attempts() == []


@pytest.mark.covers("I3", "I10")
async def test_after_a_restart_with_the_clock_set_back_it_is_settled_too(night: Night) -> None:
    night.exchange.fails["dial alone"] = UNANSWERED
    night.passes(SECOND)
    assert await night.automatic.call_due() == 1
    night.exchange.up.clear()
    night.jumps(-DAY)
    night.exchange.knows = None
    reborn = Dialer(
        night.database, night.exchange, Shelf(), POLICY, node="n1", caller_id=HOTLINE, now=lambda: night.clock,
        seconds=lambda: night.seconds,
    )  # fmt: skip
    await reborn.reconcile()
    night.passes(DOUBT)
    await reborn.settle_doubtful()
    assert night.attempts() == [], "it is before a person"


@pytest.mark.covers("I4")
def test_set_back_between_the_claim_and_the_order(database: Database) -> None:
    """Claimed as the window opens; then it is before it, and `dial_until` alone would not know."""
    opens = datetime.fromisoformat("2026-11-25 08:00-05:00")
    with database.transaction() as session:
        ana, task = employ(session, "ana", "nurse").id, day_three(session, admit(session, JOAO), due_at=opens)
    with database.transaction() as session:
        claimed = attempts.claim(session, task.id, ana, "n1", opens, POLICY)
        assert isinstance(claimed, Claimed)
        assert not attempts.dialling(session, claimed.attempt_id, opens - HOUR)
        assert attempts.not_dialled(session, claimed.attempt_id, opens - HOUR, POLICY)
    with database.transaction() as session:
        assert session.get_one(FollowUpTask, task.id).state == "open"


# ── What else has a clock ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H33")
@pytest.mark.parametrize("back", [HOUR, DAY])
def test_a_red_flag_climbs_although_the_clock_was_set_back(database: Database, back: timedelta) -> None:
    with database.transaction() as session:
        on_call(session, staff(session), "ana", "ben", first=(NOON - 2 * DAY).date())
        flag = red_flag(session)
        assert climbing.climb(session, CALENDAR, Ladder(), NOON) == [flag]
        assert climbing.climb(session, CALENDAR, Ladder(), NOON - SECOND) == [], "a second is no jump"
        assert climbing.climb(session, CALENDAR, Ladder(), NOON - back) == [flag]
        assert climbing.climb(session, CALENDAR, Ladder(), NOON - back + MINUTE) == [], "the next one has her time"
        assert climbing.climb(session, CALENDAR, Ladder(), NOON - back + Ladder().wait) == [flag]


def test_nobody_climbs_twice_in_the_same_second_of_a_clock_that_was_set_back() -> None:
    told = Step("first", (ANA,), NOON, NOON + 5 * MINUTE)
    step = next_step([told], Reach([ANA], None, []), NOON - DAY, 5 * MINUTE)
    assert step is not None and step.whom == "supervisors"
    assert next_step([told, step], Reach([ANA], None, []), NOON - DAY, 5 * MINUTE) is None


@pytest.mark.covers("H33")
def test_a_red_flag_on_a_form_is_raised_although_the_clock_was_set_back(database: Database) -> None:
    with database.transaction() as session:
        task = day_three(session, admit(session, JOAO))
        answer_flags.stand(session, task.id, ["severe-pain"], [], NOON)
        assert answer_flags.raise_forgotten(session, NOON + SECOND, HOUR) == []
        (case_id,) = answer_flags.raise_forgotten(session, NOON - DAY, HOUR)
        assert session.get_one(Case, case_id).state == "open"


async def test_a_job_that_fails_has_its_next_turn(caplog: pytest.LogCaptureFixture) -> None:
    turns: list[str] = []
    thrice = asyncio.Event()

    async def fails() -> None:
        turns.append("fails")
        if len(turns) == 3:
            thrice.set()
        raise OSError("once more")

    rounds = Rounds()
    rounds.every(0.01, fails, at_once=True)
    with caplog.at_level(logging.ERROR):
        rounds.start()
        await asyncio.wait_for(thrice.wait(), 20)
        rounds.stop()
    assert "OSError: once more" in caplog.text


@JUMPS
async def test_no_job_waits_for_an_hour_to_come_round_again(jump: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every job's next turn is an hour away; by whatever the clock moves, it is looked again at once, and on."""
    off = [0.0]
    true = time.time
    monkeypatch.setattr("hotline.rounds.time.time", lambda: true() + off[0])
    monkeypatch.setattr("hotline.rounds.WATCHED_S", 0.05)
    looked = asyncio.Event()

    async def looks() -> None:
        looked.set()

    rounds = Rounds()
    rounds.every(3600, looks)
    rounds.start()
    await asyncio.sleep(0.2)
    assert not looked.is_set()
    off[0] = jump.total_seconds()
    await asyncio.wait_for(looked.wait(), 20)
    rounds.stop()


async def test_a_jump_at_the_very_moment_of_a_look_is_seen_at_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [0]

    def wall() -> float:
        asked[0] += 1
        return time.time() + (3600 if asked[0] > 2 else 0)  # right after it was compared for the first time

    monkeypatch.setattr("hotline.rounds.time", SimpleNamespace(time=wall))
    monkeypatch.setattr("hotline.rounds.WATCHED_S", 0.05)
    looked = asyncio.Event()

    async def looks() -> None:
        looked.set()

    rounds = Rounds()
    rounds.every(3600, looks)
    rounds.start()
    await asyncio.wait_for(looked.wait(), 20)
    rounds.stop()


async def test_a_turn_that_lasts_is_not_begun_a_second_time() -> None:
    running = 0
    most = [0]
    over = asyncio.Event()

    async def slow() -> None:
        nonlocal running
        running += 1
        most.append(running)
        await asyncio.sleep(0.05)
        running -= 1
        if len(most) > 4:
            over.set()

    rounds = Rounds()
    rounds.every(0.01, slow)
    rounds.start()
    await asyncio.wait_for(over.wait(), 20)
    rounds.stop()
    assert max(most) == 1


# ── A real dialer ───────────────────────────────────────────────────────────────────────────────────────────────────

TODAY, LONG_DUE, LATER = range(4), range(4, 7), range(7, 12)


class Jumps:
    """The clock of a running house's core."""

    def __init__(self, site: House, file: Path) -> None:
        self.site, self._file = site, file
        self._believed = 0

    async def to(self, by: timedelta) -> None:
        """From the true time; returns when the core has noticed."""
        before, self._believed = self._told("jumped by"), self._told("calls go on by")
        self._file.write_text(f"{by.total_seconds():+.0f}")
        await self.site.until("the core has noticed", lambda: self._told("jumped by") > before, within=30)

    async def until_believed(self) -> None:
        """Waits until calls go on by the clock as it was set last."""
        await self.site.until("it is believed", lambda: self._told("calls go on by") > self._believed, within=30)

    def _told(self, words: str) -> int:
        return (self.site.here.log / "core.log").read_text(errors="replace").count(words)


@contextmanager
def at_this_time_of_day(folder: Path) -> Iterator[tuple[Jumps, Witness]]:
    """A site that calls one patient after the other, from an hour before now to an hour after it, every day."""
    local, trunk = datetime.now(ZoneInfo("America/Bogota")), f"{network()}.90"
    first, last = (max(0, local.hour - 1), min(24, local.hour + 2))
    hours = f"{first:02d}:00-{last:02d}:00" if last < 24 else f"{first:02d}:00-23:59"
    more = "distrust_seconds = 10\n[automatic]\nlines = 1\nper_second = 1\n"
    house = real_house(folder, trunk, more, hours)
    stamp = folder / "clock"
    stamp.write_text("+0")
    house.environment["FAKETIME_TIMESTAMP_FILE"] = str(stamp)  # tests/jumping.py
    with outside.everybody(trunk, folder, "hangs_up") as witness:
        try:
            house.start()
            yield Jumps(house, stamp), witness
        finally:
            house.stop()


def everybody_is_due(site: House) -> list[str]:
    """Their numbers: some since a minute ago, some for two days, and some more of today, in this order."""
    numbers, at = [outside.number(n) for n in range(LATER.stop)], datetime.now(UTC)
    with site.database.transaction() as session:
        asked = questionnaires.newest(session, "discharge-day3")
        assert asked is not None
        for n, number in enumerate(numbers):
            one = patients.register(session, name=f"Patient {n}", birth=None, language="es", numbers=[number])
            due_at = at - (2 * DAY if n in LONG_DUE else MINUTE)
            made = followups.plan(session, patient_id=one.id, questionnaire_id=asked.id, reason="survey", due_at=due_at)
            made.channel, made.priority, made.due_until = surveys.CHANNEL, 1 + n // 4, at + 9 * DAY
            made.max_tries = 1  # by a clock that is a day off and believed, a try on another day may be a minute later
    return numbers


def calling(site: House) -> bool:
    with site.database.transaction() as session:
        return session.scalar(select(FollowUpTask.id).where(FollowUpTask.state == "calling").limit(1)) is not None


def stands(site: House) -> str:
    """Each task and what was decided of it, each call, and what the core said: for a failure."""
    with site.database.transaction() as session:
        tasks = session.scalars(select(FollowUpTask).order_by(FollowUpTask.priority)).all()
        told = [f"task {one.state} tries {one.tries} next {one.next_try_at} due {one.due_at}" for one in tasks]
        rows = session.scalars(select(DecisionRow).order_by(DecisionRow.at))
        told += [f"decided {one.at} {one.code}" for one in rows]
        told += [f"call {one.state} {one.claimed_at}" for one in session.scalars(select(Attempt))]
    return "\n".join(["", *told, (site.here.log / "core.log").read_text(errors="replace")[-4000:]])


def refused(site: House) -> set[str]:
    """Why somebody was not called."""
    with site.database.transaction() as session:
        return set(session.scalars(select(DecisionRow.code))) - {"planned", "called", "stopped"}


@pytest.mark.asterisk
@pytest.mark.covers("I3", "I4", "I10")
async def test_the_clock_of_a_running_dialer_is_set(tmp_path: Path) -> None:
    with at_this_time_of_day(tmp_path) as (jumps, witness):
        site = jumps.site
        await site.until_trunk_is_up()
        numbers = everybody_is_due(site)
        today, long_due, later = ([numbers[n] for n in some] for some in (TODAY, LONG_DUE, LATER))

        def have_rung(*some: str) -> Callable[[], bool]:
            return lambda: set(some) <= set(witness.rang())

        async def all_that_rang() -> set[str]:
            """When nobody is called any more: an order may have been on its way."""
            await site.until("no call is under way", lambda: not calling(site), within=20)
            return set(witness.rang())

        await site.until("two have rung", lambda: len(witness.rang()) >= 2, within=30)
        await jumps.to(3 * HOUR)  # into the night
        before = await all_that_rang()
        await asyncio.sleep(2)
        assert set(witness.rang()) == before, "nobody is called"
        assert "outside_window" not in refused(site), "and nobody is put off"
        await jumps.to(timedelta())
        await site.until("it goes on at once", have_rung(*today), within=30)

        await jumps.to(-DAY)  # by that clock these are not due yet
        before = await all_that_rang()
        await jumps.until_believed()
        await site.until("what was due then is called", have_rung(*long_due), 120, lambda: stands(site))
        assert set(witness.rang()) - before <= set(long_due), "and nothing else is"
        await jumps.to(timedelta())
        await site.until("the first of the others", have_rung(later[0]), within=120)

        await jumps.to(3 * HOUR)
        before = await all_that_rang()
        await jumps.until_believed()
        await site.until("they are put off", lambda: "outside_window" in refused(site), within=20)
        assert set(witness.rang()) == before, "by whatever clock, nobody is woken"
        await jumps.to(timedelta())
        await site.no_channels(within=20)
        await site.until("the last is settled", lambda: not calling(site), within=20)
        rang = witness.rang()
        with site.database.transaction() as session:
            left = session.scalars(select(FollowUpTask.state).where(FollowUpTask.tries == 0)).all()
    assert {number: calls for number, calls in rang.items() if len(calls) > 1} == {}, "nobody twice"
    assert set(today) | set(long_due) <= set(rang) < set(numbers)
    assert left == ["open"] * (len(numbers) - len(rang)), "nobody is forgotten"
