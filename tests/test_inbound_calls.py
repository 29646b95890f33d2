"""Patients call 600: real phones, the real Asterisk, the whole house."""

import pytest
from sqlalchemy import select

from hospital.booking import OwnDesk
from hospital.calls import CallStep
from hospital.number_locks import NumberLock
from hospital.outbox import OutboxRow
from hotline import wiring
from tests.characters import LUCIA, RUTH, WIREMU
from tests.house import House
from tests.scenes import doctor, is_offered_times, is_recognised, openings, reaches

pytestmark = pytest.mark.asterisk


@pytest.mark.covers("H2", "H4", "H5", "H11", "I1", "I2")
async def test_lucia_books_in_spanish(house: House) -> None:
    _, second, *_ = await openings(house)
    told = {"when": second.starts_at, "doctor": doctor(second, "es")}
    async with house.phone("lucia") as phone:
        await phone.dials("600")
        await phone.hears(await house.sound("welcome", "es"))  # with the emergency number and the urgent key
        await phone.presses("2")  # español
        await phone.hears(await house.sound("main_menu", "es"), within=30)
        await phone.presses("1")  # citas y exámenes
        await phone.hears(await house.sound("appointments_menu", "es"), within=30)
        await phone.presses("1")  # pedir una cita
        await phone.hears(await house.sound("ask_birth_date", "es"), within=30)
        await phone.presses(LUCIA.birth_keys)
        await phone.hears(await house.sound("recognised", "es", given_name="Lucía"))
        await phone.presses("1")  # cardiología
        await phone.hears(await house.sound("time_with_doctor", "es", **told), within=30)
        await phone.presses("2")
        await phone.hears(await house.sound("read_back", "es", department="cardiología"), within=30)
        await phone.hears(await house.sound("time_with_doctor", "es", **told))
        await phone.presses("1")
        await phone.hears(await house.sound("booked", "es"), within=30)
        await phone.hears(await house.sound("time_with_doctor", "es", **told))
        await phone.hangs_up()
    local = second.starts_at.astimezone(wiring.zone(house.settings)).strftime("%Y-%m-%d %H:%M")
    assert house.appointments(of="lucia") == [("cardiology", second.doctor, local)]
    assert second.slot_id not in {opening.slot_id for opening in await openings(house, limit=100)}
    with house.database.transaction() as session:
        message = session.scalars(select(OutboxRow)).one()
        assert (message.key, message.locale, message.number) == ("appointment_confirmed", "es", LUCIA.numbers[0])
    await house.no_channels()


@pytest.mark.covers("H11", "H39")
async def test_joao_calls_again_and_mei_uses_his_phone(house: House) -> None:
    async with house.phone("joao") as phone:
        await reaches(house, phone, "pt-BR")
        await phone.hears(await house.sound("main_menu", "pt-BR"), within=30)
        await phone.hangs_up()
    async with house.phone("joao") as phone:
        await phone.dials("600")
        await phone.hears(await house.sound("welcome", "pt-BR"))
        await phone.hears(await house.sound("main_menu", "pt-BR"), within=30)
        await phone.presses("8")
        await phone.hears(await house.sound("choose_language", "zh-CN"))
        await phone.presses("4")
        await phone.hears(await house.sound("main_menu", "zh-CN"), within=30)
        await phone.presses("7")
        await phone.hears(await house.sound("slower", "zh-CN", pace=0.85))
        await phone.presses("#")
        await phone.hears(await house.sound("main_menu", "zh-CN", pace=0.85), within=30)
        await phone.hangs_up()
    assert {"language", "slower", "back"} <= {step.kind for step in house.rows(CallStep)}
    await house.no_channels()


@pytest.mark.covers("H2", "H3", "H4", "H41", "I11")
async def test_ruth_moves_her_appointment_and_books_a_blood_test(house: House) -> None:
    first, second, *_ = await openings(house, "general")
    told = {"when": second.starts_at, "doctor": doctor(second, "en")}
    desk = OwnDesk(house.database)
    await desk.hold(first.slot_id, "the desk", wiring.now())
    await desk.confirm(first.slot_id, "the desk", house.patient("ruth").id, wiring.now(), "desk")
    blood, *_ = await openings(house, "blood")
    async with house.phone("ruth") as phone:
        await reaches(house, phone, "en", "12" + RUTH.birth_keys)
        await phone.hears(await house.sound("what_with_it", "en"), within=30)
        await phone.presses("1")
        await phone.hears(await house.sound("time_with_doctor", "en", **told), within=30)
        await phone.presses("1")
        await phone.hears(await house.sound("confirm_move", "en"), within=30)
        assert house.appointments(of="ruth") == [house.local(first)]  # hers until the new one is confirmed
        await phone.presses("1")
        await phone.hears(await house.sound("moved", "en"), within=30)
        await phone.hears(await house.sound("time_with_doctor", "en", **told))
        assert house.appointments(of="ruth") == [house.local(second)]
        await phone.presses("133")  # appointments, examinations, a blood test: she is known by now
        await phone.hears(await house.sound("time_alone", "en", when=blood.starts_at), within=30)
        await phone.presses("11")
        await phone.hears(await house.sound("prepare_fasting", "en"), within=30)
    with house.database.transaction() as session:
        sent = [row.key for row in session.scalars(select(OutboxRow).order_by(OutboxRow.due_at))]
    assert sent == ["appointment_moved", "appointment_confirmed", "prepare_fasting"]


@pytest.mark.covers("H2", "H11")
async def test_ruth_books_in_english(house: House) -> None:
    first, *_ = await openings(house, "general")
    told = {"when": first.starts_at, "doctor": doctor(first, "en")}
    async with house.phone("ruth") as phone:
        await is_offered_times(house, phone, RUTH, "en", department="3")
        await phone.hears(await house.sound("time_with_doctor", "en", **told), within=30)
        await phone.presses("1")
        await phone.hears(await house.sound("read_back", "en", department="general medicine"), within=30)
        await phone.hears(await house.sound("time_with_doctor", "en", **told))
        await phone.presses("1")
        await phone.hears(await house.sound("booked", "en"), within=30)
        await phone.hears(await house.sound("time_with_doctor", "en", **told))
    assert [department for department, *_ in house.appointments(of="ruth")] == ["general"]


@pytest.mark.covers("H11", "H1")
async def test_wiremu_hears_english_and_is_offered_a_person(house: House) -> None:
    async with house.phone("wiremu") as wiremu, house.phone("desk") as desk:
        await reaches(house, wiremu, "mi")  # te reo Māori: no voice speaks it yet
        await wiremu.hears(await house.sound("language_not_spoken", "mi"))  # "Kia ora", then English
        await wiremu.presses("0")
        await desk.rings()
        await desk.answers()
        await house.until("Wiremu talks to a person", lambda: house.calls()[0].queue == "reception")
        assert house.calls()[0].language == "mi"


@pytest.mark.covers("H1", "I7")
async def test_three_wrong_birth_dates_disclose_nothing_and_lock_the_number(house: House) -> None:
    async with house.phone("lucia") as lucia, house.phone("desk") as desk:
        await reaches(house, lucia, "es", "11")
        for _ in range(2):
            await lucia.presses("01011970" + "0000")
            await lucia.hears(await house.sound("not_found", "es"), within=30)
            await lucia.presses("1")
        await lucia.presses("01011970")  # enough to lock it: nothing more is asked
        await lucia.hears(await house.sound("identity_failed", "es"), within=30)
        await desk.rings()
        await lucia.hangs_up()
    with house.database.transaction() as session:
        lock = session.scalars(select(NumberLock)).one()
        assert lock.locked_until is not None
        assert 3500 < (lock.locked_until - wiring.now()).total_seconds() <= 3600
    assert "identified" not in house.journal()
    async with house.phone("lucia") as lucia:  # even the right date is not asked for: a person
        await reaches(house, lucia, "es", "11")
        await lucia.hears(await house.sound("identity_failed", "es"))


@pytest.mark.covers("H2", "I1")
async def test_two_callers_reach_for_the_last_slot(house: House) -> None:
    with house.only_slot("paediatrics") as last:
        told = {language: {"when": last.starts_at, "doctor": doctor(last, language)} for language in ("es", "en")}
        async with house.phone("lucia") as lucia, house.phone("wiremu") as wiremu:
            await is_recognised(house, lucia, LUCIA, "es")
            await is_offered_times(house, wiremu, WIREMU, "en", department="2")
            await wiremu.hears(await house.sound("time_with_doctor", "en", **told["en"]))
            await lucia.presses("2")
            await lucia.hears(await house.sound("time_with_doctor", "es", **told["es"]))
            await lucia.presses("1")
            await lucia.hears(await house.sound("read_back", "es", department="pediatría"), within=30)
            await lucia.hears(await house.sound("time_with_doctor", "es", **told["es"]))
            await wiremu.presses("1")
            await wiremu.hears(await house.sound("slot_taken", "en"))
            await wiremu.hears(await house.sound("no_slots", "en", department="paediatrics"))
            await lucia.presses("1")
            await lucia.hears(await house.sound("booked", "es"))
            await lucia.hears(await house.sound("time_with_doctor", "es", **told["es"]))
        assert len(house.appointments(of="lucia")) == 1
        assert house.appointments(of="wiremu") == []


@pytest.mark.covers("H5", "I1")
async def test_who_was_slower_hears_what_else_is_free_and_takes_it(house: House) -> None:
    with house.only_slots("paediatrics", 2) as (wanted, other):
        told = [
            {language: {"when": one.starts_at, "doctor": doctor(one, language)} for language in ("es", "en")}
            for one in (wanted, other)
        ]
        async with house.phone("lucia") as lucia, house.phone("wiremu") as wiremu:
            await is_recognised(house, lucia, LUCIA, "es")
            await is_offered_times(house, wiremu, WIREMU, "en", department="2")
            await wiremu.hears([await house.sound("time_with_doctor", "en", **one["en"]) for one in told])
            await lucia.presses("2")
            await lucia.hears([await house.sound("time_with_doctor", "es", **one["es"]) for one in told])
            await lucia.presses("1")
            await lucia.hears(await house.sound("read_back", "es", department="pediatría"), within=30)
            await wiremu.presses("1")
            await wiremu.hears(await house.sound("slot_taken", "en"))
            await wiremu.hears(await house.sound("time_with_doctor", "en", **told[1]["en"]))  # and it alone
            await wiremu.hears(await house.sound("take_time", "en", n=1))
            await wiremu.presses("1")
            await wiremu.hears(await house.sound("read_back", "en", department="paediatrics"), within=30)
            await wiremu.presses("1")
            await wiremu.hears(await house.sound("booked", "en"), within=30)
            await lucia.presses("1")
            await lucia.hears(await house.sound("booked", "es"), within=30)
        booked = [house.appointments(of=who) for who in ("lucia", "wiremu")]
        assert booked == [[house.local(wanted)], [house.local(other)]]


@pytest.mark.covers("H1", "I2", "I10")
async def test_a_hang_up_gives_the_slot_back(house: House) -> None:
    with house.only_slot("paediatrics") as last:
        told = {"es": {"when": last.starts_at, "doctor": doctor(last, "es")}}
        async with house.phone("lucia") as lucia:
            await is_offered_times(house, lucia, LUCIA, "es", department="2")
            await lucia.hears(await house.sound("time_with_doctor", "es", **told["es"]))
            await lucia.presses("1")
            await lucia.hears(await house.sound("read_back", "es", department="pediatría"), within=30)
            await lucia.hears(await house.sound("time_with_doctor", "es", **told["es"]))
            assert await openings(house, "paediatrics") == []  # held
            await lucia.hangs_up()
        await house.until("the hold is given back", lambda: house.holds() == 0)
        assert [opening.slot_id for opening in await openings(house, "paediatrics")] == [last.slot_id]
