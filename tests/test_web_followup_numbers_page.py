"""A number is marked as not safe, and another one is added, in a real browser and by keyboard."""

import pytest
from playwright.async_api import expect

from tests.browser import PageOf, Site, does_not_scroll, looked_at, page_of, served, site
from tests.characters import JOAO

pytestmark = [pytest.mark.browser, pytest.mark.covers("H14")]
__all__ = ["page_of", "served", "site"]


async def test_ana_writes_down_what_joao_says_of_his_numbers(served: Site, page_of: PageOf) -> None:
    ana = await page_of("ana")
    await ana.goto(served.url(f"/followups/{served.task(JOAO).id}"))
    number = JOAO.numbers[0]
    await ana.get_by_text(f"Change {number}").press("Enter")
    form = ana.locator("details[open] form").first
    await form.get_by_label("Whose").select_option("partner")
    await form.get_by_label("Safe to call").press("Space")
    await does_not_scroll(ana)
    await looked_at(ana, "followup-numbers")
    await form.get_by_role("button", name="Keep it").press("Enter")
    await expect(ana.get_by_text("not safe to call", exact=True)).to_be_visible()
    await expect(ana.locator(".tag", has_text="partner")).to_be_visible()
    await ana.get_by_text("Add a number", exact=True).press("Enter")
    more = ana.locator("#add-number-own form")
    await more.get_by_label("Number").fill("+55 11 95555 0199")
    await more.get_by_label("Number").press("Enter")
    await expect(ana.get_by_text("+5511955550199").first).to_be_visible()
    await does_not_scroll(ana)
