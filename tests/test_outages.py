"""The ivr dies, the database is gone: every caller still reaches a person, or leaves a number."""

import pytest

from hospital.callbacks import Callback
from tests.characters import LUCIA
from tests.house import House
from tests.listening import RATE
from tests.scenes import doctor, is_offered_times, openings, reaches

pytestmark = pytest.mark.asterisk

STEPS = ("welcome", "birth_date", "offered", "held", "confirmed")


@pytest.mark.covers("H1", "I2", "I10")
@pytest.mark.parametrize("step", STEPS)
async def test_the_ivr_is_killed_and_lucia_is_kept(house: House, step: str) -> None:
    first, *_ = await openings(house)
    told = {"when": first.starts_at, "doctor": doctor(first, "es")}
    async with house.phone("lucia") as lucia, house.phone("desk") as desk:
        if step == "welcome":
            await lucia.dials("600")
            await lucia.hears(await house.sound("welcome", "es"))
        elif step == "birth_date":
            await reaches(house, lucia, "es", "112902")
        else:
            await is_offered_times(house, lucia, LUCIA, "es")
            await lucia.hears(await house.sound("offer_slot", "es", n=1, **told))
        if step in ("held", "confirmed"):
            await lucia.presses("1")
            await lucia.hears(await house.sound("confirm_slot", "es", department="cardiología", **told))
        if step == "confirmed":
            await lucia.presses("1")
            await lucia.hears(await house.sound("booked", "es", **told))
        old = house.children["ivr"]
        killed_at = lucia.position / RATE
        house.kill("ivr")
        began = await lucia.hears(await house.sound("apology", "es"))
        assert began - killed_at < 5
        await desk.rings()
        await desk.answers()
        assert old is not None
        await house.restarted("ivr", old)
    assert len(house.appointments(of="lucia")) == (1 if step == "confirmed" else 0)
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
