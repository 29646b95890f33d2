"""On the real telephone: an automatic call asks, the answer asks for a visit, and it is booked in the same call."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import delete

from hospital import answer_rules, followups, questionnaires, surveys
from hospital.appointments import Hold
from hospital.attempts import Attempt
from hospital.followups import FollowUpTask
from hospital.outbox import OutboxRow
from hotline import wiring
from scripts.placeholders import Names
from tests.characters import LUCIA
from tests.house import House
from tests.phone import Phone
from tests.scenes import openings
from tests.test_filling import question, questionnaire

pytestmark = pytest.mark.asterisk

TITLE = {"en": "Your blood pressure", "es": "Su presión"}
ABOVE = {
    "id": "above-aim",
    "text": {"en": "Above the aim"},
    "question": "systolic",
    "operator": ">=",
    "answer": 150,
    "then": {"sooner": "2 weeks", "revisit": "cardiology"},
}
ASKED = questionnaire(
    question("systolic", required=True, minValue=60, maxValue=260) | {"text": {"en": "Upper?", "es": "¿Alta?"}},
    title=TITLE,
    answerRule=[ABOVE],
)


@contextmanager
def due(house: House) -> Iterator[None]:
    """Inside the block an automatic call is due; what it has made is gone afterwards."""
    now = wiring.now()
    with house.database.transaction() as session:
        made = questionnaires.publish(session, "q", json.loads(ASKED.body), ASKED.sha256, now)
        task = followups.plan(
            session,
            patient_id=house.patient("lucia").id,
            questionnaire_id=made.id,
            reason="survey",
            due_at=now - timedelta(hours=1),
        )
        task.channel = surveys.CHANNEL
    try:
        yield
    finally:
        with house.database.transaction() as session:
            session.execute(delete(FollowUpTask).where(FollowUpTask.reason.in_(("survey", "answer_rule"))))


@pytest.mark.covers("H14", "H23", "H34", "I2", "I5")
async def test_lucia_is_asked_by_the_machine_and_books_a_visit_in_the_same_call(house: House) -> None:
    names = (await openings(house))[0].department_names
    async with house.phone("lucia") as lucia:
        with due(house):
            await books(house, lucia, names)


async def books(house: House, lucia: Phone, names: Names) -> None:
    await lucia.rings()
    await lucia.answers()
    await lucia.hears(await house.sound("outgoing_greeting", "es", given_name="Lucía"))
    await lucia.presses("1")
    await lucia.hears(await house.sound("ask_birth_date", "es"))
    await lucia.presses(LUCIA.birth_keys)
    await lucia.hears(await house.sound("survey_intro", "es", answer=TITLE))
    await lucia.hears(await house.sound("survey_type_number", "es", low=60, high=260))
    await lucia.presses("155")
    await lucia.hears(await house.sound("survey_read_back", "es", given=155))
    await lucia.presses("1")
    await lucia.hears(await house.sound("survey_visit", "es", department=names))
    await lucia.presses("1")
    await lucia.hears(await house.sound("offer_slots_intro", "es", department=names))
    await lucia.presses("1")
    await lucia.hears(await house.sound("read_back", "es", department=names))
    assert house.rows(Hold)
    await lucia.presses("1")
    await lucia.hears(await house.sound("outgoing_goodbye", "es"))
    assert await lucia.hung_up() == 200
    await house.until("it is settled", lambda: [one.state for one in house.rows(Attempt)] == ["ended"])
    (attempt,) = house.rows(Attempt)
    assert (attempt.line_result, attempt.contact_result) == ("answered", "completed")
    assert len(house.appointments(of="lucia")) == 1
    assert {row.key for row in house.rows(OutboxRow)} == {"appointment_confirmed"}
    task = next(one for one in house.rows(FollowUpTask) if one.id == attempt.task_id)
    assert task.state == "done"
    with house.database.transaction() as session:
        assert not answer_rules.waits(session, task.id)
    await house.no_channels()
