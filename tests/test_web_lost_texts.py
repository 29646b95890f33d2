"""Text messages that were lost: who is called instead."""

from datetime import timedelta

import pytest
import yaml
from playwright.async_api import expect
from sqlalchemy import select

from hospital import outbox
from hospital.audit import AuditRow
from hospital.outbox import OutboxRow
from scripts.languages import folders
from tests.browser import Comes, PageOf, Site, comes, does_not_scroll, looked_at, page_of, served, site
from tests.characters import LUCIA, MEI, RUTH
from tests.moments import NOON
from web.words import lost_because, text_about

__all__ = ["comes", "page_of", "served", "site"]


def fails(site: Site, who: str, number: str, error: str, *, key: str = "appointment_confirmed", ago: int = 1) -> None:
    with site.database.transaction() as session:
        at, about = NOON - timedelta(days=ago), {"once": f"{who}/{error}/{ago}", "key": key, "locale": "es"}
        made = outbox.put(session, **about, number=number, at=at, patient_id=site.people[who])
        row = session.get_one(OutboxRow, made)
        row.state, row.error = "failed", error


@pytest.mark.covers("H4", "H51")
async def test_what_did_not_arrive_is_listed_and_its_list_is_a_look(site: Site, comes: Comes) -> None:
    ana = await comes("ana")
    assert "Nothing is lost" in (await ana.get("/lost-texts")).text
    fails(site, "lucia", LUCIA.numbers[0], "no_mobile")
    fails(site, "mei", MEI.numbers[0], "opted_out")
    fails(site, "mei", MEI.numbers[0], "withdrawn")
    fails(site, "ruth", RUTH.numbers[0], "twilio_30005", ago=8)
    page = (await ana.get("/lost-texts")).text
    assert LUCIA.name in page and "The number takes no texts" in page and "An appointment" in page
    assert MEI.name not in page and RUTH.name not in page
    with site.database.transaction() as session:
        (look,) = session.scalars(select(AuditRow).where(AuditRow.action == "texts.lost"))
        assert look.detail["patients"] == [str(site.people["lucia"])]


def test_every_wording_is_about_something_and_every_failure_has_a_word() -> None:
    messages = yaml.safe_load((folders()["en"] / "messages.yaml").read_text(encoding="utf-8"))["messages"]
    assert {key for key in messages if text_about(key) == "A message"} == set()
    assert lost_because("fate_unknown")[0] == lost_because("sender_died")[0] == "It may have arrived"
    assert lost_because("undelivered") == lost_because(None) == ("Did not arrive", "bad")


@pytest.mark.browser
@pytest.mark.covers("H4")
async def test_ana_looks_who_was_not_reached_by_text(served: Site, page_of: PageOf) -> None:
    fails(served, "lucia", LUCIA.numbers[0], "no_mobile")
    fails(served, "ruth", RUTH.numbers[0], "fate_unknown", key="please_call")
    for who in ("grace", "ana"):
        page = await page_of(who)
        await page.goto(served.url("/followups"))
        await does_not_scroll(page)
        await looked_at(page, f"followups-{who}")
        await page.get_by_role("link", name="Lost texts").click()
        await expect(page.get_by_role("heading", name="Lost texts")).to_be_visible()
        await expect(page.get_by_text("It may have arrived")).to_be_visible()
    await does_not_scroll(page)
    await looked_at(page, "lost-texts")
