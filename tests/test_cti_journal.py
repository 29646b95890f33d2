"""What callers left in Asterisk while the ivr was down becomes owned items, once each, and nobody is lost."""

from collections.abc import Sequence

import pytest
from sqlalchemy import delete, select

from cti.events import AgentAnswered, CallerQueued, Event, LegEnded, TalkEnded
from cti.journal import InboundJournal
from cti.line_results import LineResult
from cti.switchboard import Switchboard
from cti.telephone import Telephone
from hospital import calls, screen_pops
from hospital.callbacks import Callback
from hospital.calls import Call, CallStep
from hospital.database import Database
from hospital.screen_pops import ScreenPop
from tests.asterisk_instance import AsteriskInstance
from tests.characters import LUCIA
from tests.hospital_scene import employ
from tests.moments import NOON
from tests.switchboards import listening
from tests.test_cti_presence import queue_lucia


class Left(Telephone):
    """Asterisk's own store, with two numbers in it."""

    def __init__(self) -> None:
        self.numbers = {"n1-1.1": "3015550177", "n1-1.2": "000000"}

    async def collect_callbacks(self) -> list[tuple[str, str]]:
        return list(self.numbers.items())

    async def forget_callback(self, origin: str) -> None:
        del self.numbers[origin]


@pytest.mark.covers("H1")
async def test_numbers_are_collected_once_and_an_odd_one_is_kept_as_typed(database: Database) -> None:
    board, left = Switchboard("127.0.0.1", 1, "core", "no link is made"), Left()
    journal = InboundJournal(board, left, database, node="n1", country="CO", now=lambda: NOON)
    assert await journal.collect_callbacks() == 2
    assert left.numbers == {}
    left.numbers = {"n1-1.1": "3015550177"}  # the link was cut before Asterisk forgot it
    assert await journal.collect_callbacks() == 0
    with database.transaction() as session:
        kept = {item.origin: item.number for item in session.scalars(select(Callback))}
    assert kept == {"n1-1.1": "+573015550177", "n1-1.2": "000000"}


CALL, TOMS = "n1-1.1", "n1-1.2"
HUNG_UP = LegEnded(NOON, CALL, CALL, "PJSIP/lucia-00000001", LineResult.ANSWERED, False, True, 16, None)
OVER = TalkEnded(NOON, CALL, "tom", "reception", 60, "caller")


def a_switchboard(database: Database) -> tuple[Switchboard, InboundJournal]:
    board = Switchboard("127.0.0.1", 1, "core", "no link is made")
    return board, InboundJournal(board, Left(), database, node="n1", country="CO", now=lambda: NOON)


@pytest.mark.asterisk
@pytest.mark.covers("I5", "I10")
async def test_what_was_told_while_the_database_was_away_is_made_good_at_the_second_look(
    asterisk: AsteriskInstance, database: Database
) -> None:
    def standing() -> tuple[list[tuple[str, str | None]], list[str]]:
        with database.transaction() as session:
            of_calls = session.execute(
                select(Call.state, Call.outcome).where(Call.id.startswith("n1-1.")).order_by(Call.id)
            )
            of_pops = session.scalars(select(ScreenPop.state).order_by(ScreenPop.channel))
            return [(state, outcome) for state, outcome in of_calls], list(of_pops)

    async with listening(asterisk) as listener, await asterisk.phone("lucia") as lucia:
        journal = InboundJournal(
            listener.board, listener.telephone, database, node="n1", country="CO", now=lambda: NOON
        )
        waits = await queue_lucia(listener, "nurses")
        await lucia.rings()
        await lucia.answers()
        await listener.hears(CallerQueued, call_id=waits)
        with database.transaction() as session:
            session.execute(delete(CallStep))
            session.execute(delete(Call))  # nobody saw her come
            tom, ana = (employ(session, name, "agent") for name in ("tom", "ana"))
            for n in (1, 2, 3):
                calls.begin(session, f"n1-1.{n}", "n1", LUCIA.numbers[0], NOON)
            calls.queued(session, "n1-1.1", "reception")
            calls.queued(session, "n1-1.2", "reception")
            screen_pops.pop(session, "n1-1.2", tom.id, "n1-2.1", NOON)
            assert screen_pops.pop_moved(session, "n1-1.2", "n1-2.1", "answered", NOON)
            screen_pops.pop(session, "n1-1.1", ana.id, "n1-2.2", NOON)
        before = standing()
        await journal.settle()
        assert standing() == before, "it may only just have begun, or be about to be told"
        await journal.settle()
        assert standing() == ([("ended", "abandoned"), ("ended", "answered"), ("ended", "left")], ["ended", "missed"])
        with database.transaction() as session:
            assert [item.origin for item in session.scalars(select(Callback))] == ["n1-1.1"]
            assert session.get_one(Call, waits).state == "queued"
            assert calls.has_step(session, waits, "queued")
        await lucia.hangs_up()
        await asterisk.no_channels()


@pytest.mark.covers("I5")
@pytest.mark.parametrize("told", [[OVER, HUNG_UP], [HUNG_UP, OVER]], ids=["in order", "the wrong way round"])
async def test_who_talked_on_the_fixed_phone_has_not_given_up(database: Database, told: Sequence[Event]) -> None:
    board, _ = a_switchboard(database)
    with database.transaction() as session:
        calls.begin(session, CALL, "n1", LUCIA.numbers[0], NOON)
        calls.queued(session, CALL, "reception")
    await board._tell(AgentAnswered(NOON, CALL, "desk", "PJSIP/desk-00000002", TOMS, "reception"))
    with database.transaction() as session:
        assert session.get_one(Call, CALL).state == "talking"
    for event in told:
        await board._tell(event)
    with database.transaction() as session:
        assert session.get_one(Call, CALL).outcome == "answered"
        assert session.scalars(select(Callback)).all() == []


@pytest.mark.covers("H1")
@pytest.mark.parametrize("why", ["asked", "abandoned"])
async def test_whose_leg_ends_while_they_wait_is_called_back(database: Database, why: str) -> None:
    """After a key in the queue, or before it: no queue tells that they gave up."""
    board, _ = a_switchboard(database)
    with database.transaction() as session:
        calls.begin(session, CALL, "n1", LUCIA.numbers[0], NOON)
        calls.queued(session, CALL, "reception")
        if why == "asked":
            calls.step(session, CALL, "callback_wanted", NOON)
    await board._tell(HUNG_UP)
    with database.transaction() as session:
        assert session.get_one(Call, CALL).outcome == "abandoned"
        assert [(item.why, item.origin) for item in session.scalars(select(Callback))] == [(why, CALL)]


@pytest.mark.covers("I5")
@pytest.mark.parametrize("told", [[OVER, HUNG_UP], [HUNG_UP, OVER]], ids=["in order", "the wrong way round"])
async def test_who_talked_and_hung_up_was_answered_whatever_asterisk_tells_first(
    database: Database, told: Sequence[Event]
) -> None:
    board = Switchboard("127.0.0.1", 1, "core", "no link is made")
    InboundJournal(board, Left(), database, node="n1", country="CO", now=lambda: NOON)
    with database.transaction() as session:
        tom = employ(session, "tom", "agent")
        calls.begin(session, CALL, "n1", None, NOON)
        calls.queued(session, CALL, "reception")
        screen_pops.pop(session, CALL, tom.id, TOMS, NOON)
        assert screen_pops.pop_moved(session, CALL, TOMS, "answered", NOON)
    for event in told:
        await board._tell(event)
    with database.transaction() as session:
        assert session.get_one(Call, CALL).outcome == "answered"
        assert session.scalars(select(ScreenPop.state)).all() == ["ended"]
