"""What the site changes without code, in a real browser: whole, to be read by everybody, and with a keyboard."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Dialog, Route, expect

from tests.browser import PageOf, Site, does_not_scroll, looked_at, page_of, served, site
from tests.workshops import workshop

pytestmark = pytest.mark.browser
__all__ = ["page_of", "served", "site"]


@pytest.fixture
def with_sheets(served: Site, tmp_path: Path) -> Site:
    state = served.app.state
    facts = replace(state.services.facts, languages=("en", "es", "pt-BR", "zh-CN", "mi"))
    state.services = replace(state.services, workshop=workshop(served.database, tmp_path), facts=facts)
    return served


@pytest.mark.covers("H51")
async def test_ida_words_a_sentence(with_sheets: Site, page_of: PageOf) -> None:
    ida = await page_of("ida")
    await ida.goto(with_sheets.url("/wording"))
    await ida.get_by_label("Text or key").fill("gracias por llamar")
    await ida.keyboard.press("Enter")
    await expect(ida.get_by_text("1 found")).to_be_visible()
    await does_not_scroll(ida)
    await looked_at(ida, "wording")
    await ida.get_by_role("link", name="goodbye").click()
    await ida.get_by_label("Spanish, said first", exact=True).fill("Gracias. Pulse 5.")
    await ida.get_by_role("button", name="Save as draft and check").click()
    await expect(ida.get_by_text("Warns").first).to_be_visible()
    await does_not_scroll(ida)
    await looked_at(ida, "wording-sentence")
    await ida.get_by_role("link", name="To the draft").click()
    await ida.get_by_label("Why it is changed").fill("Shorter.")
    await looked_at(ida, "wording-draft")
    await ida.get_by_role("button", name="Publish").click()
    await expect(ida.get_by_text("In force")).to_be_visible()
    await does_not_scroll(ida)
    await looked_at(ida, "wording-published")


@pytest.mark.covers("H33", "H51")
async def test_ida_looks_at_hours_information_and_triage_and_tries_a_draft(with_sheets: Site, page_of: PageOf) -> None:
    ida = await page_of("ida")
    await ida.goto(with_sheets.url("/hours"))
    await ida.get_by_label("Monday").fill("08:00-12:00, 11:00-13:00")
    await ida.get_by_role("button", name="Save as draft and check").click()
    await expect(ida.get_by_text("overlaps another interval").first).to_be_visible()
    await does_not_scroll(ida)
    await looked_at(ida, "hours")
    await ida.get_by_role("link", name="Information").click()
    await expect(ida.get_by_label("Spanish, directions")).to_be_visible()
    await does_not_scroll(ida)
    await looked_at(ida, "information")
    await ida.get_by_role("link", name="Triage").click()
    await expect(ida.get_by_role("img", name="Where each row of the table leads")).to_be_visible()
    await ida.get_by_label("Keys, a comma after each answer").fill("1,2")
    await ida.get_by_role("button", name="Call").click()
    await expect(ida.get_by_text("the heart or the blood pressure").last).to_be_visible()
    await does_not_scroll(ida)
    await looked_at(ida, "triage")


@pytest.mark.covers("H14", "H51")
async def test_ida_reads_what_follows_a_call_and_changes_a_row(with_sheets: Site, page_of: PageOf) -> None:
    ida = await page_of("ida")
    await ida.goto(with_sheets.url("/hours"))
    await ida.get_by_role("link", name="Outcomes").click()
    await ida.get_by_label("Next step after: No answer").select_option("nurse")
    await ida.get_by_label("How long after: Busy").fill("1 min")
    await ida.get_by_role("button", name="Save as draft and check").click()
    await expect(ida.get_by_text("'1 min' is too soon").first).to_be_visible()
    await expect(ida.get_by_text("A nurse takes over: an automatic call").first).to_be_visible()
    await does_not_scroll(ida)
    await looked_at(ida, "outcomes")


@pytest.mark.covers("H51")
async def test_ida_goes_on_after_publishing_and_nothing_typed_is_left_out(with_sheets: Site, page_of: PageOf) -> None:
    ida = await page_of("ida")
    asked: list[str] = []

    async def stays(dialog: Dialog) -> None:
        asked.append(dialog.message)
        await dialog.dismiss()

    ida.on("dialog", stays)
    await ida.goto(with_sheets.url("/hours"))
    monday = ida.get_by_label("Monday")
    save, publish = (ida.get_by_role("button", name=name) for name in ("Save as draft and check", "Publish"))
    await monday.fill("08:00-12:00")
    await save.click()
    await expect(monday).to_have_attribute("value", "08:00-12:00")  # it is kept, and the form filled anew
    await ida.get_by_label("Why it is changed").fill("Shorter.")
    await monday.fill("08:00-13:00")
    await publish.click()
    await expect(ida.get_by_role("alert")).to_have_text("Not published: save and check what you typed first.")
    await ida.get_by_role("button", name="Throw the draft away").click()
    await ida.get_by_role("link", name="Menu").click()
    assert asked == ["What you typed is not saved. Go on without it?"] * 2
    await expect(monday).to_have_value("08:00-13:00")
    await save.click()
    await expect(monday).to_have_attribute("value", "08:00-13:00")
    await ida.get_by_label("Why it is changed").fill("Shorter.")
    fillings = 0

    async def late(route: Route) -> None:
        nonlocal fillings
        if route.request.method == "GET":
            fillings += 1
            await asyncio.sleep(2)  # the notice that goes to every tab comes meanwhile
        await route.continue_()

    await ida.route(with_sheets.url("/hours"), late)
    await publish.click()
    await expect(ida.get_by_text("In force")).to_be_visible()
    await expect(ida.locator("#editor [name=seen]")).to_have_value("")
    await monday.fill("08:00-14:00")  # and the next
    await save.click()
    await expect(monday).to_have_attribute("value", "08:00-14:00")
    await expect(publish).to_be_visible()
    assert fillings == 1
    ida.remove_listener("dialog", stays)
    await ida.get_by_role("button", name="Throw the draft away").click()
    await expect(monday).to_have_value("08:00-13:00")


@pytest.mark.covers("H51")
async def test_ida_gives_up_what_she_typed_and_goes_on(with_sheets: Site, page_of: PageOf) -> None:
    ida = await page_of("ida")
    await ida.goto(with_sheets.url("/hours"))
    monday = ida.get_by_label("Monday")
    shipped = await monday.input_value()
    save = ida.get_by_role("button", name="Save as draft and check")
    await monday.fill("08:00-12:00")
    await save.click()
    await expect(monday).to_have_attribute("value", "08:00-12:00")
    await monday.fill("08:00-13:00")
    ida.once("dialog", lambda dialog: dialog.accept())
    await ida.get_by_role("button", name="Throw the draft away").click()
    await expect(monday).to_have_value(shipped)
    await monday.fill("08:00-14:00")
    await save.click()
    await expect(monday).to_have_attribute("value", "08:00-14:00")
    await ida.get_by_role("link", name="Menu").click()
    await ida.wait_for_url("**/menu")


@pytest.mark.covers("H51")
async def test_the_browsers_back_asks_before_what_ida_typed_is_gone(with_sheets: Site, page_of: PageOf) -> None:
    ida = await page_of("ida")
    await ida.goto(with_sheets.url("/menu"))
    await ida.get_by_role("link", name="Hours", exact=True).click()
    await ida.wait_for_url("**/hours")
    monday = ida.get_by_label("Monday")
    await monday.fill("08:00-13:00")
    for _ in range(2):  # the address is the page's own again
        async with ida.expect_event("dialog") as asked:
            await ida.evaluate("() => setTimeout(() => history.back())")
        await (await asked.value).dismiss()
        await ida.wait_for_url("**/hours")
        await expect(monday).to_have_value("08:00-13:00")
    ida.once("dialog", lambda dialog: dialog.accept())
    await ida.evaluate("() => setTimeout(() => history.back())")
    await expect(monday).to_have_count(0)
    await ida.wait_for_url("**/menu")
