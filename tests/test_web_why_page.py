"""Why called, why not: the page in a real browser."""

import pytest
from playwright.async_api import expect

from hospital import followups
from tests.browser import PageOf, Site, does_not_scroll, looked_at, page_of, served, site
from tests.characters import JOAO

pytestmark = pytest.mark.browser
__all__ = ["page_of", "served", "site"]


@pytest.mark.covers("H14", "H51")
async def test_ana_reads_why_and_notes_the_clock(served: Site, page_of: PageOf) -> None:
    task = served.task(JOAO)
    with served.database.transaction() as session:
        at = served.clock()
        followups.decide(session, task.id, "cap_reached", at)
        followups.decide(session, task.id, "called", at, rank=1, clock="15:00", zone="America/Sao_Paulo")
        followups.decide(session, task.id, "try_again", at, because="busy", when=at.isoformat(), rank=2, tries=1, of=3)
    ana = await page_of("ana")
    await ana.goto(served.url(f"/followups/{task.id}"))
    await ana.get_by_role("link", name="Why called, why not").click()
    await expect(ana.get_by_text("Called at 15:00, Sao Paulo time")).to_be_visible()
    await ana.get_by_label("They are on the clock of").fill("Asia/Shanghai")
    await ana.keyboard.press("Enter")
    await expect(ana.get_by_text("Shanghai, as they told us")).to_be_visible()
    await does_not_scroll(ana)
    await looked_at(ana, "why")
