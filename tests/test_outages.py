"""The ivr dies, the database is gone: every caller still reaches a person, or leaves a number."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import update

from hospital.booking import HOLD, OwnDesk
from hospital.callbacks import Callback
from hotline import wiring
from hotline.supervisor import HANGS
from tests.characters import LUCIA
from tests.house import House
from tests.scenes import doctor, is_offered_times, openings, reaches

pytestmark = pytest.mark.asterisk

HEARD_ON_THE_WAY = {
    "main_menu": ("", "main_menu"),
    "appointments_menu": ("1", "appointments_menu"),
    "birth_date": ("11", "ask_birth_date"),
    "half_a_date": ("112902", ""),
    "departments": ("11" + LUCIA.birth_keys, "recognised"),
}
"""What she has typed, and what she hears then, from the choice of the language to the times on offer."""
DOOR = 4711  # of an advisory lock
STEPS = ("welcome", *HEARD_ON_THE_WAY, "offered", "held", "confirmed")


@pytest.mark.covers("H1", "I2", "I10")
@pytest.mark.parametrize("step", STEPS)
async def test_the_ivr_is_killed_and_lucia_is_kept(house: House, step: str) -> None:
    first, *_ = await openings(house)
    told = {"when": first.starts_at, "doctor": doctor(first, "es")}
    async with house.phone("lucia") as lucia, house.phone("desk") as desk:
        if step == "welcome":
            await lucia.dials("600")
            await lucia.hears(await house.sound("welcome", "es"))
        elif step in HEARD_ON_THE_WAY:
            keys, heard = HEARD_ON_THE_WAY[step]
            await reaches(house, lucia, "es", keys)
            if heard == "recognised":
                await lucia.hears(await house.sound(heard, "es", given_name="Lucía"))
            elif heard:
                await lucia.hears(await house.sound(heard, "es"))
        else:
            await is_offered_times(house, lucia, LUCIA, "es")
            await lucia.hears(await house.sound("time_with_doctor", "es", **told))
        if step in ("held", "confirmed"):
            await lucia.presses("1")
            await lucia.hears(await house.sound("read_back", "es", department="cardiología"))
            await lucia.hears(await house.sound("time_with_doctor", "es", **told))
        if step == "confirmed":
            await lucia.presses("1")
            await lucia.hears(await house.sound("booked", "es"))
            await lucia.hears(await house.sound("time_with_doctor", "es", **told))
        old = house.children["ivr"]
        house.kill("ivr")
        await lucia.hears(await house.sound("apology", "es"), within=30)
        await desk.rings()
        await desk.answers()
        assert old is not None
        await house.restarted("ivr", old)
    assert len(house.appointments(of="lucia")) == (1 if step == "confirmed" else 0)
    if step == "held":
        lease_over = wiring.now() + HOLD
        assert first.slot_id not in await offered_at(house, wiring.now()), "nobody else has it while its lease runs"
        assert first.slot_id in await offered_at(house, lease_over), "and it is free by itself"
    await house.no_channels()


async def offered_at(house: House, at: datetime) -> set[UUID]:
    """The slots of cardiology that a caller at that time is offered."""
    found = await OwnDesk(house.database).openings("cardiology", at, after=wiring.now(), limit=100)
    return {opening.slot_id for opening in found}


@pytest.mark.covers("H1", "I10")
async def test_the_ivr_hangs_and_lucia_is_kept(house: House) -> None:
    async with house.phone("lucia") as lucia, house.phone("desk") as desk:
        await reaches(house, lucia, "es")
        await lucia.hears(await house.sound("main_menu", "es"))
        old = house.children["ivr"]
        assert old is not None
        os.kill(old, signal.SIGSTOP)  # it lives, holds the line, and says nothing
        await lucia.hears(await house.sound("apology", "es"), within=HANGS["ivr"] + 10)
        await desk.rings()
        await desk.answers()
        await house.restarted("ivr", old)
    await house.no_channels()


@pytest.mark.covers("H1")
async def test_without_any_ivr_lucia_leaves_her_number(house: House) -> None:
    async with house.without_ivr(), house.phone("lucia") as lucia:
        await lucia.dials("600")
        await lucia.hears(await house.sound("ivr_down_menu", "es"), within=30)
        await lucia.presses("1")
        await lucia.hears(await house.sound("callback_number", "es"))
        await lucia.presses("3015550177#")
        await lucia.hears(await house.sound("callback_thanks", "es"))
    await house.until("the number is collected from Asterisk", lambda: len(house.rows(Callback)) == 1, within=20)
    (asked,) = house.rows(Callback)
    assert (asked.number, asked.why) == ("+573015550177", "ivr_down")
    assert "0 results found" in await house.cli("database show hl_callback")


@pytest.mark.covers("H1", "I10")
async def test_a_number_is_collected_once_though_the_core_dies_before_it_can_be_forgotten(house: House) -> None:
    """Killed when PostgreSQL has it and Asterisk still has it; and somebody has called back before the core is here."""
    with commits_of_callbacks_wait(house) as let_go:
        async with house.without_ivr(), house.phone("lucia") as lucia:
            await lucia.dials("600")
            await lucia.hears(await house.sound("ivr_down_menu", "es"), within=30)
            await lucia.presses("1")
            await lucia.hears(await house.sound("callback_number", "es"))
            await lucia.presses("3015550177#")
            old = house.children["core"]
            assert old is not None
            await house.until("the core commits it", lambda: waiting(house), within=30)
            house.kill("core")  # and who would start it stands still
            let_go()
            await house.until("it is kept", lambda: len(house.rows(Callback)) == 1)
            assert "1 results found" in await house.cli("database show hl_callback")
            with house.database.transaction() as session:
                session.execute(update(Callback).values(state="done", done_at=wiring.now(), outcome="done"))
        await house.restarted("core", old)
    await house.until("Asterisk has forgotten it", lambda: forgotten(house), within=30)
    assert [(one.number, one.state) for one in house.rows(Callback)] == [("+573015550177", "done")]


@contextmanager
def commits_of_callbacks_wait(house: House) -> Iterator[Callable[[], object]]:
    """Whoever puts one in has sent COMMIT, and PostgreSQL does not answer before it is let go."""
    with house.here.cluster.connect("hotline") as admin:
        admin.execute(
            "CREATE FUNCTION at_the_door() RETURNS trigger LANGUAGE plpgsql AS"
            f" 'BEGIN PERFORM pg_advisory_xact_lock({DOOR}); RETURN NULL; END'"
        )
        admin.execute(
            "CREATE CONSTRAINT TRIGGER at_the_door AFTER INSERT ON callback DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION at_the_door()"
        )
        admin.execute(f"SELECT pg_advisory_lock({DOOR})")
        try:
            yield lambda: admin.execute(f"SELECT pg_advisory_unlock({DOOR})")
        finally:
            admin.execute("SELECT pg_advisory_unlock_all()")
            admin.execute("DROP FUNCTION at_the_door CASCADE")


def waiting(house: House) -> bool:
    with house.here.cluster.connect("hotline") as admin:
        return bool(admin.execute("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchall())


def forgotten(house: House) -> bool:
    return "0 results found" in asyncio.run(house.cli("database show hl_callback"))


@pytest.mark.covers("H1")
async def test_without_any_ivr_lucia_waits_for_the_fixed_phone(house: House) -> None:
    async with house.without_ivr(), house.phone("lucia") as lucia, house.phone("desk") as desk:
        await lucia.dials("600")
        await lucia.hears(await house.sound("ivr_down_menu", "es"), within=30)
        await desk.rings(within=20)
        await desk.answers()


@pytest.mark.covers("H1")
async def test_the_database_hangs_and_lucia_is_sent_to_a_person(house: House) -> None:
    async with house.database_hangs(), house.phone("lucia") as lucia, house.phone("desk") as desk:
        await lucia.dials("600")
        await lucia.hears(await house.sound("apology", "es"))
        await desk.rings()
        await desk.answers()


@pytest.mark.covers("H1")
async def test_the_database_refuses_and_lucia_is_sent_to_a_person(house: House) -> None:
    async with house.database_refuses(), house.phone("lucia") as lucia, house.phone("desk") as desk:
        await lucia.dials("600")
        await lucia.hears(await house.sound("apology", "es"), within=30)
        await desk.rings(within=20)
        await desk.answers()
        await lucia.hangs_up()
        await house.no_channels()


@pytest.mark.covers("H1")
async def test_who_gives_up_waiting_and_was_never_seen_by_an_ivr_is_called_back(house: House) -> None:
    async with house.without_ivr(), house.phone("lucia") as lucia, house.phone("desk") as desk:
        await lucia.dials("600")
        await lucia.hears(await house.sound("ivr_down_menu", "es"), within=30)
        await desk.rings(within=20)
        await house.until("she is known to wait", lambda: "queued" in {call.state for call in house.calls()})
        await lucia.hangs_up()
        await house.until("there is a callback", lambda: len(house.rows(Callback)) == 1)
    (missed,) = house.rows(Callback)
    assert (missed.number, missed.why) == (LUCIA.numbers[0], "abandoned")


@pytest.mark.covers("H1", "I5", "I10")
async def test_who_gives_up_waiting_while_the_database_is_away_is_called_back(house: House) -> None:
    async with house.phone("lucia") as lucia, house.phone("desk") as desk:
        await reaches(house, lucia, "es", "0")
        await desk.rings()
        await house.until("she waits", lambda: "queued" in house.journal())
        async with house.database_refuses():
            await lucia.hangs_up()
            await house.no_channels()
    await house.until("it is made good", lambda: house.rows(Callback), within=60)
    assert [(one.why, one.number) for one in house.rows(Callback)] == [("abandoned", LUCIA.numbers[0])]
    assert [(call.state, call.outcome) for call in house.calls()] == [("ended", "abandoned")]


@pytest.mark.covers("H1", "I10")
async def test_postgres_is_killed_in_mid_call_and_lucia_is_not_lost(house: House) -> None:
    async with house.phone("lucia") as lucia, house.phone("desk") as desk:
        await reaches(house, lucia, "es", "1")
        await lucia.hears(await house.sound("appointments_menu", "es"))
        old = house.children["postgres"]
        assert old is not None
        house.kill("postgres")
        await lucia.presses("0")
        await desk.rings(within=20)
        await desk.answers()
        await house.restarted("postgres", old)
    await house.no_channels()
