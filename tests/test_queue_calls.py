"""Callers who wait hear where they stand, again and again, each in their language, and keep their place."""

import pytest

from hospital.outbox import OutboxRow
from hospital.screen_pops import ScreenPop
from tests.console import console
from tests.house import House
from tests.scenes import reaches

pytestmark = pytest.mark.asterisk


@pytest.mark.covers("H1", "H40")
async def test_tom_talks_and_two_wait(house: House) -> None:
    async with (
        house.phone("tom") as tom,
        house.phone("ruth") as ruth,
        house.phone("lucia") as lucia,
        house.phone("joao") as joao,
        console(house, "tom") as toms_page,
    ):
        await toms_page.post("/presence/available")
        await reaches(house, ruth, "en", "0")
        await tom.rings()
        await tom.answers()
        await house.until("Tom talks", lambda: [pop.state for pop in house.rows(ScreenPop)] == ["answered"])
        await reaches(house, lucia, "es", "0")
        await house.until("Lucía waits", lambda: house.calls()[1].state == "queued")
        await reaches(house, joao, "pt-BR", "0")
        await lucia.hears(await house.sound("queue_next", "es"), within=120)
        await lucia.hears(await house.sound("queue_callback_offer", "es"))
        await joao.hears(await house.sound("queue_place", "pt-BR", n=2), within=120)
        await joao.hears(await house.sound("queue_callback_offer", "pt-BR"))
        await joao.presses("2")
        await joao.hears(await house.sound("place_is_sent", "pt-BR"))
        (message,) = house.rows(OutboxRow)
        assert (message.key, message.locale, message.params) == ("queue_place", "pt-BR", {"n": 2})
        await joao.hears(await house.sound("queue_place", "pt-BR", n=2), within=120)  # he has kept his place
        await lucia.hears(await house.sound("emergency", "es"), within=120)
        await lucia.hangs_up()
        await joao.hears(await house.sound("queue_next", "pt-BR"), within=120)
        await ruth.hangs_up()
        await house.until("Tom writes up", lambda: house.rows(ScreenPop)[0].state == "ended")
        await toms_page.post("/presence/available")
        await tom.rings(within=40)  # who hears an announcement is rung for when it is over
        await tom.answers()
        await house.until("Tom talks", lambda: house.rows(ScreenPop)[-1].state == "answered")
        await joao.hangs_up()
    await house.no_channels()
    outcomes = ["answered", "abandoned", "answered"]
    await house.until("what became of them", lambda: [call.outcome for call in house.calls()] == outcomes)
    await house.until("no sound is left", lambda: not list(house.here.sounds.glob("*_*")))
