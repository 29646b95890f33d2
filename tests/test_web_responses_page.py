"""What was answered, in a real browser."""

from datetime import date

import pytest
from playwright.async_api import expect

from hospital import followups, patients
from hospital.followups import FollowUpTask
from tests.browser import PageOf, Site, does_not_scroll, looked_at, page_of, served, site
from tests.characters import JOAO
from tests.moments import NOON

pytestmark = pytest.mark.browser
__all__ = ["page_of", "served", "site"]


@pytest.mark.covers("H28", "H51")
async def test_grace_reads_what_was_answered(served: Site, page_of: PageOf) -> None:
    with served.database.transaction() as session:
        form = session.get_one(FollowUpTask, served.task(JOAO).id).questionnaire_id
        assert form is not None
        for n in range(40):
            patient = patients.register(
                session, name=f"Somebody {n}", birth=date(1980, 1, 1), language="en", numbers=[]
            )
            task = followups.plan(
                session, patient_id=patient.id, questionnaire_id=form, reason="discharge_day_3", due_at=NOON
            )
            given = {
                "general": ("better", "better", "same", "worse")[n % 4],
                "pain": n * n % 11,
                "temperature": 36.0 + n % 13 / 5,
                "symptoms": [("none",), ("fever",), ("fever", "wound"), ("bleeding",)][n % 4],
                "medication": ("all", "some", {"text": "half of the white ones"})[n % 3],
                "next-visit": "in two weeks, at the clinic",
            }
            for item, value in list(given.items())[: 6 if n % 5 else 3]:
                followups.save_answer(session, task.id, item, value, NOON)
    grace = await page_of("grace")
    await grace.goto(served.url("/coverage"))
    await grace.get_by_role("link", name="Answers").click()
    await expect(grace.get_by_role("heading", name="Answers")).to_be_visible()
    await does_not_scroll(grace)
    await looked_at(grace, "responses")
    await grace.get_by_role("link", name="Three days after discharge").click()
    await expect(grace.get_by_role("img", name="Better: 20, 50 %.")).to_be_visible()
    await does_not_scroll(grace)
    await looked_at(grace, "responses-version")
    await grace.get_by_text("32 in their own words").click()
    await expect(grace.get_by_text("in two weeks, at the clinic").first).to_be_visible()
