"""A patient answers by voice: a real phone that speaks, the real Asterisk, the whole house, whisper as its ears.

Callers have natural voices that no prompt is spoken with (`callers.py`).
"""

import asyncio
import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hospital import followups
from hospital.booking import Appointment
from hospital.callbacks import Callback
from hospital.calls import CallStep
from hospital.cases import Case
from hospital.followups import FollowUpTask
from hospital.hearing import Hearing
from hospital.transcripts import Transcript
from hotline import processes
from ivr.understanding import WORTH_ASKING
from speech.ears.whisper import ENOUGH
from tests import callers
from tests.asterisk_instance import free_address
from tests.characters import LUCIA
from tests.console import console
from tests.house import House
from tests.late import LATE, in_time
from tests.listening import line_noise
from tests.phone import Phone, PhoneFailed
from tests.scenes import asked_by_machine, doctor, openings, reaches

pytestmark = pytest.mark.asterisk

YES_OR_NO = ("heard_birth_date",)  # what is not sure of it is not read back


@pytest.fixture(scope="module")
def hearing_house(tmp_path_factory: pytest.TempPathFactory, whisper_model: Path) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("hearing-house")
    models = tmp_path_factory.mktemp("models")
    (models / "whisper").symlink_to(whisper_model)
    hears = {"EARS": "whisper", "MODELS": str(models), "PATIENCE_SECONDS": "20"}  # what is shown is that, not how fast
    house = House(folder, free_address(), **{f"HOTLINE_SPEECH__{name}": value for name, value in hears.items()})
    try:
        house.start()
        deadline = time.monotonic() + 120
        while "may answer by voice" not in (folder / "log" / "ivr.log").read_text():
            assert time.monotonic() < deadline, f"{LATE}: {(folder / 'log' / 'ivr.log').read_text()}"
            time.sleep(0.1)  # the model is loaded while calls are taken already
        yield house
    finally:
        house.stop()
        if "HOTLINE_KEEP" not in os.environ:  # set it to read the logs of a failed run
            shutil.rmtree(folder, ignore_errors=True)


async def says(words: str, language: str = "es") -> Path:
    """A caller's voice."""
    (file,) = (await callers.say([(language, callers.VOICES[language][0], words)])).values()
    return file


def spoken(house: House) -> list[tuple[str, str]]:
    """What was asked and understood, from the journal."""
    steps = sorted(house.rows(CallStep), key=lambda step: (step.at, step.seq))
    facts = [step.facts for step in steps if "speech" in step.facts]
    return [(fact["said"][0], fact["speech"]) for fact in facts]


JOAO = {
    "welcome": "em português",
    "main_menu": "marcar uma consulta",
    "appointments_menu": "ver um médico",
    "ask_birth_date": "vinte e quatro de dezembro de mil novecentos e sessenta e seis",
    "heard_birth_date": "sim, por favor",
    "choose_department": "cardiologia",
    "offer_slots_intro": "primeira opção",
    "read_back": "sim, por favor",
}


@pytest.mark.covers("H2", "H11", "H39", "I2")
async def test_joao_books_by_voice_alone(hearing_house: House) -> None:
    """From the welcome to a confirmed appointment without one key."""
    house = hearing_house
    house.reset()
    first = (await openings(house))[0]
    said = await callers.say([("pt-BR", callers.VOICES["pt-BR"][0], words) for words in JOAO.values()])
    ways = {words: file for (_, _, words), file in said.items()}
    async with house.phone("joao") as phone:
        await phone.dials("600")
        line = Listener(house)
        while (question := next_question(turns(house), list(JOAO))) is not None:
            await line.listens_anew()
            answered = len(turns(house))
            await phone.speaks(ways[JOAO.get(question, "sim, por favor")])
            await house.until(f"{question} is answered", lambda had=answered: len(turns(house)) > had, within=40)
        await phone.hears(await house.sound("booked", "pt-BR"), within=40)
        told = {"when": first.starts_at, "doctor": doctor(first, "pt-BR")}
        await phone.hears(await house.sound("time_with_doctor", "pt-BR", **told))
        await phone.hangs_up()
    assert house.appointments(of="joao") == [house.local(first)]
    assert not any("key" in turn or "digits" in turn for turn in turns(house))
    await house.no_channels()
    written = str(turns(house)) + (house.folder / "log" / "ivr.log").read_text()
    assert not re.search(r"(?<!\d)(2412)?1966(?!\d)|cardiologia|dezembro", written)


def turns(house: House) -> list[dict[str, Any]]:
    """What the journal says of each question that was answered, in order."""
    steps = sorted(house.rows(CallStep), key=lambda step: (step.at, step.seq))
    return [step.facts for step in steps if step.kind == "turn" and {"speech", "silence", "key"} & step.facts.keys()]


def next_question(answered: list[dict[str, Any]], order: list[str]) -> str | None:
    """What is asked after these turns; None when all of `order` has been. What was doubtful is read back."""
    at, doubtful = 0, False
    for turn in answered:
        label, margin = turn.get("speech"), turn.get("speech_margin", 0.0)
        sure = label is not None and margin >= ENOUGH["pt-BR"]
        if doubtful:
            doubtful, at = not sure, at + (label == "1" and sure)
        elif sure or order[at] == "ask_birth_date":
            at += 1
        else:
            doubtful = label is not None and margin >= WORTH_ASKING * ENOUGH["pt-BR"] and order[at] not in YES_OR_NO
    if len(answered) > 2 * len(order):
        raise PhoneFailed(f"João was not understood: {answered}")
    return "did_you_say" if doubtful else order[at] if at < len(order) else None


@pytest.mark.covers("H1", "H39")
async def test_a_recogniser_that_dies_in_mid_turn_costs_no_more_than_the_turn(hearing_house: House) -> None:
    house = hearing_house
    house.reset()
    said = await says("mis citas")
    async with house.phone("lucia") as phone:
        await phone.dials("600")
        await phone.hears(await house.sound("welcome", "es"))
        await phone.presses("2")
        await phone.hears(await house.sound("main_menu", "es"), within=30)
        worker = recogniser(house)
        with none_takes_its_place(house):
            os.kill(worker, signal.SIGSTOP)  # so that it is asked and cannot have answered
            await phone.speaks(said)
            os.kill(worker, signal.SIGKILL)
            await phone.hears(await house.sound("main_menu", "es"), within=50)  # the same question, by key
        await phone.presses("1")
        await phone.hears(await house.sound("appointments_menu", "es"), within=30)
        await phone.hangs_up()
    assert spoken(house) == []
    await house.no_channels()
    await house.until("the next one listens", lambda: [one.languages for one in house.rows(Hearing)] != [[]], within=90)


@contextmanager
def none_takes_its_place(house: House) -> Iterator[None]:
    """Inside the block no recogniser can be started: the next one would be asked again, and answer in time."""
    model = Path(house.environment["HOTLINE_SPEECH__MODELS"]) / "whisper"
    away = model.rename(model.with_name("away"))
    try:
        yield
    finally:
        away.rename(model)


@pytest.mark.covers("H28", "H33", "H39")
async def test_lucia_cries_for_help_in_mid_survey_and_no_nurse_is_free(hearing_house: House) -> None:
    house = hearing_house
    house.reset()
    alarm = await says("tengo mucho dolor en el pecho")
    with asked_by_machine(house) as task:
        async with house.phone("lucia") as lucia, house.phone("desk") as desk:
            await lucia.rings(within=30)
            await lucia.answers()
            await lucia.hears(await house.sound("outgoing_greeting", "es", given_name="Lucía"))
            await lucia.presses("1" + LUCIA.birth_keys)
            await house.until("she is asked", lambda: "identified" in house.journal(), within=30)
            line = Listener(house)
            await line.listens_anew()
            await lucia.presses("1")  # better
            await house.until("it is saved", lambda: "answered" in house.journal(), within=30)
            async with in_time(80, "she is to be connected"):
                while "transfer" not in house.journal():
                    if await line.has_turned():  # how much it hurts is asked, or whether it was understood
                        await lucia.speaks(alarm)
                    await asyncio.sleep(0.05)
            await lucia.hears(await house.sound("survey_nobody_free", "es"), within=40)
            await desk.rings(within=40)  # the fixed phone, since nobody is signed in
            (flag,), (callback,) = house.rows(Case), house.rows(Callback)
            assert (flag.kind, flag.state, flag.detail) == ("red_flag", "open", "urgent_voice")
            assert (callback.why, callback.number, callback.state) == ("red_flag", LUCIA.numbers[0], "open")
            await lucia.hangs_up()
        await house.no_channels()
        with house.database.transaction() as session:
            now = session.get_one(FollowUpTask, task.id)
            assert (now.channel, now.priority) == ("nurse_call", 1)
            assert followups.answers(session, task.id) == {"general": "better"}


@pytest.mark.covers("H1", "H39", "I10")
async def test_a_radio_that_never_stops_brings_a_person_and_does_nothing(hearing_house: House) -> None:
    """Nobody is at the telephone but a voice that talks on and on, about no hospital."""
    house = hearing_house
    house.reset()
    told = ("El tiempo para mañana: nubes en el norte y sol en el sur.", "Y ahora, la canción más pedida de la semana.")
    voices = await callers.say([("es", callers.VOICES["es"][0], sentence) for sentence in told])
    talk = np.concatenate([callers.samples(file) for file in voices.values()])
    radio = house.folder / "radio.sln16"
    radio.write_bytes((np.tile(talk, 3) * 32767).astype("<i2").tobytes())
    async with house.phone("lucia") as phone:
        await phone.dials("600")
        await phone.hears(await house.sound("welcome", "es"))
        playing = asyncio.create_task(_plays_on(phone, radio))
        try:
            await house.until("a person is to take it", lambda: house.calls()[-1].queue is not None, within=120)
            assert not playing.done(), "the call is still up"
        finally:
            playing.cancel()
        await phone.hangs_up()
    await house.until("the one who waited has left", lambda: house.calls()[-1].outcome == "abandoned")
    (call,), (callback,) = house.calls(), house.rows(Callback)
    assert (call.queue, call.patient_id) == ("reception", None)
    assert callback.why == "abandoned"
    assert house.rows(Appointment) == house.rows(Case) == []
    await house.no_channels()


@pytest.mark.covers("H1", "H39", "I10")
async def test_a_noisy_line_is_no_answer_and_its_keys_are(hearing_house: House) -> None:
    """A fan, a hum and crackle on the line from the first word on: a key is heard in them, and who says nothing then is
    queued to a person. Ten minutes of it at once are in tests/test_voice_turn.py."""
    house = hearing_house
    house.reset()
    noise = house.folder / "noise.sln16"
    noise.write_bytes((line_noise(20, 16_000) * 32767).astype("<i2").tobytes())
    async with house.phone("lucia") as phone:
        await phone.dials("600")
        playing = asyncio.create_task(_plays_on(phone, noise))
        try:
            await house.until("she is welcomed", lambda: house.calls() != [])
            await asyncio.sleep(3)  # into the noise
            await phone.presses("2")
            await house.until("the key is heard", lambda: "2" in keys(house), within=10)
            await phone.presses("1")
            await house.until("a person is to take it", lambda: house.calls()[-1].queue is not None, within=90)
            assert not playing.done(), "the call is still up"
        finally:
            playing.cancel()
        await phone.hangs_up()
    (call,) = house.calls()
    assert (call.queue, call.language, call.patient_id) == ("reception", "es", None)
    assert spoken(house) == [], "nobody has said anything"
    steps = [step.facts for step in sorted(house.rows(CallStep), key=lambda step: step.seq) if step.kind == "turn"]
    assert keys(house) == ["2", "1"]
    assert any("voice_hint" in facts["said"] for facts in steps), "it listened"
    silences = [facts["said"][0] for facts in steps if facts.get("silence")]
    assert silences == ["appointments_menu", "silence_short", "silence_other"]
    await house.no_channels()


def keys(house: House) -> list[str]:
    """What was answered by key, in order."""
    steps = sorted(house.rows(CallStep), key=lambda step: step.seq)
    return [step.facts["key"] for step in steps if "key" in step.facts]


async def _plays_on(phone: Phone, sound: Path) -> None:
    while True:
        await phone.speaks(sound)


@pytest.mark.covers("H30", "H39", "I7")
async def test_what_lucia_complains_of_is_written_down_for_grace(hearing_house: House) -> None:
    house = hearing_house
    house.reset()
    complaint = await says("Esperé dos horas en el pasillo y nadie me llamó.")
    async with house.phone("lucia") as lucia:
        await reaches(house, lucia, "es", "431")
        await lucia.hears(await house.sound("feedback_notice", "es"))
        await lucia.presses("1")
        await lucia.hears(house.here.sounds / "beep.sln16", within=40)
        await lucia.speaks(complaint)
        await lucia.presses("#")
        await house.until("the case is open", lambda: [case.state for case in house.rows(Case)] == ["open"])
        await lucia.hangs_up()
    await house.until("it is written down", lambda: transcripts_of(house) != [], within=120)
    (case,), (words,) = house.rows(Case), transcripts_of(house)
    assert "horas en el pasillo" in words
    async with console(house, "grace") as grace, console(house, "oscar") as oscar:
        assert "horas en el pasillo" in (await grace.get(f"/cases/{case.id}")).text
        await oscar.get(f"/cases/{case.id}", status=403)
    assert "pasillo" not in "".join(log.read_text() for log in (house.folder / "log").glob("*.log"))


def transcripts_of(house: House) -> list[str]:
    return [row.text for row in house.rows(Transcript) if row.text]


class Listener:
    """Knows which turns there were: Asterisk goes on to show a stream that has ended."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._known = ""

    async def listens_anew(self, within: float = 40) -> None:
        """Waits until another voice turn is under way: a sentence that asks nothing is not listened in."""
        deadline = time.monotonic() + within
        while not await self.has_turned():
            if time.monotonic() > deadline:
                raise PhoneFailed(f"nobody listens any more: {turns(self._house)[-3:]}")
            await asyncio.sleep(0.05)

    async def has_turned(self) -> bool:
        stream = await self._stream()
        if stream in ("", self._known):
            return False
        self._known = stream
        return True

    async def _stream(self) -> str:
        shown = await self._house.cli("core show channels concise")
        return shown.partition("!AudioSocket!")[2].partition(",")[0]


def recogniser(house: House) -> int:
    """The process that listens."""
    ivr = house.children["ivr"]
    assert ivr is not None
    (worker,) = (pid for pid in processes.descendants(ivr) if "speech.ears.worker" in command(pid))
    return worker


def command(pid: int) -> str:
    """Nothing of a process that has ended meanwhile, as a voice's."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
