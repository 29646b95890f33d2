"""A clinic is suspended and the hotline calls: real phones, real signalling, nobody in between."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select, text

from hospital import accounts, booking, reminders, suspension_view, suspensions
from hospital.attempts import Attempt
from hospital.booking import Slot
from hospital.callbacks import Callback
from hospital.calls import Call, CallStep
from hospital.followups import FollowUpTask
from hospital.outbox import OutboxRow
from hospital.patients import Patient
from hospital.recordings import Recording
from hospital.suspensions import SuspensionNotice
from hotline import wiring
from tests import pickups
from tests.characters import JOAO, LUCIA
from tests.house import House
from tests.phone import says_until_heard
from tests.phone_audio import RATE, VOICES, spoken
from tests.scenes import openings

pytestmark = [pytest.mark.asterisk, pytest.mark.covers("H6")]


def suspend(house: House, who: str) -> None:
    """`who` has the first time of cardiology, and Grace suspends its doctor's clinic for that hour."""
    at = wiring.now()
    patient = house.patient(who)
    with house.database.transaction() as session:
        first = booking.openings(session, "cardiology", at, after=at, limit=1)[0]
        booking.hold(session, first.slot_id, "desk", at)
        booking.confirm(session, first.slot_id, "desk", patient.id, at, "desk")
        doctor_id = session.get_one(Slot, first.slot_id).doctor_id
        grace = accounts.by_sip_username(session, "grace")
        assert grace is not None
        suspensions.suspend(
            session,
            doctor_id=doctor_id,
            since=first.starts_at,
            until=first.starts_at + timedelta(hours=1),
            reason="illness",
            account_id=grace.id,
            at=at,
            policy=wiring.calling_policy(house.settings),
        )


def task(house: House) -> FollowUpTask:
    with house.database.transaction() as session:
        return session.scalars(select(FollowUpTask).where(FollowUpTask.kind == "suspension")).one()


def standing(house: House) -> str:
    with house.database.transaction() as session:
        notice = session.scalars(select(SuspensionNotice)).one()
        return suspension_view.noticed(session, notice.suspension_id)[0].standing


@contextmanager
def leave_a_message(house: House, who: str) -> Iterator[None]:
    """Inside the block a message may be left on the machine of `who`."""

    def may(leave: bool) -> None:
        with house.database.transaction() as session:
            session.get_one(Patient, house.patient(who).id).numbers[0].may_leave_message = leave

    may(True)
    try:
        yield
    finally:
        may(False)


def said(folder: Path, *sounds: pickups.Samples) -> Path:
    """Something for a phone to say."""
    file = folder / "said.sln"
    file.write_bytes((np.concatenate(sounds) * 32767).astype("<i2").tobytes())
    return file


def picked_up(house: House) -> dict[str, Any]:
    """What the journal says of who it was."""
    (facts,) = (step.facts for step in house.rows(CallStep) if step.kind == "picked_up")
    return facts


def ended(house: House) -> bool:
    return [attempt.state for attempt in house.rows(Attempt)] == ["ended"]


@pytest.mark.covers("H2", "H4", "H11", "I2", "I5", "I11")
async def test_lucias_phone_rings_and_she_is_rebooked(house: House, tmp_path: Path) -> None:
    async with house.phone("lucia") as lucia:
        suspend(house, "lucia")
        await lucia.rings()
        await lucia.answers()
        await lucia.speaks(said(tmp_path, spoken(pickups.HELLO["es"], VOICES["es"][0])))
        await lucia.hears(await house.sound("outgoing_greeting", "es", given_name="Lucía"))
        await lucia.presses("1")
        await lucia.hears(await house.sound("ask_birth_date", "es"))
        await lucia.presses(LUCIA.birth_keys)
        await lucia.hears(await house.sound("suspended_choice", "es"))
        await house.until("she was told", lambda: standing(house) == "told")
        await lucia.presses("1")
        await lucia.hears(
            await house.sound("offer_slots_intro", "es", department=(await openings(house))[0].department_names)
        )
        await lucia.presses("1")
        await lucia.hears(await house.sound("confirm_rebook", "es"))
        await lucia.presses("1")
        await lucia.hears(await house.sound("outgoing_goodbye", "es"))
        assert await lucia.hung_up() == 200
        await house.until("it is settled", lambda: ended(house))
    (attempt,) = house.rows(Attempt)
    assert (attempt.line_result, attempt.contact_result, task(house).state) == ("answered", "completed", "done")
    assert picked_up(house)["who"] in ("person", "unsure"), "her hello has stopped nothing"
    assert standing(house) == "rebooked" and len(house.appointments(of="lucia")) == 1
    assert [recording.reason for recording in house.rows(Recording)] == ["automatic"]
    assert {row.key for row in house.rows(OutboxRow)} == {"appointment_suspended", "appointment_moved"}
    (call,) = house.calls()
    assert (call.direction, call.outcome, call.number) == ("out", "done", LUCIA.numbers[0])
    await house.no_channels()


@pytest.mark.covers("H18", "I3")
async def test_mei_is_busy_and_is_tried_again_by_the_rules(house: House) -> None:
    async with house.phone("mei") as mei:
        await mei.replies_at_once(486)
        suspend(house, "mei")
        await house.until("it is settled", lambda: ended(house))
    (attempt,) = house.rows(Attempt)
    again = task(house)
    assert (attempt.line_result, again.state, again.tries, again.next_number_rank) == ("busy", "open", 1, 1)
    assert attempt.ended_at is not None and again.next_try_at == attempt.ended_at + timedelta(minutes=30)
    assert house.calls() == [], "the ivr never heard of it"


@pytest.mark.covers("H39")
async def test_nobody_speaks_and_hears_who_called(house: House) -> None:
    async with house.phone("lucia") as lucia:
        suspend(house, "lucia")
        await lucia.rings()
        await lucia.answers()
        await lucia.hears(await house.sound("outgoing_neutral", "es"), within=120)
        assert await lucia.hung_up(within=30) == 200
        await house.until("it is settled", lambda: ended(house))
    assert house.rows(Attempt)[0].contact_result == "left_message"
    assert (standing(house), task(house).state) == ("pending", "open")


@pytest.mark.covers("H18", "H39", "I5")
async def test_a_machine_answers_and_hears_who_called_after_its_beep(house: House, tmp_path: Path) -> None:
    greeting = (spoken(pickups.BOX["es"], VOICES["es"][0]), pickups.silence(0.8), pickups.tone(1000, 0.3))
    with leave_a_message(house, "lucia"):
        async with house.phone("lucia") as lucia:
            suspend(house, "lucia")
            await lucia.rings()
            await lucia.answers()
            await lucia.speaks(said(tmp_path, *greeting))
            beeped = lucia.position / RATE
            began = await lucia.hears(await house.sound("outgoing_neutral", "es"), within=20)
            assert began > beeped - 0.3, "nothing is on the machine's tape but this"
            assert await lucia.hung_up(within=20) == 200
            await house.until("it is settled", lambda: ended(house))
    (attempt,) = house.rows(Attempt)
    assert (attempt.line_result, attempt.contact_result) == ("machine", "left_message")
    assert (standing(house), task(house).state, task(house).tries) == ("pending", "open", 1)
    told = picked_up(house)
    assert (told["who"], told["confidence"]) == ("machine", 0.95)
    assert [recording.reason for recording in house.rows(Recording)] == ["automatic"]
    await house.no_channels()


@pytest.mark.covers("H1", "I10")
async def test_the_ivr_is_killed_while_it_rings(house: House) -> None:
    async with house.phone("lucia") as lucia:
        suspend(house, "lucia")
        await lucia.rings()
        async with house.without_ivr():
            await lucia.answers()
            await lucia.hears(await house.sound("outgoing_down", "es"))
            assert await lucia.hung_up() == 200, "no menu, no queue, no loop"
        await house.until("it is settled", lambda: ended(house))
    assert house.rows(Attempt)[0].contact_result == "hung_up"
    assert (standing(house), task(house).state, house.rows(Call)) == ("pending", "open", [])
    await house.no_channels()


@pytest.mark.covers("H1", "I5", "I10")
async def test_the_ivr_is_killed_before_anybody_has_answered_to_it(house: House) -> None:
    async with house.phone("lucia") as lucia:
        suspend(house, "lucia")
        await lucia.rings()
        await lucia.answers()
        await lucia.hears(await house.sound("outgoing_greeting", "es", given_name="Lucía"))
        async with house.without_ivr():
            await lucia.hears(await house.sound("outgoing_down", "es"))
            assert await lucia.hung_up() == 200, "it may be a machine, and waits for nobody"
        await house.until("it is settled", lambda: ended(house))
    assert house.rows(Attempt)[0].contact_result == "hung_up"
    assert (standing(house), task(house).state, task(house).tries) == ("pending", "open", 1)
    assert [call.queue for call in house.rows(Call)] == [None]
    await house.no_channels()


@pytest.mark.covers("H1", "I5", "I10")
async def test_the_ivr_is_killed_when_she_has_answered_to_it(house: House) -> None:
    async with house.phone("lucia") as lucia, house.phone("desk") as desk:
        suspend(house, "lucia")
        await lucia.rings()
        await lucia.answers()
        await lucia.hears(await house.sound("outgoing_greeting", "es", given_name="Lucía"))
        await lucia.presses("1")
        await lucia.hears(await house.sound("outgoing_identify", "es"))
        async with house.without_ivr():
            await lucia.hears(await house.sound("apology", "es"))
            await desk.rings()
            await lucia.hangs_up()
        await house.until("it is settled", lambda: ended(house))
    assert house.rows(Attempt)[0].contact_result == "hung_up"
    assert (standing(house), task(house).state, task(house).tries) == ("pending", "open", 1)
    await house.no_channels()


@pytest.mark.covers("I3", "I10")
async def test_the_core_is_killed_while_it_rings(house: House) -> None:
    async with house.phone("lucia") as lucia:
        suspend(house, "lucia")
        await lucia.rings()
        old = house.children["core"]
        assert old is not None
        house.kill("core")
        await house.restarted("core", old)
        await lucia.answers()
        await lucia.hears(await house.sound("outgoing_greeting", "es", given_name="Lucía"))
        await lucia.presses("4")
        await lucia.hears(await house.sound("outgoing_stopped", "es"))
        await lucia.hung_up()
        await house.until("it is settled", lambda: ended(house))
    assert len(house.rows(Attempt)) == 1, "never twice"
    assert (house.rows(Attempt)[0].contact_result, task(house).stop_reason) == ("refused", "refused")
    assert [(item.why, item.number) for item in house.rows(Callback)] == [("suspended", LUCIA.numbers[0])]
    await house.no_channels()


@pytest.mark.covers("I4")
async def test_she_dies_while_it_rings_and_nothing_is_said(house: House) -> None:
    """The same moment as an opt-out that is committed while it rings; of these calls nobody can opt out."""
    async with house.phone("lucia") as lucia:
        suspend(house, "lucia")
        await lucia.rings()
        with house.database.transaction() as session:
            session.execute(
                text("UPDATE patient SET death_reported_at = now() WHERE id = :id"), {"id": task(house).patient_id}
            )
        await lucia.answers()
        await lucia.hung_up()
        await house.until("it is settled", lambda: ended(house))
    assert house.rows(Attempt)[0].contact_result == "refused"


@pytest.mark.covers("H10", "H25")
async def test_joao_is_reminded_of_his_medicine_and_asks_for_a_nurse(house: House) -> None:
    at = wiring.now()
    async with house.phone("joao") as joao, house.phone("desk") as desk:
        patient = house.patient("joao")
        with house.database.transaction() as session:
            ana = accounts.by_sip_username(session, "ana")
            assert ana is not None
            span = {"first_at": at, "until": at + timedelta(days=30), "every_days": 7}
            reminders.begin(
                session, patient_id=patient.id, about="medication", department_id=None, account_id=ana.id, at=at, **span
            )
            assert reminders.plan_recurring(session, wiring.now(), wiring.calling_policy(house.settings)) == 1
        await joao.rings()
        await joao.answers()
        await joao.hears(await house.sound("outgoing_greeting", "pt-BR", given_name="João"))
        await joao.presses("1")
        await joao.hears(await house.sound("ask_birth_date", "pt-BR"))
        await joao.presses(JOAO.birth_keys)
        await joao.hears(await house.sound("reminder_medicine_choice", "pt-BR"))
        await joao.presses("2")
        await desk.rings(within=40)
        await desk.answers()
        await house.until("they talk", lambda: house.calls()[0].state == "talking")
        await says_until_heard(desk, await house.sound("goodbye", "pt-BR"), joao)
        await joao.hangs_up()
        await house.until("it is settled", lambda: ended(house))
    (attempt,) = house.rows(Attempt)
    assert (attempt.contact_result, house.rows(reminders.Reminder)[0].heard_at is not None) == ("completed", True)
    await house.no_channels()
