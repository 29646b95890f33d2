"""The rules of tests/manners.py hold nobody to anything unless they can be broken."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotline import wiring
from hotline.settings_file import DEMO, build
from ivr import dialogues
from ivr.call import Call
from ivr.terminal import Transcript, rehearse, scripted
from ivr.turn import Keys, Prompt
from scripts import wording
from tests.manners import (
    ASKED_AS_IT_IS,
    BEFORE_IDENTITY,
    PROVED,
    asked_in_three_ways,
    five_choices_at_most,
    nothing_clinical_before_identity,
)
from tests.test_call import Words
from tests.transcripts import PROMPTS, TESTS
from tests.transcripts import heard as ever_heard


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


@pytest.mark.covers("H39")
@pytest.mark.parametrize(
    ("said", "lacks"),
    [
        (["main_menu", "repeat_hint"], None),
        (["confirm_slot"], None),
        (["goodbye"], "shorter"),
        (["survey_choices"], None),
        (["survey_speak"], "different"),
        (["survey_speak", "confirm_slot"], None),  # it is the whole question that differs
    ],
)
async def test_a_question_has_a_shorter_form_and_then_a_different_one(
    said: list[str], lacks: str | None, words: wording.Wording
) -> None:
    choices = [{"answer": "Well", "key": 1}, {"answer": "Badly", "key": 2}]
    prompts = [Prompt(name, **({"choices": choices} if name == "survey_choices" else {})) for name in said]
    turns = (await heard("12", *prompts)).turns
    if lacks is None:
        asked_in_three_ways(turns, words)
    else:
        with pytest.raises(AssertionError, match=f"has no {lacks} form in en"):
            asked_in_three_ways(turns, words)


def test_what_is_asked_as_it_is_is_asked() -> None:
    assert ASKED_AS_IT_IS.keys() <= ever_heard()["es"] | ever_heard()["en"]


# ── One verb ────────────────────────────────────────────────────────────────────────────────────────────────────────

DIALOGUES = Path(dialogues.__file__).parent
OFF_THE_VERB = {
    ("outgoing", "attend"): "who has picked up is heard in the sound, not in an answer",
    ("outgoing", "attended"): "as the one before",
    ("outgoing", "somebody_is_there"): "read by the dialplan if the ivr dies: a person is queued, a machine is not",
    ("outgoing", "forget_keys"): "a key pressed into the message is not the answer to the greeting that comes again",
    ("machine", "attend"): "a machine is known to be there, and its beep is waited for",
    ("machine", "attended"): "as the one before",
    ("throttled", "forget_keys"): "a wrong key among many is not a queue of wrong keys",
    ("attended", "forget_keys"): "what was typed ahead was meant for the question that 0 has left",
}
"""What a dialogue asks of the line itself, past `Call`, and why."""
THEIR_OWN = {
    *("ivr.call", "ivr.choosing", "ivr.front_desk", "ivr.leaving", "ivr.readings", "ivr.turn"),
    "ivr.desk_on_the_line",  # put before a dialogue by who holds it
}
"""Modules that a dialogue may know, beside other dialogues: none of them carries a call."""


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(DIALOGUES.glob("*.py")):
        yield path.stem, ast.parse(path.read_text(encoding="utf-8"))


def test_dialogues_keep_to_the_one_verb() -> None:
    """A line that streams its sound, a terminal, the next kind of line: a dialogue works on all of them."""
    found = {
        (name, node.attr)
        for name, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "line"
    }
    assert found == OFF_THE_VERB.keys()


def test_dialogues_know_no_line_and_catch_no_hang_up() -> None:
    caught = set()
    for name, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ivr"):
                assert node.module in THEIR_OWN or str(node.module).startswith("ivr.dialogues."), (name, node.module)
            if isinstance(node, ast.ExceptHandler) and "CallerLeft" in ast.dump(node.type or node):
                assert any(isinstance(one, ast.Raise) for one in node.body), f"{name} keeps a hang-up to itself"
                caught.add(name)
    assert caught == {"attended", "goodbye", "survey"}, "what was raised meanwhile is written first"
