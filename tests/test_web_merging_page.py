"""Two records are merged in a real browser, by keyboard."""

import pytest
from playwright.async_api import expect

from hospital import vault
from hospital.followups import FollowUpTask
from hospital.patients import Patient, PatientIdentifier
from tests.browser import PageOf, Site, does_not_scroll, looked_at, page_of, served, site
from tests.characters import MEI
from tests.hospital_scene import admit

pytestmark = [pytest.mark.browser, pytest.mark.covers("H45")]
__all__ = ["page_of", "served", "site"]


async def test_grace_merges_two_records_of_mei(served: Site, page_of: PageOf) -> None:
    task = served.task(MEI)
    first = task.patient_id
    with served.database.transaction() as session:
        duplicate = admit(session, MEI).id
        for patient_id, record in ((first, "R-1"), (duplicate, "R-2")):
            token = vault.token("record", record)
            session.add(PatientIdentifier(patient_id=patient_id, kind="record", value=record, token=token))
    grace = await page_of("grace")
    await grace.goto(served.url("/merge"))
    await grace.get_by_label("The record that stays").fill("R-2")
    await grace.get_by_label("The duplicate", exact=True).fill("R-1")
    await grace.keyboard.press("Enter")
    await expect(grace.get_by_text("1 open follow-up of the duplicate will be called")).to_be_visible()
    await does_not_scroll(grace)
    await looked_at(grace, "merge")
    grace.once("dialog", lambda dialog: dialog.accept())
    await grace.get_by_role("button", name="Merge them for good").press("Enter")
    await expect(grace.get_by_text("They are one record now.")).to_be_visible()
    with served.database.transaction() as session:
        assert session.get_one(Patient, first).merged_into == duplicate
        assert session.get_one(FollowUpTask, task.id).patient_id == duplicate
