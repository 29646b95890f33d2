"""Fifty patients are called by the machine, twenty-five at a time, and answer a questionnaire by keypad.

    python -m benchmarks.bench_survey [--json]

SIPp is everybody: it picks up, and presses keys by the clock, as people do who know the menu. Each patient's answers
are compared with what was pressed, and each must have been rung once. The peer of the time is the keys' own: pressing
them takes so long if nobody is waited for.
"""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import select

from benchmarks import table
from benchmarks.table import Row
from benchmarks.whole_house import NETWORK
from hospital import followups, patients, questionnaires, surveys, vault
from hospital.attempts import Attempt
from hospital.followups import FollowUpTask
from hotline import wiring
from tests import outside
from tests.house import House
from tests.outside import Witness
from tests.site_key import SITE_KEY

PATIENTS, LINES = 50, 25
PATIENCE_S = 180.0
BIRTH, BIRTH_KEYS = date(1980, 2, 29), "29021980"
PICKED_UP_S = 4.0  # sipp/answers_questions.xml: before the first key
WHO = ((0.0, "1"), (3.0, BIRTH_KEYS))  # "it is me", once it was asked
REST = ((1.0, "1"), (1.0, "2"), (1.0, "2"), (1.0, "1"), (1.0, "2"), (1.0, "2"))  # so it is; nothing else is wrong
BETTER = (*WHO, (3.0, "1"), (1.0, "2#"), *REST)
WORSE = (*WHO, (3.0, "3"), (1.0, "4#"), *REST)
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


def settled(site: House) -> bool:
    """Everybody was called, and no call is under way."""
    rows = select(FollowUpTask.state, Attempt.state).outerjoin(Attempt, Attempt.task_id == FollowUpTask.id)
    with site.database.transaction() as session:
        states = Counter(state for _, state in session.execute(rows))
    return states == {"ended": PATIENTS}


def wrong(site: House, tasks: dict[str, FollowUpTask], witness: Witness) -> int:
    """Patients whose answers are not those that were pressed, or whose phone rang more or less than once."""
    better, worse = {"general": "better", "pain": 2, **COMMON}, {"general": "worse", "pain": 4, **COMMON}
    rang = witness.rang()
    with site.database.transaction() as session:
        return sum(
            followups.answers(session, task.id) != (worse if int(number[-1]) % 2 else better)
            or len(rang.get(number, ())) != 1
            for number, task in tasks.items()
        )


def seconds(keys: tuple[tuple[float, str], ...]) -> float:
    return PICKED_UP_S + sum(pause + outside.KEY_S * len(some) for pause, some in keys)


async def rows(folder: Path) -> list[Row]:
    outside.keys(folder / "better.pcap", *BETTER)
    outside.keys(folder / "worse.pcap", *WORSE)
    with outside.site(folder, "answers_questions", LINES) as (site, witness):
        tasks, began = everybody_is_due(site), time.monotonic()
        await site.until("everybody was called", lambda: settled(site), within=PATIENCE_S)
        took = time.monotonic() - began
        lost = 100 * wrong(site, tasks, witness) / PATIENTS
    alone = seconds(BETTER) * PATIENTS / LINES
    return [
        Row(f"survey of {PATIENTS}: not as pressed, or not rung once", None, lost, None, "%", limit=0.0),
        Row(f"survey of {PATIENTS}, {LINES} at a time", "the keys alone", took, alone, "s", at_most=2.0),
    ]


def main() -> int:
    os.environ.setdefault("HOTLINE_TEST_NETWORK", NETWORK)
    vault.unlock(SITE_KEY)
    folder = Path(tempfile.mkdtemp(prefix="bench-survey-"))
    folder.chmod(0o755)
    try:
        return table.show(asyncio.run(rows(folder)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
