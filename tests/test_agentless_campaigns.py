"""Campaigns without a nurse: they share the lines, keep their own limits, and what is urgent goes before them."""

from uuid import UUID

import pytest
from sqlalchemy import select

from dialer.agentless import Agentless
from dialer.rates import Rate
from dialer.runner import Dialer
from hospital import campaigns
from hospital.attempts import Attempt
from hospital.campaigns import Wanted
from hospital.database import Database
from hospital.followups import FollowUpTask
from tests.characters import LUCIA, Character
from tests.hospital_scene import UNCAPPED, admit, clinic, day_three, employ
from tests.moments import NOON
from tests.test_dialer import HOTLINE, Exchange, Shelf
from tests.test_hospital_suspensions import book, suspend

OURS = "+5716000777"


class Line(Exchange):
    """An Exchange that notes which number is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []

    async def dial_alone(
        self, number_or_endpoint: str, channel_id: str, timeout_s: float, caller_id: str, language: str
    ) -> None:
        self.shown.append(caller_id)
        await super().dial_alone(number_or_endpoint, channel_id, timeout_s, HOTLINE, language)


class Evening:
    """Two wards with twenty contacts each that the hotline calls for by itself."""

    def __init__(self, database: Database, *, trunk: float | None = None, most: int = 100) -> None:
        self.database, self.line, self.seconds = database, Line(), 0.0
        self.dialer = Dialer(
            database,
            self.line,
            Shelf(),
            UNCAPPED,
            node="n1",
            caller_id=HOTLINE,
            now=lambda: NOON,
            rate=Rate(trunk, lambda: self.seconds) if trunk else None,
        )
        self.automatic = Agentless(
            self.dialer,
            kinds={"follow_up", "suspension"},
            most=most,
            per_second=50.0,
            seconds=lambda: self.seconds,
        )
        with database.transaction() as session:
            self.ruby = employ(session, "ruby", "supervisor").id
            for n in range(40):
                numbers = (f"+5730155502{n:02d}",)
                task = day_three(session, admit(session, Character("Ana", LUCIA.birth, "es", numbers, "female", "-")))
                task.channel, task.ward = "automated_call", "east" if n % 2 else "west"

    def campaign(self, ward: str, **wanted: object) -> UUID:
        with self.database.transaction() as session:
            made = campaigns.create(session, Wanted(ward, "agentless", ward=ward, **wanted), self.ruby, NOON)  # type: ignore[arg-type]
            campaigns.order(session, made.id, "start", self.ruby, NOON)
            return made.id

    def calls(self) -> list[UUID | None]:
        """Whose each call was."""
        with self.database.transaction() as session:
            return list(session.scalars(select(Attempt.campaign_id)))


async def test_they_share_the_lines_by_weight_with_what_is_in_none(database: Database) -> None:
    evening = Evening(database, most=12)
    with database.transaction() as session:
        for task in session.scalars(select(FollowUpTask).where(FollowUpTask.ward == "west")).all()[10:]:
            task.ward = "north"
    east, west = evening.campaign("east", weight=4), evening.campaign("west")
    assert await evening.automatic.call_due() == 12
    came = evening.calls()
    assert (came.count(east), came.count(west), came.count(None)) == (8, 2, 2)


async def test_a_second_priority_gets_what_the_first_leaves(database: Database) -> None:
    evening = Evening(database)
    first, second = evening.campaign("east", priority=1, lines=3), evening.campaign("west", priority=9)
    await evening.automatic.call_due()
    came = evening.calls()
    assert (came.count(first), came.count(second)) == (3, 20), "the first has no line left, so the second goes on"


async def test_a_campaign_has_a_rate_and_a_number_of_its_own(database: Database) -> None:
    evening = Evening(database, most=100)
    slow = evening.campaign("east", per_second=2.0, caller_id=OURS)
    evening.campaign("west", lines=1)
    await evening.automatic.call_due()
    assert evening.calls().count(slow) == 2
    evening.seconds += 1
    await evening.automatic.call_due()
    assert evening.calls().count(slow) == 4
    assert sorted(evening.line.shown) == [HOTLINE] + [OURS] * 4
    with database.transaction() as session:
        kept = session.scalars(select(Attempt.caller_id).where(Attempt.dialled_at.is_not(None))).all()
    assert sorted(map(str, kept)) == sorted(evening.line.shown), "what they saw is written down"


async def test_the_trunk_has_a_rate_over_all_campaigns(database: Database) -> None:
    evening = Evening(database, trunk=3.0)
    evening.campaign("east")
    evening.campaign("west")
    assert await evening.automatic.call_due() == 3
    assert await evening.automatic.call_due() == 0
    evening.seconds += 1
    assert await evening.automatic.call_due() == 3


@pytest.mark.covers("H6")
async def test_what_is_urgent_waits_for_no_campaign(database: Database) -> None:
    evening = Evening(database, trunk=1.0)
    evening.campaign("east", priority=1)
    with database.transaction() as session:
        book(session, clinic(session)[0], admit(session, LUCIA).id)
        suspend(session)
    assert await evening.automatic.call_due() == 1
    with database.transaction() as session:
        (attempt,) = session.scalars(select(Attempt))
        assert session.get_one(FollowUpTask, attempt.task_id).kind == "suspension"


@pytest.mark.covers("I4")
async def test_a_pause_holds_at_once(database: Database) -> None:
    evening = Evening(database, trunk=1.0)
    east, west = evening.campaign("east"), evening.campaign("west")
    await evening.automatic.call_due()
    with database.transaction() as session:
        for one in (east, west):
            campaigns.order(session, one, "pause", evening.ruby, NOON)
    evening.seconds += 60
    assert await evening.automatic.call_due() == 0
    assert len(evening.calls()) == 1
