"""The questionnaires' pages in a real browser: whole, to be read by everybody, and with a keyboard."""

import asyncio

import pytest
from playwright.async_api import Dialog, Locator, Page, Route, expect

from tests.browser import PageOf, Site, does_not_scroll, looked_at, page_of, served, site
from tests.test_web_sheet_pages import with_sheets

pytestmark = pytest.mark.browser
__all__ = ["page_of", "served", "site", "with_sheets"]


@pytest.mark.covers("H51")
async def test_ida_writes_a_questionnaire(with_sheets: Site, page_of: PageOf) -> None:
    ida = await page_of("ida")
    await ida.goto(with_sheets.url("/wording"))
    await ida.get_by_role("link", name="Questionnaires").click()
    await expect(ida.get_by_label("Its code")).to_be_visible()
    await does_not_scroll(ida)
    await looked_at(ida, "questionnaires")
    await ida.get_by_label("Its code").fill("after-cataract")
    await ida.keyboard.press("Enter")
    text = ida.get_by_label("The text of its file (YAML)")
    written = await text.input_value()
    await text.fill(written.replace("boolean", "bool"))
    await ida.get_by_role("button", name="Save as draft and check").click()
    await expect(ida.get_by_text("Line 9", exact=True)).to_be_visible()
    await fills_its_panel(text)
    await does_not_scroll(ida)
    await looked_at(ida, "questionnaire-wrong")
    await text.fill(written)
    await ida.get_by_role("button", name="Save as draft and check").click()
    await ida.get_by_label("Why it is changed").fill("New.")
    await ida.get_by_role("button", name="Publish").click()
    await expect(ida.get_by_text("Asked now")).to_be_visible()
    await fills_its_panel(text)
    await does_not_scroll(ida)
    await looked_at(ida, "questionnaire")


async def fills_its_panel(text: Locator) -> None:
    below = await text.evaluate(
        "box => box.closest('.panel').getBoundingClientRect().bottom - box.getBoundingClientRect().bottom"
    )
    assert 0 < below < 20, f"{below} px are left under the text"


@pytest.mark.covers("H15", "H51")
async def test_ida_fills_in_her_draft_and_hears_it(with_sheets: Site, page_of: PageOf) -> None:
    ida = await page_of("ida")
    await ida.goto(with_sheets.url("/questionnaires/discharge-day3"))
    await ida.keyboard.press("?")
    await expect(ida.get_by_role("dialog", name="Keys on this page")).to_be_visible()
    await ida.keyboard.press("Escape")
    await ida.get_by_text("As the nurse’s form").click()
    await expect(ida.get_by_role("heading", name="Versions")).to_be_hidden()  # what is looked at has the room
    await ida.locator("#preview-language").select_option("es")
    await expect(ida.get_by_role("heading", name="Tres días después del alta")).to_be_visible()
    await expect(ida.get_by_text("Hola, soy enfermera").first).to_be_visible()
    await ida.get_by_role("textbox", name="How strong").fill("9")
    await expect(ida.get_by_text("Act on this at once")).to_be_visible()
    text = ida.get_by_label("The text of its file (YAML)")
    await text.fill((await text.input_value()).replace("es: Tres días después del alta", "es: Su tercer día en casa"))
    await expect(ida.get_by_role("heading", name="Su tercer día en casa")).to_be_visible()
    await expect(ida.get_by_text("Act on this at once")).to_be_visible()
    await does_not_scroll(ida)
    await looked_at(ida, "questionnaire-as-form")
    await ida.get_by_text("As a telephone call").click()
    await ida.get_by_label("In", exact=True).select_option("es")
    await ida.get_by_label("Keys, a comma after each answer").fill("1,9#,1")
    await ida.get_by_role("button", name="Call", exact=True).click()
    await expect(ida.get_by_role("log").get_by_text("Su tercer día en casa")).to_be_visible()
    await ida.get_by_role("log").scroll_into_view_if_needed()
    await does_not_scroll(ida)
    await looked_at(ida, "questionnaire-as-call")


@pytest.mark.covers("H51")
async def test_what_ida_has_not_saved_is_neither_left_out_nor_lost(with_sheets: Site, page_of: PageOf) -> None:
    ida = await page_of("ida")
    await ida.goto(with_sheets.url("/questionnaires/discharge-day3"))
    text = ida.get_by_label("The text of its file (YAML)")
    reworded = (await text.input_value()).replace("en: Three", "en: The third", 1)
    await text.fill(reworded)
    await ida.get_by_role("button", name="Save as draft and check").click()
    await expect(ida.get_by_label("Why it is changed")).to_be_visible()
    corrected = reworded.replace("en: The third", "en: The fourth", 1)
    await text.fill(corrected)
    await ida.get_by_label("Why it is changed").fill("Corrected.")
    await ida.get_by_role("button", name="Publish").click()
    await expect(ida.get_by_role("alert")).to_have_text("Not published: save and check what you typed first.")
    asked = refusing(ida)
    await ida.get_by_role("button", name="Throw the draft away").click()
    await ida.get_by_role("link", name="Hours").click()
    assert asked == ["What you typed is not saved. Go on without it?"] * 2
    async with ida.expect_event("dialog"):
        await ida.evaluate("() => void setTimeout(() => location.reload())")
    await expect(text).to_have_value(corrected)
    await ida.get_by_role("button", name="Save as draft and check").click()
    await expect(ida.get_by_label("Why it is changed")).to_have_value("")
    await ida.get_by_label("Why it is changed").fill("Corrected.")
    await ida.get_by_role("button", name="Publish").click()
    await expect(ida.get_by_text("Published as version 2")).to_be_visible()
    await expect(text).to_have_value(corrected)


@pytest.mark.covers("H51")
async def test_what_ida_types_while_her_draft_is_saved_stays(with_sheets: Site, page_of: PageOf) -> None:
    ida = await page_of("ida")
    await ida.goto(with_sheets.url("/questionnaires/discharge-day3"))
    text = ida.get_by_label("The text of its file (YAML)")
    reworded = (await text.input_value()).replace("en: Three", "en: The third", 1)
    await text.fill(reworded)
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(route: Route) -> None:
        arrived.set()
        await go_on.wait()
        await route.continue_()

    await ida.route("**/questionnaires/discharge-day3", slowly)
    await ida.get_by_role("button", name="Save as draft and check").click()
    await arrived.wait()
    await text.fill(reworded + "# typed since\n")
    go_on.set()
    await expect(ida.get_by_label("Why it is changed")).to_be_visible()
    await expect(text).to_have_value(reworded + "# typed since\n")


def refusing(page: Page) -> list[str]:
    """She stays, whatever is asked: the questions."""
    asked: list[str] = []

    async def stays(dialog: Dialog) -> None:
        asked.append(dialog.message)
        await dialog.dismiss()

    page.on("dialog", stays)
    return asked
