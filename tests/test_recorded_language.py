"""A language that no voice speaks: a call is held in it from recordings, and a person says what nobody can record."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hospital.calls import CallStep
from hotline import wiring
from ivr.call import Call, NoAnswer
from speech.takes import Takes
from speech.voices.espeak import Espeak
from tests.house import House
from tests.test_call import played
from tests.test_web_prompts import SITE, wording

WORDS = wording.load(SITE)


async def a_booking(call: Call) -> None:
    call.language, call.sayable = "mi", WORDS.sayable
    await call.menu("appointments_menu", keys="123")
    await call.menu("take_time", keys="12", n=1)


async def a_voicemail(call: Call) -> None:
    call.language, call.sayable = "mi", WORDS.sayable
    with call.without_a_person():
        await call.inform("callback_registered", number="600")
    await call.say("goodbye")
    try:
        await call.say("queue_place", n=2)
    except NoAnswer:
        raise AssertionError("a person who is needed is no failure of the caller's") from None


@pytest.mark.covers("H11", "H39")
async def test_a_person_says_what_cannot_have_been_recorded() -> None:
    assert await played(a_booking, "1,2") == [
        "hotline: appointments_menu (mi)",
        "caller: 1",
        "then: queue reception",
        "journal: transfer queue=reception reason=not_recorded",
        "hotline: to_person (mi)",
    ]


@pytest.mark.covers("H11")
async def test_english_says_it_where_nobody_is_there() -> None:
    assert await played(a_voicemail, "") == [
        "hotline: callback_registered (mi) number=600",
        "hotline: goodbye (mi)",
        "then: queue reception",
        "journal: transfer queue=reception reason=not_recorded",
        "hotline: to_person (mi)",
    ]


def test_what_is_sayable_where() -> None:
    assert WORDS.sayable("main_menu.short", "mi") and not WORDS.sayable("take_time", "mi")
    assert WORDS.sayable("take_time", "es")
    assert not WORDS.sayable("opening_hours", "mi"), "the hospital's own sentences may not be written in every language"


@pytest.fixture
def recorded(house: House) -> Iterator[Path]:
    """Māori as it stands in the house: nothing. What a test records is taken away again."""
    folder = house.here.sounds / "recorded" / "mi"
    yield folder
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


@pytest.mark.asterisk
@pytest.mark.covers("H11", "H12", "H39")
async def test_wiremu_is_served_in_maori_from_the_moment_the_last_sentence_is_approved(
    house: House, recorded: Path
) -> None:
    """In a house that runs. The sounds are a machine's and stand for Hana's voice in this test alone."""
    takes, said = Takes(recorded.parent), wiring.words(house.settings)
    sentences = said.whole_call("mi")
    assert sentences is not None
    for key, text in sentences.items():
        take = takes.keep("mi", key, await Espeak().say(text, "es", 1.0), text, "hana", wiring.now())
        if key != "goodbye":
            takes.approve("mi", key, take.digest, "Hana Rangi", "hana", wiring.now())
    async with house.phone("wiremu") as phone:
        await phone.dials("600")
        await phone.hears(await house.sound("choose_language", "mi"), within=60)
        await phone.presses("5")
        await phone.hears(await house.sound("language_not_spoken", "mi"), within=30)
        await phone.hangs_up()
    house.reset()
    last = takes.of("mi", "goodbye").new
    assert last is not None and takes.approve("mi", "goodbye", last.digest, "Hana Rangi", "hana", wiring.now())
    async with house.phone("wiremu") as phone:
        await phone.dials("600")
        await phone.hears(await house.sound("choose_language", "en"), within=60)
        await phone.presses("5")
        await phone.hears(await house.sound("main_menu", "mi"), within=30)
        await phone.presses("4")
        await phone.hears(await house.sound("care_menu", "mi"), within=30)
        await phone.presses("1")  # which department: the table's questions are the hospital's, and nobody recorded them
        await phone.hears(await house.sound("to_person", "mi"), within=30)
        await phone.hangs_up()
    steps = [step for step in house.rows(CallStep) if step.kind == "transfer"]
    assert [step.facts for step in steps] == [{"queue": "nurses", "reason": "not_recorded"}]
    await house.no_channels()
