"""Ana takes one call after the other: real phones, her leg up from the first patient to the last.

Then the same with predictive calls, which find their nurse when somebody has answered; and a machine."""

from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from hospital import accounts, campaigns, questionnaires
from hospital.attempts import Attempt
from hospital.campaigns import Wanted
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.patients import Patient
from hospital.stints import Stint
from hotline import demo, wiring
from tests import pickups
from tests.console import console
from tests.console_app import words
from tests.house import House
from tests.phone import says_until_heard
from tests.phone_audio import RATE, VOICES, spoken
from tests.test_outgoing_calls import leave_a_message, said

pytestmark = pytest.mark.asterisk
IN_TURN = ("joao", "mei", "ruth")


def a_campaign_runs(database: Database, mode: str = "progressive") -> UUID:
    """João, Mei and Ruth, in this order. A predictive one asks them how the hospital was; Mei was asked before."""
    at = wiring.now()
    with database.transaction() as session:
        asked = questionnaires.newest(session, "discharge-day3" if mode == "progressive" else "satisfaction")
        grace = accounts.by_sip_username(session, "grace")
        assert asked is not None and grace is not None
        for task in session.scalars(select(FollowUpTask)):
            name = session.get_one(Patient, task.patient_id).name
            rank = next((n for n, who in enumerate(IN_TURN, 1) if demo.NAMES[who] == name), 0)
            task.ward, task.priority, task.questionnaire_id = "surgery 2" if rank else "", rank or 5, asked.id
            task.state, task.next_try_at, task.closed_at, task.stop_reason = "open", None, None, None
            task.owner_id = None
            if (mode, rank) == ("predictive", 2):
                task.state, task.closed_at = "done", at
        for before in campaigns.listed(session):
            campaigns.order(session, before.id, "stop", grace.id, at)
        wanted = Wanted("Ward", mode, ward="surgery 2", purpose="survey" if mode == "predictive" else "")
        made = campaigns.create(session, wanted, grace.id, at)
        campaigns.order(session, made.id, "start", grace.id, at)
        return made.id


def calls(house: House) -> list[Attempt]:
    with house.database.transaction() as session:
        return list(session.scalars(select(Attempt).order_by(Attempt.claimed_at)))


@pytest.mark.covers("H13", "H14", "I3", "I5", "I10")
async def test_anas_calls_one_after_the_other_and_then_predictive_ones(house: House) -> None:
    a_campaign_runs(house.database)
    async with (
        house.phone("ana") as ana,
        house.phone("joao") as joao,
        house.phone("mei") as mei,
        house.phone("ruth") as ruth,
        console(house, "ana") as page,
    ):
        await mei.replies_at_once(486)
        await page.post("/stint/join", status=204)
        await ana.rings()
        await ana.answers()
        await joao.rings()
        assert "Calling the next" in (await page.get("/stint")).text
        await joao.answers()
        await house.until("they talk", lambda: calls(house)[0].state == "talking")
        await says_until_heard(joao, await house.sound("goodbye", "pt-BR"), ana)
        first = calls(house)[0]
        assert f'href="/followups/{first.task_id}"' in (await page.get("/stint")).text, "her page opens his form"
        await page.post(f"/followups/{first.task_id}/call/hang-up")
        await joao.hung_up()
        await house.until("it has ended", lambda: calls(house)[0].state == "ended")
        assert "Say whom you reached" in words((await page.get("/stint")).text)
        await page.post(f"/followups/{first.task_id}/result/refused")
        assert "Write-up" in words((await page.get("/stint")).text)
        await page.post("/stint/ready")

        await ruth.rings(within=30)
        assert ana.is_talking, "her leg has been up all the time"
        first, second, third = calls(house)
        assert [call.line_result for call in (first, second)] == ["answered", "busy"]
        assert {call.nurse_channel_id for call in (first, second, third)} == {first.nurse_channel_id}
        await ana.hangs_up()
        await ruth.hung_up()
        await house.until("it is settled", lambda: calls(house)[-1].state == "ended")
        assert (calls(house)[-1].line_result, calls(house)[-1].rang) == ("cancelled", True)
        await house.until("she has left", lambda: [one.state for one in house.rows(Stint)] == ["over"])
        assert len(calls(house)) == 3
        assert (await page.get("/stint")).text.strip() == ""

        survey = a_campaign_runs(house.database, "predictive")
        await page.post("/stint/join", status=204, campaign=str(survey))
        await ana.rings()
        await ana.answers()
        await joao.rings()
        assert calls(house)[-1].account_id is None, "for whoever is free when he answers"
        await joao.answers()
        await house.until("she has him", lambda: calls(house)[-1].account_id is not None)
        await says_until_heard(ana, await house.sound("goodbye", "pt-BR"), joao)
        given = calls(house)[-1]
        assert (given.pooled, given.account_id) == (True, calls(house)[0].account_id)
        await joao.hangs_up()
        await house.until("it has ended", lambda: calls(house)[-1].state == "ended")
        await page.post(f"/followups/{given.task_id}/result/refused")
        await page.post("/stint/ready")
        await ruth.rings(within=30)
        await page.post("/stint/pause")
        await ruth.answers()
        await ruth.hears(await house.sound("outgoing_down", "en"))
        assert await ruth.hung_up(within=20) == 200
        await house.until("it is settled", lambda: calls(house)[-1].state == "ended")
        assert (calls(house)[-1].line_result, calls(house)[-1].contact_result) == ("answered", "abandoned")
        assert ana.is_talking
    await house.no_channels()


@pytest.mark.covers("H13", "H18", "H39", "I3")
async def test_ana_hears_a_machine_and_is_with_the_next_patient_while_who_called_is_left_on_it(
    house: House, tmp_path: Path
) -> None:
    a_campaign_runs(house.database)
    greeting = (spoken(pickups.BOX["pt-BR"], VOICES["pt-BR"][0]), pickups.silence(0.8), pickups.tone(1000, 0.3))
    with leave_a_message(house, "joao"):
        async with (
            house.phone("ana") as ana,
            house.phone("joao") as joao,
            house.phone("mei") as mei,
            console(house, "ana") as page,
        ):
            await page.post("/stint/join", status=204)
            await ana.rings()
            await ana.answers()
            await joao.rings()
            await joao.answers()
            await joao.speaks(said(tmp_path, *greeting))
            await house.until("they are joined", lambda: calls(house)[0].state == "talking")
            form = f"/followups/{calls(house)[0].task_id}"
            assert "A machine: leave who called" in words((await page.get(f"{form}/call")).text)
            assert "You are free" in words((await page.post(f"{form}/call/machine")).text)
            await mei.rings()
            assert calls(house)[0].state == "talking", "his line is not free yet"
            await mei.answers()
            beeped = sum(len(part) for part in greeting) / RATE
            began = await joao.hears(await house.sound("outgoing_neutral", "pt-BR"), within=40)
            assert began > beeped - 0.5, "nothing is on the tape before its beep"
            await mei.speaks(await house.sound("goodbye", "zh-CN"))
            await ana.hears(await house.sound("goodbye", "zh-CN"))
            assert await joao.hung_up(within=20) == 200
            await house.until("it is settled", lambda: calls(house)[0].state == "ended")
            first, second = calls(house)
            assert (first.line_result, first.contact_result) == ("machine", "left_message")
            assert (second.state, second.nurse_channel_id) == ("talking", first.nurse_channel_id)
            assert "Talking" in (await page.get("/stint")).text
            await ana.hangs_up()
            await mei.hung_up()
    await house.no_channels()
