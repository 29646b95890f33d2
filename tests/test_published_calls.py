"""What Ida publishes in a real browser is what the next real call hears, without a restart."""

import pytest
from playwright.async_api import expect

from hotline import wiring
from tests.chromium import OpenPage
from tests.house import House
from tests.test_browser_phone import signs_in
from tests.workshops import shipped

pytestmark = [pytest.mark.asterisk, pytest.mark.browser]

MENU = "Citas, 1. Resultados, 2. Horarios, 3. Enfermería o quejas, 4. Otra cosa, 5. Una persona, 0."


@pytest.mark.covers("H51")
async def test_ida_edits_a_sentence_and_the_next_call_hears_it(house: House, open_page: OpenPage) -> None:
    body = {"es": {"prompts": {"main_menu": {"text": MENU}}}}
    said = wiring.speaker(house.settings, house.here, shipped().words(shipped().changes(body)))
    edited = (await said.file("main_menu", "es", {})).with_suffix(".sln16")
    async with house.phone("lucia") as lucia:
        page = await open_page()
        await lucia.dials("600")
        await lucia.hears(await house.sound("welcome", "es"))
        await signs_in(house, page, "ida", "/wording/main_menu")
        await page.get_by_label("Spanish, said first", exact=True).fill(MENU)
        await page.get_by_role("button", name="Save as draft and check").click()
        await expect(page.get_by_text("is changed in es and not in")).to_be_visible()
        await page.get_by_role("link", name="To the draft").click()
        await page.get_by_label("Why it is changed").fill("Shorter.")
        await page.get_by_role("button", name="Publish").click()
        await expect(page.get_by_text("In force")).to_be_visible()
        await lucia.presses("2")  # her call began before: nothing changes in it
        await lucia.hears(await house.sound("main_menu", "es"), within=30)
        await lucia.hangs_up()
        await lucia.dials("600")
        await lucia.hears(edited, within=40)
        await lucia.hangs_up()
        await page.get_by_role("button", name="As it comes with the hotline").click()
        await expect(page.get_by_role("button", name="As it comes with the hotline")).to_have_count(0)
    await house.no_channels()
