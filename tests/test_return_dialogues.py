"""Lucía calls back: what she is offered, in every language, as transcripts without a PBX; and what becomes of the task.

As tests/test_dialogues.py, with golden transcripts in tests/golden_return/.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import attempts, caller_languages, followups, patients, questionnaires, return_calls, surveys
from hospital.attempts import Attempt
from hospital.calls import Call as CallRow
from hospital.followups import FollowUpTask
from hospital.patients import Patient
from hotline import wiring
from hotline.caller_joints import SqlJournal
from ivr.call import Call
from ivr.front_desk import FrontDesk
from ivr.terminal import rehearse, scripted
from scripts import wording
from tests.characters import LUCIA, RUTH
from tests.hospital_scene import POLICY
from tests.moments import NOON
from tests.test_care_dialogues import ana_is_on_duty
from tests.test_outgoing_dialogues import (
    CALL,
    an_appointment_tomorrow,
    clinic_suspended,
    front,
    lucia_of,
    words,
)
from tests.transcripts import Said, in_each, is_golden, there

__all__ = ["front", "words"]
ME = LUCIA.birth_keys
THIS_MORNING = NOON - timedelta(hours=3)
ANSWERS = "1,0#,1,1,36*8#,1,2,1,2,2"  # the day-3 questions, all well


def called(session: Session, task: FollowUpTask, at: Any = THIS_MORNING, number: str = LUCIA.numbers[0]) -> None:
    """The task was dialled on Lucía's number, and nobody picked up."""
    token = patients.number_token(number)
    found = session.scalars(select(patients.PhoneNumber).where(patients.PhoneNumber.token == token)).first()
    assert found is not None
    session.add(
        Attempt(
            task_id=task.id,
            patient_id=task.patient_id,
            number_id=found.id,
            number_token=token,
            account_id=None,
            channel_id=f"n1-{task.id.hex}",
            state="ended",
            line_result="no_answer",
            rang=True,
            claimed_at=at,
            dial_until=at + timedelta(hours=5),
            dialled_at=at,
            ended_at=at + timedelta(seconds=45),
        )
    )
    task.tries, task.next_try_at = 1, NOON + timedelta(days=1)
    session.flush()


def day_three(session: Session, channel: str, patient: Patient | None = None) -> FollowUpTask:
    asked = questionnaires.newest(session, "discharge-day3")
    assert asked is not None
    task = followups.plan(
        session,
        patient_id=(patient or lucia_of(session)).id,
        questionnaire_id=asked.id,
        reason="discharge_day_3",
        due_at=NOON - timedelta(days=1),
    )
    task.channel = channel
    called(session, task)
    return task


def the_machines(session: Session) -> None:
    day_three(session, surveys.CHANNEL)


def a_nurses(session: Session) -> None:
    ana_is_on_duty(session)
    day_three(session, "nurse_call")


def both(session: Session) -> None:
    the_machines(session)
    a_nurses(session)


def given_up(session: Session) -> None:
    task = day_three(session, surveys.CHANNEL)
    task.state, task.stop_reason, task.closed_at = "stopped", "not_reached", NOON


def a_reminder(session: Session) -> None:
    an_appointment_tomorrow(session)
    called(session, session.scalars(select(FollowUpTask).where(FollowUpTask.kind == "reminder")).one())


def a_suspension(session: Session) -> None:
    clinic_suspended(session)
    called(session, session.scalars(select(FollowUpTask).where(FollowUpTask.kind == "suspension")).one())


def her_childs(session: Session) -> None:
    child = patients.register(session, name="Mateo Fernández", birth=date(2018, 5, 4), language="es", numbers=[])
    child.guardian_id = lucia_of(session).id
    day_three(session, surveys.CHANNEL, child)


def somebody_elses(session: Session) -> None:
    ruth = next(one for one in session.scalars(select(Patient)) if one.name == RUTH.name)
    day_three(session, surveys.CHANNEL, ruth)


def long_ago(session: Session) -> None:
    task = day_three(session, surveys.CHANNEL)
    for attempt in attempts.of_task(session, task.id):
        attempt.dialled_at = NOON - timedelta(days=8)


def wrong_number(session: Session) -> None:
    task = day_three(session, surveys.CHANNEL)
    for attempt in attempts.of_task(session, task.id):
        attempt.line_result, attempt.contact_result = "answered", "wrong_person"


WOUND = "1,2#,1,2,1,2,2,2,1,2"  # some of the symptoms: a wound, for which a visit is offered


@dataclass(frozen=True)
class Scene:
    """`presses`: a row of keys for each question, "" for silence. `only` is for a scene that is one language's."""

    presses: str
    before: Callable[[Session], None]
    only: str | None = None


SCENES = {
    "the_machine_asks_now": Scene(f"1,{ME},{ANSWERS}", the_machines),
    "a_nurse_was_to_ask": Scene(f"1,{ME}", a_nurses),
    "the_machine_first_and_then_a_nurse": Scene(f"1,{ME},{ANSWERS}", both),
    "is_cut_off": Scene(f"1,{ME},3,2#", the_machines),
    "had_been_given_up": Scene(f"1,{ME},{ANSWERS}", given_up),
    "a_reminder_that_she_missed": Scene(f"1,{ME},1", a_reminder),
    "a_suspended_clinic": Scene(f"1,{ME},3,3", a_suspension),
    "for_her_child": Scene(f"1,{ME},2,{ANSWERS}", her_childs),
    "for_herself_and_it_was_her_childs": Scene(f"1,{ME},1,3", her_childs),
    "it_was_for_somebody_else": Scene(f"1,{ME}", somebody_elses),
    "something_else": Scene("2,3,1", the_machines),
    "says_nothing": Scene(",,,3", the_machines),
    "goes_back": Scene("1,#,3", the_machines),
    "a_person_instead": Scene("0", a_nurses),
    "is_somebody_else": Scene("1" + ",01011970,0000,1" * 2 + ",01011970,0000", the_machines),
    "we_called_long_ago": Scene("3", long_ago),
    "it_is_not_their_number": Scene("3", wrong_number),
    "reads_no_maori_by_voice": Scene(f"1,1,{ME}", a_nurses, only="mi"),
}


async def played(language: str, name: str, front: FrontDesk, words: wording.Wording) -> str:
    return await plays(SCENES[name], language, front, words)


async def plays(scene: Scene, language: str, front: FrontDesk, words: wording.Wording) -> str:
    with front.database.transaction() as session:
        scene.before(session)
        caller_languages.remember(session, LUCIA.numbers[0], language, NOON)
    journal = SqlJournal(front.database, CALL, "n1", LUCIA.numbers[0], lambda: NOON)
    await journal.begin()

    async def dialogue(call: Call) -> None:
        await wiring.DIALOGUES["inbound"](call, front)

    said = Said(words)
    transcript = await rehearse(
        dialogue,
        said,
        scripted(scene.presses.split(",")),
        language="en",
        caller_number=LUCIA.numbers[0],
        journal=journal,
        house=wiring.house_keys(front),
        call_id=CALL,
    )
    return said.under(transcript)


@pytest.mark.covers("H14", "H28")
@pytest.mark.parametrize(("language", "name"), in_each(SCENES))
async def test_the_transcript_is_the_golden_one(
    language: str, name: str, front: FrontDesk, words: wording.Wording
) -> None:
    is_golden(await played(language, name, front, words), "golden_return", language, name)


def test_every_golden_transcript_has_its_scene() -> None:
    assert there("golden_return") == set(in_each(SCENES))


def task_of(front: FrontDesk) -> FollowUpTask:
    """The one that the machine asks; the demo's own are nurses'."""
    with front.database.transaction() as session:
        rows = select(FollowUpTask).where(FollowUpTask.kind == "follow_up", FollowUpTask.channel == surveys.CHANNEL)
        return session.scalars(rows).one()


@pytest.mark.covers("H14", "H28")
@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("the_machine_asks_now", "done"),
        ("had_been_given_up", "done"),
        ("is_cut_off", "open"),
        ("something_else", "open"),
        ("it_was_for_somebody_else", "open"),
        ("for_her_child", "done"),
    ],
)
async def test_what_becomes_of_the_task(name: str, state: str, front: FrontDesk, words: wording.Wording) -> None:
    await played("es", name, front, words)
    task = task_of(front)
    assert (task.state, task.tries) == (state, 1)
    with front.database.transaction() as session:
        given = followups.answers(session, task.id)
        assert bool(given) == (name not in ("something_else", "it_was_for_somebody_else"))


@pytest.mark.covers("H14", "H23", "H33")
@pytest.mark.parametrize("before", [the_machines, given_up])
@pytest.mark.parametrize(
    ("presses", "priority", "last"),
    [(f"{WOUND},1,2,2,2", 5, "to_nurse"), ("1,9#,1", 1, "red_flag")],
    ids=["a visit was not booked", "a red flag"],
)
async def test_what_the_answers_ask_of_a_nurse_is_hers_although_she_called_back(
    before: Callable[[Session], None],
    presses: str,
    priority: int,
    last: str,
    front: FrontDesk,
    words: wording.Wording,
) -> None:
    with front.database.transaction() as session:
        before(session)
        task_id = session.scalars(select(FollowUpTask.id).where(FollowUpTask.channel == surveys.CHANNEL)).one()
    told = await plays(Scene(f"1,{ME},{presses}", lambda session: None), "es", front, words)
    with front.database.transaction() as session:
        task = session.get_one(FollowUpTask, task_id)
        assert (task.state, task.channel, task.priority) == ("open", "nurse_call", priority), told
        assert (task.tries, task.stop_reason, task.closed_at) == (0, None, None)
        assert followups.decisions(session, task_id)[-1].code == last


@pytest.mark.covers("H14")
async def test_the_nurse_finds_it_on_the_callers_call(front: FrontDesk, words: wording.Wording) -> None:
    await played("es", "a_nurse_was_to_ask", front, words)
    with front.database.transaction() as session:
        found = return_calls.of_call(session, CALL)
        assert found is not None and (found.channel, found.patient_id) == ("nurse_call", lucia_of(session).id)
        assert session.get_one(CallRow, CALL).reason == "returns_call"
        assert followups.decisions(session, found.id)[-1].code == "called_back"


@pytest.mark.covers("I4")
async def test_calling_back_is_no_contact_of_ours(front: FrontDesk) -> None:
    with front.database.transaction() as session:
        a_nurses(session)
        before = attempts.contacts(session, lucia_of(session).id, patients.number_token(LUCIA.numbers[0]), NOON)
        attempt = session.scalars(select(Attempt)).one()
        attempt.returned = True
    with front.database.transaction() as session:
        token = patients.number_token(LUCIA.numbers[0])
        assert len(before) == 1
        assert attempts.contacts(session, lucia_of(session).id, token, NOON) == []
    assert POLICY.cap_a_day == 1
