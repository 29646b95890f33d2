"""Patients of a list are put into a campaign in a real browser."""

import pytest
from playwright.async_api import FilePayload, expect

from hospital import vault
from hospital.campaigns import Wanted, create
from hospital.followups import FollowUpTask
from hospital.patients import PatientIdentifier
from tests.browser import PageOf, Site, does_not_scroll, looked_at, page_of, served, site
from tests.characters import MEI
from tests.moments import NOON

pytestmark = [pytest.mark.browser, pytest.mark.covers("H13")]
__all__ = ["page_of", "served", "site"]


async def test_grace_puts_the_patients_of_a_list_into_a_campaign(served: Site, page_of: PageOf) -> None:
    with served.database.transaction() as session:
        made = create(session, Wanted("Hernias", "preview"), served.accounts["grace"], NOON)
        patient_id = session.get_one(FollowUpTask, served.task(MEI).id).patient_id
        token = vault.token("record", "R-1")
        session.add(PatientIdentifier(patient_id=patient_id, kind="record", value="R-1", token=token))
    grace = await page_of("grace")
    await grace.goto(served.url(f"/campaigns/{made.id}"))
    rows = "record\n" + "".join(f"R-{n}\n" for n in range(1, 40))
    payload: FilePayload = {"name": "people.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    await grace.get_by_label("Only the patients of a list", exact=True).set_input_files(payload)
    await grace.get_by_role("button", name="Check it").press("Enter")
    await expect(grace.get_by_text("39 rows: 1 can be put in, 38 can’t.")).to_be_visible()
    await does_not_scroll(grace)
    await looked_at(grace, "campaign-list")
    await grace.get_by_role("button", name="Put 1 patient in, without the others").press("Enter")
    await expect(grace.get_by_text("1 patient was put in, 38 rows not.")).to_be_visible()
    await expect(grace.get_by_text("a list of 1 patient")).to_be_visible()
    await does_not_scroll(grace)
