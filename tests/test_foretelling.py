"""What will probably be said soon is spoken beforehand by the better voice: here by one that hums, beside a fast one.
Real ones are in tests/test_voices_behind.py."""

import asyncio
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from hospital import booking, reminders
from hospital.database import announce
from hotline import foretelling
from hotline.foretelling import foretell, likely, render, render_alike
from hotline.in_force import Shipped
from hotline.settings_file import DEMO, build
from hotline.sheets import Sheets
from ivr.dialogues.survey_choices import sentences
from ivr.front_desk import FrontDesk
from ivr.house import PACES
from scripts import questionnaire_files, wording
from scripts.placeholders import Doctor
from speech.cache import PromptCache
from speech.speaker import Speaker
from speech.voices import VoiceFailed, Voices
from tests.characters import LUCIA
from tests.hospital_scene import POLICY
from tests.moments import NOON, ZONE
from tests.test_dialogues import has, lucia_of
from tests.test_outgoing_dialogues import clinic_suspended
from tests.test_prompt_cache import Hummer
from tests.test_voice_dialogues import front, talk, words

__all__ = ["front", "words"]

LANGUAGES = ("es", "en")
QUIET = asyncio.Event()  # nothing changes


@pytest.fixture
def natural() -> Hummer:
    voice = Hummer(name="natural")
    voice.seconds_a_letter = 0.05
    return voice


@pytest.fixture
def said(tmp_path: Path, natural: Hummer, words: wording.Wording) -> Speaker:
    return Speaker(words, PromptCache(tmp_path, Voices([natural, Hummer(name="fast")])), within=0.35)


def dated(lines: list[str]) -> set[str]:
    """Of what was said, the sentences with a day in them: no one of them is the same for every caller."""
    return {line.removeprefix("hotline: ") for line in lines if line.startswith("hotline: ") and "noviembre" in line}


@pytest.mark.covers("H2", "H11")
async def test_a_booking_is_spoken_by_the_better_voice_before_anybody_calls(
    front: FrontDesk, said: Speaker, natural: Hummer, words: wording.Wording
) -> None:
    await render(said, front, LANGUAGES, QUIET)
    told = await talk(front, words, "es", "2", "1", "1", LUCIA.birth_keys, "1", "4", "1", "1")
    heard = dated(told.lines)
    assert len(heard) == 6, "three times and three others; the read-back and what was booked are among them"
    assert heard <= set(natural.asked)
    assert {"Estas son las próximas horas libres de cardiología.", "Se lo repito: cardiología."} <= set(natural.asked)
    assert {"Para esta hora, marque uno.", "Para oír otras horas, marque cuatro."} <= set(natural.asked)


@pytest.mark.covers("H2")
async def test_whose_afternoons_are_known_hears_them_too(
    front: FrontDesk, said: Speaker, natural: Hummer, words: wording.Wording
) -> None:
    with front.database.transaction() as session:
        session.execute(update(booking.Slot).where(booking.Slot.starts_at < NOON).values(state="withdrawn"))
        lucia_of(session).suits = "afternoon"
    await render(said, front, LANGUAGES, QUIET)
    told = await talk(front, words, "es", "2", "1", "1", LUCIA.birth_keys, "1")
    assert dated(told.lines) and dated(told.lines) <= set(natural.asked)


@pytest.mark.covers("H30", "I7")
async def test_whom_we_are_about_to_call_is_greeted_by_the_better_voice_and_kept_apart(
    front: FrontDesk, said: Speaker, natural: Hummer
) -> None:
    with front.database.transaction() as session:
        clinic_suspended(session)
    await render(said, front, LANGUAGES, QUIET)
    assert any("Lucía" in sentence for sentence in natural.asked)
    assert any(sentence.startswith("Lamento decirle que su cita de cardiología") for sentence in natural.asked)
    shared = " ".join(file.read_text() for file in said.cache.shared.root.glob("*/*.json"))
    assert "Lucía" not in shared
    assert list(said.cache.personal.root.glob("*/*.sln")), "her name is in the root that is purged"


@pytest.mark.covers("H12", "H30")
async def test_a_reminder_is_spoken_beforehand_at_the_pace_of_who_hears_it(
    front: FrontDesk, said: Speaker, natural: Hummer
) -> None:
    with front.database.transaction() as session:
        has(session, "cardiology", 1)
        session.execute(update(booking.Appointment).values(booked_at=NOON - timedelta(days=2)))
        (appointment,) = booking.appointments(session, lucia_of(session).id, NOON)
        days = (appointment.starts_at.astimezone(ZONE).date() - NOON.astimezone(ZONE).date()).days
        policy = replace(POLICY, zone=ZONE)
        assert reminders.plan_appointments(session, NOON, policy, days_before=days, from_hour=0) == 1
    await render(said, front, LANGUAGES, QUIET)
    assert any(sentence.startswith("Le recordamos su cita: cardiología, con") for sentence in natural.asked)

    async def pace(key: str, from_age: int) -> float:
        elders = replace(front, slower_from_age=from_age)
        return min([prompt.pace async for prompt, _ in likely(elders, ["es"]) if prompt.key == key])

    assert [await pace("reminder_visit", years) for years in (90, 40)] == [1.0, 0.85]
    assert await pace("outgoing_greeting", 40) == 1.0, "nobody is known when they are greeted"


@pytest.mark.covers("H30")
def test_a_questionnaires_own_sentences_are_all_that_a_machine_says_of_it(words: wording.Wording) -> None:
    asked = questionnaire_files.load_questionnaires()[0]["discharge-day3"]
    said = [words.text(prompt.key, "es", **prompt.params) for prompt in sentences(asked)]
    for item in asked.questions():
        assert any(item.said.by_language["es"][:20] in sentence for sentence in said), item.link_id
    assert len(said) > len(list(asked.questions())), "options too"


async def test_it_gives_way_to_whoever_is_on_the_line(
    front: FrontDesk, said: Speaker, natural: Hummer, words: wording.Wording
) -> None:
    natural.may_end.clear()
    caller = asyncio.create_task(said.file("time_alone", "es", {"when": "el lunes"}))
    await natural.begun.wait()
    behind = asyncio.create_task(render(said, front, LANGUAGES, QUIET))
    done, _ = await asyncio.wait({behind}, timeout=0.5)
    assert not done and natural.asked == ["El el lunes."]
    natural.may_end.set()
    await caller
    await behind
    assert natural.most_at_once == 1, "a sentence at a time"


async def test_something_new_is_looked_at_before_the_rest_is_spoken(
    front: FrontDesk, said: Speaker, natural: Hummer
) -> None:
    changed = asyncio.Event()
    changed.set()
    assert await render(said, front, LANGUAGES, changed) == 0
    assert natural.asked == []


async def test_what_cannot_be_said_costs_itself_alone(front: FrontDesk, said: Speaker, natural: Hummer) -> None:
    natural.failing = VoiceFailed("its worker died")
    fast = said.cache.voices.engines[1]
    assert isinstance(fast, Hummer)
    fast.failing = VoiceFailed("and this one is not there")
    assert await render(said, front, LANGUAGES, QUIET) > 20


@pytest.mark.covers("H39")
async def test_who_asks_for_slower_speech_waits_for_no_voice(said: Speaker, natural: Hummer) -> None:
    """What has a value in it has too many sounds to be made at a second pace."""
    keys = ["main_menu", "main_menu.other", "slower", "time_alone"]
    assert await render_alike(said, keys, LANGUAGES, QUIET) == 12
    own, slowly = natural.asked[:6], natural.asked[6:]
    assert own == slowly and own[2].startswith("Dígame"), "first all of it at its own pace, the questions before"
    natural.may_end.clear()
    fast = said.cache.voices.engines[1]
    assert isinstance(fast, Hummer)
    for pace in PACES:
        await said.sound("main_menu", "es", pace=pace)
    assert (len(natural.asked), len(fast.asked)) == (13, 1), "all but the pace of who asks twice"


async def test_slower_speech_is_made_last_and_gives_way(said: Speaker, natural: Hummer) -> None:
    changed = asyncio.Event()
    changed.set()
    assert await render_alike(said, ["main_menu"], LANGUAGES, changed) == 0
    assert natural.asked == []


async def test_without_a_natural_voice_nothing_is_rendered(
    front: FrontDesk, words: wording.Wording, tmp_path: Path
) -> None:
    fast = Hummer(name="fast")
    said = Speaker(words, PromptCache(tmp_path, Voices([fast])))
    assert await render(said, front, LANGUAGES, QUIET) == 0
    assert await render_alike(said, ["main_menu"], LANGUAGES, QUIET) == 0
    assert fast.asked == []


@pytest.mark.covers("I7")
async def test_patients_own_sentences_are_purged_and_a_booking_begins_it_anew(
    front: FrontDesk, said: Speaker, natural: Hummer, words: wording.Wording, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where no natural voice is: a name that was spoken yesterday is nowhere tomorrow."""
    monkeypatch.setattr(foretelling, "REST_S", 0.0)
    old = await said.file("recognised", "es", {"given_name": "Lucía"})
    os.utime(old.with_suffix(".json"), (0, 0))
    with front.database.transaction() as session:
        late = booking.openings(session, "cardiology", NOON, after=NOON, limit=40)[-1]
    told = words.text("time_with_doctor", "es", when=late.starts_at, doctor=Doctor(late.doctor, late.feminine))
    sheets = Sheets(Shipped(build(DEMO)), front.database)
    running = asyncio.create_task(foretell(build(DEMO), sheets, said, front))
    try:
        async with asyncio.timeout(60):
            while old.with_suffix(".sln").exists() or not natural.asked[-1:] or said.cache._making:  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # a file system has no event
            assert told not in natural.asked
            with front.database.transaction() as session:
                passed = booking.Slot.starts_at < late.starts_at
                session.execute(update(booking.Slot).where(passed).values(state="withdrawn"))
                announce(session, "slot", late.slot_id)
            while told not in natural.asked:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    finally:
        running.cancel()
        await asyncio.wait([running])
