"""Complaints by voice, red flags, ratings and closed hours: real phones, the real Asterisk, the whole house."""

import io
import wave
from datetime import timedelta
from uuid import UUID

import numpy as np
import pytest

from hospital import audit, opening, vault
from hospital.cases import Case
from hospital.outbox import OutboxRow
from hospital.ratings import Rating
from hospital.recordings import Recording
from hospital.screen_pops import ScreenPop
from hospital.urgent_records import UrgentStep
from hotline import wiring
from hotline.tapes import SqlCatalogue
from recordings.files import Shelf
from recordings.replay import Replay, answer
from tests import listening
from tests.characters import LUCIA, RUTH
from tests.console import console
from tests.house import House
from tests.phone import Phone
from tests.scenes import reaches

pytestmark = pytest.mark.asterisk
CARE, FEEDBACK, COMPLAINT, AGREED = "4", "3", "1", "1"


async def is_asked_to_speak(house: House, phone: Phone, language: str) -> None:
    await reaches(house, phone, language, CARE + FEEDBACK + COMPLAINT)
    await phone.hears(await house.sound("feedback_notice", language))
    await phone.presses(AGREED)
    await phone.hears(await house.sound("feedback_speak", language))
    await phone.presses("#")  # before the tone or in it: nothing is ended by it
    await phone.hears(house.here.sounds / "beep.sln16")


def the_case(house: House) -> Case:
    (case,) = house.rows(Case)
    return case


async def sound_of(house: House, recording_id: UUID) -> listening.Samples:
    """What a sealed recording holds, opened as the console opens it."""
    replay = Replay(Shelf(house.here.recordings), SqlCatalogue(house.database, wiring.now), vault.unwrap_key)
    await replay.verify(recording_id)
    body = b"".join(answer(await replay.open(recording_id), None).body)
    with wave.open(io.BytesIO(body)) as sound:
        assert (sound.getframerate(), sound.getnchannels()) == (8000, 1)
        return np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2").astype(np.float32)


@pytest.mark.covers("H30", "I6", "I7", "I8")
async def test_lucia_complains_by_voice_and_grace_hears_it(house: House) -> None:
    voice = await house.sound_wav("booking_not_made", "es")
    async with house.phone("lucia") as lucia:
        await is_asked_to_speak(house, lucia, "es")
        await lucia.speaks(voice)
        await lucia.presses("#")
        await house.until("the case is open", lambda: [c.state for c in house.rows(Case)] == ["open"])
        case = the_case(house)
        day = case.acknowledge_by.astimezone(wiring.zone(house.settings)).date() - timedelta(days=1)
        await lucia.hears(await house.sound("complaint_kept", "es", case=str(case.number), day=day))
        await lucia.presses("2")
        await lucia.hears(await house.sound("main_menu", "es"), within=30)
        await lucia.hangs_up()
    await house.no_channels()
    (recording,), (message,) = house.rows(Recording), house.rows(OutboxRow)
    assert (case.kind, case.caller, case.recording_id) == ("complaint", LUCIA.numbers[0], recording.id)
    assert (recording.kind, recording.state) == ("message", "sealed")
    assert (message.key, message.number, message.params) == (
        "case_opened",
        LUCIA.numbers[0],
        {"case": str(case.number)},
    )
    heard = await sound_of(house, recording.id)
    assert listening.find(heard, listening.prompt(voice)) is not None, "what she said is what was sealed"
    await house.until("no plain copy is left", lambda: list(house.here.spool.iterdir()) == [])
    async with console(house, "grace") as grace, console(house, "tom") as tom:
        assert str(case.number) in (await grace.get("/cases")).text
        assert str(case.number) not in (await tom.get("/cases")).text, "complaints are not for agents"
        await tom.get(f"/cases/{case.id}/sound", status=403)
        assert (await grace.get(f"/cases/{case.id}/sound")).content[:4] == b"RIFF"
    with house.database.transaction() as session:
        assert len(audit.of_subject(session, f"recording:{recording.id}", ("recording.play",))) == 1


@pytest.mark.covers("H30", "I6")
async def test_ruth_hangs_up_in_the_middle_and_what_she_said_is_kept(house: House) -> None:
    voice = await house.sound_wav("booking_not_made", "en")
    async with house.phone("ruth") as ruth:
        await is_asked_to_speak(house, ruth, "en")
        await ruth.speaks(voice)
        await ruth.hangs_up()
    await house.until("the case is open", lambda: [c.state for c in house.rows(Case)] == ["open"])
    (recording,) = house.rows(Recording)
    assert listening.find(await sound_of(house, recording.id), listening.prompt(voice)) is not None
    await house.until("no plain copy is left", lambda: list(house.here.spool.iterdir()) == [])
    await house.until("the call is over", lambda: house.calls()[0].outcome == "left")


@pytest.mark.covers("H30", "I10")
async def test_the_ivr_is_killed_while_lucia_speaks_and_nothing_is_lost(house: House) -> None:
    voice = await house.sound_wav("booking_not_made", "es")
    async with house.phone("lucia") as lucia, house.phone("desk") as desk:
        await is_asked_to_speak(house, lucia, "es")
        await lucia.speaks(voice)
        old = house.children["ivr"]
        house.kill("ivr")
        await lucia.hears(await house.sound("apology", "es"))  # Asterisk lets nobody speak to a dead ivr
        await desk.rings()
        assert [case.state for case in house.rows(Case)] == ["draft"]
        await lucia.hangs_up()
        assert old is not None
        await house.restarted("ivr", old)
    await house.until("the sweep has sealed it", lambda: [c.state for c in house.rows(Case)] == ["open"], within=45)
    await house.until("no plain copy is left", lambda: list(house.here.spool.iterdir()) == [])


@pytest.mark.covers("H30", "H39")
async def test_who_says_nothing_is_asked_once_and_then_reaches_a_person(house: House) -> None:
    async with house.phone("lucia") as lucia, house.phone("desk") as desk:
        await is_asked_to_speak(house, lucia, "es")
        await lucia.hears(await house.sound("nothing_heard", "es"))
        await lucia.hears(await house.sound("feedback_speak.short", "es"))
        await desk.rings(within=30)
    assert [case.state for case in house.rows(Case)] == ["void", "void"]
    assert {recording.reason for recording in house.rows(Recording)} == {"no_audio"}
    assert list(house.here.spool.iterdir()) == []


@pytest.mark.covers("H9", "H10", "H33", "I10")
async def test_a_red_flag_with_no_nurse_free_stays_first_and_is_written(house: House) -> None:
    async with house.phone("ruth") as ruth, house.phone("lucia") as lucia, house.phone("desk") as desk:
        await reaches(house, ruth, "en", "0")
        assert RUTH.numbers[0] in await desk.rings()
        await reaches(house, lucia, "es", CARE + "11")  # which department; pain in the chest
        await lucia.hears(await house.sound("to_urgent", "es"))  # with the emergency number
        (flag,) = house.rows(Case)
        assert (flag.kind, flag.state, flag.detail) == ("red_flag", "open", "life_in_danger")
        old = house.children["ivr"]
        house.kill("ivr")
        await house.until("both wait", lambda: house.journal().count("queued") == 2, within=30)
        await desk.rejects(486)
        await desk.hung_up()
        assert LUCIA.numbers[0] in await desk.rings(), "before Ruth, who has waited longer"
        assert the_case(house).state == "open"
        assert old is not None
        await house.restarted("ivr", old)
        await lucia.hangs_up()
        await ruth.hangs_up()
    await house.no_channels()
    assert the_case(house).state == "open", "she was not reached: somebody must call"
    whom = [step.whom for step in house.rows(UrgentStep)]
    assert whom[:2] == ["nobody", "supervisors"], "it climbed by itself"
    async with console(house, "ana") as ana, console(house, "tom") as tom:
        assert "Life in danger" in (await ana.get("/cases")).text
        await ana.post(f"/cases/{flag.id}/own")
        await tom.post(f"/cases/{flag.id}/own", status=403)  # he has not answered her
        await ana.post(f"/cases/{flag.id}/note", text="Reached her daughter.")
        await ana.post(f"/cases/{flag.id}/close", outcome="reached")
    assert (the_case(house).state, the_case(house).outcome) == ("closed", "reached")


@pytest.mark.covers("H29")
async def test_lucia_rates_a_talk_after_tom_has_hung_up_and_is_asked_once_a_day(house: House) -> None:
    async with house.phone("lucia") as lucia, house.phone("tom") as tom, console(house, "tom") as toms_page:
        await toms_page.post("/presence/available")
        await _talks(house, lucia, tom)
        await tom.hangs_up()
        await lucia.hears(await house.sound("rating_score", "es"))
        await lucia.presses("2")
        await lucia.hears(await house.sound("rating_reason", "es"))
        await lucia.presses("3")
        await lucia.hears(await house.sound("rating_thanks_low", "es"))
        await lucia.hung_up()
        await house.no_channels()
        (rating,) = house.rows(Rating)
        assert (rating.score, rating.reason, rating.queue) == (2, "not_solved", "reception")
        assert [(case.kind, case.detail) for case in house.rows(Case)] == [("rating", "not_solved")]
        assert house.calls()[0].outcome == "answered"

        await toms_page.post("/presence/available")  # wrap-up is over
        await _talks(house, lucia, tom)
        await tom.hangs_up()
        await lucia.hung_up()  # not asked again today
    assert len(house.rows(Rating)) == 1
    async with console(house, "grace") as grace:
        assert "1 of 2" in (await grace.get("/ratings")).text, "asked of talked"


async def _talks(house: House, lucia: Phone, tom: Phone) -> None:
    await reaches(house, lucia, "es", "0")
    await tom.rings()
    await tom.answers()
    await house.until("Tom talks", lambda: [p.state for p in house.rows(ScreenPop)].count("answered") == 1)


@pytest.mark.covers("H29", "I10")
async def test_a_dead_ivr_after_a_talk_costs_nobody_a_second_queue(house: House) -> None:
    async with house.phone("lucia") as lucia, house.phone("tom") as tom, console(house, "tom") as toms_page:
        await toms_page.post("/presence/available")
        await _talks(house, lucia, tom)
        async with house.without_ivr():
            await tom.hangs_up()
            await lucia.hung_up()
    await house.no_channels()
    assert house.journal().count("queued") == 1


@pytest.mark.covers("H1", "H30")
async def test_grace_closes_the_telephones_and_ruth_leaves_a_message(house: House) -> None:
    notice = "There is a power cut in the hospital."
    voice = await house.sound_wav("booking_not_made", "en")
    async with console(house, "grace") as grace:
        notices = dict.fromkeys(house.settings.site.languages, "Hay un corte de luz en el hospital.")
        await grace.post("/opening/close", **{**notices, "en": notice})
        async with house.phone("ruth") as ruth:
            await reaches(house, ruth, "en", "0")
            await ruth.hears(await house.sound("closed_emergency", "en", notice=notice), within=30)
            await ruth.hears(await house.sound("unattended_choice", "en"), within=30)
            await ruth.presses("2")
            await ruth.hears(await house.sound("voicemail_speak", "en"), within=30)
            await ruth.hears(house.here.sounds / "beep.sln16")
            await ruth.speaks(voice)
            await ruth.presses("#")
            await ruth.hears(await house.sound("voicemail_kept", "en"))
            await ruth.hears(await house.sound("goodbye", "en"))
            await ruth.hung_up()
        assert [(case.kind, case.state) for case in house.rows(Case)] == [("message", "open")]
        await house.until("the call is over", lambda: house.calls()[0].outcome == "message")
        await grace.post("/opening/open")
    with house.database.transaction() as session:
        assert opening.current(session) is None
        assert [row.action for row in audit.newest(session, limit=50) if row.action.startswith("opening.")] == [
            "opening.reopened",
            "opening.closed",
        ]
