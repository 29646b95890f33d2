"""The nurse's form of any shape in a real browser, by keyboard alone."""

import asyncio
import json
import re
from datetime import date, timedelta

import pytest
from playwright.async_api import Dialog, Route, expect

from hospital import followups, nurse_flags, patients
from hospital.database import announce
from hospital.patients import Patient
from scripts.fhir_questionnaire import read_fhir
from tests.browser import PageOf, Site, does_not_scroll, looked_at, page_of, served, site, talks
from tests.characters import JOAO
from tests.test_filling import question, questionnaire
from tests.test_questionnaire_command import THEIRS
from tests.test_web_form_shapes import asks

pytestmark = pytest.mark.browser
__all__ = ["page_of", "served", "site"]
BORN = date(2026, 11, 20)
WAYS = ("one", "many")


@pytest.mark.covers("H15", "H21", "H51")
async def test_ana_fills_in_any_shape_by_keyboard_and_nothing_typed_is_lost(served: Site, page_of: PageOf) -> None:
    task = served.task(JOAO)
    with served.database.transaction() as session:
        asks(session, task.id)
    ana = await page_of("ana")
    await talks(ana, served, JOAO)

    # a condition: while something else is being typed
    hangs_on = ana.locator('[data-item="a day/#1"]')
    await expect(hangs_on).to_be_hidden()
    pulses = ana.locator("[data-item=pulses] textarea")
    await pulses.focus()
    await ana.keyboard.type("60")
    await ana.keyboard.press("Alt+n")  # the next open question after this one; the last leads to the first
    await ana.locator("[data-item=smokes] input[value=true]").focus()
    await ana.keyboard.press("Space")
    await expect(hangs_on).to_be_visible()
    await expect(pulses).to_have_value("60")
    await expect(ana.locator("[data-item=pulses] [data-saving-state]")).to_have_text("Saved")
    await ana.keyboard.press("n")
    await expect(hangs_on.locator("input")).to_be_focused()
    await ana.keyboard.type("5")
    await expect(hangs_on.locator("[data-saving-state]")).to_have_text("Saved")

    # a group twice, and once again less
    add = ana.get_by_role("button", name="Add another A medicine")
    await add.focus()
    await ana.keyboard.press("Enter")
    first = ana.locator('[data-item="name@1"] input')
    await first.fill("Aspirin")
    await expect(ana.locator('[data-item="name@1"] [data-saving-state]')).to_have_text("Saved")
    await ana.locator('[data-item="missed@1"] input[value=true]').focus()
    await ana.keyboard.press("Space")
    await expect(ana.locator('[data-item="why@1"]')).to_be_visible()
    await add.focus()
    await ana.keyboard.press("Enter")
    await expect(ana.locator('[data-item="name@2"]')).to_be_visible()
    await ana.get_by_role("button", name="Take the last one away A medicine").focus()
    await ana.keyboard.press("Enter")
    await expect(ana.locator('[data-item="name@2"]')).to_have_count(0)

    # "all normal" while something is being typed
    why = ana.locator('[data-item="why@1"] textarea')
    await why.focus()
    await ana.keyboard.type("forgot")
    await ana.keyboard.press("Alt+y")
    await expect(why).to_have_value("forgot")
    await expect(ana.locator('[data-item="why@1"] [data-saving-state]')).to_have_text("Saved")
    await expect(hangs_on.locator("input")).to_have_attribute("value", "5")  # the questions are there anew

    # the score, and its red flag
    await ana.locator("[data-item=mood1] input[value=some]").focus()
    await ana.keyboard.press("Space")
    await expect(ana.get_by_text("so far")).to_be_visible()
    await ana.locator("[data-item=mood2] input[value=often]").focus()
    await ana.keyboard.press("Space")
    await expect(ana.locator(".scored")).to_have_text("Burden: 3, much")
    await ana.keyboard.press("Shift+Tab")
    await ana.locator("[data-item=mood1] input[value=often]").focus()
    await ana.keyboard.press("Space")
    await expect(ana.get_by_text("Act on this at once: Heavy burden")).to_be_visible()
    await looked_at(ana, "followup-any-shape")
    with served.database.transaction() as session:
        given = followups.answers(session, task.id)
    assert (given["pulses"], given["a day/#1"], given["name@1"], given["why@1"]) == ([60], 5, "Aspirin", "forgot")
    assert given["medicine"] == {"so_far": 1}


@pytest.mark.covers("H15", "H21")
async def test_ana_fills_in_an_imported_form_that_has_no_english(served: Site, page_of: PageOf) -> None:
    """Twelve options, a group that repeats in one that does, several answers."""
    task = served.task(JOAO)
    with served.database.transaction() as session:
        asks(session, task.id, read_fhir(json.dumps(THEIRS).encode()).questionnaire)
    ana = await page_of("ana")
    await talks(ana, served, JOAO)

    async def saved(key: str) -> None:
        await expect(ana.locator(f'[data-item="{key}"] [data-saving-state]')).to_have_text("Saved")

    await ana.locator('[data-item="1"] input[value=true]').check()
    await saved("1")
    await ana.locator('[data-item="2"] input[value=j]').check()
    await saved("2")
    for number, many in (("1", "7"), ("2", "8")):
        await ana.get_by_role("button", name="Add another Medicina").click()
        await ana.locator(f'[data-item="3.1@{number}"] input').fill(many)
        await saved(f"3.1@{number}")
    await ana.get_by_role("button", name="Add another Toma").first.click()
    with_what = ana.locator('[data-item="3.2.1@1.1"]')
    await with_what.locator("input[value=x]").check()
    await with_what.locator("input[value=z]").check()
    await saved("3.2.1@1.1")
    await ana.locator('[data-item="4"] input').fill("2026-11-23")
    await saved("4")
    await looked_at(ana, "followup-imported")
    with served.database.transaction() as session:
        given = followups.answers(session, task.id)
    assert (given["1"], given["2"], given["4"]) == (True, "j", "2026-11-23")
    assert (given["3.1@1"], given["3.1@2"], given["3.2.1@1.1"]) == (7, 8, ["x", "z"])


@pytest.mark.covers("H15", "H17", "H51")
async def test_what_ana_reads_aloud_stays_in_sight_while_the_questions_scroll(served: Site, page_of: PageOf) -> None:
    ana = await page_of("ana")
    said = ana.locator(".script blockquote:visible")
    await ana.goto(served.url(f"/followups/{served.task(JOAO).id}"))
    await expect(said).to_have_text(re.compile("^Olá, sou enfermeira"))  # to be read before it rings
    await talks(ana, served, JOAO)
    await expect(said).to_have_text(re.compile("esta ligação é gravada"))
    await expect(ana.get_by_role("button", name="Notice spoken")).to_be_in_viewport(ratio=1)
    await ana.set_viewport_size({"width": 1366, "height": 742})  # as under the banner of the demo
    await expect(ana.get_by_role("button", name="Message")).to_be_in_viewport(ratio=1)  # the last of whom she reached
    await ana.set_viewport_size({"width": 1366, "height": 768})
    await ana.keyboard.press("r")
    await expect(said).to_have_text(re.compile("^Obrigada pelo seu tempo"))
    await ana.locator("[data-item=pain] input").fill("9")
    await expect(ana.get_by_text("Set aside: Severe pain")).to_be_visible()
    await ana.locator("#questions form.question").last.scroll_into_view_if_needed()
    for key, begins in (("4", "Olá"), ("5", "Com a sua permissão"), ("6", "Obrigada")):
        await ana.keyboard.press(f"Alt+{key}")
        await expect(said).to_have_text(re.compile(f"^{begins}"))
        await expect(said).to_be_in_viewport(ratio=1)
    await expect(ana.locator("#questions form.question").last).to_be_in_viewport()
    await does_not_scroll(ana)
    await looked_at(ana, "followup-read-aloud")

    # what she looks up stays while something else of the call changes; when she has nobody to read to, it is gone
    await ana.keyboard.press("Alt+4")
    await served.database.run(announce, "task", served.task(JOAO).id)
    await ana.keyboard.press("Alt+e")
    await ana.keyboard.type("well")
    await expect(ana.locator(".summary [data-saving-state]")).to_have_text("Saved")
    await expect(said).to_have_text(re.compile("^Olá"))
    await ana.get_by_role("button", name="End call").click()
    await expect(said).to_have_count(0)


@pytest.mark.covers("H15", "H33")
async def test_ana_deals_with_red_flags_by_keyboard_before_she_is_done(served: Site, page_of: PageOf) -> None:
    task = served.task(JOAO)
    ana = await page_of("ana")
    await talks(ana, served, JOAO)
    await ana.locator("[data-item=pain] input").focus()
    await ana.keyboard.type("10")
    await expect(ana.get_by_text("Set aside: Severe pain")).to_be_visible()
    await ana.locator("[data-item=symptoms] input[value=bleeding]").focus()
    await ana.keyboard.press("Space")
    await expect(ana.get_by_text("Set aside: Bleeding")).to_be_visible()
    await ana.keyboard.press("y")
    await expect(ana.locator("[data-item=general] input[value=better]")).to_be_checked()
    await ana.keyboard.press("c")
    await expect(ana.get_by_text("First deal with the red flag: Severe pain, Bleeding.")).to_be_visible()

    # one she judges herself: the reason stays while another answer is saved
    await ana.keyboard.press("8")
    await ana.keyboard.press("Tab")
    await ana.keyboard.press("ArrowDown")
    await ana.keyboard.press("Tab")
    await ana.keyboard.type("seen today")
    await does_not_scroll(ana)
    await looked_at(ana, "followup-red-flags")
    await ana.keyboard.press("Enter")
    await expect(ana.locator("#flags .tag")).to_have_text("Known, and treated already")
    await expect(ana.get_by_text("Set aside: Severe pain")).to_have_count(0)

    await ana.keyboard.press("Alt+9")
    await expect(ana.locator("#flags .tag").last).to_have_text("raised")
    await expect(ana.get_by_text("Who is on call:")).to_be_visible()
    await does_not_scroll(ana)
    await looked_at(ana, "followup-red-flag-raised")
    async with ana.expect_response("**/result/completed") as taken:
        await ana.keyboard.press("c")
    assert (await taken.value).ok
    with served.database.transaction() as session:
        assert [one.detail for one in nurse_flags.of_task(session, task.id)] == ["bleeding"]


@pytest.mark.covers("H15")
async def test_a_late_answer_takes_no_open_dialog_away(served: Site, page_of: PageOf) -> None:
    """The stream has told what a tick changed, and the answer to the tick itself comes seconds later."""
    ana, asked, may_come = await page_of("ana"), asyncio.Event(), asyncio.Event()

    async def late(route: Route) -> None:
        answer = await route.fetch()
        asked.set()
        await may_come.wait()
        await route.fulfill(response=answer)

    await ana.route("**/ticks/birth_date", late)
    await talks(ana, served, JOAO)
    await asked.wait()
    await ana.keyboard.press("l")
    await expect(ana.get_by_label("In two hours")).to_be_focused()
    async with ana.expect_response("**/ticks/birth_date") as came:
        may_come.set()
    await (await came.value).finished()
    await ana.wait_for_timeout(200)
    await expect(ana.get_by_label("In two hours")).to_be_focused()
    await ana.keyboard.press("Enter")
    await expect(ana.get_by_label("In two hours")).to_be_hidden()
    await expect(ana.get_by_text("Call later: again")).to_have_count(0)  # she is still on the line
    await ana.get_by_role("button", name="End call").click()
    await expect(ana.get_by_text("Call later: again")).to_be_visible()


@pytest.mark.covers("H15", "H16", "H18")
@pytest.mark.parametrize(
    ("keys", "result", "then"),
    [
        (("w",), "wrong_person", "Wrong person: again {again}, second number"),
        (("m",), "moved", "Stopped: The patient has moved away"),
        (("f",), "refused", "Stopped: The patient does not want it"),
        (("l", "Enter"), "call_later", "Call later: again {again}, first number"),
        (("l", "ArrowDown", "Enter"), "call_later", "Call later: again {again}, first number"),
    ],
    ids=["wrong-person", "moved", "refused", "later", "tomorrow"],
)
async def test_whom_ana_reached_is_one_key(
    keys: tuple[str, ...], result: str, then: str, served: Site, page_of: PageOf
) -> None:
    ana = await page_of("ana")
    await talks(ana, served, JOAO)
    async with ana.expect_response(lambda answer: answer.url.endswith(f"/result/{result}")) as taken:
        await ana.keyboard.press(keys[0])
        if len(keys) > 1:
            await expect(ana.get_by_label("In two hours")).to_be_focused()
        for key in keys[1:]:
            await ana.keyboard.press(key)
    assert (await taken.value).ok
    await ana.get_by_role("button", name="End call").click()  # her telephone is no page's here: no key of its hangs up
    await expect(ana.get_by_text(then.partition("{again}")[0])).to_be_visible()
    attempt, task = served.attempt(JOAO), served.task(JOAO)
    assert (attempt.contact_result, attempt.state) == (result, "ended")
    if "{again}" not in then:
        assert task.state == "stopped" and task.next_try_at is None
    else:
        wait = {"wrong_person": timedelta(minutes=5)}.get(result, timedelta(hours=24 if len(keys) > 2 else 2))
        assert task.state == "open" and task.next_try_at == served.clock() + wait
        assert task.next_number_rank == (2 if result == "wrong_person" else 1)


@pytest.mark.covers("H13", "H16")
async def test_after_the_fathers_form_is_done_the_childs_is_still_hers_to_settle(served: Site, page_of: PageOf) -> None:
    with served.database.transaction() as session:
        ines = patients.register(session, name="Inés Souza", birth=BORN, language="pt-BR", numbers=[])
        ines.guardian_id = served.people[JOAO.sip]
        asked = served.task(JOAO).questionnaire_id
        assert asked is not None
        followups.plan(
            session, patient_id=ines.id, questionnaire_id=asked, reason="discharge_day_7", due_at=served.clock()
        )
        session.flush()
        child = ines.id
    ana = await page_of("ana")
    await talks(ana, served, JOAO)
    await ana.keyboard.press("y")
    await ana.locator("#end-call").click()
    await expect(ana.get_by_text("Call ended", exact=True)).to_be_visible()
    await ana.keyboard.press("c")
    await expect(ana.get_by_text("Done.", exact=True)).to_be_visible()
    await ana.reload()
    await ana.get_by_role("link", name="Inés Souza").click()
    await expect(ana.get_by_role("heading", name="Say it of this form")).to_be_visible()
    await expect(ana.get_by_text("Answered: partly done.")).to_be_visible()
    await looked_at(ana, "followup-joint")
    ana.once("dialog", lambda dialog: dialog.accept())
    await ana.keyboard.press("d")
    await expect(ana.get_by_text("Closed.", exact=True)).to_be_visible()
    with served.database.transaction() as session:
        assert session.get_one(Patient, child).death_reported_at is not None
        assert session.get_one(Patient, served.people[JOAO.sip]).death_reported_at is None


@pytest.mark.covers("H15", "H51")
async def test_what_ana_typed_last_is_saved_before_a_link_takes_its_field_away(served: Site, page_of: PageOf) -> None:
    ana = await page_of("ana")
    await talks(ana, served, JOAO)
    form = ana.url
    await ana.locator("#summary").fill("He asked for his letter twice.")
    await ana.get_by_role("link", name="Cases").click()  # before it is sent
    await ana.wait_for_url("**/cases")
    await ana.goto(form)
    await expect(ana.locator("#summary")).to_have_value("He asked for his letter twice.")
    pain = ana.get_by_role("textbox", name="How strong")
    await pain.fill("99")
    await expect(ana.locator("[data-saving=failed]")).to_have_count(1)
    asked: list[str] = []

    async def stays(dialog: Dialog) -> None:
        asked.append(dialog.message)
        await dialog.dismiss()

    ana.once("dialog", stays)
    async with ana.expect_event("dialog"):
        await ana.get_by_role("link", name="Cases").click()
    await expect(pain).to_have_value("99")
    ana.once("dialog", lambda dialog: dialog.accept())
    await ana.get_by_role("link", name="Cases").click()
    await ana.wait_for_url("**/cases")
    assert asked == ["What you typed is not saved. Go on without it?"]


@pytest.mark.covers("H15")
async def test_the_last_of_two_quick_choices_is_kept(served: Site, page_of: PageOf) -> None:
    """However long the first is on its way, also when "all normal" is pressed after it."""
    ana, task, sent, both = await page_of("ana"), served.task(JOAO), 0, asyncio.Semaphore(0)

    async def slow_at_first(route: Route) -> None:
        nonlocal sent
        sent += 1
        await asyncio.sleep(1 if sent == 1 else 0)
        await route.fulfill(response=await route.fetch())
        both.release()

    await talks(ana, served, JOAO)
    await ana.route("**/answers/general", slow_at_first)
    question = ana.locator('[data-item="general"]')
    first, chosen = [await question.locator("input").nth(n).get_attribute("value") for n in (1, 2)]
    await question.locator("input").nth(1).check()
    await question.locator("input").nth(2).check()
    async with ana.expect_response("**/all-normal"):
        await ana.keyboard.press("y")
    await both.acquire()
    await both.acquire()
    await expect(question.locator("input[checked]")).to_have_attribute("value", chosen or "")
    assert first != chosen
    with served.database.transaction() as session:
        assert followups.answers(session, task.id)["general"] == chosen


@pytest.mark.covers("H15")
async def test_what_is_ticked_while_all_normal_is_filled_in_stays(served: Site, page_of: PageOf) -> None:
    ana, task, asked, may_come = await page_of("ana"), served.task(JOAO), asyncio.Event(), asyncio.Event()

    async def late(route: Route) -> None:
        answer = await route.fetch()
        asked.set()
        await may_come.wait()
        await route.fulfill(response=answer)

    await talks(ana, served, JOAO)
    await ana.route("**/all-normal", late)
    await ana.keyboard.press("y")
    await asked.wait()
    question = ana.locator('[data-item="general"]')
    worse = question.locator("input").last
    chosen = await worse.get_attribute("value")
    await worse.check()
    async with ana.expect_response("**/all-normal"):
        may_come.set()
    await expect(question.locator("[data-saving-state]")).to_have_text("Saved")
    await expect(worse).to_be_checked()
    with served.database.transaction() as session:
        assert followups.answers(session, task.id)["general"] == chosen


@pytest.mark.covers("H15", "H51")
async def test_who_chooses_other_is_not_kept_waiting_for_its_words(served: Site, page_of: PageOf) -> None:
    options = [{"code": code, "text": {"en": code}} for code in ("stairs", "lift")]
    with served.database.transaction() as session:
        task = served.task(JOAO).id
        one, many = (question(name, "open-choice", answerOption=options, repeats=name == "many") for name in WAYS)
        asks(session, task, questionnaire(one, many))
    ana = await page_of("ana")
    await talks(ana, served, JOAO)
    for name in WAYS:
        await ana.locator(f"[data-item={name}] input[value=lift]").check()
        await ana.locator(f"[data-item={name}] [data-free]").check()
    await ana.locator("[data-item=many] [data-other]").fill("a chair")
    await expect(ana.locator("[data-saving=saved]")).to_have_count(2)
    form = ana.url
    await ana.get_by_role("link", name="Cases").click()
    await ana.wait_for_url("**/cases", timeout=4000)
    with served.database.transaction() as session:
        assert followups.answers(session, task) == {"one": None, "many": ["lift", {"text": "a chair"}]}
    await ana.goto(form)
    await ana.locator("[data-item=many] [data-free]").uncheck()
    await expect(ana.locator("[data-item=many] [data-other]")).to_have_value("")
    await ana.get_by_role("link", name="Cases").click()
    await ana.wait_for_url("**/cases")
    with served.database.transaction() as session:
        assert followups.answers(session, task)["many"] == ["lift"]


@pytest.mark.covers("H15", "H51")
async def test_what_waits_too_long_for_an_answer_to_be_saved_asks(served: Site, page_of: PageOf) -> None:
    ana = await page_of("ana")
    await talks(ana, served, JOAO)
    await ana.locator("#summary").dispatch_event("input")  # nothing else is typed, and nothing sent
    await expect(ana.locator("[data-saving=typing]")).to_have_count(1)
    for leave in (ana.get_by_role("link", name="Cases"), ana.locator("#result-completed")):
        async with ana.expect_event("dialog") as asked:
            await leave.click()
        await (await asked.value).dismiss()
        await expect(ana.locator("#summary")).to_be_visible()
    ana.once("dialog", lambda dialog: dialog.accept())
    await ana.locator("#result-completed").click()
    await expect(ana.get_by_role("alert")).to_contain_text("Not answered yet", timeout=10_000)  # it was asked for


@pytest.mark.covers("H15", "H51")
async def test_the_browsers_back_asks_before_what_ana_typed_is_gone(served: Site, page_of: PageOf) -> None:
    ana = await page_of("ana", "/")
    await ana.get_by_role("link", name="Cases").click()
    await ana.wait_for_url("**/cases")
    await ana.get_by_role("link", name="Follow-up", exact=True).click()
    await ana.get_by_role("link", name="Open João").click()
    form = served.url(f"/followups/{served.task(JOAO).id}")
    await ana.wait_for_url(form)
    await ana.route(f"{form}/summary", lambda route: route.abort())
    await ana.locator("#summary").fill("He asked for his letter twice.")
    await expect(ana.locator("[data-saving=failed]")).to_have_count(1)
    async with ana.expect_event("dialog") as asked:
        await ana.evaluate("() => setTimeout(() => history.back())")
    await (await asked.value).dismiss()
    await ana.wait_for_url(form)
    await expect(ana.locator("#summary")).to_have_value("He asked for his letter twice.")
    ana.once("dialog", lambda dialog: dialog.accept())
    await ana.evaluate("() => setTimeout(() => history.back())")
    await expect(ana.get_by_role("heading", name="Follow-up calls")).to_be_visible()
