"""The campaigns' pages in a real browser: by keyboard, live, and without what axe finds wrong."""

import asyncio

import pytest
from playwright.async_api import Page, Route, expect
from sqlalchemy.orm import Session

from hospital import attempts, campaigns, stints
from hospital.attempts import Claimed
from hospital.campaigns import Wanted
from hospital.database import announce
from hospital.stints import Stint
from tests.browser import POLICY, PageOf, Site, does_not_scroll, looked_at, page_of, served, site
from tests.characters import JOAO, RUTH
from tests.moments import NOON

pytestmark = [pytest.mark.browser, pytest.mark.covers("H51")]
__all__ = ["page_of", "served", "site"]


async def test_grace_runs_a_campaign_and_sees_it_move(served: Site, page_of: PageOf) -> None:
    grace, ana = await page_of("grace"), await page_of("ana", "/")
    await grace.goto(served.url("/campaigns"))
    lies_under = grace.get_by_role("link", name="Follow-up", exact=True)
    await expect(lies_under).to_have_attribute("aria-current", "page")
    await looked_at(grace, "campaigns-none")
    await grace.get_by_role("textbox", name="New campaign").fill("Day 3")
    await grace.keyboard.press("Enter")
    await expect(grace.get_by_role("link", name="Day 3")).to_be_visible()
    await expect(grace.get_by_role("textbox", name="New campaign")).to_have_value("")
    await grace.get_by_role("button", name="Start Day 3").press("Enter")
    row = grace.locator("tr", has=grace.get_by_role("link", name="Day 3"))
    await expect(row.get_by_text("Running")).to_be_visible()
    await expect(grace.get_by_role("group", name="Campaigns, what runs first")).to_be_focused()  # "Start" is gone
    await beside_their_names(grace)
    await does_not_scroll(grace)
    await looked_at(grace, "campaigns")
    await grace.get_by_role("link", name="Day 3").click()
    talking = grace.locator(".figures div", has=grace.get_by_text("Talking", exact=True)).locator("dd")
    await expect(talking).to_have_text("0")
    await looked_at(ana, "followups-with-a-campaign")
    await ana.get_by_role("button", name="Next of Day 3").press("Enter")
    await expect(ana.get_by_role("heading", name="Ruth Miller")).to_be_visible()
    await ana.keyboard.press("s")
    await expect(ana.get_by_text("Your phone rings", exact=True)).to_be_visible()
    await served.answers(RUTH)
    await expect(talking).to_have_text("1")
    await does_not_scroll(grace)
    await looked_at(grace, "campaign")


async def beside_their_names(page: Page) -> None:
    """Each field of the form, at any width."""
    for width in (1366, 1100, 800):
        await page.set_viewport_size({"width": width, "height": 768})
        apart = await page.evaluate(
            """() => [...document.querySelectorAll("#new label")].filter((label) => {
              const [name, field] = [label, label.control].map((one) => one.getBoundingClientRect());
              return field.top > name.bottom || field.left < name.right;
            }).map((label) => label.textContent)"""
        )
        assert apart == [], width
    await page.set_viewport_size({"width": 1366, "height": 768})


def run(session: Session, served: Site) -> None:
    made = campaigns.create(session, Wanted("Day 3", "progressive"), served.accounts["grace"], NOON)
    campaigns.order(session, made.id, "start", served.accounts["grace"], NOON)


def join(session: Session, served: Site) -> Stint:
    stint = stints.begin(session, served.accounts["ana"], None, "n1", NOON)
    assert stint is not None and stints.up(session, stint.channel_id)
    return stint


def call(session: Session, served: Site, stint: Stint) -> None:
    campaign = campaigns.listed(session)[0]
    claimed = stints.claim_next(session, stint.id, campaign.id, "n1", served.clock(), POLICY)
    assert isinstance(claimed, Claimed)


async def test_the_form_of_whoever_is_called_for_ana_opens_by_itself(served: Site, page_of: PageOf) -> None:
    ana, grace = await page_of("ana", "/"), await page_of("grace")
    await served.database.run(run, served)
    await expect(ana.get_by_role("button", name="Take calls one after the other")).to_be_visible()
    await looked_at(ana, "stint-to-be-joined")
    stint = await served.database.run(join, served)
    await expect(ana.get_by_text("Waiting for the next")).to_be_visible()
    await served.database.run(call, served, stint)
    await expect(ana.get_by_role("heading", name="Ruth Miller")).to_be_visible()
    await served.answers(RUTH)
    await expect(ana.get_by_text("On the line,")).to_be_visible()
    await does_not_scroll(ana)
    await looked_at(ana, "stint-talking")
    await served.database.run(attempts.line_ended, served.attempt(RUTH).id, "answered", served.clock(), POLICY)
    await ana.get_by_role("link", name="Follow-up", exact=True).click()
    await expect(ana.get_by_role("heading", name="Follow-up calls")).to_be_visible()
    await ana.get_by_role("link", name="Open Ruth Miller").click()
    await ana.get_by_role("button", name="Message").click()
    await expect(ana.get_by_text("Write-up")).to_be_visible()
    await does_not_scroll(ana)
    await looked_at(ana, "stint-write-up")
    await grace.goto(served.url("/campaigns"))
    await grace.get_by_role("link", name="Day 3").click()
    await expect(grace.get_by_text("Nurses who have joined")).to_be_visible()
    await expect(grace.get_by_text("Dials 0 now: no nurse waits for a call.")).to_be_visible()
    await looked_at(grace, "campaign-progressive")


async def test_the_next_form_opens_although_the_last_words_were_not_saved_yet(served: Site, page_of: PageOf) -> None:
    saving, answered = asyncio.Event(), asyncio.Event()

    async def late(route: Route) -> None:
        saving.set()
        await answered.wait()
        await route.continue_()

    ana = await page_of("ana")
    await served.database.run(run, served)
    stint = await served.database.run(join, served)
    form = served.url(f"/followups/{served.task(JOAO).id}")
    await ana.goto(form)
    await expect(ana.get_by_text("Waiting for the next")).to_be_visible()
    await ana.route(f"{form}/summary", late)
    await ana.locator("#summary").fill("He asked for his letter twice.")
    await saving.wait()
    await served.database.run(call, served, stint)
    await expect(ana.get_by_text("Calling the next")).to_be_visible()
    await served.answers(RUTH)
    await served.database.run(announce, "stint", stint.id)
    bar = ana.locator("[data-fragment='/stint']")
    await expect(bar.get_by_text("Talking")).to_be_visible()  # with a link of its own
    answered.set()
    await expect(ana.get_by_role("heading", name="Ruth Miller")).to_be_visible()
    assert served.task(JOAO).summary == "He asked for his letter twice."
