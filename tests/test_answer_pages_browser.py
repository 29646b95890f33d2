"""The pages of a link in a real browser on a small telephone: by touch, by keyboard, without scripts, and for axe."""

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import Page, expect

from hospital.cases import Case
from hospital.database import Database
from tests.answer_scene import Link, Scene, survey
from tests.asterisk_instance import network
from tests.browser import looked_at
from tests.characters import JOAO, LUCIA, MEI, RUTH, WIREMU, Character
from tests.chromium import OpenPage
from tests.workshops import shipped

pytestmark = [pytest.mark.browser, pytest.mark.covers("H28")]
SMALL = {"width": 360, "height": 740}
PORT = 8001
TARGET = 44  # px: what a thumb hits
_addresses = itertools.count(200)


@pytest_asyncio.fixture(loop_scope="session")
async def scene(database: Database) -> AsyncIterator[Scene]:
    address = f"{network()}.{next(_addresses)}"
    made = Scene(database, host=f"{address}:{PORT}")
    config = uvicorn.Config(made.app, log_config=None, access_log=False, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[socket.create_server((address, PORT))]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    made.at = f"http://{address}:{PORT}"
    yield made
    server.should_exit = True
    await task


@pytest_asyncio.fixture(loop_scope="session")
async def telephone(open_page: OpenPage) -> Page:
    return await open_page(viewport=SMALL)


async def fits(page: Page) -> None:
    """Nothing is wider than the telephone, and a thumb hits whatever can be touched."""
    wide = await page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{wide} px too wide"
    small = await page.evaluate(
        "least => [...document.querySelectorAll('a, button, summary, label.choice, input[type=text], textarea')]"
        ".filter(e => e.checkVisibility()).map(e => [e.innerText || e.id, e.getBoundingClientRect()])"
        ".filter(([, box]) => box.height < least || box.width < 24).map(([name, box]) => `${name}: ${box.height}`)",
        TARGET,
    )
    assert small == []


async def looks(page: Page, name: str) -> None:
    await fits(page)
    await looked_at(page, f"answers-{name}")


async def goes_on(page: Page) -> None:
    """To the next question, which looks the same."""
    await page.get_by_role("button", name="Next").click()
    await expect(page.get_by_role("radio", checked=True)).to_have_count(0)


async def test_ruth_answers_by_touch_on_a_small_telephone(scene: Scene, telephone: Page) -> None:
    link = scene.texted(RUTH)
    page = telephone
    await page.goto(scene.at + link.path)
    await looks(page, "1-welcome")
    await page.get_by_role("button", name="Begin").click()
    await expect(page.get_by_role("heading", name="How were you treated by the staff?")).to_be_visible()
    await page.get_by_text("Fair", exact=True).click()
    await looks(page, "2-choice")
    await goes_on(page)
    for _ in range(3):
        await page.get_by_text("Very good", exact=True).click()
        await goes_on(page)
    await expect(page.get_by_role("heading", name="would you recommend us?")).to_be_visible()
    await page.get_by_role("button", name="Next").click()
    await expect(page.get_by_role("alert")).to_have_text("Please choose an answer.")
    await looks(page, "3-scale-refused")
    await page.get_by_text("6", exact=True).click()
    await page.get_by_role("button", name="Next").click()
    await page.get_by_text("Yes", exact=True).click()
    await looks(page, "4-yes-or-no")
    await page.get_by_role("button", name="Next").click()
    await page.get_by_role("textbox").fill("The stairs are steep.")
    await looks(page, "5-words")
    await page.get_by_role("button", name="Finish").click()
    await expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    await looks(page, "6-thanks")
    assert scene.answers()["words"] == "The stairs are steep."
    assert scene.task().state == "done"
    await page.goto(scene.at + link.path)
    await looks(page, "7-closed")


async def test_by_keyboard_alone(scene: Scene, telephone: Page) -> None:
    page, link = telephone, scene.texted(RUTH)
    await page.goto(scene.at + link.path)

    async def tabs_to(role: str, name: str) -> None:
        for _ in range(12):
            await page.keyboard.press("Tab")
            if await page.get_by_role(role, name=name, exact=True).evaluate_all(  # type: ignore[arg-type]
                "found => found.some(e => e === document.activeElement)"
            ):
                return
        raise AssertionError(f"Tab does not come to {name}")

    await tabs_to("button", "Begin")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("radio").first).to_be_visible()
    await tabs_to("radio", "Very good")
    await page.keyboard.press("ArrowDown")
    await looks(page, "8-keyboard")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="How well were things explained to you?")).to_be_visible()
    assert scene.answers() == {"staff": "4"}
    await tabs_to("link", "Back")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="How were you treated by the staff?")).to_be_visible()
    assert await page.get_by_role("radio", checked=True).count() == 0


@pytest.mark.parametrize("who", [LUCIA, WIREMU, MEI, JOAO], ids=lambda who: who.language)
async def test_each_language_fits_and_can_be_changed(scene: Scene, telephone: Page, who: Character) -> None:
    page, link = telephone, scene.texted(who)
    await page.goto(scene.at + link.path)
    await looks(page, f"9-{who.language}-welcome")
    await page.locator("summary").click()
    await looks(page, f"9-{who.language}-languages")
    await page.get_by_role("link", name="English").click()
    await expect(page.get_by_role("heading", name="We would like to ask you some questions.")).to_be_visible()
    await page.go_back()
    await page.get_by_role("button", name=shipped().words().message("page_begin", who.language)).click()
    await expect(page.get_by_role("radio").first).to_be_visible()
    await looks(page, f"9-{who.language}-question")
    assert await page.evaluate("document.documentElement.lang") == who.language


async def test_each_kind_of_question(scene: Scene, telephone: Page) -> None:
    """Also what the shipped survey has none of."""
    text, walked = {"en": "Which of these did you use?"}, {"en": "How far did you walk?"}
    options = [{"code": code, "text": {"en": code.capitalize()}} for code in ("lift", "stairs", "ramp")]
    items = [
        {"linkId": "about", "type": "display", "text": {"en": "First some questions about the building."}},
        {"linkId": "ways", "type": "open-choice", "repeats": True, "text": text, "answerOption": options},
        {"linkId": "steps", "type": "quantity", "unit": "m", "minValue": 0, "maxValue": 300, "text": walked},
        {"linkId": "day", "type": "date", "text": {"en": "On which day?"}},
        {"linkId": "time", "type": "time", "text": {"en": "At what time?"}},
        {"linkId": "names", "type": "string", "repeats": True, "text": {"en": "Which signs were missing?"}},
        {
            "linkId": "visit",
            "type": "group",
            "repeats": True,
            "text": {"en": "Visitors."},
            "item": [{"linkId": "who", "type": "string", "text": {"en": "Who visited?"}}],
        },
    ]
    page, link = telephone, scene.texted(RUTH, survey(item=items, score=[], answerRule=[]))
    await page.goto(scene.at + link.path)
    await page.get_by_role("button", name="Begin").click()
    await expect(page.get_by_text("First some questions about the building.")).to_be_visible()
    await page.get_by_text("Stairs").click()
    await page.get_by_text("Something else").click()
    await page.get_by_label("In your own words").fill("a chair")
    await looks(page, "kinds-1-some")
    await page.get_by_role("button", name="Next").click()
    await expect(page.get_by_label("In your own words")).to_have_count(0)
    await page.get_by_role("textbox").fill("far")
    await page.get_by_role("button", name="Next").click()
    await expect(page.get_by_role("alert")).to_have_text("Please answer with a number that fits.")
    await looks(page, "kinds-2-number")
    await page.get_by_role("textbox").fill("120,5")
    await page.get_by_role("button", name="Next").click()
    await expect(page.locator("#answer")).to_have_attribute("type", "date")
    await page.locator("#answer").fill("2026-11-20")
    await looks(page, "kinds-3-date")
    await page.get_by_role("button", name="Next").click()
    await expect(page.locator("#answer")).to_have_attribute("type", "time")
    await page.locator("#answer").fill("09:20")
    await page.get_by_role("button", name="Next").click()
    await page.get_by_role("textbox").fill("lift\nexit")
    await looks(page, "kinds-4-lines")
    await page.get_by_role("button", name="Next").click()
    for more in ("Yes", "No"):
        await page.get_by_text(more, exact=True).click()
        await looks(page, "kinds-5-another")
        await page.get_by_role("button").last.click()
        if more == "Yes":
            await page.get_by_role("textbox").fill("my sister")
            await page.get_by_role("button", name="Next").click()
    await expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert scene.answers() == {
        "ways": ["stairs", {"text": "a chair"}], "steps": 120.5, "day": "2026-11-20", "time": "09:20:00",
        "names": ["lift", "exit"], "visit": 1, "who@1": "my sister",
    }  # fmt: skip


@pytest.mark.covers("H33")
async def test_the_emergency_number_is_there_at_once(scene: Scene, telephone: Page) -> None:
    flag = {"id": "unhappy", "text": {"en": "Unhappy"}, "question": "staff", "operator": "=", "answer": "1"}
    page, link = telephone, scene.texted(LUCIA, survey(redFlag=[flag]))
    await page.goto(scene.at + link.path)
    await page.get_by_role("button", name="Empezar").click()
    await page.get_by_text("Muy mal").click()
    await page.get_by_role("button", name="Siguiente").click()
    call = page.get_by_role("main").get_by_role("link", name=shipped().site.emergency)
    await expect(call).to_be_in_viewport()
    await looks(page, "urgent")
    await page.reload()
    await expect(call).to_be_in_viewport()


async def test_without_any_script(scene: Scene, open_page: OpenPage) -> None:
    link: Link = scene.texted(RUTH)
    page = await open_page(viewport=SMALL, java_script_enabled=False)
    await page.goto(scene.at + link.path)
    await page.get_by_role("button", name="Begin").click()
    for name in ("Good", "Poor", "Very good", "Good"):
        await page.get_by_text(name, exact=True).click()
        await goes_on(page)
    await page.get_by_text("3", exact=True).click()
    await page.get_by_role("button", name="Next").click()
    await expect(page.get_by_role("heading", name="May somebody from the hospital call you")).to_be_visible()
    assert await page.context.cookies() == []


async def test_lucia_complains_in_writing(scene: Scene, telephone: Page) -> None:
    page = telephone
    await page.goto(scene.at + "/tell?l=es")
    await looks(page, "10-tell")
    await page.get_by_role("button", name="Enviar").click()
    await expect(page.get_by_role("alert")).to_have_text("Por favor, elija una respuesta.")
    await page.get_by_text("Una queja", exact=True).click()
    await page.get_by_label("Con sus propias palabras").fill("Esperé tres horas.")
    await page.get_by_label("Su número de teléfono").fill("301")
    await page.get_by_role("button", name="Enviar").click()
    await expect(page.get_by_role("alert")).to_contain_text("al que se pueda llamar")
    await looks(page, "11-tell-refused")
    await page.get_by_label("Su número de teléfono").fill("301 555 0101")
    await page.get_by_role("button", name="Enviar").click()
    await expect(page.get_by_role("heading", name="Lo hemos registrado con el número")).to_be_visible()
    await looks(page, "12-tell-kept")
    [case] = scene.rows(Case)
    assert (case.told, case.caller) == ("Esperé tres horas.", LUCIA.numbers[0])
