"""The rules of tests/manners.py hold nobody to anything unless they can be broken."""

import pytest

from hotline import wiring
from hotline.settings_file import DEMO, build
from ivr.call import Call
from ivr.terminal import Transcript, rehearse, scripted
from ivr.turn import Keys, Prompt
from scripts import wording
from tests.manners import BEFORE_IDENTITY, PROVED, five_choices_at_most, nothing_clinical_before_identity
from tests.test_call import Words
from tests.transcripts import PROMPTS, TESTS


@pytest.fixture(scope="module")
def words() -> wording.Wording:
    return wiring.words(build(DEMO))


async def heard(offered: str, *said: Prompt, proved: bool = False) -> Transcript:
    async def dialogue(call: Call) -> None:
        if proved:
            await call.journal.step("identified", by=["number", "birth_date"])
        await call.play(said, Keys(offered))

    return await rehearse(dialogue, Words(), scripted(["1"]))


@pytest.mark.covers("H39")
async def test_six_choices_are_too_many_however_they_are_offered() -> None:
    five_choices_at_most((await heard("12345", Prompt("colour"))).turns)
    five_choices_at_most((await heard("123456", Prompt("choose_language.short"))).turns)
    five_choices_at_most((await heard("0123456789*#")).turns)
    with pytest.raises(AssertionError, match=r"colour.*offers 123456"):
        five_choices_at_most((await heard("123456", Prompt("colour"))).turns)


@pytest.mark.covers("H5", "I7")
@pytest.mark.parametrize(
    "said",
    [
        Prompt("result_ready", department="cardiology", day="today"),
        Prompt("no_results"),
        Prompt("offer_slots_intro", department="cardiology"),
        Prompt("choose_doctor", choices=[{"doctor": "Vega", "key": 1}]),
        Prompt("survey_statement", asked="How is your wound?"),
        Prompt("confirm_cancel.short"),
    ],
    ids=lambda prompt: prompt.key,
)
async def test_what_is_somebodys_is_said_to_them_alone(said: Prompt, words: wording.Wording) -> None:
    nothing_clinical_before_identity(await heard("1", said, proved=True), words)
    with pytest.raises(AssertionError, match=f"{said.key.partition('.')[0]} is said"):
        nothing_clinical_before_identity(await heard("1", said), words)


@pytest.mark.parametrize("name", BEFORE_IDENTITY)
def test_each_exception_is_needed(name: str) -> None:
    """One that no scene has before identity would let a later one through."""
    for path in TESTS.glob("golden*/es/*.txt"):
        whole = path.read_text(encoding="utf-8")
        if PROVED not in whole and any(name in line.split() for line in whole.splitlines() if line.startswith(PROMPTS)):
            return
    raise AssertionError(f"{name} is said before identity in no scene")
