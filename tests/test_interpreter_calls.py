"""An interpreter in a talk: heard by both and hearing both, and the talk goes on without them."""

import asyncio
from datetime import timedelta

import pytest

from hospital import audit
from hospital.interpreters import InterpreterCall
from hospital.screen_pops import ScreenPop
from hotline import numbering
from tests.console import Console, console
from tests.house import House
from tests.late import in_time
from tests.phone import Phone, says_until_heard
from tests.scenes import reaches
from tests.test_followup_calls import ana_calls, attempt

pytestmark = [pytest.mark.asterisk, pytest.mark.covers("H11")]
LANGUAGE = "Wayuunaiki"


async def talking(house: House, page: Console, lucia: Phone, tom: Phone) -> ScreenPop:
    await page.post("/presence/available")
    await reaches(house, lucia, "es", "0")
    await tom.rings()
    await tom.answers()
    await house.until("they talk", lambda: [pop.state for pop in house.rows(ScreenPop)] == ["answered"])
    return house.rows(ScreenPop)[0]


def interpreter(house: House) -> InterpreterCall:
    return max(house.rows(InterpreterCall), key=lambda one: one.dialled_at)


async def they_are_three(house: House) -> None:
    await house.until("they are three", lambda: interpreter(house).state == "talking")
    async with in_time(10, "Asterisk listens into the talk"):
        while "!ChanSpy!" not in await house.cli("core show channels concise"):  # noqa: ASYNC110 - Asterisk is asked
            await asyncio.sleep(0.05)


async def test_who_interprets_is_heard_by_both_and_hears_both(house: House) -> None:
    en, es = await house.sound("goodbye", "en"), await house.sound("goodbye", "es")
    async with (
        house.phone("lucia") as lucia,
        house.phone("tom") as tom,
        house.phone("softphone") as ida,
        console(house, "tom") as page,
    ):
        pop = await talking(house, page, lucia, tom)
        row = f"/agent/pops/{pop.id}/interpreter"
        assert "Ring into the call" in (await page.get(row)).text
        await page.post("/interpreters", talk=pop.call_id, language=LANGUAGE)
        await ida.rings()
        assert f"Interpreter, {LANGUAGE}: phone rings" in (await page.get(row)).text
        await page.post("/interpreters", status=409, talk=pop.call_id, language="zh-CN")  # one at a time
        await ida.answers()
        await they_are_three(house)
        assert "in the talk" in (await page.get(row)).text

        await says_until_heard(ida, en, lucia, tom)
        await says_until_heard(lucia, es, ida, tom)

        await ida.hangs_up()
        await house.until("two are left", lambda: interpreter(house).state == "ended")
        assert "Has left the call" in (await page.get(row)).text
        await tom.speaks(en)
        await lucia.hears(en)

        await page.post("/interpreters", talk=pop.call_id, language=LANGUAGE)
        await ida.rings()
        await ida.answers()
        await house.until("they are three again", lambda: interpreter(house).state == "talking")
        await tom.hangs_up()
        await ida.hung_up()  # the talk is over, whatever the caller does with the machine
        await lucia.hangs_up()
    await house.no_channels()
    with house.database.transaction() as session:
        rung = audit.newest(session, action="interpreter.rung")
        assert [row.detail for row in rung if row.subject == f"talk:{pop.call_id}"] == [{"language": LANGUAGE}] * 2


@pytest.mark.covers("I9")
async def test_only_into_ones_own_talk(house: House) -> None:
    async with (
        house.phone("lucia") as lucia,
        house.phone("tom") as tom,
        console(house, "tom") as page,
        console(house, "grace") as graces,
    ):
        pop = await talking(house, page, lucia, tom)
        await graces.get(f"/agent/pops/{pop.id}/interpreter", status=403)
        for order in ("/interpreters", "/interpreters/let-go"):
            await graces.post(order, status=409, talk=pop.call_id, language=LANGUAGE)
        await page.post("/interpreters", status=409, talk=pop.call_id, language="Klingon")
        assert house.rows(InterpreterCall) == []
        await page.post("/interpreters", talk=pop.call_id, language=LANGUAGE)  # nobody's phone is there
        await house.until("it is known", lambda: interpreter(house).state == "ended")
        told = (await page.get(f"/agent/pops/{pop.id}/interpreter")).text
        assert "Phone off or out of coverage" in told and "Ring into the call" in told
        await lucia.hangs_up()
    await house.until("it is over", lambda: house.rows(ScreenPop)[0].state == "ended")
    async with console(house, "tom") as page:
        assert "Ring into the call" not in (await page.get(f"/agent/pops/{pop.id}/interpreter")).text
        await page.post("/interpreters", status=409, talk=pop.call_id, language=LANGUAGE)


async def test_into_a_nurses_follow_up_call_and_let_go(house: House) -> None:
    async with (
        house.phone("ana") as ana,
        house.phone("joao") as joao,
        house.phone("softphone") as ida,
        console(house, "ana") as page,
    ):
        task = await ana_calls(house, page, ana, "joao")
        row = f"/followups/{task.id}/interpreter"
        assert "Ring into the call" not in (await page.get(row)).text  # nobody is on the line yet
        await joao.rings()
        await joao.answers()
        await house.until("they talk", lambda: attempt(house).state == "talking")
        assert "Ring into the call" in (await page.get(row)).text
        await page.post("/interpreters", talk=attempt(house).channel_id, language=LANGUAGE)
        await ida.rings()
        await ida.answers()
        await they_are_three(house)
        await says_until_heard(ida, await house.sound("goodbye", "en"), ana, joao)
        await page.post("/interpreters/let-go", talk=attempt(house).channel_id)
        await ida.hung_up()
        assert attempt(house).state == "talking"
        await page.post(f"/followups/{task.id}/call/hang-up")
        await joao.hung_up()
    await house.until("it is written down", lambda: interpreter(house).state == "ended")
    ended = interpreter(house)
    assert ended.ended_at is not None and ended.answered_at is not None
    assert ended.ended_at - ended.answered_at < timedelta(minutes=1)
    assert numbering.SOFTPHONE.number in house.settings.interpreters.numbers.values()
