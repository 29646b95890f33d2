"""A page that nobody uses is signed out and covers itself; who signs in again goes on with what was typed."""

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from hospital.accounts import IDLE
from tests.browser import PASSWORD, PageOf, Site, comes, does_not_scroll, looked_at, page_of, served, site
from tests.browser import Comes as Comes
from web import live

__all__ = ["comes", "page_of", "served", "site"]

MINUTES = int(IDLE.total_seconds() // 60)
PART = {"X-Fragment": "1"}
HTMX = {"HX-Request": "true"}


async def lives(client: httpx.AsyncClient) -> bool:
    return (await client.get("/session", headers=PART)).status_code == 200


@pytest.mark.covers("H51", "I9")
@pytest.mark.parametrize("asked", [("/callbacks", PART), ("/presence", HTMX), ("/session", PART)])
async def test_what_a_page_fetches_by_itself_keeps_no_session(
    site: Site, comes: Comes, asked: tuple[str, dict[str, str]]
) -> None:
    tom = await comes("tom")
    for _ in range(MINUTES - 1):
        site.clock.passes(minutes=1)
        assert (await tom.get(asked[0], headers=asked[1])).status_code == 200
    site.clock.passes(minutes=1)
    assert (await tom.get(asked[0], headers=asked[1])).status_code == 401


@pytest.mark.covers("H51")
@pytest.mark.parametrize("used", [("POST", "/session"), ("POST", "/presence/available"), ("GET", "/agent")])
async def test_a_hand_on_the_page_keeps_it(site: Site, comes: Comes, used: tuple[str, str]) -> None:
    tom = await comes("tom")
    for _ in range(3):
        site.clock.passes(minutes=MINUTES - 1)
        assert (await tom.request(*used)).status_code < 400
    assert await lives(tom)


async def signs_in(page: Page, who: str) -> None:
    await page.get_by_label("Name", exact=True).fill(who)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("navigation", name="Pages")).to_be_visible()


@pytest_asyncio.fixture(loop_scope="session")
async def typed(served: Site, page_of: PageOf, monkeypatch: pytest.MonkeyPatch) -> tuple[Page, Locator]:
    """Tom's page at the front desk, and the field in which he has typed something."""
    monkeypatch.setattr(live, "HEARTBEAT", 0.5)
    tom = await page_of("tom")
    await tom.goto(served.url("/desk"))
    said = tom.locator("#said")
    await said.fill("R-ruth")
    return tom, said


@pytest.mark.browser
@pytest.mark.covers("H51", "I9")
async def test_a_page_left_alone_covers_itself_and_tom_goes_on_where_he_was(
    served: Site, typed: tuple[Page, Locator]
) -> None:
    tom, said = typed
    served.clock.passes(minutes=MINUTES)
    await expect(said).to_be_hidden()
    await expect(tom.locator("#live-state")).to_have_text("Signed out")
    await does_not_scroll(tom)
    await looked_at(tom, "signed-out")
    async with tom.context.expect_page() as opened:
        await tom.get_by_role("alert").get_by_role("link", name="Sign in").click()
    door = await opened.value
    await signs_in(door, "tom")
    await expect(said).to_have_value("R-ruth")
    await expect(said).to_be_visible()
    await tom.locator("#look").click()  # the token is the new sign-in's
    await expect(tom.get_by_role("button", name="Free times for Ruth Miller")).to_be_visible()


@pytest.mark.browser
@pytest.mark.covers("H51", "I9")
async def test_nobody_else_goes_on_with_what_tom_typed(served: Site, typed: tuple[Page, Locator]) -> None:
    tom, said = typed
    other = await tom.context.new_page()
    await other.goto(served.url("/account"))
    await other.get_by_text("Tom", exact=True).click()
    await other.get_by_role("button", name="Sign out").click()
    await expect(said).to_be_hidden()
    await signs_in(other, "ana")
    await expect(tom.locator("#live-state")).to_have_text("Somebody else is signed in")
    await expect(tom.get_by_text("Somebody else has signed in.")).to_be_visible()
    await expect(said).to_be_hidden()
    await other.get_by_text("Ana", exact=True).click()
    await other.get_by_role("button", name="Sign out").click()
    await expect(other.get_by_label("Password")).to_be_visible()
    await signs_in(other, "tom")
    await expect(said).to_have_value("R-ruth")
    await expect(said).to_be_visible()


@pytest.mark.browser
@pytest.mark.covers("H51")
async def test_a_page_says_that_somebody_is_there(
    served: Site, page_of: PageOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a key, and by itself as long as he takes calls; not otherwise."""
    told: list[str] = []
    tom = await page_of("tom")
    tom.on("request", lambda request: told.append(request.url) if request.method == "POST" else None)
    await tom.clock.install()
    await tom.goto(served.url("/agent"))
    await expect(tom.get_by_role("button", name="Take calls")).to_be_visible()
    await tom.clock.run_for(180_000)
    assert told == []
    await tom.keyboard.press("Shift")
    async with tom.expect_request(served.url("/session")):
        await tom.clock.run_for(60_000)
    told.clear()
    await tom.clock.run_for(180_000)
    assert told == []
    await tom.get_by_role("button", name="Take calls").click()
    await expect(tom.get_by_role("button", name="Pause")).to_be_visible()
    for _ in range(3):
        async with tom.expect_request(served.url("/session")):
            await tom.clock.run_for(60_000)
