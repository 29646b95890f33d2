"""The list of discharges in a real browser."""

from dataclasses import replace

import pytest
from playwright.async_api import FilePayload, expect

from hospital import questionnaires
from scripts.questionnaire_files import load_questionnaires
from tests.browser import PageOf, Site, does_not_scroll, looked_at, page_of, served, site
from tests.moments import NOON
from tests.test_web_discharge_list import HEADING, ROW

pytestmark = pytest.mark.browser
__all__ = ["page_of", "served", "site"]


@pytest.mark.covers("H20", "H51")
async def test_grace_checks_a_list_and_takes_it_over(served: Site, page_of: PageOf) -> None:
    state = served.app.state
    state.services = replace(state.services, facts=replace(state.services.facts, languages=("es",), country="CO"))
    with served.database.transaction() as session:
        for one in load_questionnaires()[0].values():
            questionnaires.publish(session, one.id, {"purpose": "follow-up"}, one.sha256, NOON)
    wrong = ["E{n},,X,,,,3015500001,2026-11-24,\n", "E{n},R{n},X,,,,12,2026-11-24,\n", "E{n},R{n},X,,,,,24/11/2026,\n"]
    rows = [ROW.format(n=n) for n in range(30)] + [wrong[n % 3].format(n=n) for n in range(30, 60)]
    grace = await page_of("grace")
    await grace.goto(served.url("/followups"))
    await grace.get_by_role("link", name="Discharge list").click()
    payload: FilePayload = {"name": "altas.csv", "mimeType": "text/csv", "buffer": (HEADING + "".join(rows)).encode()}
    await grace.get_by_label("The list", exact=True).set_input_files(payload)
    await grace.get_by_role("button", name="Check it").click()
    await expect(grace.get_by_text("60 rows: 30 events would be taken over")).to_be_visible()
    await does_not_scroll(grace)
    await looked_at(grace, "discharges")
    await grace.get_by_role("button", name="Take over 30 events, without the refused").click()
    await expect(grace.get_by_text("30 events were taken over")).to_be_visible()
    await does_not_scroll(grace)
