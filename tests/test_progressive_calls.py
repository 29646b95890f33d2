"""Ana takes one call after the other: real phones, her leg up from the first patient to the last.

Then the same with predictive calls, which find their nurse when somebody has answered."""

from uuid import UUID

import pytest
from sqlalchemy import select

from hospital import accounts, campaigns, questionnaires
from hospital.attempts import Attempt
from hospital.campaigns import Wanted
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.patients import Patient
from hotline import demo, wiring
from tests.console import console
from tests.console_app import words
from tests.house import House

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
        await joao.speaks(await house.sound("goodbye", "pt-BR"))
        await ana.hears(await house.sound("goodbye", "pt-BR"))
        first = calls(house)[0]
        assert f'href="/followups/{first.task_id}"' in (await page.get("/stint")).text, "her page opens his form"
        await page.post(f"/followups/{first.task_id}/call/hang-up")
        await joao.hung_up()
        await house.until("it has ended", lambda: calls(house)[0].state == "ended")
        assert "Say whom you reached" in words((await page.get("/stint")).text)
        await page.post(f"/followups/{first.task_id}/result/refused")
        assert "Write-up" in words((await page.get("/stint")).text)
        await page.post("/stint/ready")

        await ruth.rings()
        assert ana.is_talking, "her leg has been up all the time"
        first, second, third = calls(house)
        assert [call.line_result for call in (first, second)] == ["answered", "busy"]
        assert {call.nurse_channel_id for call in (first, second, third)} == {first.nurse_channel_id}
        await ana.hangs_up()
        await ruth.hung_up()
        await house.until("it is settled", lambda: calls(house)[-1].state == "ended")
        assert (calls(house)[-1].line_result, calls(house)[-1].rang) == ("cancelled", True)
        await house.until("she has left", lambda: len(calls(house)) == 3)
        assert (await page.get("/stint")).text.strip() == ""

        survey = a_campaign_runs(house.database, "predictive")
        await page.post("/stint/join", status=204, campaign=str(survey))
        await ana.rings()
        await ana.answers()
        await joao.rings()
        assert calls(house)[-1].account_id is None, "for whoever is free when he answers"
        await joao.answers()
        await ana.speaks(await house.sound("goodbye", "pt-BR"))
        await joao.hears(await house.sound("goodbye", "pt-BR"))
        given = calls(house)[-1]
        assert (given.pooled, given.account_id) == (True, calls(house)[0].account_id)
        await joao.hangs_up()
        await house.until("it has ended", lambda: calls(house)[-1].state == "ended")
        await page.post(f"/followups/{given.task_id}/result/refused")
        await page.post("/stint/ready")
        await ruth.rings()
        await page.post("/stint/pause")
        await ruth.answers()
        await ruth.hears(await house.sound("outgoing_down", "en"))
        assert await ruth.hung_up(within=20) == 200
        await house.until("it is settled", lambda: calls(house)[-1].state == "ended")
        assert (calls(house)[-1].line_result, calls(house)[-1].contact_result) == ("answered", "abandoned")
        assert ana.is_talking
    await house.no_channels()
