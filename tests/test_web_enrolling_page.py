"""Enrolling in a real browser: by keyboard, by a list, and from the list of follow-ups."""

import pytest
from playwright.async_api import FilePayload, expect
from sqlalchemy import select

from hospital import vault
from hospital.enrolment_records import Enrolment
from hospital.patients import Patient, PatientIdentifier
from tests.browser import PageOf, Site, does_not_scroll, looked_at, page_of, served, site
from tests.characters import JOAO, MEI, RUTH
from tests.hospital_scene import library

pytestmark = [pytest.mark.browser, pytest.mark.covers("H20")]
__all__ = ["page_of", "served", "site"]


@pytest.fixture
def clinic(served: Site) -> Site:
    with served.database.transaction() as session:
        library(session)
        people = {one.name: one for one in session.scalars(select(Patient))}
        for who, record in ((MEI, "R-1"), (RUTH, "R-2")):
            token = vault.token("record", record)
            session.add(PatientIdentifier(patient_id=people[who.name].id, kind="record", value=record, token=token))
    return served


async def test_ana_looks_for_mei_and_enrols_her_by_keyboard(clinic: Site, page_of: PageOf) -> None:
    ana = await page_of("ana")
    await ana.goto(clinic.url("/followups"))
    await ana.get_by_role("link", name="Enrol").first.click()
    await ana.get_by_label("The plan", exact=True).select_option("hypertension")
    await ana.get_by_label("Record number, telephone number or whole name").fill("R-1")
    await ana.keyboard.press("Enter")
    await expect(ana.get_by_role("checkbox", name=MEI.name)).to_be_checked()
    await ana.get_by_role("button", name="Enrol who is ticked in High blood pressure").press("Enter")
    await expect(ana.get_by_text("1 enrolled in High blood pressure.")).to_be_visible()
    await does_not_scroll(ana)
    await looked_at(ana, "enrol-found")
    await ana.reload()
    await expect(ana.get_by_text("1 patient", exact=False)).to_be_visible()
    await does_not_scroll(ana)
    await looked_at(ana, "enrol-lately")
    ana.once("dialog", lambda dialog: dialog.accept())
    await ana.get_by_role("button", name="Take it back").press("Enter")
    await expect(ana.get_by_text("1 is out of High blood pressure again.")).to_be_visible()


async def test_grace_sends_a_list(clinic: Site, page_of: PageOf) -> None:
    grace = await page_of("grace")
    await grace.goto(clinic.url("/enrol"))
    rows = "record\n" + "".join(f"R-{n}\n" for n in range(1, 40))
    payload: FilePayload = {"name": "people.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    await grace.get_by_label("The list", exact=True).set_input_files(payload)
    await grace.get_by_role("button", name="Check it").click()
    await expect(grace.get_by_text("Choose a plan.")).to_be_visible()
    await grace.get_by_label("The plan", exact=True).select_option("diabetes")
    await grace.get_by_role("button", name="Check it").click()
    await expect(grace.get_by_text("39 rows: 2 can be enrolled in Diabetes, 37 can’t.")).to_be_visible()
    await does_not_scroll(grace)
    await looked_at(grace, "enrol-list")
    await grace.get_by_role("button", name="Enrol 2 patients, without the others").click()
    await expect(grace.get_by_text("2 enrolled in Diabetes. Not these 37:")).to_be_visible()
    await does_not_scroll(grace)


async def test_grace_enrols_what_is_selected_on_the_list(clinic: Site, page_of: PageOf) -> None:
    grace = await page_of("grace")
    await grace.goto(clinic.url("/followups"))
    await grace.get_by_role("checkbox", name=f"Select {JOAO.name}").check()
    await grace.locator("#enrol-plan").select_option("diabetes")
    await grace.get_by_role("button", name="Enrol", exact=True).click()
    await expect(grace.get_by_text("1 enrolled in Diabetes.")).to_be_visible()
    await does_not_scroll(grace)
    await looked_at(grace, "followups-enrolled")
    grace.once("dialog", lambda dialog: dialog.accept())
    await grace.get_by_role("button", name="Take it back").click()
    await expect(grace.get_by_text("1 is out of Diabetes again.")).to_be_visible()
    with clinic.database.transaction() as session:
        assert [one.ended_by for one in session.scalars(select(Enrolment))] == ["taken_back"]
