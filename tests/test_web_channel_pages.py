"""Letters to post and a video call in a real browser."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from playwright.async_api import expect

from hospital import letters, video_steps
from hospital.followups import FollowUpTask
from hospital.letters import Post
from hospital.patients import Patient
from hospital.video_steps import Rooms
from hotline.channel_settings import Letters
from hotline.letter_joints import Press
from scripts import wording
from tests.browser import POLICY, PageOf, Site, does_not_scroll, looked_at, page_of, served, site
from tests.characters import JOAO, MEI, RUTH, Character
from tests.moments import NOON
from tests.test_wording import SITE

pytestmark = pytest.mark.browser
__all__ = ["page_of", "served", "site"]

PLACES = {JOAO: "Rua das Flores 12, apto 3\nJardim Paulista\nSão Paulo", MEI: "上海市长宁区1号", RUTH: "1 Main Street"}


def to_post(served: Site, who: Character, place: str) -> None:
    task_id = served.task(who).id
    with served.database.transaction() as session:
        task = session.get_one(FollowUpTask, task_id)
        task.channel, session.get_one(Patient, task.patient_id).address = "letter", place
        session.flush()
        assert letters.work_next(session, NOON, POLICY, Post(timedelta(days=14), lambda *of: None))


@pytest.mark.covers("H25", "H51")
async def test_ana_prints_letters_and_says_that_they_are_posted(served: Site, page_of: PageOf) -> None:
    state = served.app.state
    press = Press(Letters(sender=("Calle 1", "Bogotá")), "co", lambda: wording.load(SITE), lambda: date(2026, 11, 25))
    state.services = replace(state.services, letters=press)
    for who, place in PLACES.items():
        to_post(served, who, place)
    ana = await page_of("ana")
    await ana.goto(served.url("/followups"))
    await ana.get_by_role("link", name="Letters").click()
    await expect(ana.get_by_text("Rua das Flores 12")).to_be_visible()
    await does_not_scroll(ana)
    await looked_at(ana, "letters")
    await ana.get_by_label(f"Letter to {RUTH.name}").uncheck()
    printed = ana.context.expect_event("response", lambda answer: "/letters/letters.pdf" in answer.url)
    async with ana.context.expect_page() as opened, printed as came:
        await ana.get_by_role("button", name="Open what is ticked as PDF").click()
    await opened.value
    answer = await came.value
    assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf"), answer.url
    await expect(ana.locator("td .tag.good")).to_have_count(2)  # the stream told it: these are printed
    await expect(ana.get_by_label(f"Letter to {RUTH.name}")).not_to_be_checked()
    await looked_at(ana, "letters_printed")
    ana.on("dialog", lambda dialog: dialog.accept())
    await ana.get_by_role("button", name="Ticked ones are posted").click()
    await expect(ana.get_by_label(f"Letter to {JOAO.name}")).to_have_count(0)
    await expect(ana.get_by_label(f"Letter to {RUTH.name}")).to_be_visible()
    await ana.get_by_role("link", name="Posted").click()
    await ana.get_by_role("button", name=re.compile(f"It came back.*{MEI.name}")).click()
    await expect(ana.get_by_text("Came back today")).to_be_visible()
    await does_not_scroll(ana)
    await looked_at(ana, "letters_posted")


@pytest.mark.covers("H25", "H51")
async def test_ana_begins_a_video_call(served: Site, page_of: PageOf) -> None:
    task_id = served.task(JOAO).id
    with served.database.transaction() as session:
        session.get_one(FollowUpTask, task_id).channel = "video_link"
        session.flush()
        rooms = Rooms("https://video.invalid/{room}", timedelta(minutes=15), timedelta(hours=1))
        assert video_steps.work_next(session, NOON, POLICY, rooms)
    ana = await page_of("ana")
    await ana.goto(served.url(f"/followups/{task_id}"))
    await expect(ana.get_by_text("was asked to come to a video call")).to_be_visible()
    await does_not_scroll(ana)
    await looked_at(ana, "video_asked")
    await ana.keyboard.press("v")
    link = ana.get_by_role("link", name="Open the video call")
    await expect(link).to_be_visible()
    await does_not_scroll(ana)
    await looked_at(ana, "video_begun")
    async with ana.context.expect_event("request", lambda request: request.url.startswith("https://video.invalid/")):
        await link.click()
    ana.on("dialog", lambda dialog: dialog.accept())
    await ana.get_by_role("button", name="The patient did not come").click()
    await expect(ana.get_by_text("next by a nurse's call")).to_be_visible()
