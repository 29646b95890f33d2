"""The line to Asterisk is cut with an order to dial in flight: the dialer, a real Asterisk and real phones together."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from cti.events import AsteriskReady, LegEnded
from cti.switchboard import Switchboard
from dialer import runner
from dialer.runner import Dialer
from hospital.attempts import Attempt
from hospital.calling_hours import ALWAYS
from hospital.calling_rules import CallingPolicy
from hospital.database import Database
from hospital.followups import FollowUpTask
from hotline.dialer_work import dialer_listens
from hotline.joints import DialerTelephone
from tests.ami_relay import AmiRelay
from tests.asterisk_instance import AsteriskInstance, network
from tests.characters import JOAO
from tests.hospital_scene import admit, day_three, employ
from tests.late import in_time
from tests.moments import ZONE
from tests.switchboards import QUICK, Listener
from tests.test_dialer import Shelf

pytestmark = pytest.mark.asterisk
POLICY = CallingPolicy(ALWAYS, ZONE, cap_a_day=None, cap_a_week=None)


class Office:
    """Ana, João's due task and the dialer; `relay` is its only wire to Asterisk."""

    def __init__(self, database: Database, asterisk: AsteriskInstance, relay: AmiRelay, wire: str) -> None:
        self.database, self.relay = database, relay
        plan = asterisk.plan
        self.board = Switchboard(wire, plan.ami_port, plan.ami_user, plan.ami_secret, QUICK)
        records = asterisk.folder / "log" / "calls.csv"
        telephone = DialerTelephone(self.board, {JOAO.numbers[0]: "PJSIP/joao"}, (), records)
        self.dialer = Dialer(
            database,
            telephone,
            Shelf(),
            POLICY,
            node="n1",
            caller_id="6015550199",
            now=lambda: datetime.now(UTC),
            ring_s=4,
        )
        self.heard, self.told = asyncio.Event(), asyncio.Event()
        self.told.set()
        self.board.on(LegEnded, self._another_listens)
        dialer_listens(self.board, self.dialer)
        self.listener = Listener(self.board, telephone)
        with database.transaction() as session:
            self.ana = employ(session, "ana", "nurse").id
            self.task_id = day_three(session, admit(session, JOAO), due_at=datetime.now(UTC)).id

    async def _another_listens(self, e: LegEnded) -> None:
        self.heard.set()
        await self.told.wait()

    async def starts(self) -> UUID:
        attempt_id = await self.dialer.start(self.task_id, self.ana)
        assert isinstance(attempt_id, UUID)
        return attempt_id

    def state(self, attempt_id: UUID) -> tuple[str, str | None, str, int]:
        with self.database.transaction() as session:
            attempt, task = session.get_one(Attempt, attempt_id), session.get_one(FollowUpTask, self.task_id)
            return attempt.state, attempt.line_result, task.state, task.tries

    def channel(self, attempt_id: UUID) -> str:
        with self.database.transaction() as session:
            return session.get_one(Attempt, attempt_id).channel_id

    async def until(self, attempt_id: UUID, there: Callable[[tuple[str, str | None, str, int]], bool]) -> None:
        """Lets the dialer look, as its clock does, until the attempt is as wanted."""
        async with in_time(15, "the attempt is as wanted"):
            while not there(self.state(attempt_id)):
                await self.dialer.settle_doubtful()
                await asyncio.sleep(0.1)


@asynccontextmanager
async def an_office(database: Database, asterisk: AsteriskInstance) -> AsyncIterator[Office]:
    wire = f"{network()}.21"
    async with AmiRelay(wire, (asterisk.address, asterisk.plan.ami_port)) as relay:
        office = Office(database, asterisk, relay, wire)
        await office.board.start()
        try:
            await office.board.ami.wait_up()
            yield office
        finally:
            await office.board.stop()


@pytest.mark.covers("I3", "I10")
async def test_asterisk_took_the_order_and_joao_is_rung_once(database: Database, asterisk: AsteriskInstance) -> None:
    async with (
        an_office(database, asterisk) as office,
        await asterisk.phone("ana") as ana,
        await asterisk.phone("joao") as joao,
    ):
        attempt = await office.starts()
        await ana.rings()
        office.relay.cut_after = b"Action: Originate"
        await ana.answers()
        await joao.rings()
        await office.listener.hears(AsteriskReady, again=True)
        await office.listener.hears(LegEnded, channel_id=office.channel(attempt))
        await office.until(attempt, lambda now: now[0] == "ended")
        assert office.state(attempt) == ("ended", "no_answer", "open", 1)
    recorded = (asterisk.folder / "log" / "calls.csv").read_text().splitlines()
    assert len([row for row in recorded if row.startswith(f'"{office.channel(attempt)}"')]) == 1


@pytest.mark.covers("I3", "I10")
async def test_the_order_was_lost_and_is_known_to_be(database: Database, asterisk: AsteriskInstance) -> None:
    async with (
        an_office(database, asterisk) as office,
        await asterisk.phone("ana") as ana,
        await asterisk.phone("joao"),
    ):
        attempt = await office.starts()
        await ana.rings()
        office.relay.cut_before = b"Action: Originate"
        await ana.answers()
        await office.listener.hears(AsteriskReady, again=True)
        assert office.state(attempt)[0] == "dialling", "too soon: it could still be on its way"
        await office.until(attempt, lambda now: now[0] != "dialling")
        assert office.state(attempt) == ("ended", "cancelled", "open", 0), "nobody was rung: it does not count"
        await ana.hung_up()
    assert office.channel(attempt) not in (asterisk.folder / "log" / "calls.csv").read_text()


@pytest.mark.covers("I3", "I10")
async def test_it_rang_out_and_that_is_not_written_down_yet(
    database: Database, asterisk: AsteriskInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "DOUBT", timedelta(seconds=0))  # it has rung for as long as that
    async with (
        an_office(database, asterisk) as office,
        await asterisk.phone("ana") as ana,
        await asterisk.phone("joao") as joao,
    ):
        attempt = await office.starts()
        await ana.rings()
        await ana.answers()
        await joao.rings()
        office.told.clear()
        await office.heard.wait()
        for _ in range(3):
            await office.dialer.settle_doubtful()
        assert office.state(attempt)[0] == "dialling", "what became of it is known, and comes"
        office.told.set()
        await office.until(attempt, lambda now: now[0] != "dialling")
        assert office.state(attempt) == ("ended", "no_answer", "open", 1)
