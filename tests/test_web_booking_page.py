"""A visit is booked from the nurse's form in a real browser, by keyboard."""

from datetime import timedelta

import pytest
from playwright.async_api import expect

from tests.browser import PageOf, Site, looked_at, page_of, served, site, talks
from tests.characters import JOAO
from tests.hospital_scene import clinic

pytestmark = pytest.mark.browser
__all__ = ["page_of", "served", "site"]


@pytest.mark.covers("H34", "H51")
async def test_ana_books_a_visit_in_the_call_by_keyboard(served: Site, page_of: PageOf) -> None:
    with served.database.transaction() as session:
        clinic(session, 8, first=served.clock() + timedelta(days=1))
    ana = await page_of("ana")
    await talks(ana, served, JOAO)
    summary = ana.locator("#summary")
    await summary.fill("Wants to be seen")

    await ana.locator("[data-item=pain] input").focus()
    await ana.keyboard.press("Alt+q")
    where = ana.get_by_label("Where", exact=True)
    await where.select_option("cardiology")
    first = ana.get_by_role("group", name="Free times").get_by_role("button").first
    await first.focus()
    await looked_at(ana, "followup-free-times")
    await ana.keyboard.press("Enter")
    await expect(ana.get_by_text("is held for a moment")).to_be_visible()
    await expect(ana.locator("#book-it")).to_be_focused()
    await ana.keyboard.press("Enter")
    await expect(ana.locator("#booking .good")).to_contain_text("Booked: cardiology, Vega, tomorrow")
    await expect(ana.get_by_role("list", name="Booked in this follow-up")).to_contain_text("cardiology, tomorrow")
    await expect(summary).to_have_value("Wants to be seen")
    await looked_at(ana, "followup-booked")

    # what an answer asks for, as it is ticked
    await ana.locator("[data-item=symptoms] input[value=wound]").check()
    told = ana.locator("#flags .ruled")
    await expect(told).to_contain_text("A wound that does not heal well: the next step comes in 4 days")
    await told.get_by_role("button", name="Free times").click()
    await expect(ana.locator("#booking .good")).to_have_count(0)
    await looked_at(ana, "followup-answer-rule")
