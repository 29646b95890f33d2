"""Whoever hangs up on a call of ours, or on one that they return, at whatever step, leaves no hold and no half-truth.

As tests/test_hang_ups.py, with the scenes of tests/test_outgoing_dialogues.py, tests/test_return_dialogues.py and
tests/test_survey_dialogue.py, asked in a call of ours. When the line has ended no attempt is under way, and nobody is
called again for what they have answered, or have been given. Who is on call: tests/test_urgent_calls.py.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import answer_rules, attempts, caller_languages, followups, reminders, subjects
from hospital.appointments import Appointment
from hospital.attempts import Attempt
from hospital.calls import CallStep
from hospital.followups import FollowUpTask
from hotline import wiring
from hotline.caller_joints import SqlJournal
from ivr.call import Call, CallerLeft
from ivr.conversation import converse
from ivr.front_desk import FrontDesk
from ivr.terminal import TerminalJournal, Transcript, scripted
from scripts import wording
from tests import test_outgoing_dialogues, test_return_dialogues, test_survey_dialogue
from tests.characters import LUCIA
from tests.hospital_scene import POLICY
from tests.moments import NOON
from tests.test_care_dialogues import ana_is_on_duty
from tests.test_dialogues import lucia_of
from tests.test_hang_ups import (
    CALL,
    DroppedLine,
    OneTransaction,
    appointments_booked,
    database,
    dropped,
    front,
    is_whole,
    words,
)
from tests.test_outgoing_dialogues import ME, rings
from tests.transcripts import KEYS

__all__ = ["database", "dropped", "front", "words"]

NUMBER = LUCIA.numbers[0]
ASKED = (  # of the surveys: between them each kind of turn, as each deed of each costs a whole call
    "leaves_out_what_is_needed",
    "mood",
    "questions_under_each_number",
    "red_flag_with_nobody_there",
    "visit_booked",
    "visit_not_wanted",
)


@dataclass(frozen=True)
class Scene:
    """`begins` makes what is due, and has it dialled where we call. `state`: scenes with the same one begin alike."""

    presses: tuple[str, ...]
    dialogue: str
    state: str
    begins: Callable[[FrontDesk], None]


def _outgoing() -> Iterator[tuple[str, Scene]]:
    for name, scene in test_outgoing_dialogues.SCENES.items():

        def begins(front: FrontDesk, scene: test_outgoing_dialogues.Scene = scene) -> None:
            with front.database.transaction() as session:
                scene.due(session)
                session.flush()
                if not scene.inbound:
                    rings(session, scene.kind)
                if scene.rings is not None:
                    scene.rings(session)

        presses = tuple(scene.presses.replace("X", KEYS["en"]).split(",")) if scene.presses else ()
        state = f"{scene.due} {scene.rings} {scene.inbound}"
        yield f"calls {name}", Scene(presses, "inbound" if scene.inbound else "outgoing", state, begins)


def _returned() -> Iterator[tuple[str, Scene]]:
    for name, scene in test_return_dialogues.SCENES.items():
        if scene.only is not None:
            continue

        def begins(front: FrontDesk, scene: test_return_dialogues.Scene = scene) -> None:
            with front.database.transaction() as session:
                scene.before(session)
                caller_languages.remember(session, NUMBER, "es", NOON)

        yield f"returns {name}", Scene(tuple(scene.presses.split(",")), "inbound", f"{scene.before}", begins)


def _asked() -> Iterator[tuple[str, Scene]]:
    """The first call of each."""
    for name in ASKED:
        scene = test_survey_dialogue.SCENES[name]

        def begins(front: FrontDesk, scene: test_survey_dialogue.Scene = scene) -> None:
            test_survey_dialogue.due(front, scene.questionnaire, LUCIA)
            with front.database.transaction() as session:
                if scene.ana:
                    ana_is_on_duty(session)
                rings(session, "follow_up")

        presses = (*ME.split(","), *scene.presses[0].split(","))
        yield f"asks {name}", Scene(presses, "outgoing", f"{scene.questionnaire} {scene.ana}", begins)


SCENES = {**dict(_outgoing()), **dict(_returned()), **dict(_asked())}


@pytest.mark.covers("H6", "H14", "H28", "H34", "I1", "I3", "I5", "I10")
@pytest.mark.parametrize("name", SCENES)
async def test_a_hang_up_leaves_no_hold_no_attempt_and_no_half_truth(
    name: str,
    front: FrontDesk,
    database: OneTransaction,
    words: wording.Wording,
    dropped: set[tuple[object, ...]],
) -> None:
    scene = SCENES[name]
    front = replace(front, policy=POLICY)
    with database.undone():
        with database.transaction() as session:
            lucia_of(session).language = "es"
        scene.begins(front)
        whole = await _played(scene, None, front, database, words)
        for after, presses in enumerate(whole):
            place = (scene.state, scene.dialogue, scene.presses[:presses], after)
            if place not in dropped:
                dropped.add(place)
                assert len(await _played(scene, after, front, database, words)) == after


async def _played(
    scene: Scene, after: int | None, front: FrontDesk, database: OneTransaction, words: wording.Wording
) -> list[int]:
    """Plays the scene until the line drops, has the line ended, looks at what is left, and undoes it."""
    with database.undone():
        with database.transaction() as session:
            others = appointments_booked(session)
        told = Transcript()
        line = DroppedLine(wording.Heard(words), scripted(scene.presses), told, after)
        direction = "in" if scene.dialogue == "inbound" else "out"
        journal = SqlJournal(database, CALL, "n1", NUMBER, lambda: NOON, direction)
        await journal.begin()

        async def dialogue(call: Call) -> None:
            await wiring.DIALOGUES[scene.dialogue](call, front)

        call = Call(CALL, "n1", NUMBER, line, TerminalJournal(told, journal), "es", wiring.house_keys(front))
        with suppress(CallerLeft):
            await converse(call, dialogue)
        with database.transaction() as session:
            for attempt_id in session.scalars(select(Attempt.id).where(Attempt.state != "ended")):
                assert attempts.line_ended(session, attempt_id, "answered", NOON, POLICY)
        with database.transaction() as session:
            is_whole(session, told, others)
            _is_over(session)
        return line.deeds


def _is_over(session: Session) -> None:
    """What must be true of what the call was about."""
    steps = list(session.scalars(select(CallStep).where(CallStep.call_id == CALL).order_by(CallStep.seq)))
    kinds = [step.kind for step in steps]
    assert {attempt.state for attempt in session.scalars(select(Attempt))} <= {"ended"}, "an attempt is under way"
    tasks = list(session.scalars(select(FollowUpTask).where(FollowUpTask.id.in_(select(Attempt.task_id)))))
    assert "calling" not in {task.state for task in tasks}

    answered = {step.facts["item"] for step in steps if step.kind == "answered"}
    assert answered == {key for task in tasks for key in followups.answers(session, task.id)}, "answered, and not kept"
    whole = [step for step in steps if step.kind == "survey_ended" and step.facts["whole"]]
    done = [task for task in tasks if task.kind == "follow_up" and _is_done(session, task)]
    assert len(done) >= len(whole), "all was answered, and it will be asked again"

    for task in tasks:
        if "booked" in kinds and task.kind == "follow_up":
            assert answer_rules.offered(session, task.id) == [], "booked, and it will be offered again"
        if kinds.count("booked") + kinds.count("moved") and task.kind == "reminder":
            assert not reminders.still_wanted(session, task.id, NOON), "booked, and called for again"
    moved = session.scalars(select(Appointment).where(Appointment.moved_to.is_not(None)))
    assert {one.state for one in moved} <= {"cancelled"}, "the old appointment stands beside the new one"
    if "suspension_acknowledged" in kinds:
        suspended = session.scalars(select(FollowUpTask).where(FollowUpTask.kind == "suspension"))
        told = [task for task in suspended if subjects.is_settled(session, task.id, NOON)]
        assert len(told) >= len({s.facts["appointment"] for s in steps if s.kind == "suspension_acknowledged"})


def _is_done(session: Session, task: FollowUpTask) -> bool:
    """Or a nurse's, whom the answers ask for."""
    return task.state == "done" or answer_rules.waits(session, task.id)
