"""The pages in a real browser: what they look like, what the keyboard does, what happens while somebody types."""

import threading

import pytest
from playwright.async_api import Route, expect
from sqlalchemy.orm import Session

from hospital import audit, callbacks, calls, patients, screen_pops
from hospital.audit import Walk
from hospital.database import Database
from hospital.screen_pops import ScreenPop
from tests.browser import PageOf, Site, does_not_scroll, looked_at, page_of, served, serving, site
from tests.characters import JOAO, LUCIA, MEI, RUTH
from tests.chromium import OpenPage
from tests.moments import NOON
from web import chain_walk

pytestmark = pytest.mark.browser
__all__ = ["page_of", "served", "site"]


@pytest.mark.covers("H51")
async def test_the_sign_in_page(served: Site, page_of: PageOf) -> None:
    page = await page_of("")
    await page.goto(served.url("/followups"))
    await looked_at(page, "sign-in")
    await page.get_by_label("Name", exact=True).fill("ana")
    await page.get_by_label("Password").fill("wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("The name or the password is not right.")
    await looked_at(page, "sign-in-refused")


@pytest.mark.covers("H10", "H15", "I9")
async def test_lucia_rings_and_only_toms_page_shows_her(served: Site, page_of: PageOf) -> None:
    tom, grace = await page_of("tom"), await page_of("grace")
    await tom.goto(served.url("/agent"))
    await grace.goto(served.url("/agent"))
    await looked_at(tom, "agent-empty")
    pop = await served.rings("tom", LUCIA)
    await expect(tom.get_by_role("heading", name="Lucía Fernández")).to_be_visible()
    await expect(tom.get_by_text("Asked for a person").or_(tom.get_by_text("asked for a person"))).to_be_visible()
    await does_not_scroll(tom)
    await looked_at(tom, "agent-ringing")
    await served.database.run(callbacks.ask, origin="n1-1", number=RUTH.numbers[0], why="asked", at=NOON, language="en")
    await expect(grace.get_by_role("button", name="Take it")).to_be_visible()  # she hears of what came later
    assert await grace.get_by_text("Lucía").count() == 0
    assert "hypertension" not in await tom.content()

    await tom.keyboard.press("1")
    await tom.keyboard.press("2")
    await expect(tom.get_by_text("hypertension")).to_be_visible()
    await tom.keyboard.press("n")
    await tom.keyboard.type("comes with her daughter")
    leg = f"{(await served.database.run(_call_of, pop)).id}-tom"
    await served.database.run(screen_pops.pop_moved, leg.removesuffix("-tom"), leg, "answered", served.clock())
    await expect(tom.get_by_text("On the line")).to_be_visible()
    await expect(tom.locator("#note")).to_be_focused()
    await expect(tom.locator("[data-saving-state]")).to_have_text("Saved")
    with served.database.transaction() as session:
        assert session.get_one(ScreenPop, pop).note == "comes with her daughter"
    await does_not_scroll(tom)
    await looked_at(tom, "agent-talking")


def _call_of(session, pop_id):  # type: ignore[no-untyped-def]
    return session.get_one(calls.Call, session.get_one(screen_pops.ScreenPop, pop_id).call_id)


@pytest.mark.covers("H13", "H51")
@pytest.mark.parametrize("who", ["ana", "tom", "grace"])
async def test_the_bar_on_top_is_whole_while_somebody_talks(served: Site, page_of: PageOf, who: str) -> None:
    """The phone of the page rings nowhere here: its parts are filled as `phone.js` fills them."""
    page = await page_of(who)
    await page.goto(served.url("/"))
    await page.evaluate(
        """() => {
          const phone = document.querySelector("hotline-phone");
          phone.dataset.state = "talking";
          phone.querySelectorAll("button").forEach((button) => (button.disabled = false));
          const says = {state: "On a call", peer: "San Rafael Hospital, cardiology", time: "12:04"};
          for (const [part, text] of Object.entries(says))
            phone.querySelector(`[data-part=${part}]`).textContent = text;
        }"""
    )
    await looked_at(page, f"bar-talking-{who}")
    bar = page.locator(".bar")
    for name in ("Mute", "Keys", "Hang up"):
        await expect(bar.get_by_text(name)).to_be_in_viewport(ratio=1)
    bounds = await bar.bounding_box()
    assert bounds is not None and bounds["height"] < 100, "two lines at the most"


@pytest.mark.covers("H13", "H14", "H16", "H17", "H18", "H21")
async def test_ana_works_the_follow_up_list_by_keyboard(served: Site, page_of: PageOf) -> None:
    ana = await page_of("ana", "/")
    await expect(ana.get_by_role("heading", name="Follow-up calls")).to_be_visible()
    await does_not_scroll(ana)
    await looked_at(ana, "followups")
    await ana.get_by_role("link", name="Open João Souza").click()
    await expect(ana.get_by_role("heading", name="João Souza")).to_be_visible()
    await does_not_scroll(ana)
    await looked_at(ana, "followup-before")
    await ana.keyboard.press("s")
    await expect(ana.get_by_text("Your phone rings", exact=True)).to_be_visible()
    await served.answers(JOAO)
    await expect(ana.get_by_text("On the line,")).to_be_visible()
    await expect(ana.locator("#questions:disabled")).to_have_count(1)
    await ana.keyboard.press("1")
    await expect(ana.locator("#tick-name")).to_be_checked()
    await ana.keyboard.press("2")
    await expect(ana.locator("#questions:disabled")).to_have_count(0)
    await does_not_scroll(ana)
    await looked_at(ana, "followup-talking")
    await ana.keyboard.press("r")
    await expect(ana.get_by_text("Recording since")).to_be_visible()
    await ana.keyboard.press("y")
    await expect(ana.locator("[data-item=general] input[value=better]")).to_be_checked()
    await ana.locator("[data-item=pain] input").fill("9")
    await expect(ana.get_by_text("Act on this at once: Severe pain")).to_be_visible()
    await ana.locator("[data-item=temperature] input").fill("99")
    await expect(ana.get_by_text("A number from 34 to 43 °C is allowed")).to_be_visible()
    await ana.locator("[data-item=temperature] input").fill("36,8")
    await expect(ana.locator("[data-item=temperature] [data-saving-state]")).to_have_text("Saved")
    await ana.keyboard.press("Alt+e")
    await ana.keyboard.type("Pain at night. Asked to come in tomorrow.")
    await expect(ana.locator(".summary [data-saving-state]")).to_have_text("Saved")
    await does_not_scroll(ana)
    await looked_at(ana, "followup-answered")
    await ana.keyboard.press("Alt+9")
    await expect(ana.locator("#flags .tag")).to_have_text("raised")
    await ana.get_by_role("button", name="End call").click()
    await expect(ana.get_by_text("Call ended")).to_be_visible()
    await served.sealed(JOAO)
    await expect(ana.get_by_role("button", name="Play")).to_be_visible()
    await ana.keyboard.press("Alt+c")
    await expect(ana.get_by_text("Done.", exact=True)).to_be_visible()
    await does_not_scroll(ana)
    await looked_at(ana, "followup-done")
    await ana.keyboard.press("Alt+0")
    await expect(ana.get_by_role("heading", name="Follow-up calls")).to_be_visible()
    await expect(ana.locator("#page")).to_be_focused()  # not what is folded away in it
    await ana.keyboard.press("l")
    await expect(ana.get_by_role("link", name="Open").first).to_be_focused()
    await ana.keyboard.press("ArrowDown")
    await expect(ana.get_by_role("link", name="Open").nth(1)).to_be_focused()


@pytest.mark.covers("H17", "H51")
async def test_grace_plays_a_recording(served: Site, page_of: PageOf) -> None:
    await _a_recording(served)
    grace = await page_of("grace")
    await grace.goto(served.url("/recordings"))
    await does_not_scroll(grace)
    await looked_at(grace, "recordings")
    async with grace.expect_response("**/recordings/find"):
        await grace.get_by_label("Patient or nurse").fill("joão")
    await grace.get_by_role("link", name="Hear João Souza").click()
    await expect(grace.get_by_role("heading", name="João Souza")).to_be_visible()
    await expect(grace.get_by_role("button", name="Check it")).to_be_in_viewport(ratio=1)
    await does_not_scroll(grace)
    await looked_at(grace, "recording")
    slider = grace.get_by_role("slider", name="Position")
    await expect(slider).to_be_focused()
    await grace.keyboard.press("ArrowUp")
    await grace.keyboard.press("ArrowUp")
    await grace.keyboard.press("Space")
    await expect(grace.locator("hotline-player")).to_have_attribute("data-state", "playing")
    await expect(grace.get_by_text("played a recording")).to_be_visible()
    await grace.keyboard.press("Space")
    await expect(grace.locator("hotline-player")).to_have_attribute("data-state", "paused")
    await grace.get_by_role("button", name="Check it").click()
    await expect(grace.get_by_text("every byte is as it was sealed")).to_be_visible()
    served.replay.damaged = True
    await grace.get_by_role("button", name="Check it").click()
    await expect(grace.get_by_text("It is damaged.")).to_be_visible()
    await does_not_scroll(grace)
    await looked_at(grace, "recording-damaged")
    await grace.goto(served.url("/audit"))
    await expect(grace.get_by_text("The chain is whole")).to_be_visible()
    await does_not_scroll(grace)
    await looked_at(grace, "audit")


@pytest.mark.covers("H51", "I8")
async def test_what_a_walk_along_a_long_chain_finds_comes_to_the_page(
    served: Site, page_of: PageOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain_walk, "PATIENCE_S", 0.5)
    walk_on, go = audit.walk_on, threading.Event()

    def slowly(session: Session, walk: Walk) -> Walk:
        assert go.wait(20)
        return walk_on(session, walk)

    monkeypatch.setattr(audit, "walk_on", slowly)
    grace = await page_of("grace")
    await grace.goto(served.url("/audit"))
    await expect(grace.get_by_text("Checking the chain:")).to_be_visible()
    await does_not_scroll(grace)
    await looked_at(grace, "audit-checking")
    go.set()
    await expect(grace.get_by_text("The chain is whole")).to_be_visible()
    await expect(grace.get_by_text("Checking the chain")).to_have_count(0)


@pytest.mark.covers("H51", "I8")
async def test_a_walk_that_fails_half_way_is_told(
    served: Site, page_of: PageOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain_walk, "PATIENCE_S", 0.5)
    grace, walk_on = await page_of("grace"), audit.walk_on

    for told in ("The chain could not be checked", "The last check failed"):
        go = threading.Event()

        def fails(session: Session, walk: Walk, go: threading.Event = go) -> Walk:
            assert go.wait(20)
            raise TimeoutError

        monkeypatch.setattr(audit, "walk_on", fails)
        await grace.goto(served.url("/audit"))
        await expect(grace.get_by_text("Checking the chain:")).to_be_visible()
        go.set()
        await expect(grace.get_by_text(told)).to_be_visible(timeout=15_000)  # no notice comes: it asks again
        await expect(grace.get_by_text("Checking the chain")).to_have_count(0)
        monkeypatch.setattr(audit, "walk_on", walk_on)
        await grace.goto(served.url("/audit"))
        await expect(grace.get_by_text("The chain is whole")).to_be_visible()


async def _a_recording(site: Site) -> None:
    task = site.task(JOAO)
    await site.dialling.start(task.id, site.accounts["ana"])
    await site.answers(JOAO)
    await site.dialling.start_recording(site.attempt(JOAO).id, site.accounts["ana"])
    await site.dialling.hang_up(site.attempt(JOAO).id, site.accounts["ana"])
    await site.sealed(JOAO)


@pytest.mark.covers("H1")
async def test_callbacks_have_one_owner_and_a_choice_that_is_being_made_is_left_alone(
    served: Site, page_of: PageOf
) -> None:
    asked = {"why": "asked", "at": NOON, "language": "es"}
    await served.database.run(callbacks.ask, origin="n1-1", number=LUCIA.numbers[0], **asked)
    tom, grace = await page_of("tom"), await page_of("grace")
    await tom.goto(served.url("/agent"))
    await grace.goto(served.url("/agent"))
    await tom.get_by_role("button", name="Take it").click()
    await expect(tom.get_by_text("Yours")).to_be_visible()
    await expect(grace.get_by_text("Tom", exact=True)).to_be_visible()
    assert await grace.get_by_role("button", name="Take it", exact=True).count() == 0
    await tom.get_by_label("How it ended").select_option("not_reached")
    await tom.get_by_role("heading", name="To be called back").click()  # and looks at something else
    await served.database.run(callbacks.ask, origin="n1-2", number=RUTH.numbers[0], **asked)
    await expect(tom.get_by_role("button", name="New – show")).to_be_visible()
    await expect(tom.get_by_label("How it ended")).to_have_value("not_reached")
    await looked_at(tom, "callbacks-waiting")
    await tom.get_by_role("button", name="New – show").click()
    await expect(tom.get_by_text("Ruth Miller")).to_be_visible()
    await looked_at(tom, "callbacks")
    await tom.get_by_role("button", name="Done").click()
    await expect(tom.get_by_text("Lucía")).to_have_count(0)


async def test_a_refusal_is_a_sentence_and_nothing_is_lost(served: Site, page_of: PageOf) -> None:
    served.dialling.refusal = "It is outside this patient's calling hours."
    ana = await page_of("ana")
    await ana.goto(served.url(f"/followups/{served.task(JOAO).id}"))
    await ana.locator("#summary").fill("not reached yet")
    await ana.keyboard.press("Alt+s")
    await expect(ana.get_by_role("alert")).to_have_text("It is outside this patient's calling hours.")
    await expect(ana.locator("#summary")).to_have_value("not reached yet")
    await looked_at(ana, "refused-sentence")
    await ana.get_by_role("heading", name="João").click()
    await ana.keyboard.press("?")
    await expect(ana.get_by_role("dialog", name="Keys on this page")).to_be_visible()
    await looked_at(ana, "keys")


async def test_a_very_long_name_breaks_no_page(served: Site, page_of: PageOf) -> None:
    with served.database.transaction() as session:
        session.get_one(patients.Patient, served.people["joao"]).name = "Ñandú <b>" * 55
        session.get_one(patients.Patient, served.people["lucia"]).name = "Wolfeschlegelsteinhausenbergerdorff" * 14
    ana, tom = await page_of("ana", "/"), await page_of("tom")
    await does_not_scroll(ana)
    await looked_at(ana, "followups-long-name")
    await ana.goto(served.url(f"/followups/{served.task(JOAO).id}"))
    await does_not_scroll(ana)
    await looked_at(ana, "followup-long-name")
    await tom.goto(served.url("/agent"))
    await expect(tom.get_by_text("No call", exact=True)).to_be_visible()
    await served.rings("tom", LUCIA)
    await expect(tom.get_by_text("Ringing")).to_be_visible()
    await does_not_scroll(tom)
    await looked_at(tom, "agent-long-name")


async def test_every_page_of_the_bar_is_in_reach_on_a_small_screen(served: Site, page_of: PageOf) -> None:
    ana = await page_of("ana", "/")
    for width in (400, 720, 1024):
        await ana.set_viewport_size({"width": width, "height": 768})
        for link in await ana.locator(".bar nav > :is(a, details)").all():
            await expect(link).to_be_in_viewport(ratio=1)
        brand = await ana.locator(".brand").bounding_box()
        assert brand is not None and brand["x"] < 30, f"{width}: the hospital's name is not where a line begins"


async def test_skipping_asks_why(served: Site, page_of: PageOf) -> None:
    ana = await page_of("ana", "/")
    await ana.get_by_role("button", name="Skip Mei Chen").click()
    await looked_at(ana, "skip")
    await ana.get_by_role("radio", name="Readmitted").check()
    await ana.get_by_role("button", name="Skip it").click()
    await expect(ana.get_by_text("Mei Chen")).to_have_count(0)
    assert served.task(MEI).stop_reason == "readmitted"


async def test_nothing_is_due(served: Site, page_of: PageOf) -> None:
    grace = await page_of("grace")
    await grace.goto(served.url("/followups?show=review"))
    await expect(grace.get_by_text("There is nothing under this tab.")).to_be_visible()
    await looked_at(grace, "followups-empty")
    await grace.goto(served.url("/recordings"))
    await expect(grace.get_by_text("No recordings yet")).to_be_visible()
    await looked_at(grace, "recordings-empty")
    oscar = await page_of("oscar", "/")
    await looked_at(oscar, "no-role")
    await oscar.goto(served.url("/recordings"))
    await looked_at(oscar, "refused")


async def test_the_demos_pages_without_sign_in(database: Database, open_page: OpenPage) -> None:
    async with serving(Site(database, demo=True)) as demo:
        page = await open_page()
        await page.goto(demo.url("/patient-phone?as=joao"))
        await expect(page.get_by_role("heading", name="João")).to_be_visible()
        await does_not_scroll(page)
        await looked_at(page, "patient-phone")
        await page.get_by_role("link", name="Lucía Spanish").click()
        await expect(page.get_by_role("heading", name="Lucía")).to_be_visible()
        await page.goto(demo.url("/sign-in"))
        await looked_at(page, "sign-in-demo")


@pytest.mark.covers("H51")
async def test_a_list_that_is_refreshed_under_a_click_opens_the_form_alone(served: Site, page_of: PageOf) -> None:
    ana = await page_of("ana")

    async def refreshed_meanwhile(route: Route) -> None:
        await ana.evaluate("() => document.querySelector('#list').replaceChildren()")
        await route.continue_()

    await ana.goto(served.url("/followups"))
    await ana.route(f"**/followups/{served.task(JOAO).id}", refreshed_meanwhile)
    await ana.get_by_role("link", name="Open João Souza").click()
    await expect(ana.get_by_role("heading", name="João Souza")).to_be_visible()
    await expect(ana.get_by_role("banner")).to_have_count(1)
    await expect(ana.locator("hotline-phone")).to_have_count(1)
