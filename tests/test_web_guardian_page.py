"""A guardian's no about a child stands before the nurse, who names another guardian, in a real browser by keyboard."""

import re
from datetime import date

import pytest
from playwright.async_api import expect

from hospital import consents, followups, patients
from hospital.database import announce
from tests.browser import PageOf, Site, does_not_scroll, looked_at, page_of, served, site
from tests.characters import JOAO

pytestmark = [pytest.mark.browser, pytest.mark.covers("H13", "H52")]
__all__ = ["page_of", "served", "site"]


async def test_ana_sees_what_is_held_and_names_another_guardian(served: Site, page_of: PageOf) -> None:
    joao = served.task(JOAO)
    with served.database.transaction() as session:
        child = patients.register(session, name="Tiago Souza", birth=date(2020, 5, 4), language="pt-BR", numbers=[])
        child.guardian_id = joao.patient_id
        session.flush()
        told = {"questionnaire_id": joao.questionnaire_id, "reason": "discharge_day_3", "due_at": joao.due_at}
        task = followups.plan(session, patient_id=child.id, **told).id
        consents.tell(session, child.id, joao.patient_id, "follow_up", False, joao.due_at)
    ana = await page_of("ana")
    await ana.goto(served.url("/followups"))
    await expect(ana.get_by_text("Held for you")).to_be_visible()
    await looked_at(ana, "followups-held")
    await ana.goto(served.url(f"/followups/{task}"))
    await expect(ana.locator("#held")).to_contain_text("nobody is called")
    await ana.get_by_text("Name another guardian", exact=True).press("Enter")
    form = ana.locator("#guardian-name form")
    await form.get_by_label("Name").fill("Bia Souza")
    await form.get_by_label("Number").fill("+55 11 95555 0123")
    await form.get_by_label("Is the patient’s").select_option("mother")
    await does_not_scroll(ana)
    await looked_at(ana, "followup-guardian")
    await form.get_by_label("Number").press("Enter")
    await expect(ana.locator("strong", has_text="Bia Souza")).to_be_visible()
    await expect(ana.locator("#guardian-name > summary")).to_be_focused()
    await expect(ana.locator("#held")).to_have_count(0)
    await expect(ana.get_by_role("button", name="Call Tiago")).to_be_visible()


async def test_what_ana_has_opened_stays_open_while_things_happen_and_keeps_her_focus(
    served: Site, page_of: PageOf
) -> None:
    task = served.task(JOAO)
    ana = await page_of("ana")
    await ana.goto(served.url(f"/followups/{task.id}"))
    for opened in ("The plan", "Address"):
        await ana.locator("summary", has_text=opened).press("Enter")
    address = ana.locator("summary", has_text="Address")
    await address.focus()
    with served.database.transaction() as session:
        followups.decide(session, task.id, "cap_reached", task.due_at)
        announce(session, "task", task.id)
    await expect(ana.get_by_text("Not called: called often enough")).to_be_visible()
    await expect(address).to_be_focused()
    await expect(ana.locator("details[open] > summary")).to_have_text([re.compile("Address"), "The plan"])
