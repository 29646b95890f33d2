"""Fifty patients are called by the machine, twenty-five at a time, and answer a questionnaire by keypad."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from hospital import followups, patients, questionnaires, surveys
from hospital.attempts import Attempt
from hospital.followups import FollowUpTask
from hotline import wiring
from tests import outside
from tests.house import House

pytestmark = pytest.mark.asterisk

PATIENTS = 50
BIRTH, BIRTH_KEYS = date(1980, 2, 29), "29021980"
WHO = ((0.0, "1"), (3.0, BIRTH_KEYS))  # "it is me", once it was asked
REST = ((1.0, "1"), (1.0, "2"), (1.0, "2"), (1.0, "1"), (1.0, "2"), (1.0, "2"))  # so it is; nothing else is wrong
BETTER = ((3.0, "1"), (1.0, "2#"))
WORSE = ((3.0, "3"), (1.0, "4#"))
COMMON = {"temperature": None, "symptoms": ["none"], "medication": "all", "next-visit": None, "questions": None}


def everybody_is_due(site: House) -> dict[str, FollowUpTask]:
    """By number."""
    due_at = wiring.now() - timedelta(minutes=1)
    made = {}
    with site.database.transaction() as session:
        asked = questionnaires.newest(session, "discharge-day3")
        assert asked is not None
        for n in range(PATIENTS):
            number = outside.number(n)
            one = patients.register(session, name=f"Patient {n}", birth=BIRTH, language="es", numbers=[number])
            task = followups.plan(session, patient_id=one.id, questionnaire_id=asked.id, reason="survey", due_at=due_at)
            task.channel = surveys.CHANNEL
            made[number] = task
    return made


def states(site: House) -> Counter[tuple[str, str | None]]:
    with site.database.transaction() as session:
        rows = session.execute(
            select(FollowUpTask.state, Attempt.contact_result).outerjoin(Attempt, Attempt.task_id == FollowUpTask.id)
        )
        return Counter((state, result) for state, result in rows)


@pytest.mark.covers("H14", "H28", "I3")
async def test_fifty_patients_answer_by_keypad_and_each_answer_is_theirs(tmp_path: Path) -> None:
    outside.keys(tmp_path / "better.pcap", *WHO, *BETTER, *REST)
    outside.keys(tmp_path / "worse.pcap", *WHO, *WORSE, *REST)
    with outside.site(tmp_path, "answers_questions", lines=25) as (site, witness):
        tasks = everybody_is_due(site)
        whole = Counter({("done", "completed"): PATIENTS})
        await site.until("all have answered", lambda: states(site) == whole, within=150)
        await site.no_channels()
        with site.database.transaction() as session:
            answers = {number: followups.answers(session, task.id) for number, task in tasks.items()}
    assert {number: len(calls) for number, calls in witness.rang().items()} == dict.fromkeys(tasks, 1)
    better, worse = {"general": "better", "pain": 2, **COMMON}, {"general": "worse", "pain": 4, **COMMON}
    assert answers == {outside.number(n): worse if n % 2 else better for n in range(PATIENTS)}
