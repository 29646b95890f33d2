"""Fourteen calls that patients live through, each shown on the real Asterisk with real phones; and where.

Those that no other file has are played here."""

import ast
from pathlib import Path

import pytest
from sqlalchemy import delete

from hospital import patients
from hospital.patients import Patient
from tests.characters import LUCIA, WIREMU
from tests.house import House
from tests.scenes import doctor, openings

SCENARIOS = {
    "Lucía books in Spanish by key": "test_inbound_calls.py::test_lucia_books_in_spanish",
    "João books in Portuguese by voice alone": "test_voice_calls.py::test_joao_books_by_voice_alone",
    "Ruth says nothing, presses wrong keys, asks again, hangs up and calls back": "test_hostile_callers.py::"
    "test_ruth_says_nothing_presses_wrong_keys_asks_again_hangs_up_and_calls_back",
    "three patients share a number": "test_scenarios.py::test_three_patients_on_one_number",
    "Wiremu is greeted in Māori and books by key": "test_scenarios.py::test_wiremu_hears_kia_ora_and_books_by_key",
    "Ruth changes her appointment and books a blood test": "test_inbound_calls.py::"
    "test_ruth_moves_her_appointment_and_books_a_blood_test",
    "her clinic is suspended, and our call rebooks Lucía": "test_outgoing_calls.py::"
    "test_lucias_phone_rings_and_she_is_rebooked",
    "fifty callers reach for one last slot": "test_crowd.py::test_fifty_callers_reach_for_one_last_slot",
    "Lucía complains by voice, and it is a case": "test_care_calls.py::"
    "test_lucia_complains_by_voice_and_grace_hears_it",
    "Lucía cries for help in the middle of a survey, and no nurse is free": "test_voice_calls.py::"
    "test_lucia_cries_for_help_in_mid_survey_and_no_nurse_is_free",
    "the house is closed, and Ruth leaves a message": "test_care_calls.py::"
    "test_grace_closes_the_telephones_and_ruth_leaves_a_message",
    "nobody is signed in, and Lucía asks to be called back": "test_agents.py::"
    "test_nobody_is_signed_in_and_lucia_asks_to_be_called_back",
    "three wrong birth dates tell nothing and lead to a person": "test_inbound_calls.py::"
    "test_three_wrong_birth_dates_disclose_nothing_and_lock_the_number",
    "the automatic service dies in mid-call, and Lucía is kept": "test_outages.py::"
    "test_the_ivr_is_killed_and_lucia_is_kept",
}


def test_each_of_the_fourteen_is_shown_on_a_real_asterisk() -> None:
    assert len(set(SCENARIOS.values())) == 14
    for told, where in SCENARIOS.items():
        file, _, name = where.partition("::")
        tree = ast.parse((Path(__file__).parent / file).read_text(encoding="utf-8"))
        found = [node for node in tree.body if isinstance(node, ast.AsyncFunctionDef) and node.name == name]
        assert found, f"{told}: {where} is gone"
        marks = [ast.unparse(mark) for mark in found[0].decorator_list]
        marks += [ast.unparse(node) for node in tree.body if isinstance(node, ast.Assign)]
        assert any("pytest.mark.asterisk" in mark for mark in marks), f"{where} makes no real call"


@pytest.mark.asterisk
@pytest.mark.covers("H2", "H8")
async def test_three_patients_on_one_number(house: House) -> None:
    """Lucía's telephone is her sons', too; the twins share her birthday, and all three say for whom they call."""
    ids = []
    for name in ("Lucas Fernández", "Marta Fernández"):
        with house.database.transaction() as session:  # one after the other: they are named in that order
            same = {"birth": LUCIA.birth, "language": "es", "numbers": [LUCIA.numbers[0]]}
            ids.append(patients.register(session, name=name, **same).id)
    try:
        async with house.phone("lucia") as lucia:
            await lucia.dials("600")
            await lucia.is_spoken_to()
            await lucia.presses("211" + LUCIA.birth_keys)
            names = [{"given_name": name, "key": key} for key, name in enumerate(("Lucía", "Lucas", "Marta"), 1)]
            await lucia.hears(await house.sound("who_are_you_several", "es", n=3, choices=names), within=40)
            assert house.calls()[0].patient_id is None, "a number and a date are three people's"
            await lucia.presses("2")
            await lucia.hears(await house.sound("recognised", "es", given_name="Lucas"))
            await house.until("and it is his call", lambda: house.calls()[0].patient_id == ids[0])
            assert house.calls()[0].identified_by == ["number", "birth_date"]
            await lucia.hangs_up()
        await house.no_channels()
    finally:
        with house.database.transaction() as session:
            session.execute(delete(Patient).where(Patient.id.in_(ids)))


@pytest.mark.asterisk
@pytest.mark.covers("H2", "H11")
async def test_wiremu_hears_kia_ora_and_books_by_key(house: House) -> None:
    first, *_ = await openings(house, "general")
    told = {"when": first.starts_at, "doctor": doctor(first, "en")}
    async with house.phone("wiremu") as wiremu:
        await wiremu.dials("600")
        await wiremu.hears(await house.sound("welcome", "en"))
        await wiremu.presses("5")
        await wiremu.hears(await house.sound("language_not_spoken", "mi"))  # "Kia ora", then English
        await wiremu.presses("1")
        await wiremu.hears(await house.sound("main_menu", "en"), within=30)
        await wiremu.presses("11" + WIREMU.birth_keys)
        await wiremu.hears(await house.sound("recognised", "en", given_name="Wiremu"), within=30)
        await wiremu.presses("3")
        await wiremu.hears(await house.sound("time_with_doctor", "en", **told), within=30)
        await wiremu.presses("1")
        await wiremu.hears(await house.sound("read_back", "en", department="general medicine"), within=30)
        await wiremu.hears(await house.sound("time_with_doctor", "en", **told))
        await wiremu.presses("1")
        await wiremu.hears(await house.sound("booked", "en"), within=30)
        await wiremu.hears(await house.sound("time_with_doctor", "en", **told))
    assert house.appointments(of="wiremu") == [house.local(first)]
    assert house.calls()[0].language == "mi", "whoever takes his next call knows what he would rather speak"
