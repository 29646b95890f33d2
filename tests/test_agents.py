"""A caller wants a person: the queue, the agent's phone, the agent's page, and what happens when nobody is there."""

import asyncio
from datetime import UTC, datetime

import pytest

from hospital import account_orders
from hospital.accounts import Account
from hospital.callbacks import Callback
from hospital.screen_pops import ScreenPop
from tests.characters import LUCIA
from tests.console import console
from tests.house import House
from tests.late import in_time
from tests.scenes import reaches

pytestmark = pytest.mark.asterisk


@pytest.mark.covers("H10", "H15", "I9")
async def test_lucia_presses_0_and_tom_sees_her_while_his_phone_rings(house: House) -> None:
    async with (
        house.phone("lucia") as lucia,
        house.phone("tom") as tom,
        console(house, "tom") as toms_page,
        console(house, "grace") as graces_page,
    ):
        await toms_page.post("/presence/available")
        await reaches(house, lucia, "es", "0")
        await lucia.hears(await house.sound("to_person", "es"))
        await tom.rings()
        await house.until("the pop is there", lambda: house.rows(ScreenPop))
        card = (await toms_page.get("/agent/pop")).text
        assert "Lucía Fernández" in card
        assert "Probably: the only patient with this number." in card
        assert "hypertension" not in card  # clinical: after two identifiers
        assert "Lucía" not in (await graces_page.get("/agent/pop")).text
        (pop,) = house.rows(ScreenPop)
        assert pop.state == "ringing"
        await graces_page.get(f"/agent/pops/{pop.id}/record", status=403)

        await tom.answers()
        await house.until("Tom talks", lambda: house.rows(ScreenPop)[0].state == "answered")
        assert "hypertension" not in (await toms_page.get(f"/agent/pops/{pop.id}/record")).text
        await toms_page.post(f"/agent/pops/{pop.id}/ticks/name", on="on")
        await toms_page.post(f"/agent/pops/{pop.id}/ticks/birth_date", on="on")
        assert "hypertension" in (await toms_page.get(f"/agent/pops/{pop.id}/record")).text
        await toms_page.post(f"/agent/pops/{pop.id}/note", status=204, note="wants to come with her daughter")
        await lucia.hangs_up()
        await house.until("the call is over", lambda: house.calls()[0].state == "ended")
        (call,) = house.calls()
        assert (call.outcome, house.rows(ScreenPop)[0].note) == ("answered", "wants to come with her daughter")
        await house.until("Tom's card stays to be written up", lambda: house.rows(ScreenPop)[0].state == "ended")
    await house.no_channels()


@pytest.mark.covers("H51")
async def test_whose_account_is_disabled_is_rung_no_more(house: House) -> None:
    (tom,) = (one for one in house.rows(Account) if one.username == "tom")
    async with house.phone("tom"), console(house, "tom") as toms_page:
        await toms_page.post("/presence/available")
        assert "PJSIP/tom" in await house.cli("queue show reception")
        await house.database.run(account_orders.close, tom.id, None, datetime.now(UTC))
        try:
            await toms_page.get("/agent", status=303)
            async with in_time(20, "Tom is rung no more"):
                while "PJSIP/tom" in await house.cli("queue show reception"):  # noqa: ASYNC110 - Asterisk is asked
                    await asyncio.sleep(0.5)
        finally:
            await house.database.run(account_orders.open_again, tom.id, None, datetime.now(UTC))


@pytest.mark.covers("H1")
async def test_nobody_is_signed_in_and_lucia_asks_to_be_called_back(house: House) -> None:
    async with house.phone("lucia") as lucia:  # nor is there a fixed phone
        await reaches(house, lucia, "es", "0")
        await lucia.hears(await house.sound("queue_callback_offer", "es"), within=45)
        await lucia.presses("1")
        await lucia.hears(await house.sound("unattended_choice", "es"))
        await lucia.presses("1")
        await lucia.hears(await house.sound("callback_confirm_number", "es", number=LUCIA.numbers[0]))
        await lucia.presses("1")
        await lucia.hears(await house.sound("callback_registered", "es", number=LUCIA.numbers[0]))
        await lucia.hung_up()
    (asked,) = house.rows(Callback)
    assert (asked.why, asked.state, asked.number) == ("asked", "open", LUCIA.numbers[0])
    async with console(house, "tom") as tom, console(house, "grace") as grace:
        await tom.post(f"/callbacks/{asked.id}/own")
        await grace.post(f"/callbacks/{asked.id}/own", status=409)  # one owner
    assert house.rows(Callback)[0].state == "owned"


@pytest.mark.covers("H1")
async def test_who_gives_up_waiting_becomes_one_owned_item(house: House) -> None:
    for _ in range(2):
        async with house.phone("lucia") as lucia, house.phone("desk") as desk:
            await reaches(house, lucia, "es", "0")
            await desk.rings()
            await lucia.hangs_up()
        await house.no_channels()
    await house.until("both are over", lambda: [call.outcome for call in house.calls()] == ["abandoned", "abandoned"])
    await house.until("the item is there", lambda: house.rows(Callback))
    assert [(item.why, item.state) for item in house.rows(Callback)] == [("abandoned", "open")]


@pytest.mark.covers("H1")
async def test_who_wants_to_be_called_back_and_hangs_up_over_it_is_called_back(house: House) -> None:
    async with house.phone("lucia") as lucia:
        await reaches(house, lucia, "es", "0")
        await lucia.hears(await house.sound("queue_callback_offer", "es"), within=45)
        await lucia.presses("1")
        await lucia.hears(await house.sound("unattended_choice", "es"))
        await lucia.hangs_up()
    await house.until("the item is there", lambda: house.rows(Callback))
    assert [(item.why, item.state, item.number) for item in house.rows(Callback)] == [
        ("asked", "open", LUCIA.numbers[0])
    ]
    assert [call.outcome for call in house.calls()] == ["abandoned"]


@pytest.mark.covers("H1")
async def test_who_hangs_up_on_the_way_to_a_person_is_called_back(house: House) -> None:
    async with house.phone("lucia") as lucia:
        await reaches(house, lucia, "es", "0")
        await house.until("she is to wait", lambda: "transfer" in house.journal())
        await lucia.hangs_up()
    await house.until("the item is there", lambda: house.rows(Callback))
    assert "queued" not in house.journal(), "it is spoken to her that she is connected"
    assert [item.why for item in house.rows(Callback)] == ["abandoned"]


@pytest.mark.covers("H1", "H29", "I9")
async def test_who_asks_for_a_person_after_the_talk_waits_and_is_called_back_as_anybody(house: House) -> None:
    async with house.phone("lucia") as lucia, house.phone("tom") as tom, console(house, "tom") as toms_page:
        await toms_page.post("/presence/available")
        await reaches(house, lucia, "es", "0")
        await tom.rings()
        await tom.answers()
        await house.until("Tom talks", lambda: [pop.state for pop in house.rows(ScreenPop)] == ["answered"])
        await tom.hangs_up()
        await lucia.hears(await house.sound("rating_score", "es"))
        await house.until("the talk is over", lambda: house.calls()[0].outcome == "answered")
        await lucia.presses("0")
        await house.until("she waits again", lambda: house.calls()[0].state == "queued")
        await house.until("in the queue", lambda: "queued" in house.journal()[house.journal().index("transfer") + 2 :])
        (call,) = house.calls()
        assert (call.queue, call.outcome, call.ended_at) == ("reception", None, None)
        await lucia.hangs_up()
        await house.until("the item is there", lambda: house.rows(Callback))
        assert [item.why for item in house.rows(Callback)] == ["abandoned"]
        assert house.calls()[0].outcome == "abandoned"
    await house.no_channels()
