"""One question in three wordings: as the nurse reads it on her form, as the machine asks it, as a text message has it.

A question and an answer may have words of their own for a voice (`voice`) and for a text message (`sms`).
"""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from hospital import followups, questionnaires
from hospital.database import Database
from ivr.front_desk import FrontDesk
from messages.talking import next_question
from scripts import texting, wording
from scripts.filling import Filling
from scripts.questionnaire_files import kept
from tests import test_survey_dialogue
from tests.characters import RUTH
from tests.console_app import Site
from tests.console_app import words as words_of
from tests.moments import NOON
from tests.test_care_dialogues import front, shelf, words
from tests.test_filling import questionnaire
from tests.test_survey_dialogue import answers, asked, due

__all__ = ["front", "shelf", "words"]

FORM, VOICE, SMS = "Dyspnoea at rest (NYHA)", "Are you short of breath when you sit still?", "Breathless at rest?"
WALKING_FORM, WALKING_VOICE, WALKING_SMS = "On exertion only", "Only when I walk or climb stairs", "Only walking"
ASKED = questionnaire(
    {
        "linkId": "breath",
        "type": "choice",
        "required": True,
        "text": {"en": FORM},
        "voice": {"en": VOICE},
        "sms": {"en": SMS},
        "answerOption": [
            {"code": "no", "text": {"en": "No"}},
            {
                "code": "walking",
                "text": {"en": WALKING_FORM},
                "voice": {"en": WALKING_VOICE},
                "sms": {"en": WALKING_SMS},
            },
        ],
    },
    title={"en": "Breath"},
)
EVERY = {FORM, VOICE, SMS, WALKING_FORM, WALKING_VOICE, WALKING_SMS}


def only(these: set[str], told: str) -> bool:
    return {one for one in EVERY if one in told} == these


@pytest.mark.covers("H15", "H20")
async def test_the_nurses_form_has_its_own_words(database: Database, tmp_path: Path) -> None:
    site = Site(database, tmp_path)
    with database.transaction() as session:
        made = questionnaires.publish(session, "q", json.loads(ASKED.body), ASKED.sha256, NOON)
        task = followups.plan(
            session,
            patient_id=site.joao.id,
            questionnaire_id=made.id,
            reason="survey",
            due_at=NOON - timedelta(hours=1),
            owner_id=site.staff["ana"].id,
        )
    async with site.signed_in("ana") as ana:
        page = words_of((await ana.get(f"/followups/{task.id}")).text)
    assert only({FORM, WALKING_FORM}, page)


@pytest.mark.covers("H20", "H28")
async def test_the_machine_asks_in_words_for_a_voice(
    front: FrontDesk, words: wording.Wording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(test_survey_dialogue.OURS, "breath", ASKED)
    task = due(front, "breath", RUTH)
    told = await asked(front, words, task, "2", RUTH)
    assert only({VOICE, WALKING_VOICE}, told), told
    assert answers(front, task) == {"breath": "walking"}


@pytest.mark.covers("H20")
@pytest.mark.parametrize("reply", ["2", WALKING_SMS.upper(), WALKING_FORM])
def test_a_text_message_has_words_of_its_own_and_any_are_an_answer(reply: str, words: wording.Wording) -> None:
    filling = Filling(kept(json.loads(ASKED.body)), {})
    found = next_question(filling, words, "en")
    assert found is not None
    place, text = found
    assert only({SMS, WALKING_SMS}, text), text
    assert texting.value(filling, place, reply) == "walking"
