"""João missed a call of ours and calls back; Ana works on his follow-up in the call that he began."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select

from hospital.attempts import Attempt
from hospital.followups import FollowUpTask
from hospital.patients import Patient
from hospital.recordings import Recording
from hospital.screen_pops import ScreenPop
from hotline import wiring
from tests import listening
from tests.characters import JOAO
from tests.console import console
from tests.house import House
from tests.phone import Phone
from tests.scenes import reaches
from tests.test_care_calls import sound_of

pytestmark = pytest.mark.asterisk
ABOUT_OUR_CALL = "1"


def missed(house: House) -> FollowUpTask:
    """His task was called an hour ago."""
    at = wiring.now() - timedelta(hours=1)
    with house.database.transaction() as session:
        patient = session.get_one(Patient, house.patient("joao").id)
        task = session.scalars(select(FollowUpTask).where(FollowUpTask.patient_id == patient.id)).one()
        number = patient.numbers[0]
        session.add(
            Attempt(
                task_id=task.id,
                patient_id=patient.id,
                number_id=number.id,
                number_token=number.token,
                channel_id="n1-missed",
                state="ended",
                line_result="no_answer",
                rang=True,
                claimed_at=at,
                dial_until=at + timedelta(hours=5),
                dialled_at=at,
                ended_at=at + timedelta(seconds=45),
            )
        )
        task.tries = 1
        return task


@asynccontextmanager
async def ana_works_on_it(house: House, task: FollowUpTask) -> AsyncIterator[tuple[Phone, Phone]]:
    """João has called back, Ana has identified him and records; João's phone and hers."""
    async with house.phone("ana") as ana, house.phone("joao") as joao, console(house, "ana") as page:
        await page.post("/presence/available")
        await reaches(house, joao, "pt-BR", ABOUT_OUR_CALL + JOAO.birth_keys)
        await ana.rings(within=40)
        await ana.answers()
        await house.until("they talk", lambda: [pop.state for pop in house.rows(ScreenPop)] == ["answered"])
        (pop,) = house.rows(ScreenPop)
        assert "Returns our call" in (await page.get(f"/agent/pops/{pop.id}/who")).text
        await page.post(f"/followups/returned/{pop.id}", status=204)
        form = f"/followups/{task.id}"
        await page.post(f"{form}/ticks/name", on="on")
        await page.post(f"{form}/ticks/birth_date", on="on")
        await page.post(f"{form}/call/record")
        await joao.speaks(await house.sound_wav("goodbye", "en"))
        await page.post(f"{form}/result/partial")
        yield joao, ana


async def sealed(house: House) -> Recording:
    await house.until("it is sealed", lambda: [one.state for one in house.rows(Recording)] == ["sealed"], within=10)
    return house.rows(Recording)[0]


@pytest.mark.covers("H14", "H16", "I3", "I5")
async def test_joao_calls_back_and_is_recorded_in_the_call_that_he_began(house: House) -> None:
    task = missed(house)
    async with ana_works_on_it(house, task) as (joao, _):
        await joao.hangs_up()
        await sealed(house)
    attempt = house.rows(Attempt)[-1]
    assert (attempt.returned, attempt.state, attempt.line_result) == (True, "ended", "answered")
    assert (attempt.contact_result, attempt.channel_id) == ("partial", house.calls()[-1].id)
    with house.database.transaction() as session:
        after = session.get_one(FollowUpTask, task.id)
        assert (after.state, after.tries) == ("open", 1)
    await house.no_channels()


@pytest.mark.covers("H14", "H16", "I5", "I6")
async def test_what_joao_says_when_ana_has_hung_up_is_not_in_her_recording(house: House) -> None:
    task = missed(house)
    async with ana_works_on_it(house, task) as (joao, ana):
        await ana.hears(await house.sound("goodbye", "en"))
        await ana.hangs_up()
        await joao.hears(await house.sound("rating_score", "pt-BR"))
        recording = await sealed(house)
        attempt = house.rows(Attempt)[-1]
        assert (attempt.state, attempt.line_result) == ("ended", "answered"), "she may call somebody else"
        assert [one.state for one in house.rows(FollowUpTask) if one.id == task.id] == ["open"]
        await joao.presses("5")
        await joao.hung_up()
    heard = await sound_of(house, recording.id)
    assert listening.find(heard, listening.prompt(await house.sound("goodbye", "en")))
    assert not listening.find(heard, listening.prompt(await house.sound("rating_score", "pt-BR")))
    await house.no_channels()
