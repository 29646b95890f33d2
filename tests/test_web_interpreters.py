"""The row with which an interpreter is rung, seen and let go: on an agent's card and on a nurse's form."""

from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import expect
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from hospital.interpreters import InterpreterCall
from tests.browser import INTERPRETERS, PageOf, Site, does_not_scroll, looked_at, page_of, served, site
from tests.characters import JOAO, LUCIA
from tests.moments import NOON
from tests.test_web_agent import moves, pop_and_call

__all__ = ["page_of", "served", "site"]
pytestmark = pytest.mark.covers("H11")


@pytest.mark.browser
async def test_tom_rings_one_into_the_call_and_lets_them_go(served: Site, page_of: PageOf) -> None:
    tom = await page_of("tom")
    pop_id = await served.rings("tom", LUCIA)
    async with tom.expect_response("**/interpreter"):
        await tom.goto(served.url("/agent"))
    card = tom.get_by_role("region", name="The caller")
    await expect(card.get_by_text("Ringing", exact=True)).to_be_visible()
    ring = tom.get_by_role("button", name="Ring into the call")
    await expect(ring).to_have_count(0)
    moves(served, pop_id, "answered")
    await card.get_by_text("Interpreter", exact=True).click()
    await tom.get_by_label("Language of the interpreter").select_option("Wayuunaiki")
    await does_not_scroll(tom)
    await ring.press("Enter")
    await expect(card.get_by_text("Interpreter, Wayuunaiki: phone rings")).to_be_visible()
    (leg,) = served.lines.rung
    assert served.lines.rung[leg] == INTERPRETERS["Wayuunaiki"]
    await served.interpreting.leg_answered(leg)
    await expect(card.get_by_text("Interpreter, Wayuunaiki: in the talk")).to_be_visible()
    await looked_at(tom, "agent-interpreter")
    await does_not_scroll(tom)
    async with tom.expect_response("**/interpreters/let-go"):
        await tom.get_by_role("button", name="Let go").click()
    await served.interpreting.leg_ended(leg, "answered")
    await expect(card.get_by_text("Has left the call")).to_be_visible()
    assert served.lines.ended == [leg]
    await expect(tom.get_by_label("Language of the interpreter")).to_have_value("Wayuunaiki")
    moves(served, pop_id, "ended")
    await expect(ring).to_have_count(0)


@pytest.mark.browser
async def test_ana_rings_one_into_a_follow_up(served: Site, page_of: PageOf) -> None:
    ana = await page_of("ana")
    async with ana.expect_response("**/interpreter"):
        await ana.goto(served.url(f"/followups/{served.task(JOAO).id}"))
    await ana.keyboard.press("s")
    await expect(ana.get_by_text("Your phone rings", exact=True)).to_be_visible()
    interpreter = ana.get_by_text("Interpreter", exact=True)
    await expect(interpreter).to_have_count(0)
    await served.answers(JOAO)
    await interpreter.click()
    await ana.get_by_role("button", name="Ring into the call").click()
    await expect(ana.get_by_text("Interpreter, Chinese: phone rings")).to_be_visible()
    (leg,) = served.lines.rung
    await served.interpreting.leg_ended(leg, "no_answer")
    await expect(ana.get_by_role("status").get_by_text("No answer")).to_be_visible()
    await looked_at(ana, "followup-interpreter")


async def test_one_in_a_talk_whatever_the_code_does(site: Site) -> None:
    pop_id = await site.rings("tom", LUCIA)
    moves(site, pop_id, "answered")
    _, call = pop_and_call(site, pop_id)
    assert await site.interpreting.ring(site.accounts["tom"], call.id, "zh-CN") is None
    told = await site.interpreting.ring(site.accounts["tom"], call.id, "zh-CN")
    assert told == "This talk is over, or an interpreter is in it or is rung already."
    row = {
        "talk": call.id,
        "call_id": call.id,
        "account_id": site.accounts["tom"],
        "language": "zh-CN",
        "dialled_at": NOON,
    }
    rude: list[tuple[dict[str, Any], str]] = [
        ({}, "one_interpreter_in_a_talk"),
        ({"talk": "another", "call_id": None}, "check"),
        ({"talk": "another", "state": "ended"}, "check"),
        ({"talk": "another", "line_result": "busy"}, "check"),
    ]
    for change, why in rude:
        with pytest.raises(IntegrityError, match=why), site.database.transaction() as session:
            session.execute(insert(InterpreterCall).values(channel_id=f"n1-{uuid4().hex}", **{**row, **change}))


async def test_when_the_talk_is_over_whoever_is_rung_is_let_go(site: Site) -> None:
    pop_id = await site.rings("tom", LUCIA)
    moves(site, pop_id, "answered")
    _, call = pop_and_call(site, pop_id)
    await site.interpreting.ring(site.accounts["tom"], call.id, "zh-CN")
    await site.interpreting.settle()
    assert site.lines.ended == []
    moves(site, pop_id, "ended")
    await site.interpreting.settle()
    assert site.lines.ended == list(site.lines.rung)


async def test_a_leg_that_is_gone_after_a_restart_is_over(site: Site) -> None:
    pop_id = await site.rings("tom", LUCIA)
    moves(site, pop_id, "answered")
    _, call = pop_and_call(site, pop_id)
    await site.interpreting.ring(site.accounts["tom"], call.id, "zh-CN")
    site.lines.rung.clear()  # Asterisk knows of no such leg
    site.clock.passes(minutes=5)
    await site.interpreting.settle()
    with site.database.transaction() as session:
        ended = session.query(InterpreterCall).one()
        assert (ended.state, ended.line_result) == ("ended", "unknown")
    assert await site.interpreting.ring(site.accounts["tom"], call.id, "zh-CN") is None
