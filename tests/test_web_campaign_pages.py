"""The campaigns' pages in a real browser: by keyboard, live, and without what axe finds wrong."""

import pytest
from playwright.async_api import expect

from tests.browser import PageOf, Site, does_not_scroll, looked_at, page_of, served, site
from tests.characters import RUTH

pytestmark = [pytest.mark.browser, pytest.mark.covers("H51")]
__all__ = ["page_of", "served", "site"]


async def test_grace_runs_a_campaign_and_sees_it_move(served: Site, page_of: PageOf) -> None:
    grace, ana = await page_of("grace"), await page_of("ana")
    await grace.goto(served.url("/campaigns"))
    await looked_at(grace, "campaigns-none")
    await grace.get_by_role("textbox", name="New campaign").fill("Day 3")
    await grace.keyboard.press("Enter")
    await expect(grace.get_by_role("link", name="Day 3")).to_be_visible()
    await grace.get_by_role("button", name="Start Day 3").press("Enter")
    row = grace.locator("tr", has=grace.get_by_role("link", name="Day 3"))
    await expect(row.get_by_text("Running")).to_be_visible()
    await does_not_scroll(grace)
    await looked_at(grace, "campaigns")
    await grace.get_by_role("link", name="Day 3").click()
    talking = grace.locator(".figures div", has=grace.get_by_text("Talking", exact=True)).locator("dd")
    await expect(talking).to_have_text("0")
    await looked_at(ana, "followups-with-a-campaign")
    await ana.get_by_role("button", name="Next of Day 3").press("Enter")
    await expect(ana.get_by_role("heading", name="Ruth Miller")).to_be_visible()
    await ana.keyboard.press("s")
    await expect(ana.get_by_text("Your phone rings", exact=True)).to_be_visible()
    await served.answers(RUTH)
    await expect(talking).to_have_text("1")
    await does_not_scroll(grace)
    await looked_at(grace, "campaign")
