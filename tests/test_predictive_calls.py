"""Three nurses and more lines than nurses, on real phones: who answers gets whoever is free, or hears who called."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from dialer.predictive import tally, wanted
from hospital import accounts, campaigns, followups, pooled, questionnaires
from hospital.accounts import Account
from hospital.attempts import Attempt
from hospital.campaigns import Wanted
from hospital.followups import FollowUpTask
from hospital.patients import Patient
from hospital.stints import Stint
from hotline import demo, wiring
from tests.characters import JOAO, LUCIA, MEI, PATIENTS, RUTH, WIREMU, Character
from tests.console import Console, console
from tests.house import House
from tests.late import LATE
from tests.phone import Phone

pytestmark = pytest.mark.asterisk
NURSES = ("ana", "grace", "tom")
IN_TURN = (LUCIA, MEI, JOAO, RUTH, WIREMU)
ANSWERED, LINES_AN_ANSWER = 50, 6  # before, in this campaign: one may be abandoned, and one line in six is answered
SECOND = timedelta(seconds=1)
BRIDGE = 12  # the field of "core show channels concise"


@contextmanager
def a_third_nurse(house: House) -> Iterator[None]:
    """Tom works as a nurse today."""

    def work_as(role: str) -> None:
        with house.database.transaction() as session:
            session.execute(update(Account).where(Account.username == "tom").values(role=role))

    work_as("nurse")
    try:
        yield
    finally:
        work_as("agent")


@contextmanager
def a_survey(house: House) -> Iterator[UUID]:
    """A predictive campaign that has been running; five patients will be due, in turn."""
    at = wiring.now()
    with house.database.transaction() as session:
        asked = questionnaires.newest(session, "satisfaction")
        grace, ana = (accounts.by_sip_username(session, name) for name in ("grace", "ana"))
        assert asked is not None and grace is not None and ana is not None
        made = campaigns.create(
            session, Wanted("How it was", "predictive", purpose="survey", ward="nine"), grace.id, at
        )
        campaigns.order(session, made.id, "start", grace.id, at)
        people = {one.name: one for one in session.scalars(select(Patient))}
        planned = []
        for rank, who in enumerate((*IN_TURN, None)):
            patient = people[demo.NAMES[who.sip] if who else "Sofía Vargas"]
            task = followups.plan(
                session, patient_id=patient.id, questionnaire_id=asked.id, reason="survey", due_at=at + 3600 * SECOND
            )
            task.ward, task.priority = "nine", rank + 1
            planned.append(task)
        before = planned.pop()
        before.state, before.closed_at = "done", at
        for n in range(ANSWERED * LINES_AN_ANSWER):
            answered, began = n % LINES_AN_ANSWER == 0, at - (3600 - n) * SECOND
            session.add(
                Attempt(
                    task_id=before.id, patient_id=before.patient_id, number_id=patient.numbers[0].id,
                    number_token=patient.numbers[0].token, campaign_id=made.id, pooled=True, rang=True,
                    channel_id=f"n1-before-{n}", account_id=ana.id if answered else None,
                    nurse_channel_id=f"n1-hers-{n}" if answered else None, state="ended",
                    line_result="answered" if answered else "no_answer",
                    contact_result="completed" if answered else None, claimed_at=began, dial_until=at,
                    dialled_at=began, answered_at=began + 10 * SECOND if answered else None,
                    ended_at=began + (100 if answered else 10) * SECOND,
                )
            )  # fmt: skip
        ids = [before.id, *(task.id for task in planned)]
    yield made.id
    with house.database.transaction() as session:
        session.execute(delete(FollowUpTask).where(FollowUpTask.id.in_(ids)))


def are_due(house: House, *whose: Character) -> None:
    """In this order."""
    names = [demo.NAMES[who.sip] for who in whose]
    with house.database.transaction() as session:
        for task in session.scalars(select(FollowUpTask).where(FollowUpTask.ward == "nine")):
            name = session.get_one(Patient, task.patient_id).name
            if name in names:
                task.state, task.stop_reason, task.closed_at, task.owner_id = "open", None, None, None
                task.due_at, task.next_try_at, task.priority = wiring.now() - SECOND, None, 1 + names.index(name)


def calls(house: House, who: Character) -> list[Attempt]:
    with house.database.transaction() as session:
        rows = select(Attempt).join(Patient, Patient.id == Attempt.patient_id).order_by(Attempt.claimed_at)
        name = demo.NAMES[who.sip]
        return [one for one in session.scalars(rows) if session.get_one(Patient, one.patient_id).name == name]


def nurse_of(house: House, who: Character) -> str:
    """To whom the patient's newest call was given."""
    with house.database.transaction() as session:
        account_id = calls(house, who)[-1].account_id
        return session.get_one(Account, account_id).username if account_id else ""


def floor(house: House) -> pooled.Floor:
    with house.database.transaction() as session:
        (found,) = pooled.floors(session, wiring.now())
        return found


@pytest.mark.covers("I3", "I5", "I10")
async def test_five_phones_ring_for_three_nurses(house: House) -> None:
    async with AsyncExitStack() as stack:
        stack.enter_context(a_third_nurse(house))
        campaign = stack.enter_context(a_survey(house))
        names = [*NURSES, *(who.sip for who in PATIENTS)]
        phones = {name: await stack.enter_async_context(house.phone(name)) for name in names}
        pages = {name: await stack.enter_async_context(console(house, name)) for name in NURSES}
        for name in NURSES:
            await pages[name].post("/stint/join", status=204, campaign=str(campaign))
        for name in NURSES:
            await phones[name].rings()
            await phones[name].answers()
        await house.until("all are free", lambda: [one.state for one in house.rows(Stint)] == ["up"] * len(NURSES))
        assert wanted(floor(house)) == (len(IN_TURN), "enough"), "the ceiling has one to spare"
        are_due(house, *IN_TURN)
        await asyncio.gather(*(phones[who.sip].rings() for who in IN_TURN))

        for who, nurse in zip(IN_TURN, NURSES, strict=False):  # who has waited longest is given the next
            await phones[who.sip].answers()
            await _are_joined(house, who, nurse)

        ruth, wiremu = phones[RUTH.sip], phones[WIREMU.sip]
        await ruth.answers()
        told = asyncio.create_task(_hears_who_called(house, ruth))
        await house.until("two seconds are over", lambda: calls(house, RUTH)[-1].contact_result == "abandoned")
        await phones[JOAO.sip].hangs_up()
        await _is_free_again(house, pages["tom"], JOAO)
        await wiremu.answers()
        await _are_joined(house, WIREMU, "tom")
        assert await told > 2.0, "the nurse had two seconds"
        await house.until("it is settled", lambda: calls(house, RUTH)[-1].state == "ended")
        (left,) = calls(house, RUTH)
        assert (left.line_result, left.contact_result, left.account_id) == ("answered", "abandoned", None)
        made = tally(floor(house))
        assert (made.answered, made.abandoned) == (ANSWERED + len(IN_TURN), 1)

        await phones[LUCIA.sip].hangs_up()
        await _is_free_again(house, pages["ana"], LUCIA)
        are_due(house, RUTH, LUCIA)
        await phones[LUCIA.sip].rings()
        assert wanted(floor(house)) == (0, "ceiling_near"), "one for the nurse who is free, and no more"
        assert len(calls(house, RUTH)) == 1, "who was abandoned is not dialled by machine again"
        await phones[LUCIA.sip].answers()
        await _are_joined(house, LUCIA, "ana")
        for name in NURSES:
            await phones[name].hangs_up()
        await house.until("all is settled", lambda: {one.state for one in house.rows(Attempt)} == {"ended"})
    await house.no_channels()


async def _are_joined(house: House, who: Character, nurse: str) -> None:
    """By SQL and by Asterisk: his leg and hers are in one bridge."""
    await house.until(f"{nurse} has the call", lambda: nurse_of(house, who) == nurse)
    deadline = time.monotonic() + 10
    while True:
        shown = await house.cli("core show channels concise")
        legs = [line.split("!") for line in shown.splitlines() if line.startswith("PJSIP/")]
        bridges = {leg[0].partition("-")[0]: leg[BRIDGE] for leg in legs if len(leg) > BRIDGE}
        if bridges.get(f"PJSIP/{who.sip}") and bridges[f"PJSIP/{who.sip}"] == bridges.get(f"PJSIP/{nurse}"):
            return
        assert time.monotonic() < deadline, f"{LATE}: {shown}"
        await asyncio.sleep(0.05)


async def _hears_who_called(house: House, phone: Phone) -> float:
    """Seconds after the answer."""
    began = await phone.hears(await house.sound("outgoing_down", "en"))
    assert await phone.hung_up(within=20) == 200
    return began


async def _is_free_again(house: House, page: Console, who: Character) -> None:
    """Whoever talked with the patient says whom she reached, and has written it up."""
    await house.until("it has ended", lambda: calls(house, who)[-1].state == "ended")
    await page.post(f"/followups/{calls(house, who)[-1].task_id}/result/refused")
    await page.post("/stint/ready")
