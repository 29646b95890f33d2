"""The list is shared out in a real browser: by keyboard, with what is selected kept while others work on it."""

from urllib.parse import quote

import pytest
from playwright.async_api import expect

from hospital import followups
from hospital.accounts import Account
from hospital.database import announce
from hospital.enrolment_records import CareEvent, Enrolment
from hospital.followups import FollowUpTask
from tests.browser import PageOf, Site, does_not_scroll, looked_at, page_of, served, site
from tests.characters import JOAO, MEI, RUTH
from tests.moments import NOON

pytestmark = pytest.mark.browser
__all__ = ["page_of", "served", "site"]


@pytest.mark.covers("H13", "H51")
async def test_grace_shares_out_the_list_by_keyboard(served: Site, page_of: PageOf) -> None:
    grace = await page_of("grace")
    await grace.goto(served.url("/followups"))
    picked, give = grace.locator("#picked"), grace.get_by_role("button", name="Give", exact=True)
    await expect(picked).to_have_text("0 selected")
    await expect(give).to_be_disabled()
    await does_not_scroll(grace)
    await looked_at(grace, "followups-orders")
    await grace.locator("[data-stop]").first.focus()
    await grace.keyboard.press("c")
    await expect(picked).to_have_text("1 selected")
    await grace.keyboard.press("c")
    await expect(picked).to_have_text("0 selected")
    await grace.keyboard.press("Shift+ArrowDown")
    await expect(picked).to_have_text("2 selected")
    await expect(grace.locator("[data-stop]").nth(1)).to_be_focused()
    await grace.keyboard.press("e")
    await expect(picked).to_have_text("3 selected")
    # somebody works on the list meanwhile: it is fetched anew, and what is selected stays so
    with served.database.transaction() as session:
        session.get_one(FollowUpTask, served.task(RUTH).id).priority = 2
        announce(session, "task", served.task(RUTH).id)
    await expect(grace.get_by_text("due 20 Nov 13:00, priority 2")).to_be_visible()
    await expect(picked).to_have_text("3 selected")
    # what is closed meanwhile is not selected any more
    with served.database.transaction() as session:
        followups.skip(session, served.task(MEI).id, "readmitted", served.clock(), served.accounts["grace"])
    await expect(picked).to_have_text("2 selected")
    await grace.get_by_label("To whom").select_option(label="Ana: 1 to call")
    await looked_at(grace, "followups-selected")
    await give.press("Enter")
    await expect(grace.get_by_text("2 given to Ana.")).to_be_visible()
    await expect(picked).to_have_text("0 selected")
    await expect(grace.locator("#give-to option:checked")).to_have_text("Ana: 2 to call, 1 overdue")
    assert {served.task(one).owner_id for one in (JOAO, RUTH)} == {served.accounts["ana"]}
    await expect(grace.locator("#pick-all")).to_be_focused()
    await does_not_scroll(grace)


@pytest.mark.covers("H13")
async def test_long_names_of_people_wards_and_studies_do_not_widen_the_page(served: Site, page_of: PageOf) -> None:
    long = "Unidade de Terapia Intensiva Neonatal e Pediátrica do Bloco Cirúrgico 2, Edifício Norte"
    with served.database.transaction() as session:
        session.get_one(Account, served.accounts["ana"]).display_name = "Ana Maria da Conceição de Souza e Albuquerque"
        for person in (JOAO, MEI, RUTH):
            task = session.get_one(FollowUpTask, served.task(person).id)
            event = CareEvent(source=person.sip, kind="enrolment", patient_id=task.patient_id, at=NOON, told_at=NOON)
            event.study = f"Coorte {long}"
            session.add(event)
            session.flush()
            enrolment = Enrolment(
                event_id=event.id, patient_id=task.patient_id, plan="p", plan_sha256="0", enrolled_at=NOON
            )
            session.add(enrolment)
            session.flush()
            task.enrolment_id, task.step, task.ward = enrolment.id, "day-1", long
            task.owner_id, task.given_at = served.accounts["ana"], NOON
    grace = await page_of("grace")
    await grace.goto(served.url("/followups"))
    await grace.get_by_label("Ward", exact=True).select_option(label=long)
    await expect(grace).to_have_url(served.url(f"/followups?show=all&ward={quote(long)}&study="))
    await expect(grace.get_by_label("Ward", exact=True)).to_have_value(long)
    await does_not_scroll(grace)
    wide = "e => e.scrollWidth - e.clientWidth"
    assert await grace.locator("#list .scrolls").evaluate(wide) <= 0
    await looked_at(grace, "followups-long-names")


@pytest.mark.covers("H13")
async def test_a_second_tab_did_it_first_and_the_first_says_so(served: Site, page_of: PageOf) -> None:
    ana = await page_of("ana")
    await ana.goto(served.url("/followups"))
    await ana.route("**/followups/list/**", lambda route: route.abort())  # its list has become old
    await ana.get_by_label("Select João Souza").check()
    await ana.get_by_label(f"Select {MEI.name}").check()
    await served.dialling.start(served.task(JOAO).id, served.accounts["ana"])
    await ana.get_by_label("Why skipped").select_option(label="Done elsewhere")
    await ana.get_by_role("button", name="Skip", exact=True).last.click()
    await expect(ana.get_by_text("1 skipped.")).to_be_visible()
    await expect(ana.get_by_text("João Souza is being called just now")).to_be_visible()
    await does_not_scroll(ana)
    await looked_at(ana, "followups-ordered")
    assert served.task(JOAO).state == "calling"
    assert served.task(MEI).stop_reason == "done_elsewhere"


@pytest.mark.covers("H13")
async def test_without_a_script_it_is_a_form(served: Site, page_of: PageOf) -> None:
    ana = await page_of("ana")
    state = await ana.context.storage_state()
    browser = ana.context.browser
    assert browser is not None
    plain = await browser.new_context(java_script_enabled=False, storage_state=state)
    page = await plain.new_page()
    await page.goto(served.url("/followups"))
    await page.get_by_label(f"Select {MEI.name}").check()
    await page.get_by_role("button", name="Take").click()
    await expect(page.get_by_text("1 given to you.")).to_be_visible()
    await page.get_by_role("link", name="← List").click()
    assert served.task(MEI).owner_id == served.accounts["ana"]
    await plain.close()
