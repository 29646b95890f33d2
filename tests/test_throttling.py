"""A number that calls too often is turned away by a sentence; urgent help and a person are never out of reach."""

from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import func, select, text

from hospital import throttling
from hospital.calls import Call as CallRow
from hospital.cases import Case
from hospital.database import Base, Database
from hospital.throttling import QUIET, SHOWN, Allowance, CallingRate
from hotline.caller_joints import SqlJournal, UnwrittenJournal
from hotline.caller_settings import Throttle
from hotline.throttle import admit
from hotline.wiring import DIALOGUES
from ivr.agi_call import caller_number
from ivr.call import Call
from ivr.front_desk import FrontDesk
from ivr.server import AgiServer
from ivr.session import AgiSession
from ivr.terminal import rehearse, scripted
from scripts import wording
from tests.asterisk_instance import AsteriskInstance, network
from tests.characters import LUCIA, MEI
from tests.house import House
from tests.light_phone import LightPhone
from tests.moments import NOON
from tests.test_dialogues import front, words

__all__ = ["front", "words"]

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
THIRTY = Allowance(30)
NUMBER = LUCIA.numbers[0]


def rows(database: Database, kind: type[Base]) -> int:
    with database.transaction() as session:
        return session.scalar(select(func.count()).select_from(kind)) or 0


def test_an_allowance_is_there_at_once_and_comes_back_evenly() -> None:
    spent, times = NOON, []
    for minute in range(120):
        for _ in range(10):
            decision = throttling.decide(spent, NOON + minute * MINUTE, THIRTY)
            spent = decision.spent_until
            times += [minute] if decision.allowed else []
    assert times[:30] == [0] * 10 + [1] * 10 + [2] * 10
    assert times[31:] == list(range(times[31], 120, 2))
    assert throttling.decide(spent, NOON + timedelta(days=1), THIRTY).spent_until == NOON + timedelta(days=1, minutes=2)


def test_a_clock_that_was_set_back_shuts_nobody_out_for_longer_than_the_hour() -> None:
    spent = NOON
    for _ in range(30):
        spent = throttling.decide(spent, NOON, THIRTY).spent_until
    yesterday = NOON - timedelta(days=1)
    assert not throttling.decide(spent, yesterday, THIRTY).allowed
    assert not throttling.decide(spent, NOON, THIRTY).allowed
    assert throttling.decide(spent, NOON + 2 * MINUTE, THIRTY).allowed


@pytest.mark.covers("H1")
async def test_a_thousand_calls_in_an_hour_are_one_row_and_outlive_a_restart(database: Database) -> None:
    settings = Throttle(exempt=("+576015550188",))
    step = HOUR / 1000
    taken = [await admit(database, settings, "inbound", NUMBER, NOON + n * step) for n in range(600)]
    reopened = Database(database.url, connections=2)
    try:
        taken += [await admit(reopened, settings, "inbound", NUMBER, NOON + n * step) for n in range(600, 1000)]
        assert taken[:30] == [True] * 30 and sum(taken) == 30 + 29
        assert await admit(reopened, settings, "inbound", MEI.numbers[0], NOON), "others are not concerned"
        assert all([await admit(reopened, settings, "inbound", settings.exempt[0], NOON) for _ in range(100)])
        assert await admit(reopened, settings, "crowded", settings.exempt[0], NOON)
        assert await admit(reopened, settings, "rating", NUMBER, NOON + HOUR), "a call that was taken goes on"
    finally:
        reopened.close()
    assert (rows(database, CallingRate), rows(database, CallRow)) == (2, 0)
    with database.transaction() as session:
        (flood,) = throttling.turned_away(session, NOON + HOUR)
        assert (flood.number, flood.turned_away) == (NUMBER, 1000 - 59)
        assert throttling.turned_away(session, NOON + HOUR + SHOWN) == []
        throttling.forget_idle(session, NOON + HOUR + SHOWN)
    assert rows(database, CallingRate) == 0


async def test_callers_who_withhold_their_number_share_a_wider_allowance(database: Database) -> None:
    settings = Throttle(calls_per_hour=5, withheld_per_hour=50)
    assert [await admit(database, settings, "inbound", None, NOON) for _ in range(60)] == [True] * 50 + [False] * 10
    with database.transaction() as session:
        assert [(one.number, one.turned_away) for one in throttling.turned_away(session, NOON)] == [(None, 10)]


async def test_too_many_at_once_are_turned_away_and_use_up_nothing(database: Database) -> None:
    crowded = [await admit(database, Throttle(), "crowded", NUMBER, NOON) for _ in range(100)]
    assert not any(crowded)
    assert await admit(database, Throttle(), "inbound", NUMBER, NOON)


def test_of_calls_at_one_moment_no_more_are_taken_than_allowed(database: Database) -> None:
    """Whatever the order in which the processes come."""
    taken: list[bool] = []
    begin = Barrier(6)

    def call() -> None:
        begin.wait()
        with database.transaction() as session:
            taken.append(throttling.admit(session, NUMBER, NOON, Allowance(4)))

    callers = [Thread(target=call) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert sorted(taken) == [False] * 2 + [True] * 4


def test_after_an_hour_of_quiet_it_is_a_new_matter(database: Database) -> None:
    with database.transaction() as session:
        for at in (NOON, NOON + MINUTE, NOON + MINUTE + QUIET):
            throttling.admit(session, NUMBER, at, THIRTY, crowded=True)
        (flood,) = throttling.turned_away(session, NOON + 2 * QUIET)
        assert (flood.turned_away, flood.turned_away_since) == (1, NOON + MINUTE + QUIET)


@pytest.mark.covers("H1", "H33")
@pytest.mark.parametrize(
    ("presses", "queue", "flags"),
    [(["9"], "urgent", 1), (["5", "0"], "reception", 0), ([""], None, 0), (["5"], None, 0)],
)
async def test_who_is_turned_away_leaves_rows_only_by_asking_for_a_person(
    front: FrontDesk, words: wording.Wording, presses: list[str], queue: str | None, flags: int
) -> None:
    journal = SqlJournal(front.database, "terminal-1", "terminal", NUMBER, lambda: NOON)

    async def dialogue(call: Call) -> None:
        await DIALOGUES["throttled"](call, replace(front, now=lambda: NOON))

    told = await rehearse(
        dialogue,
        words,
        scripted(presses),
        caller_number=NUMBER,
        journal=UnwrittenJournal(journal),
        call_id="terminal-1",
    )
    assert f"then: queue {queue}" in told.lines or queue is None
    with front.database.transaction() as session:
        written = [(call.queue, call.number) for call in session.scalars(select(CallRow))]
        assert written == ([(queue, NUMBER)] if queue else [])
        assert [case.kind for case in session.scalars(select(Case))] == ["red_flag"] * flags
        steps = session.scalar(text("SELECT count(*) FROM call_step")) or 0
        assert (steps > 0) == (queue is not None)


@pytest.mark.asterisk
@pytest.mark.covers("H1", "H33")
async def test_a_number_that_calls_too_often_still_reaches_urgent_help(house: House) -> None:
    with house.database.transaction() as session:
        at = session.execute(select(func.now())).scalar_one()
        for _ in range(house.settings.throttle.calls_per_hour):
            assert throttling.admit(session, NUMBER, at, Allowance(house.settings.throttle.calls_per_hour))
    async with house.phone("lucia") as lucia, house.phone("desk") as desk:
        await lucia.dials("600")
        await lucia.hears(await house.sound("too_many_calls", house.settings.site.default_language))
        assert house.calls() == []
        await lucia.presses("9")
        await desk.rings(within=30)  # the sentence about the emergency number comes first
        await lucia.hangs_up()
    (call,) = house.calls()
    assert (call.number, call.queue) == (NUMBER, "urgent")
    assert [case.kind for case in house.rows(Case)] == ["red_flag"]
    await house.no_channels()


@pytest.mark.asterisk
@pytest.mark.covers("H1")
@pytest.mark.parametrize("exempt", [True, False])
async def test_many_may_call_through_a_trusted_switchboard(
    asterisk: AsteriskInstance, database: Database, exempt: bool
) -> None:
    """By the carrier's line: the number that it shows is the one that the settings name."""
    settings = Throttle(calls_per_hour=5, exempt=("+576015550188",) if exempt else ())
    with database.transaction() as session:
        for _ in range(settings.calls_per_hour):
            assert throttling.admit(session, "+576015550188", NOON, Allowance(settings.calls_per_hour))
    taken: list[bool] = []

    async def hold(session: AgiSession, path: str) -> None:
        taken.append(await admit(database, settings, path, caller_number(session.environment, "CO"), NOON))

    server = AgiServer(hold, asterisk.plan.agi_secret, asterisk.address, asterisk.plan.agi_port)
    async with server, LightPhone(f"{network()}.90", server=asterisk.address, username="6015550188") as phone:
        call = await phone.dials("6015550199")
        await call.hung_up()
    await asterisk.no_channels()
    assert taken == [exempt]
