"""Many claim at the same moment: no patient and no number twice, and never more calls than there are lines."""

import asyncio
from collections import Counter
from contextlib import closing
from datetime import timedelta
from functools import partial
from threading import Event
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dialer.agentless import Agentless
from dialer.runner import Dialer
from hospital import agentless, attempts, campaigns, lines, patients
from hospital.attempt_records import LIVE
from hospital.attempts import Attempt, Claimed
from hospital.calling_hours import ALWAYS
from hospital.calling_rules import CallingPolicy, NotNow
from hospital.campaigns import Wanted
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.verdicts import judge
from tests.hospital_scene import at_once, day_three, employ
from tests.moments import NOON, ZONE
from tests.test_dialer import HOTLINE, Exchange, Shelf

pytestmark = pytest.mark.covers("I3", "I4")
ONCE_A_DAY = CallingPolicy(ALWAYS, ZONE)
LINES, OF_CAMPAIGN = 5, 3
ALONE, PAIRS, AGAIN = 30, 5, 10
"""Patients with a number of their own, pairs who share one, and how many are due for two things."""


def due(session: Session, name: str, number: str, tasks: int = 1, ward: str = "") -> None:
    one = patients.register(session, name=name, birth=None, language="es", numbers=[number], zone=ZONE.key)
    for _ in range(tasks):
        task = day_three(session, one)
        task.channel, task.ward = "automated_call", ward


def claim(session: Session, campaign_id: UUID | None = None, most: int = LINES) -> Claimed | NotNow | None:
    return agentless.claim_next(
        session, "n1", NOON, ONCE_A_DAY, kinds={"follow_up"}, most=most, campaign_id=campaign_id
    )


def a_campaign(session: Session, **wanted: object) -> UUID:
    ruby = employ(session, "ruby", "supervisor").id
    made = campaigns.create(session, Wanted("Round", "agentless", **wanted), ruby, NOON)  # type: ignore[arg-type]
    campaigns.order(session, made.id, "start", ruby, NOON)
    return made.id


@pytest.fixture
def crowd(database: Database) -> Database:
    """Eight patients are due."""
    with database.transaction() as session:
        for n in range(8):
            due(session, f"Ana {n}", f"+5730155502{n:02d}")
    return database


def test_eight_claim_at_the_same_moment_and_nobody_waits_for_another(crowd: Database) -> None:
    came = at_once(crowd, *[claim] * 8)
    assert Counter(map(type, came)) == {Claimed: LINES, type(None): 8 - LINES}
    with crowd.transaction() as session:
        assert sorted(session.scalars(select(Attempt.line))) == [1, 2, 3, 4, 5]


def test_a_claim_goes_on_while_another_stands_still(crowd: Database) -> None:
    """Of two dialers one was stopped in the middle of its claim: the other has its lines, all but one."""
    with crowd.transaction() as slow:
        assert isinstance(claim(slow), Claimed)
        for _ in range(LINES - 1):
            with crowd.transaction() as session:
                assert isinstance(claim(session), Claimed)
        with crowd.transaction() as session:
            assert claim(session) is None


def test_the_lines_of_a_campaign_hold_beside_those_of_all(crowd: Database) -> None:
    with crowd.transaction() as session:
        campaign = a_campaign(session, lines=OF_CAMPAIGN)
    came = at_once(crowd, *[partial(claim, campaign_id=campaign)] * 8)
    assert Counter(map(type, came)) == {Claimed: OF_CAMPAIGN, type(None): 8 - OF_CAMPAIGN}


@pytest.mark.parametrize(("before", "after", "more"), [(4, 5, 1), (4, 4, 0), (4, 3, 0), (2, 4, 2)])
def test_a_limit_that_is_new_or_lowered_counts_what_goes_on(
    crowd: Database, before: int, after: int, more: int
) -> None:
    with crowd.transaction() as session:
        campaign = a_campaign(session)
        assert all(isinstance(claim(session, campaign, 8), Claimed) for _ in range(before))
        session.get_one(campaigns.Campaign, campaign).lines = after
    came = at_once(crowd, *[partial(claim, campaign_id=campaign, most=8)] * 4)
    assert sum(isinstance(one, Claimed) for one in came) == more
    with crowd.transaction() as session:
        for call in session.scalars(select(Attempt).where(Attempt.state.in_(LIVE)).limit(before + more - after + 1)):
            attempts.not_dialled(session, call.id, NOON, ONCE_A_DAY)
    came = at_once(crowd, *[partial(claim, campaign_id=campaign, most=8)] * 4)
    assert sum(isinstance(one, Claimed) for one in came) == 1, "one less than the limit went on"


def test_a_line_is_free_again_when_its_call_has_ended_or_its_claim_came_to_nothing(crowd: Database) -> None:
    with crowd.transaction() as session:
        first = claim(session, most=1)
        assert isinstance(first, Claimed) and claim(session, most=1) is None
        attempts.not_dialled(session, first.attempt_id, NOON, ONCE_A_DAY)
    with crowd.transaction() as session:
        assert lines.automatic(session, 1) == 1
        session.rollback()
    with crowd.transaction() as session:
        assert isinstance(claim(session, most=1), Claimed)


def test_a_whole_call_between_the_verdict_and_the_attempt_counts(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dialer stood still there, and the other has called the number meanwhile, for somebody else."""
    with database.transaction() as session:
        due(session, "Ana", "+573015550200")
        due(session, "Eva", "+573015550200")

    def slowly(*args: object) -> object:
        verdict = judge(*args)  # type: ignore[arg-type]
        monkeypatch.setattr(attempts, "judge", judge)
        with database.transaction() as other:
            call = claim(other)
            assert isinstance(call, Claimed) and attempts.dialling(other, call.attempt_id, NOON)
            attempts.rang(other, call.channel_id)
            attempts.line_ended(other, call.attempt_id, "no_answer", NOON, ONCE_A_DAY)
        return verdict

    monkeypatch.setattr(attempts, "judge", slowly)
    with database.transaction() as session:
        came = claim(session)
    assert isinstance(came, NotNow) and came.code == "already_in_a_call"
    with database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Attempt)) == 1


class Node:
    """A dialer with a database pool and a telephone of its own; nobody picks up."""

    def __init__(self, database: Database, name: str, minutes: list[int]) -> None:
        self.exchange, self.database = Exchange(), database
        self.minutes = minutes
        self.dialer = Dialer(database, self.exchange, Shelf(), ONCE_A_DAY, node=name, caller_id=HOTLINE, now=self.now)
        self.automatic = Agentless(
            self.dialer,
            kinds={"follow_up"},
            most=LINES,
            per_second=1000.0,
        )

    def now(self):  # type: ignore[no-untyped-def]
        return NOON + timedelta(minutes=self.minutes[0])

    async def works(self) -> int:
        """As long as anything is due, or rings."""
        dialled = idle = 0
        while idle < 3:
            made = await self.automatic.call_due()
            dialled += made
            ringing = list(self.exchange.up)
            for channel_id in ringing:
                await self.dialer.leg_rang(channel_id)
                self.exchange.up.pop(channel_id)
                await self.dialer.leg_ended(channel_id, "no_answer")
            self.minutes[0] += 2  # who was put off, because the number was in a call, is due again soon
            idle = 0 if made or ringing else idle + 1
        return dialled


async def test_two_dialers_on_one_database(database: Database) -> None:
    with database.transaction() as session:
        campaign = a_campaign(session, ward="east", lines=OF_CAMPAIGN)
        for n in range(ALONE):
            due(session, f"Ana {n}", f"+5730155502{n:02d}", 1 + (n < AGAIN), "east" if n % 2 else "west")
        for n in range(2 * PAIRS):
            due(session, f"Eva {n}", f"+5730155503{n // 2:02d}", ward="east")
    over, most = Event(), [0, 0]

    def counts() -> None:
        live = select(func.count(), func.count().filter(Attempt.campaign_id == campaign)).where(Attempt.state.in_(LIVE))
        while not over.is_set():
            with watching.transaction() as session:
                most[:] = map(max, most, session.execute(live).one())

    with (
        closing(Database(database.url)) as one,
        closing(Database(database.url)) as two,
        closing(Database(database.url)) as watching,
    ):
        watcher = asyncio.create_task(asyncio.to_thread(counts))
        minutes = [0]
        dialled = await asyncio.gather(*(Node(each, f"n{n}", minutes).works() for n, each in enumerate((one, two), 1)))
        over.set()
        await watcher
    assert sum(dialled) == ALONE + PAIRS and min(dialled) > 0, "nobody is forgotten, and both have worked"
    assert 1 < most[0] <= LINES and 1 <= most[1] <= OF_CAMPAIGN
    with database.transaction() as session:
        calls = list(session.scalars(select(Attempt)))
        assert set(Counter(call.patient_id for call in calls).values()) == {1}
        assert set(Counter(call.number_token for call in calls).values()) == {1}
        assert {task.state for task in session.scalars(select(FollowUpTask))} == {"open"}, "all are due again"
