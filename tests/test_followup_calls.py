"""Nurse Ana works the follow-up list: real phones, real signalling, a real recording."""

import asyncio
import io
import wave

import pytest
from sqlalchemy import select

from hospital import audit, followups
from hospital.attempts import Attempt
from hospital.followups import FollowUpTask
from hospital.patients import Patient
from hospital.recordings import Recording
from hotline import demo, wiring
from tests.console import Console, console
from tests.house import House
from tests.phone import Phone
from tests.test_supervisor import hotline

pytestmark = pytest.mark.asterisk


def task_of(house: House, who: str) -> FollowUpTask:
    with house.database.transaction() as session:
        for task in session.scalars(select(FollowUpTask)):
            if session.get_one(Patient, task.patient_id).name == demo.NAMES[who]:
                return task
    raise AssertionError(f"{who} has no follow-up task")


def attempt(house: House) -> Attempt:
    return house.rows(Attempt)[-1]


def sentence(house: House, task: FollowUpTask, rest: str) -> str:
    """`18:10, first number, try 2 of 3`: how the end of the next try's sentence reads, by the hospital's clock."""
    assert task.next_try_at is not None and task.next_try_at > wiring.now()
    return f"{task.next_try_at.astimezone(wiring.zone(house.settings)):%H:%M}, {rest}"


async def ana_calls(house: House, page: Console, ana: Phone, who: str) -> FollowUpTask:
    """She starts the call and picks up her own phone; then the patient's is dialled."""
    task = task_of(house, who)
    await page.post(f"/followups/{task.id}/start")
    await ana.rings()
    await ana.answers()
    return task


@pytest.mark.covers("H13", "H14", "H16", "H17", "H21", "I3", "I5", "I6")
async def test_ana_calls_joao_and_writes_it_down(house: House) -> None:
    async with house.phone("ana") as ana, house.phone("joao") as joao, console(house, "ana") as page:
        assert "João Souza" in (await page.get("/followups")).text
        task = await ana_calls(house, page, ana, "joao")
        await joao.rings()
        await joao.answers()
        await house.until("they talk", lambda: attempt(house).state == "talking")
        form = f"/followups/{task.id}"
        await page.post(f"{form}/call/record", status=409)  # first who he is
        await page.post(f"{form}/ticks/name", on="on")
        await page.post(f"{form}/ticks/birth_date", on="on")
        await page.post(f"{form}/call/record")  # the notice has been spoken
        await joao.speaks(await house.sound_wav("goodbye", "en"))
        await page.post(f"{form}/all-normal")
        await page.post(f"{form}/answers/pain", value="9")
        await page.post(f"{form}/flags/raise")  # the pain of 9
        await page.post(f"{form}/summary", status=204, summary="Pain at night; asked to come in.")
        await page.post(f"{form}/result/completed")
        await page.post(f"{form}/call/hang-up")
        await joao.hung_up()
        await house.until("it is sealed", lambda: house.rows(Recording)[0].state == "sealed", within=30)
        (recording,) = house.rows(Recording)
        assert recording.seconds is not None
        await house.until("no plain copy is left", lambda: not list(house.here.spool.iterdir()), within=30)
        with house.database.transaction() as session:
            assert followups.answers(session, task.id)["pain"] == 9

        heard = await page.get(f"/recordings/{recording.id}/sound")
        with wave.open(io.BytesIO(heard.content)) as sound:
            assert abs(sound.getnframes() / sound.getframerate() - recording.seconds) < 0.5
    await _replay(house, recording)
    await house.no_channels()


async def _replay(house: House, recording: Recording) -> None:
    """Grace finds it and jumps to the middle; Oscar is refused; a flipped bit is found."""
    async with console(house, "grace") as grace, console(house, "oscar") as oscar:
        assert str(recording.id) in (await grace.get("/recordings")).text
        part = await grace.get(f"/recordings/{recording.id}/sound", status=206, Range="bytes=20000-29999")
        assert len(part.content) == 10_000
        assert "<strong>Ana" in (await grace.get(f"/recordings/{recording.id}/heard")).text  # before her
        await oscar.get(f"/recordings/{recording.id}/sound", status=403)
        assert recording.path is not None
        sealed = house.here.recordings / recording.path
        whole = bytearray(sealed.read_bytes())
        whole[len(whole) // 2] ^= 1
        sealed.write_bytes(whole)
        shown = (await grace.post(f"/recordings/{recording.id}/verify")).text
        assert "damaged" in shown.lower() or "not as it was sealed" in shown.lower()
    found = await asyncio.to_thread(hotline, house, "verify")
    assert found.returncode == 1
    assert "sound" in found.stdout.splitlines()[0]
    assert str(recording.id) in found.stdout and "1 sealed, 1 damaged" in found.stdout
    with house.database.transaction() as session:
        assert any(row.action == "denied" for row in audit.newest(session))
        assert audit.verify(session).sound


@pytest.mark.covers("H18", "I3", "I5")
async def test_mei_is_busy(house: House) -> None:
    async with house.phone("ana") as ana, house.phone("mei") as mei, console(house, "ana") as page:
        await mei.replies_at_once(486)
        task = await ana_calls(house, page, ana, "mei")
        await ana.hung_up(within=20)
        await house.until("it is settled", lambda: attempt(house).state == "ended")
        assert attempt(house).line_result == "busy"
        again = task_of(house, "mei")
        assert again.state == "open"
        shown = (await page.get(f"/followups/{task.id}")).text
        assert "Busy" in shown and sentence(house, again, "first number, try 2 of 3") in shown


@pytest.mark.covers("H18", "I3", "I5")
async def test_ruths_phone_rings_out(house: House) -> None:
    async with house.phone("ana") as ana, house.phone("ruth") as ruth, console(house, "ana") as page:
        await ana_calls(house, page, ana, "ruth")
        await ruth.rings()
        await ana.hung_up(within=40)
        await house.until("it is settled", lambda: attempt(house).state == "ended")
        assert (attempt(house).line_result, attempt(house).rang) == ("no_answer", True)
        again = task_of(house, "ruth")
        assert (again.state, again.tries) == ("open", 1)
        assert sentence(house, again, "first number, try 2 of 3") in (await page.get("/followups")).text


@pytest.mark.covers("H18")
async def test_a_stranger_answers(house: House) -> None:
    async with house.phone("ana") as ana, house.phone("joao") as joao, console(house, "ana") as page:
        task = await ana_calls(house, page, ana, "joao")
        await joao.rings()
        await joao.answers()
        await house.until("they talk", lambda: attempt(house).state == "talking")
        await page.post(f"/followups/{task.id}/result/wrong_person")
        await page.post(f"/followups/{task.id}/call/hang-up")
        await joao.hung_up()
        await house.until("it is over", lambda: attempt(house).state == "ended")
        assert (attempt(house).line_result, attempt(house).contact_result) == ("answered", "wrong_person")
        again = task_of(house, "joao")
        assert (again.state, again.next_number_rank) == ("open", 2)  # the second number, and never the first again
        assert [row.reason for row in house.rows(Recording)] == ["not_started"]


@pytest.mark.covers("I3", "I10")
async def test_the_core_is_killed_while_joaos_phone_rings(house: House) -> None:
    async with house.phone("ana") as ana, house.phone("joao") as joao, console(house, "ana") as page:
        await ana_calls(house, page, ana, "joao")
        await joao.rings()
        old = house.children["core"]
        assert old is not None
        house.kill("core")
        await house.restarted("core", old)
        await joao.answers()
        await house.until("they talk", lambda: attempt(house).state == "talking", within=15)
        assert len(house.rows(Attempt)) == 1  # never dialled twice
        await joao.hangs_up()
        await house.until("it is over", lambda: attempt(house).state == "ended")
        assert attempt(house).line_result == "answered"
    await house.no_channels()
