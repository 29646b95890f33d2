"""Questionnaires that the machine asks, as transcripts without a PBX.

As tests/test_care_dialogues.py, with golden transcripts in tests/golden_survey/.
"""

import json
import os
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from hospital import answer_rules, attempts, calls, followups, patients, questionnaires, surveys, text_steps
from hospital.appointments import Appointment, Hold
from hospital.attempts import Attempt
from hospital.callbacks import Callback
from hospital.cases import Case, Teller
from hospital.clocks import Due
from hospital.followups import FollowUpTask
from hospital.outbox import OutboxRow
from hospital.patients import Patient
from hospital.surveys import RedFlag
from hotline import wiring
from hotline.caller_joints import SqlJournal
from ivr.call import Call
from ivr.dialogues.attended import attended
from ivr.dialogues.survey import survey
from ivr.front_desk import FrontDesk
from ivr.phrasebook import Phrasebook
from ivr.readings import SpokenNumber
from ivr.terminal import rehearse, scripted
from ivr.turn import DigitsOf
from scripts import wording
from scripts.questionnaire_files import load_questionnaires
from tests.characters import LUCIA, RUTH, Character
from tests.hospital_scene import POLICY
from tests.moments import NOON
from tests.test_care_dialogues import ana_is_on_duty, everything, front, shelf, words
from tests.test_filling import FEVERS, SYMPTOMS, options, question, questionnaire, when
from tests.test_outgoing_dialogues import CALL, lucia_of, rings
from tests.test_words_between import BETWEEN
from tests.transcripts import KEYS, TESTS, Said, in_each, is_golden, there

__all__ = ["front", "shelf", "words"]


SHAPES = questionnaire(
    {"linkId": "d", "type": "display", "text": {"en": "W."}},
    question("many", "choice", required=True, answerOption=options(*"abcdefghijkl")),
    question("all", "choice", repeats=True, required=True, answerOption=options(*"abcdefghijklmno")),
    question("fact", initial=4, readOnly=True),
    {
        "linkId": "outer",
        "type": "group",
        "repeats": True,
        "required": True,
        "text": {"en": "V"},
        "item": [
            question("at", "dateTime", required=True),
            {
                "linkId": "inner",
                "type": "group",
                "repeats": True,
                "text": {"en": "R"},
                "item": [question("values", "decimal", repeats=True, required=True, minValue=0, maxValue=50)],
            },
        ],
    },
    question("wake", "time", required=True, **when(("fact", "=", 4))),
    question("count", required=True),
    question("perhaps", "boolean"),
    question("other", "open-choice", required=True, answerOption=options("a", "b")),
    title={"en": "Q"},
)
"""Twelve options by pages, two repetitions in one another, a repeated number, date and time, a fact. Its own words are
letters, whatever the language."""
TENTH, THIRTEENTH_AND_FIRST = "5,5,2", "5,5,5,1,1,1,2"
SHAPES_ANSWERED = f"{TENTH},{THIRTEENTH_AND_FIRST},24122025,0930,1,1,1*5#,1,1,2#,1,2,2,2,0630,1,7#,1,6,3,1,#"
NEEDED = questionnaire(
    question("other", "open-choice", required=True, answerOption=options("a", "b")), title={"en": "Q"}
)
OURS = {"between": BETWEEN, "shapes": SHAPES, "needed": NEEDED, "symptoms": SYMPTOMS, "fevers": FEVERS}


@dataclass(frozen=True)
class Scene:
    """`presses`: one call each, as in tests/test_care_dialogues.py; the transcripts follow one another."""

    questionnaire: str
    presses: tuple[str, ...]
    ana: bool = True
    only: str | None = None


WOUND = "1,2,2,2,1,2"  # some of the symptoms: no fever, breath or bleeding, a wound, no vomiting
SCENES = {
    # each kind of question
    "discharge": Scene("discharge-day3", ("1,0#,1,1,36*8#,1,2,1,2,2",)),
    "mood": Scene("mood", ("1,1,2,1,1,1,1,1,#",)),
    "blood_pressure": Scene("hypertension", ("1,138#,1,1,85#,1,2,5#,1,5,1,1,2",)),
    "medicines": Scene("medication", ("2,1,#,2#,1,0#,1,1,01032026,1,1,2,1#,1,0#,1,2,2,2,1,2",)),
    "health_education": Scene("flu-season", ("2,1",)),
    "after_surgery": Scene("after-surgery", ("3#,1,1,1,2,2,2,1,1,1,37*9#,1,2,2,1,2",)),
    "pregnancy": Scene("antenatal", ("30#,1,1,1,2,2,2,2,1,2,1,1,120#,1,1,75#,1,1,03122026,1,2",)),
    "chemotherapy": Scene("chemotherapy", ("2,2,1,2#,1,1,1,2,2,2,2,2",)),
    "diabetes": Scene("diabetes", ("1,1,1,110#,1,1,2,140#,1,2,1#,1,2,1,1,2,2,6#,1,2",)),
    "heart_failure": Scene("heart-failure", ("1,72*5#,1,1,2,2#,1,2,2,1,2",)),
    "newborn": Scene("newborn", ("1,8#,1,6#,1,1,1,2,2,2,2,2,1,3*4#,1,2,2",)),
    "chronic_lung": Scene("chronic-lung", ("2,1#,1,4#,1,1,1,95#,1,1,1,5#,1,2",)),
    "satisfaction": Scene("satisfaction", ("2,3,4,1,5#,1,1,2",)),
    "any_shape": Scene("shapes", (SHAPES_ANSWERED,)),
    # words between the questions
    "words_between": Scene("between", ("1,2,1",), only="es"),
    "words_between_what_is_not_asked": Scene("between", ("2,1",), only="en"),
    # each answer has its own questions; goes back from one to the other, is cut off, and goes on there
    "questions_under_each_answer": Scene("symptoms", ("1,1,1,1,#,9#,1,1,39#,1,2,#,1,4#", "4#,1,1#,1")),
    "questions_under_each_number": Scene("fevers", ("1,38#,1", "20112026,1,1,39*5#,1,#,40*5#,1,21112026,1,1,2,1")),
    "has_no_number": Scene("fevers", ("2",), only="es"),
    # goes back to the first repetition, is cut off in the second, and again when asked whether there is another one
    "goes_on_at_a_repetition": Scene("medication", ("2,2,2#,1,0#,1,2,1,#,#,2,2,1#,1", "0#,1,2", "2,2,1,2")),
    # a visit that an answer asks for, booked in the same call
    "visit_booked": Scene("hypertension", ("1,155#,1,1,85#,1,2,7#,1,1,2,1,1,1",)),
    "visit_booked_after_a_wound": Scene("discharge-day3", (f"1,2#,1,2,{WOUND},1,2,2,1,1,1",)),
    "visit_not_wanted": Scene("hypertension", ("1,155#,1,2,2,7#,1,1,2,2",)),
    "visit_hangs_up_and_is_asked_again": Scene("hypertension", ("1,155#,1,2,2,7#,1,1,2", "1,4,1,1")),
    # what callers do
    "cut_off_and_goes_on": Scene("discharge-day3", ("3,2#,1,2,1,2,2", "2,2,1,1,2,2")),
    "hangs_up_at_the_read_back": Scene("discharge-day3", ("2,4#", "2,2,1,2,2")),
    "goes_back_and_corrects": Scene("discharge-day3", ("1,#,2,3#,2,4#,1,2,2,1,2,2",)),
    "types_what_cannot_be": Scene("discharge-day3", ("1,77#,8#,2,5#,1,2,2,1,2,2",)),
    "repeats_slower_and_wants_a_person": Scene("discharge-day3", ("*,7,5,0",)),
    "says_nothing": Scene("discharge-day3", (",,",)),
    "leaves_out_what_is_needed": Scene("needed", ("3,2",)),
    # a red flag
    "red_flag_at_once": Scene("discharge-day3", ("1,0#,1,2,1,2,1", "")),
    "red_flag_with_nobody_there": Scene("discharge-day3", ("1,9#,1",), ana=False),
    "red_flag_with_nobody_there_and_presses_on": Scene("discharge-day3", ("1,9#,1!0",), ana=False),
    "red_flag_and_hangs_up_at_the_read_back": Scene("discharge-day3", ("1,9#",), ana=False),
    "red_flag_of_one_answer": Scene("chronic-lung", ("4",), ana=False),
    "red_flag_by_a_score": Scene("mood", ("4,4,4,4,4",)),
}


def due(front: FrontDesk, code: str, who: Character) -> FollowUpTask:
    """An automated survey of the library, due today."""
    with front.database.transaction() as session:
        if code in OURS:
            questionnaires.publish(session, code, json.loads(OURS[code].body), OURS[code].sha256, NOON)
        patient = next(one for one in session.scalars(select(Patient)) if one.name == who.name)
        asked = questionnaires.newest(session, code)
        assert asked is not None
        task = followups.plan(
            session, patient_id=patient.id, questionnaire_id=asked.id, reason="survey", due_at=NOON - timedelta(hours=1)
        )
        task.channel = surveys.CHANNEL
        return task


async def asked(
    front: FrontDesk,
    words: wording.Wording,
    task: FollowUpTask,
    presses: str,
    who: Character,
    phrases: Phrasebook | None = None,
    language: str | None = None,
) -> str:
    """One call in which a task is asked, in their language without another."""
    call_id = f"terminal-{os.urandom(4).hex()}"
    journal = SqlJournal(front.database, call_id, "terminal", who.numbers[0], lambda: NOON)
    await journal.begin()

    async def ask(call: Call, front: FrontDesk) -> None:
        await survey(call, front, task.id)

    async def dialogue(call: Call) -> None:
        await attended(ask)(call, front)

    said = Said(words, known=True)
    told = await rehearse(
        dialogue,
        said,
        scripted(presses.split(",")),
        language=language or who.language,
        caller_number=who.numbers[0],
        journal=journal,
        house=wiring.house_keys(front),
        call_id=call_id,
        phrases=phrases,
    )
    return said.under(told)


@pytest.mark.covers("H28", "H33")
@pytest.mark.parametrize(("language", "name"), in_each(SCENES))
async def test_the_transcript_is_the_golden_one(
    language: str, name: str, front: FrontDesk, words: wording.Wording
) -> None:
    scene = SCENES[name]
    if scene.ana:
        with front.database.transaction() as session:
            ana_is_on_duty(session)
    task = due(front, scene.questionnaire, LUCIA)
    told = [await asked(front, words, task, presses, LUCIA, language=language) for presses in scene.presses]
    is_golden("\n\n".join(told), "golden_survey", language, name)


def test_every_golden_transcript_has_its_scene() -> None:
    assert there("golden_survey") == set(in_each(SCENES))


A_NURSES_TO_ASK = {
    ("chemotherapy", "temperature"): "asked where there is a fever, which is a red flag: the machine asks nothing more",
}


@pytest.mark.covers("H11", "H20", "H28")
@pytest.mark.parametrize("language", KEYS)
@pytest.mark.parametrize("code", load_questionnaires()[0])
def test_every_question_that_we_ship_is_heard_in_every_language(
    code: str, language: str, words: wording.Wording
) -> None:
    told = [path.read_text(encoding="utf-8") for path in (TESTS / "golden_survey" / language).glob("*.txt")]
    for item in load_questionnaires()[0][code].questions():
        asked = words.text("survey_statement", language, asked=item.said.by_language)
        heard = any(f"hotline: {asked}" in one for one in told)
        assert heard != ((code, item.link_id) in A_NURSES_TO_ASK), item.link_id


def answers(front: FrontDesk, task: FollowUpTask) -> dict[str, Any]:
    with front.database.transaction() as session:
        return followups.answers(session, task.id)


def now(front: FrontDesk, task: FollowUpTask) -> FollowUpTask:
    with front.database.transaction() as session:
        return session.get_one(FollowUpTask, task.id)


@pytest.mark.covers("H28")
async def test_whoever_hangs_up_loses_nothing_and_is_not_asked_twice(front: FrontDesk, words: wording.Wording) -> None:
    task = due(front, "discharge-day3", LUCIA)
    for presses in ("3", "2#,1,2", "1,2,2", "2,2"):  # the third: some symptoms, no fever, no trouble breathing
        await asked(front, words, task, presses, LUCIA)
    given = answers(front, task)
    assert (given["general"], given["pain"], given["temperature"]) == ("worse", 2, None)
    assert given["symptoms"] == {"so_far": [], "asked": ["fever", "breathless", "bleeding", "wound"]}
    await asked(front, words, task, "1,2,2,2", LUCIA)
    assert answers(front, task)["symptoms"] == ["vomiting"]


def visits(front: FrontDesk) -> list[Appointment]:
    return [one for one in everything(front, Appointment) if one.booked_at == NOON]


@pytest.mark.covers("H23", "H34")
async def test_a_visit_is_booked_once_and_the_survey_is_done(front: FrontDesk, words: wording.Wording) -> None:
    task = due(front, "hypertension", LUCIA)
    told = await asked(front, words, task, "1,155#,1,2,2,7#,1,1,2,1,1,1", LUCIA)
    (visit,) = visits(front)
    assert (visit.patient_id, visit.booked_via) == (task.patient_id, "ivr"), told
    with front.database.transaction() as session:
        assert not answer_rules.waits(session, task.id) and answer_rules.offered(session, task.id) == []
        assert surveys.finish(session, task.id, NOON)
        codes = [row.code for row in followups.decisions(session, task.id)]
        (message,) = [row.key for row in session.scalars(select(OutboxRow)) if row.patient_id == task.patient_id]
    assert codes[-4:] == ["answer_again", "answer_revisit", "visit_booked", "answered_by_caller"]
    assert message == "appointment_confirmed"
    assert "cardiología" not in await asked(front, words, task, "", LUCIA), "offered once"


@pytest.mark.covers("H23", "H34", "I10")
@pytest.mark.parametrize("ends", ["2", "1", "1,1", "1,1,3", ""])
async def test_who_books_nothing_or_hangs_up_is_a_nurses(ends: str, front: FrontDesk, words: wording.Wording) -> None:
    """No; yes and hangs up at the times, at the read-back; wants none of them; hangs up at the offer."""
    task = due(front, "hypertension", LUCIA)
    presses = ",".join(one for one in ("1,155#,1,2,2,7#,1,1,2", ends) if one)
    await asked(front, words, task, presses, LUCIA)
    assert visits(front) == [] and everything(front, Hold) == []
    with front.database.transaction() as session:
        assert surveys.finish(session, task.id, NOON) is False
    assert (now(front, task).state, now(front, task).channel) == ("open", "nurse_call")


@pytest.mark.covers("H34")
async def test_a_visit_is_agreed_to_and_booked_by_voice(front: FrontDesk, words: wording.Wording) -> None:
    task = due(front, "hypertension", LUCIA)
    says = ["1", "155#", "1", "2", "2", "7#", "1", "1", "2", '"sí"', '"la primera"', '"sí"']
    told = await asked(front, words, task, ",".join(says), LUCIA, Phrasebook(words, "9"))
    assert len(visits(front)) == 1, told


@pytest.mark.covers("H33", "I10")
@pytest.mark.parametrize(("presses", "there"), [("1,9#,1", False), ("1,9#", False), ("1,9#,1", True)])
async def test_a_red_flag_is_written_with_its_answer_and_the_survey_never_goes_on(
    presses: str, there: bool, front: FrontDesk, words: wording.Wording
) -> None:
    if there:
        with front.database.transaction() as session:
            ana_is_on_duty(session)
    task = due(front, "discharge-day3", LUCIA)
    await asked(front, words, task, presses, LUCIA)
    assert answers(front, task)["pain"] == 9
    (case,) = everything(front, Case)
    assert (case.kind, case.state, case.detail, case.patient_id) == ("red_flag", "open", "severe_pain", task.patient_id)
    assert [callback.why for callback in everything(front, Callback)] == ([] if there else ["red_flag"])
    assert (now(front, task).channel, now(front, task).priority) == ("nurse_call", 1)
    again = await asked(front, words, task, "1,1,1", LUCIA)
    assert again.splitlines()[0] == "then: queue nurses"
    assert len(answers(front, task)) == 2


@pytest.mark.covers("H33")
def test_a_child_whose_number_was_withheld_is_called_back_at_the_guardians(front: FrontDesk) -> None:
    with front.database.transaction() as session:
        lucia = lucia_of(session)
        child = patients.register(session, name="Mateo Fernández", birth=date(2018, 5, 4), language="es", numbers=[])
        child.guardian_id = lucia.id
        asked_of = questionnaires.newest(session, "discharge-day3")
        assert asked_of is not None
        task = followups.plan(
            session, patient_id=child.id, questionnaire_id=asked_of.id, reason="discharge_day_3", due_at=NOON
        )
        calls.begin(session, CALL, "n1", None, NOON)
        flag = RedFlag("severe_pain", Teller(CALL, None, child.id, "es"), Due(NOON), "urgent")
        assert not surveys.alarm(session, task.id, flag, NOON), "nobody is there"
    (callback,) = everything(front, Callback)
    assert (callback.why, callback.number, callback.patient_id) == ("red_flag", LUCIA.numbers[0], child.id)


@pytest.mark.covers("H33", "I10")
@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize(
    ("says", "detail"),
    [
        ("1,0#,1,9", "urgent_key"),
        ('"mejor","me duele mucho el pecho","sí"', "urgent_voice"),
        ('"mejor","me duele mucho el pecho"', "alarm_in_doubt"),  # and hangs up while it is said back
    ],
)
async def test_who_calls_for_help_between_the_answers_is_a_nurses_from_then_on(
    says: str, detail: str, there: bool, front: FrontDesk, words: wording.Wording
) -> None:
    if there:
        with front.database.transaction() as session:
            ana_is_on_duty(session)
    task = due(front, "discharge-day3", LUCIA)
    told = await asked(front, words, task, says, LUCIA, Phrasebook(words, "9"))
    (case,) = everything(front, Case)
    assert (case.kind, case.state, case.detail, case.patient_id) == ("red_flag", "open", detail, task.patient_id), told
    assert [callback.why for callback in everything(front, Callback)] == ([] if there else ["red_flag"])
    assert (now(front, task).channel, now(front, task).priority) == ("nurse_call", 1)
    assert answers(front, task)["general"] == "better"
    hears_so = "nadie está libre" in told
    assert hears_so is (not there and detail != "alarm_in_doubt")


@pytest.mark.covers("H25", "H28")
@pytest.mark.parametrize("channel", surveys.ASKED_BY_MACHINE)
async def test_a_patient_calls_and_answers_what_is_waiting(
    front: FrontDesk, words: wording.Wording, channel: str
) -> None:
    task, flagged = due(front, "satisfaction", LUCIA), due(front, "discharge-day3", LUCIA)
    with front.database.transaction() as session:
        session.get_one(FollowUpTask, task.id).channel = channel
        session.get_one(FollowUpTask, flagged.id).channel = "nurse_call"
        while text_steps.work_next(session, NOON, POLICY):
            pass  # by text message: she has read that we would like to ask something
    journal = SqlJournal(front.database, "terminal-9", "terminal", LUCIA.numbers[0], lambda: NOON)
    await journal.begin()

    async def dialogue(call: Call) -> None:
        await wiring.DIALOGUES["inbound"](call, front)

    presses = f"2,5,3,{LUCIA.birth_keys},1,2,3,4,8#,1,2"
    told = await rehearse(
        dialogue,
        wording.Heard(words),
        scripted(presses.split(",")),
        language="es",
        caller_number=LUCIA.numbers[0],
        journal=journal,
        call_id="terminal-9",
        house=wiring.house_keys(front),
    )
    assert "hotline: Gracias. Esas eran todas las preguntas." in told.lines
    assert (now(front, task).state, now(front, flagged).state) == ("done", "open")
    assert answers(front, task)["staff"] == "5"


@pytest.mark.covers("H14", "H28", "H33")
@pytest.mark.parametrize(
    ("presses", "result", "state", "channel"),
    [("1,5#,1,2,2,1,2,2", "completed", "done", "automated_call"), ("1,9#,1", "partial", "open", "nurse_call")],
)
@pytest.mark.parametrize("tries", [0, 2])
async def test_our_own_call_asks_once_it_is_proved_who_answered(
    presses: str, result: str, state: str, channel: str, tries: int, front: FrontDesk, words: wording.Wording
) -> None:
    front = replace(front, policy=POLICY)
    task = due(front, "discharge-day3", LUCIA)
    with front.database.transaction() as session:
        session.get_one(FollowUpTask, task.id).tries = tries
        rings(session, "follow_up")
    journal = SqlJournal(front.database, CALL, "n1", LUCIA.numbers[0], lambda: NOON, "out")
    await journal.begin()

    async def dialogue(call: Call) -> None:
        await wiring.DIALOGUES["outgoing"](call, front)

    told = await rehearse(
        dialogue,
        wording.Heard(words),
        scripted(["1", LUCIA.birth_keys, *presses.split(",")]),
        language="es",
        caller_number=LUCIA.numbers[0],
        journal=journal,
        house=wiring.house_keys(front),
    )
    assert answers(front, task)["general"] == "better", str(told)
    (attempt,) = everything(front, Attempt)
    assert (attempt.contact_result, now(front, task).state, now(front, task).channel) == (result, "calling", channel)
    with front.database.transaction() as session:
        assert attempts.line_ended(session, attempt.id, "answered", NOON, POLICY)
    over = now(front, task)
    assert (over.state, over.channel) == (state, channel)
    if channel == "nurse_call":
        assert (over.tries, over.next_try_at) == (0, NOON), "hers at once, with all her tries, also after the last call"


@pytest.mark.covers("H28", "H33")
async def test_a_survey_by_voice_and_a_red_flag_that_is_said(front: FrontDesk, words: wording.Wording) -> None:
    task = due(front, "discharge-day3", LUCIA)
    says = ['"mejor"', '"tres"', '"sí"', '"pasar"', '"algunas"', '"no"', '"sí"']
    told = await asked(front, words, task, ",".join(says), LUCIA, Phrasebook(words, "9"))
    given = answers(front, task)
    assert (given["general"], given["pain"], given["temperature"]) == ("better", 3, None), told
    assert given["symptoms"] == {"so_far": ["breathless"], "asked": ["fever", "breathless"]}
    assert "journal: transfer queue=urgent reason=breathless" in told


async def test_any_shape_is_asked_by_key(front: FrontDesk, words: wording.Wording) -> None:
    task = due(front, "shapes", RUTH)
    told = await asked(front, words, task, SHAPES_ANSWERED, RUTH)
    assert answers(front, task) == {
        "many": "j",
        "all": ["m", "a"],
        "at@1": "2025-12-24T09:30:00",
        "values@1.1": [1.5, 2.0],
        "inner@1": 1,
        "outer": 1,
        "wake": "06:30:00",
        "count": 7,
        "perhaps": None,
        "other": {"voice": 10001},
    }
    assert told.count("W.") == 1 and "Those were all the questions" in told


@pytest.mark.covers("H21")
async def test_what_no_voice_speaks_is_a_nurses_to_ask(front: FrontDesk, words: wording.Wording) -> None:
    german = {"linkId": "q", "type": "boolean", "text": {"de": "Haben Sie Schmerzen?"}}
    made = questionnaire(german, language="de", title={"de": "Schmerz"})
    with front.database.transaction() as session:
        questionnaires.publish(session, "q", json.loads(made.body), made.sha256, NOON)
    told = await asked(front, words, due(front, "q", RUTH), "1", RUTH)
    assert "then: queue nurses" in told and "Schmerz" not in told


WHOLE = DigitsOf(1, 5)


@pytest.mark.covers("H28")
@pytest.mark.parametrize(
    ("said", "language", "typed"),
    [
        ("a hundred and eighty", "en", "180"),
        ("I have a hundred and eighty", "en", "180"),
        ("one hundred", "en", "100"),
        ("one eighty", "en", "180"),
        ("one thousand two hundred", "en", "1200"),
        ("1,200", "en", "1200"),
        ("hundreds and eighty", "en", None),
        ("a hundred and a half", "en", None),  # nothing is rounded
        ("thirty-eight point", "en", None),  # cut off
        ("38.5", "en", None),
        ("120/80", "en", None),
        ("between seven and eight", "en", None),
        ("seven and eight", "en", None),
        ("two to three", "en", None),
        ("less than 5", "en", None),
        ("1.250", "en", None),
        ("0.125", "en", None),
        ("entre siete y ocho", "es", None),
        ("menos de cinco", "es", None),
        ("más o menos cinco", "es", "5"),
        ("1,250", "es", None),  # a point in some countries, in others of thousands
        ("1.200", "pt-BR", "1200"),
        ("entre sete e oito", "pt-BR", None),
        ("1,200", "zh-CN", "1200"),
        ("1.250", "zh-CN", None),
        ("三四次", "zh-CN", None),
        ("五六分", "zh-CN", None),
        ("不到五次", "zh-CN", None),
        ("五到六", "zh-CN", None),
        ("三十四次", "zh-CN", "34"),
        ("minus five", "en", None),
        ("ciento ochenta", "es", "180"),
        ("1.200", "es", "1200"),
        ("ocho y medio", "es", None),
        ("cento e oitenta", "pt-BR", "180"),
        ("um meia zero", "pt-BR", "160"),  # digit by digit a six
        ("oito e meia", "pt-BR", None),
        ("一百八", "zh-CN", "180"),
        ("高压一百五", "zh-CN", "150"),
        ("一百零五", "zh-CN", "105"),
        ("一百五十", "zh-CN", "150"),
        ("一万二", "zh-CN", "12000"),
        ("一百八五", "zh-CN", None),
        ("一百多", "zh-CN", None),
        ("十几", "zh-CN", None),
        ("八片半", "zh-CN", None),
    ],
)
def test_a_whole_number_is_heard_whole_or_not_at_all(said: str, language: str, typed: str | None) -> None:
    assert SpokenNumber(WHOLE).read(said, language) == typed


@pytest.mark.covers("H28")
@pytest.mark.parametrize(
    ("said", "language", "typed"),
    [
        ("treinta y ocho coma cinco", "es", "38*5"),
        ("pues... diez", "es", "10"),
        ("thirty eight point zero five", "en", "38*05"),
        ("38.5 degrees", "en", "38*5"),
        ("thirty-nine and a half", "en", "39*5"),
        ("thirty nine degrees and a half", "en", "39*5"),
        ("a hundred and a half", "en", "100*5"),
        ("thirty nine point five and a half", "en", None),
        ("a half", "en", None),
        ("half past nine", "en", None),
        ("38,5", "es", "38*5"),
        ("treinta y nueve y medio", "es", "39*5"),
        ("treinta y nueve grados y medio", "es", "39*5"),
        ("treinta y nueve y tres cuartos", "es", None),
        ("trinta e oito vírgula cinco", "pt-BR", "38*5"),
        ("trinta e nove e meio", "pt-BR", "39*5"),
        ("trinta e nove graus e meio", "pt-BR", "39*5"),
        ("三十八点五", "zh-CN", "38*5"),
        ("三十八度五", "zh-CN", "38*5"),
        ("三十九度半", "zh-CN", "39*5"),
        ("两片半", "zh-CN", "2*5"),
        ("一百八点五", "zh-CN", None),  # 108.5 or 180.5
        ("每天两次半片", "zh-CN", None),
        ("每天两次", "zh-CN", "2"),
        ("早上一次晚上两次", "zh-CN", None),
        ("treinta y ocho coma cinco o treinta y nueve", "es", None),
        ("no lo sé", "es", None),
        ("0.125", "en", "0*125"),
        ("0,125", "es", "0*125"),
        ("1.250", "en", "1*250"),
        ("1,200.5", "en", "1200*5"),
        ("1,250", "pt-BR", "1*250"),
        ("1.250", "zh-CN", "1*250"),
        ("0.5片", "zh-CN", "0*5"),
    ],
)
def test_a_number_may_be_said(said: str, language: str, typed: str | None) -> None:
    reading = SpokenNumber(DigitsOf(1, 8, star_is_x=True))
    assert reading.read(said, language) == typed
    if typed is not None:
        assert reading.read_back(typed).params["given"] == float(typed.replace("*", "."))
