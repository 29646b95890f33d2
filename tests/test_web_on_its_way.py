"""What happens while a page, or a part of it, is on its way to the browser is on it when it is there."""

import asyncio
from uuid import UUID

import pytest
from playwright.async_api import Request, Route, expect

from hospital import arrivals
from hospital.database import announce
from tests.browser import Comes, PageOf, Site, comes, page_of, served, site
from tests.characters import JOAO, LUCIA, WIREMU
from tests.moments import ZONE
from tests.test_web_care_pages import complaint
from tests.test_web_front_desk import today
from web import front_desk

__all__ = ["comes", "page_of", "served", "site"]


class Late:
    """An answer that was made and has not come yet."""

    def __init__(self) -> None:
        self.made, self.may_come = asyncio.Event(), asyncio.Event()

    async def __call__(self, route: Route) -> None:
        answer = await route.fetch()
        self.made.set()
        await self.may_come.wait()
        await route.fulfill(response=answer)


def arrives(site: Site, appointment_id: UUID) -> None:
    with site.database.transaction() as session:
        assert arrivals.arrive(session, appointment_id, site.accounts["grace"], site.clock(), ZONE)


@pytest.mark.browser
@pytest.mark.covers("H5", "H51")
async def test_who_arrived_while_the_page_was_on_its_way_is_shown(served: Site, page_of: PageOf) -> None:
    theirs, _ = today(served, LUCIA, WIREMU)
    tom, late = await page_of("tom"), Late()
    await tom.goto(served.url("/agent"))
    await expect(tom.get_by_text("No call", exact=True)).to_be_visible()
    await tom.route("**/desk", late)
    await tom.get_by_role("link", name="Front desk").click()
    await late.made.wait()
    arrives(served, theirs[0])
    await asyncio.sleep(1)  # the notice comes to a page that has no list yet
    late.may_come.set()
    await expect(tom.locator(f"#do-{theirs[0]}")).to_contain_text("Call in")
    await expect(tom.locator(f"#do-{theirs[1]}")).to_contain_text("Arrived")


@pytest.mark.browser
@pytest.mark.covers("H10", "I9")
async def test_a_call_that_rings_before_the_first_part_has_come_stays(served: Site, page_of: PageOf) -> None:
    tom, late = await page_of("tom"), Late()

    async def the_first(route: Route, request: Request) -> None:
        await (late(route) if "hx-request" in request.headers else route.continue_())

    await tom.route("**/agent/pop", the_first)
    await tom.goto(served.url("/agent"))
    await late.made.wait()
    await served.rings("tom", LUCIA)
    await expect(tom.get_by_role("heading", name=LUCIA.name)).to_be_visible()
    async with tom.expect_response("**/agent/pop"):
        late.may_come.set()
    await tom.wait_for_timeout(300)
    await expect(tom.get_by_role("heading", name=LUCIA.name)).to_be_visible()


async def test_a_page_is_as_old_as_what_was_read_for_it(
    site: Site, comes: Comes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notice between the reading and the writing has not been seen."""
    tom, live, read = await comes("tom"), site.services.live, front_desk._day

    def and_something_happens(*of: object) -> object:
        found = read(*of)  # type: ignore[arg-type]
        live._count += 1
        return found

    monkeypatch.setattr(front_desk, "_day", and_something_happens)
    before = live.position
    page = (await tom.get("/desk")).text
    assert before != live.position
    assert f'data-position="{before}"' in page


@pytest.mark.browser
@pytest.mark.covers("H10", "H51")
async def test_a_part_that_could_not_be_fetched_is_fetched_again(served: Site, page_of: PageOf) -> None:
    """The database was busy just then, and nothing else happens by which the page would look again."""
    tom, away = await page_of("tom"), 2

    async def busy(route: Route) -> None:
        nonlocal away
        away -= 1
        await (route.fulfill(status=503) if away else route.abort())
        if not away:
            await tom.unroute("**/agent/pop")

    await tom.goto(served.url("/agent"))
    await expect(tom.get_by_text("No call", exact=True)).to_be_visible()
    await tom.route("**/agent/pop", busy)
    await served.rings("tom", LUCIA)
    await expect(tom.get_by_role("heading", name=LUCIA.name)).to_be_visible()


@pytest.mark.browser
@pytest.mark.covers("H15", "H51")
async def test_a_refusal_is_told_though_its_button_was_refreshed_away(served: Site, page_of: PageOf) -> None:
    served.dialling.refusal = "It is outside this patient's calling hours."
    ana, late, task = await page_of("ana"), Late(), served.task(JOAO)
    await ana.goto(served.url(f"/followups/{task.id}"))
    await ana.route("**/start", late)
    await ana.keyboard.press("s")
    await late.made.wait()
    await ana.locator("[data-key=s]").evaluate("(button) => (button.dataset.pressed = 'yes')")
    with served.database.transaction() as session:
        announce(session, "task", task.id)
    await expect(ana.locator("[data-key=s]:not([data-pressed])")).to_be_visible()
    late.may_come.set()
    await expect(ana.get_by_role("alert")).to_have_text("It is outside this patient's calling hours.")


@pytest.mark.browser
@pytest.mark.covers("H30", "H51")
async def test_a_late_answer_takes_nothing_away_that_was_typed_since(served: Site, page_of: PageOf) -> None:
    """The stream has shown the form that it brings."""
    case_id, grace, late = complaint(served), await page_of("grace"), Late()
    await grace.goto(served.url(f"/cases/{case_id}"))
    await grace.route("**/own", late)
    await grace.get_by_role("button", name="Take it").click()
    note = grace.get_by_label("Note")
    await note.fill("She waits since nine.")
    async with grace.expect_response("**/own") as taken:
        late.may_come.set()
    await (await taken.value).finished()
    await grace.evaluate("() => new Promise(requestAnimationFrame)")
    await expect(note).to_have_value("She waits since nine.")
    await grace.get_by_role("button", name="Write it down").click()
    await expect(grace.get_by_role("list").get_by_text("She waits since nine.")).to_be_visible()
