"""Calls in a language that no voice speaks and of which all that can be recorded has been: Wiremu's, in Māori. Golden
transcripts in tests/golden_recorded/.

What is the same for every caller is heard in it. What has a value in it (a name, a day, a doctor, a number) nobody can
have recorded: a person takes over there, or English says it where nobody would come. That the recordings are what is
played is shown with real ones in tests/test_recorded_language.py.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace

import pytest

from hospital.booking import OwnDesk
from hospital.database import Database
from hotline import postgres, wiring
from hotline.caller_joints import SqlJournal
from hotline.settings_file import DEMO, build
from ivr.call import Call
from ivr.front_desk import FrontDesk
from ivr.terminal import rehearse, scripted
from scripts import wording
from scripts.placeholders import Value
from tests.characters import WIREMU
from tests.conftest import renewed
from tests.moments import NOON, ZONE
from tests.test_dialogues import somebody_is_on_duty, words
from tests.transcripts import PROMPTS, Said, is_golden, there

__all__ = ["words"]

LANGUAGE = "mi"


@dataclass(frozen=True)
class Scene:
    """`presses` as in tests/test_dialogues.py; 5 is Māori."""

    presses: str
    dialogue: str = "inbound"


SCENES = {
    "goes_through_the_menus": Scene("5,3,#,1,#,4,#,5,#,0"),
    "asks_for_urgent_help": Scene("5,9"),
    "says_nothing": Scene("5,,,"),
    "presses_what_means_nothing": Scene("5,6,6,6"),
    "hears_it_again_and_more_slowly": Scene("5,*,7,0"),
    "goes_on_in_english": Scene("5,8,1,5,2"),
    "wants_an_appointment": Scene(f"5,1,1,{WIREMU.birth_keys}"),
    "wants_an_appointment_and_types_no_date": Scene("5,1,1,31021952,,,"),
    "wants_results": Scene(f"5,2,{WIREMU.birth_keys}"),
    "asks_which_department": Scene("5,4,1"),
    "asks_for_a_nurse": Scene("5,4,2"),
    "asks_when_it_is_open": Scene("5,3,1"),
    "is_called_back": Scene("1", dialogue="callback"),
}


class Recorded(Said):
    """With all sentences of the language that can be recorded."""

    def __init__(self, words: wording.Wording) -> None:
        super().__init__(words)
        self._recorded = words

    def text(self, key: str, language: str, /, **params: Value) -> str:
        can_speak = self._recorded.sayable(key, language)
        sentence = self._recorded.sentence(key, language, params, can_speak=can_speak)
        self._names.setdefault(sentence.language, set()).add(key.partition(".")[0])
        return sentence.text


@pytest.fixture
def front(cluster: postgres.Cluster, demo_template: str, words: wording.Wording) -> Iterator[FrontDesk]:
    with renewed(cluster, demo_template) as url, closing(Database(url, connections=4)) as database:
        somebody_is_on_duty(database)
        made = wiring.front_desk(build(DEMO), database, words)
        spoken = {*made.language_keys.values()}
        yield replace(made, now=lambda: NOON, desk=OwnDesk(database, zone=ZONE), spoken=spoken)


@pytest.mark.covers("H11", "H12", "H39")
@pytest.mark.parametrize("name", SCENES)
async def test_the_transcript_is_the_golden_one(name: str, front: FrontDesk, words: wording.Wording) -> None:
    scene, number = SCENES[name], WIREMU.numbers[0]
    journal = SqlJournal(front.database, "terminal-1", "terminal", number, lambda: NOON)
    await journal.begin()

    async def dialogue(call: Call) -> None:
        call.sayable = words.sayable
        await wiring.DIALOGUES[scene.dialogue](call, front)

    said = Recorded(words)
    transcript = await rehearse(
        dialogue,
        said,
        scripted(scene.presses.split(",")),
        language=LANGUAGE,
        caller_number=number,
        journal=journal,
        house=wiring.house_keys(front),
    )
    told = said.under(transcript)
    is_golden(told, "golden_recorded", LANGUAGE, name)
    recorded = {key.partition(".")[0] for key in words.whole_call(LANGUAGE) or ()}
    (heard,) = [line for line in told.splitlines() if line.startswith(f"{PROMPTS}{LANGUAGE}: ")]
    assert set(heard.partition(": ")[2].split()) <= recorded


def test_every_golden_transcript_has_its_scene() -> None:
    assert there("golden_recorded") == {(LANGUAGE, name) for name in SCENES}
