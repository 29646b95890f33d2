"""The nurse's form of any shape in a real browser, by keyboard alone."""

import pytest
from playwright.async_api import expect

from hospital import followups, nurse_flags
from tests.browser import PageOf, Site, looked_at, page_of, served, site, talks
from tests.characters import JOAO
from tests.test_web_form_shapes import asks

pytestmark = pytest.mark.browser
__all__ = ["page_of", "served", "site"]


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
    await looked_at(ana, "followup-red-flags")
    await ana.keyboard.press("Enter")
    await expect(ana.locator("#flags .tag")).to_have_text("Known, and treated already")
    await expect(ana.get_by_text("Set aside: Severe pain")).to_have_count(0)

    await ana.keyboard.press("Alt+9")
    await expect(ana.locator("#flags .tag").last).to_have_text("raised")
    await expect(ana.get_by_text("Who is on call:")).to_be_visible()
    await looked_at(ana, "followup-red-flag-raised")
    await ana.keyboard.press("c")
    await expect(ana.get_by_text("First deal with")).to_have_count(0)
    with served.database.transaction() as session:
        assert [one.detail for one in nurse_flags.of_task(session, task.id)] == ["bleeding"]
