"""The trunk is one for all: agentless, progressive and predictive calls together keep its lines and its rate."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from dialer.agentless import Agentless
from dialer.paces import paces
from dialer.predictive import Predictive
from dialer.progressive import Progressive
from dialer.rates import Rate
from dialer.runner import Dialer
from hospital import agentless, attempts, campaigns, lines, patients, pooled, questionnaires, stints
from hospital.attempt_records import LIVE
from hospital.attempts import Attempt, Claimed
from hospital.calling_rules import NotNow
from hospital.campaigns import Wanted
from hospital.database import Database
from hospital.followups import FollowUpTask, plan
from hospital.stints import Stint
from tests.console_app import Site, words
from tests.hospital_scene import UNCAPPED, at_once, day_three, employ
from tests.moments import NOON
from tests.test_dialer import HOTLINE, Exchange, Shelf

pytestmark = pytest.mark.covers("I3", "H28")
LINES, NURSES, DUE = 5, 6, 24  # of the trunk; in each of the two campaigns that have nurses; in each campaign
HOUR = timedelta(hours=1)
LIMITED = replace(UNCAPPED, trunk_lines=LINES)
Claim = Callable[[Session], Claimed | NotNow | None]


class Hospital:
    """A running campaign of each mode that machines dial, with as many contacts and nurses as they could wish for."""

    def __init__(self, database: Database, **wanted: object) -> None:
        self.database = database
        with database.transaction() as session:
            self.grace = employ(session, "grace", "supervisor").id
            self.ana = employ(session, "ana", "nurse").id
            form = questionnaires.publish(session, "satisfaction", {"purpose": "survey", "items": []}, "s1", NOON)
            self.agentless = self._runs(session, "agentless", ward="east", **wanted)
            self.progressive = self._runs(session, "progressive", ward="west", **wanted)
            self.predictive = self._runs(session, "predictive", purpose="survey", **wanted)
            for n in range(3 * DUE + 1):
                number = f"+57301555{n:04d}"
                one = patients.register(session, name=f"Ana {n}", birth=None, language="es", numbers=[number])
                if n < DUE:
                    plan(session, patient_id=one.id, questionnaire_id=form.id, reason="survey", due_at=NOON - HOUR)
                    continue
                task = day_three(session, one)
                task.ward = "east" if n < 2 * DUE else "west"
                task.channel = "automated_call" if n < 2 * DUE else "nurse_call"
            task.ward, self.hers = "north", task.id
            self.stints = {of: self._up(session, of) for of in (self.progressive, self.predictive)}

    def _runs(self, session: Session, mode: str, **wanted: object) -> UUID:
        made = campaigns.create(session, Wanted(mode, mode, **wanted), self.grace, NOON)  # type: ignore[arg-type]
        campaigns.order(session, made.id, "start", self.grace, NOON)
        return made.id

    def _up(self, session: Session, campaign: UUID) -> list[Stint]:
        """Nurses who have joined and picked up."""
        found = []
        for n in range(NURSES):
            nurse = employ(session, f"nurse{campaign.hex[:6]}{n}", "nurse").id
            stint = stints.begin(session, nurse, campaign, "n1", NOON)
            assert stint is not None and stints.up(session, stint.channel_id)
            found.append(stint)
        return found

    def claims(self) -> list[Claim]:
        """Of each mode one."""
        of = {"node": "n1", "at": NOON, "policy": LIMITED}
        free = self.stints[self.progressive].pop()
        return [
            partial(agentless.claim_next, kinds={"follow_up"}, most=100, campaign_id=self.agentless, **of),
            partial(stints.claim_next, stint_id=free.id, campaign_id=self.progressive, **of),  # type: ignore[arg-type]
            partial(pooled.claim_next, campaign_id=self.predictive, **of),  # type: ignore[arg-type]
        ]

    def live(self) -> list[Attempt]:
        with self.database.transaction() as session:
            return list(session.scalars(select(Attempt).where(Attempt.state.in_(LIVE))))


@pytest.fixture
def hospital(database: Database) -> Hospital:
    return Hospital(database)


# ── Lines ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_all_modes_claim_at_the_same_moment_and_no_more_than_the_trunk_has(hospital: Hospital) -> None:
    came = at_once(hospital.database, *[one for _ in range(3) for one in hospital.claims()][:8])
    assert Counter(map(type, came)) == {Claimed: LINES, type(None): 8 - LINES}
    assert sorted(one.trunk_line or 0 for one in hospital.live()) == [1, 2, 3, 4, 5]


def test_a_claim_that_has_not_ended_yet_keeps_its_line(hospital: Hospital) -> None:
    of_machine, of_nurse, of_pool = hospital.claims()
    with hospital.database.transaction() as slow:
        assert isinstance(of_machine(slow), Claimed)
        came = at_once(hospital.database, of_nurse, *[of_pool] * 6)
        assert Counter(map(type, came)) == {Claimed: LINES - 1, type(None): 7 - (LINES - 1)}


def test_each_mode_waits_for_a_line_and_nothing_is_put_off(hospital: Hospital) -> None:
    of_machine, of_nurse, of_pool = hospital.claims()
    assert all(isinstance(one, Claimed) for one in at_once(hospital.database, *[of_pool] * LINES))
    assert at_once(hospital.database, of_machine, of_nurse, of_pool) == [None] * 3
    with hospital.database.transaction() as session:
        waiting = select(func.count()).where(FollowUpTask.state == "open", FollowUpTask.next_try_at.is_(None))
        assert session.scalar(waiting) == 3 * DUE + 1 - LINES
        attempts.not_dialled(session, hospital.live()[0].id, NOON, LIMITED)
    came = at_once(hospital.database, of_machine, of_nurse, of_pool)
    assert Counter(map(type, came)) == {Claimed: 1, type(None): 2}


def test_a_nurses_own_call_waits_for_no_line_and_counts(hospital: Hospital) -> None:
    of_machine, of_nurse, of_pool = hospital.claims()
    assert all(isinstance(one, Claimed) for one in at_once(hospital.database, *[of_pool] * LINES))
    with hospital.database.transaction() as session:
        hers = attempts.claim(session, hospital.hers, hospital.ana, "n1", NOON, LIMITED)
        assert isinstance(hers, Claimed), "she chose her patient, and is served first"
        assert lines.left_on_trunk(session, LINES) == -1
    with hospital.database.transaction() as session:
        for one in [one for one in hospital.live() if one.id != hers.attempt_id][:2]:
            attempts.not_dialled(session, one.id, NOON, LIMITED)
    came = at_once(hospital.database, of_machine, of_nurse, of_pool)
    assert Counter(map(type, came)) == {Claimed: 1, type(None): 2}, "two have ended, and one of the lines is hers"
    with hospital.database.transaction() as session:
        attempts.not_dialled(session, hers.attempt_id, NOON, LIMITED)
        assert lines.left_on_trunk(session, LINES) == 1


def test_with_a_line_free_hers_is_one_of_the_trunks(hospital: Hospital) -> None:
    of_pool = hospital.claims()[-1]
    with hospital.database.transaction() as session:
        hers = attempts.claim(session, hospital.hers, hospital.ana, "n1", NOON, LIMITED)
        assert isinstance(hers, Claimed) and session.get_one(Attempt, hers.attempt_id).trunk_line == 1
        came = at_once(hospital.database, *[of_pool] * 6)
    assert Counter(map(type, came))[Claimed] == LINES - 1, "also while it is not committed yet"


def test_who_is_called_in_case_of_a_red_flag_counts_and_so_do_interpreters(hospital: Hospital) -> None:
    with hospital.database.transaction() as session:
        talk = agentless.claim_next(session, "n1", NOON, LIMITED, kinds={"follow_up"}, most=9, campaign_id=None)
        assert talk is None, "its campaign has them all"
        (of_machine, *_) = hospital.claims()
        talk = of_machine(session)
        assert isinstance(talk, Claimed) and lines.left_on_trunk(session, LINES) == LINES - 1
        session.execute(
            text(
                "INSERT INTO interpreter_call (channel_id, talk, attempt_id, account_id, language, dialled_at)"
                " VALUES ('n1-i', :talk, :attempt, :ana, 'zh-CN', :at)"
            ),
            {"talk": talk.channel_id, "attempt": talk.attempt_id, "ana": hospital.ana, "at": NOON},
        )
        assert lines.left_on_trunk(session, LINES) == LINES - 2
        session.execute(text("UPDATE interpreter_call SET state = 'ended', line_result = 'busy', ended_at = now()"))
        assert lines.left_on_trunk(session, LINES) == LINES - 1


def test_who_supervises_reads_why_nothing_is_dialled(hospital: Hospital) -> None:
    with hospital.database.transaction() as session:
        before = paces(session, NOON, 100, LINES)
        assert before[hospital.agentless].dial == LINES and before[hospital.predictive].why == "trunk_full"
        assert paces(session, NOON, 100)[hospital.predictive].dial == NURSES, "without a limit of the trunk's"
    at_once(hospital.database, *[hospital.claims()[-1]] * LINES)
    with hospital.database.transaction() as session:
        now = paces(session, NOON, 100, LINES)
        told = {of: (one.dial, one.why) for of, one in now.items()}
        full = (0, "trunk_full")
        assert told == {hospital.agentless: full, hospital.progressive: full, hospital.predictive: full}


async def test_grace_reads_it_on_the_campaigns_page(database: Database, tmp_path: Path) -> None:
    site = Site(database, tmp_path)
    with database.transaction() as session:
        made = campaigns.create(session, Wanted("Day 3", "agentless"), site.staff["grace"].id, NOON).id
        campaigns.order(session, made, "start", site.staff["grace"].id, NOON)
        session.get_one(FollowUpTask, site.task.id).channel = "automated_call"

    async def told() -> object:
        with database.transaction() as session:
            return paces(session, NOON, 4, 0)

    site.app.state.services = replace(site.app.state.services, paces=told)
    async with site.signed_in("grace") as grace:
        live = words((await grace.get(f"/campaigns/{made}/live")).text)
        assert "Dials 0 now: the trunk has no more lines free." in live


# ── A node at work ──────────────────────────────────────────────────────────────────────────────────────────────────


class Node:
    """A dialer in all three modes; nobody picks up. `orders`: when each was given, by its seconds."""

    def __init__(self, hospital: Hospital, name: str, *, trunk: float | None = None, database: Database) -> None:
        self.database, self.exchange, self.clock, self.seconds = database, Exchange(), NOON, 0.0
        self.orders: list[tuple[float, str]] = []
        self.exchange.before = lambda order: self.orders.append((self.seconds, order))
        self.exchange.up = {one.channel_id: True for of in hospital.stints.values() for one in of}
        self.hers = set(self.exchange.up)
        rate = Rate(trunk, lambda: self.seconds) if trunk else None
        self.dialer = Dialer(
            database, self.exchange, Shelf(), LIMITED if trunk is None else UNCAPPED, node=name, caller_id=HOTLINE,
            now=lambda: self.clock, rate=rate,
        )  # fmt: skip
        by = {"seconds": lambda: self.seconds}
        self.modes = (
            Agentless(self.dialer, kinds={"follow_up"}, most=100, per_second=50.0, **by).call_due,
            Progressive(self.dialer, **by).call_next,
            Predictive(self.dialer, **by).call_due,
        )

    async def a_turn(self) -> int:
        return sum(await asyncio.gather(*(one() for one in self.modes)))

    async def nobody_answers(self) -> None:
        for channel_id in [one for one in self.exchange.up if one not in self.hers]:
            self.exchange.up.pop(channel_id)
            await self.dialer.leg_ended(channel_id, "no_answer")


async def test_two_dialers_in_all_modes_and_never_more_than_the_trunk_has(hospital: Hospital) -> None:
    over, seen = Event(), [0]

    def counts() -> None:
        with closing(Database(hospital.database.url)) as watching:
            while not over.is_set():
                with watching.transaction() as session:
                    rows = select(func.count()).select_from(Attempt).where(Attempt.state.in_(LIVE))
                    seen.append(session.scalar(rows) or 0)

    watcher = asyncio.create_task(asyncio.to_thread(counts))
    with closing(Database(hospital.database.url)) as one, closing(Database(hospital.database.url)) as two:
        nodes = [Node(hospital, name, database=each) for name, each in (("n1", one), ("n2", two))]
        while sum(await asyncio.gather(*(node.a_turn() for node in nodes))):
            await asyncio.gather(*(node.nobody_answers() for node in nodes))
        over.set()
        await watcher
    assert 1 < max(seen) <= LINES
    with hospital.database.transaction() as session:
        calls = list(session.scalars(select(Attempt)))
        assert Counter(call.campaign_id for call in calls).keys() == set(hospital.stints) | {hospital.agentless}
        assert set(Counter(call.patient_id for call in calls).values()) == {1}


# ── Its rate ────────────────────────────────────────────────────────────────────────────────────────────────────────


def in_any_second(node: Node) -> int:
    """The most orders to dial in one."""
    at = [seconds for seconds, order in node.orders if order.startswith("dial")]
    return max(sum(one <= other < one + 1 for other in at) for one in at)


@pytest.mark.parametrize("per_second", [1, 3])
async def test_all_modes_at_work_keep_the_trunks_rate_in_any_second(hospital: Hospital, per_second: int) -> None:
    """A carrier takes one call a second. The modes look at the same moment, when none of their orders is given yet."""
    node = Node(hospital, "n1", trunk=per_second, database=hospital.database)
    turns = 30 // per_second
    for _ in range(4 * turns):
        await node.a_turn()
        node.seconds += 0.25
    kinds = Counter(order for _, order in node.orders if order.startswith("dial"))
    assert in_any_second(node) == per_second and kinds.total() == turns * per_second
    assert kinds == {"dial": NURSES, "dial pooled": NURSES, "dial alone": turns * per_second - 2 * NURSES}
    machine = [at for at, order in node.orders if order == "dial alone"]
    nurses = [at for at, order in node.orders if order in ("dial", "dial pooled")]
    assert sum(at < max(nurses) for at in machine) <= per_second, "nurses who wait go first"


async def test_nothing_is_kept_for_a_nurse_for_whom_nothing_is_due(hospital: Hospital) -> None:
    with hospital.database.transaction() as session:
        for task in session.scalars(select(FollowUpTask).where(FollowUpTask.channel == "nurse_call")):
            task.state, task.closed_at = "done", NOON
    node = Node(hospital, "n1", trunk=1, database=hospital.database)
    for _ in range(20):
        for mode in node.modes[::-1]:
            await mode()
            node.seconds += 0.25
        node.seconds += 0.25
    assert len(node.orders) >= 17, "of twenty; a second or two each ten are kept for her"


@pytest.mark.parametrize("mode", ["agentless", "progressive", "predictive"])
async def test_each_mode_alone_keeps_the_trunks_rate(hospital: Hospital, mode: str) -> None:
    node = Node(hospital, "n1", trunk=2, database=hospital.database)
    looks = dict(zip(("agentless", "progressive", "predictive"), node.modes, strict=True))[mode]
    assert [await looks() for _ in range(2)] == [2, 0]
    node.seconds += 0.9
    assert await looks() == 0
    node.seconds += 0.1
    assert await looks() == 2 and in_any_second(node) == 2


@pytest.mark.parametrize("mode", ["agentless", "progressive", "predictive"])
async def test_each_mode_keeps_its_campaigns_rate(database: Database, mode: str) -> None:
    hospital = Hospital(database, per_second=2.0)
    node = Node(hospital, "n1", trunk=50, database=database)
    looks = dict(zip(("agentless", "progressive", "predictive"), node.modes, strict=True))[mode]
    assert [await looks() for _ in range(2)] == [2, 0]
    node.seconds += 1
    assert [await looks() for _ in range(2)] == [2, 0]
