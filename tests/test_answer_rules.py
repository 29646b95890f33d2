"""Answers that change the plan: Mei's blood pressure is checked every eight weeks, and is above the aim."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from hospital import answer_rules, enrolments, followups, plan_changes, questionnaires, surveys
from hospital.answer_changes import Change, Window, brought_forward
from hospital.calendars import Calendar
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.plans import Plan, Step
from hospital.surveys import Met
from scripts.filling import Filling
from scripts.questionnaire import Condition, Questionnaire
from scripts.questionnaire_files import load_questionnaires, read_data
from scripts.yaml_lines import FileRefused
from tests.characters import MEI
from tests.hospital_scene import admit, employ
from tests.moments import NOON, ZONE
from tests.test_filling import question, questionnaire
from web import words

SITE = Calendar(ZONE, "CO")
EVERY_EIGHT_WEEKS = Plan(
    "hypertension",
    {"en": "High blood pressure"},
    "enrolment",
    None,
    (Step("check", 1, "hypertension", every=56, until=365),),
)
SOONER = Change("above-aim", sooner=14, revisit="cardiology")


# ── What it is ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H23")
def test_the_next_step_moves_to_a_business_day_and_keeps_its_hour_and_its_window() -> None:
    due = Window(datetime(2027, 1, 20, 9, tzinfo=ZONE), datetime(2027, 1, 23, tzinfo=ZONE))
    friday = datetime(2026, 12, 18, 22, tzinfo=ZONE)
    moved = brought_forward(due, 7, friday, SITE)  # a week later is Christmas, a Friday; then a weekend
    assert moved == Window(datetime(2026, 12, 28, 9, tzinfo=ZONE), datetime(2026, 12, 31, tzinfo=ZONE))


@given(st.integers(1, 365), st.integers(0, 30_000), st.integers(1, 800))
def test_a_step_is_never_put_off(days: int, hours: int, due_in: int) -> None:
    at = NOON + timedelta(hours=hours)
    due = Window(at + timedelta(days=due_in), at + timedelta(days=due_in + 3))
    moved = brought_forward(due, days, at, SITE)
    if moved is None:
        assert due_in <= days + 6  # a long weekend at most
    else:
        assert at < moved.due_at < due.due_at and moved.due_until - moved.due_at == timedelta(days=3)


@pytest.mark.covers("H23")
@pytest.mark.parametrize(
    ("answers", "met"),
    [
        ({}, []),
        ({"systolic": 149, "diastolic": 94}, []),
        ({"systolic": 150}, ["above-aim"]),
        ({"systolic": 140, "diastolic": 95, "days": 3, "why": "effects"}, ["above-aim", "stopped-by-effects"]),
        ({"days": 7, "why": "effects"}, []),  # the question is not asked then
    ],
)
def test_which_answers_meet_the_rules_that_are_shipped(answers: dict[str, object], met: list[str]) -> None:
    asked = load_questionnaires()[0]["hypertension"]
    assert [rule.change.rule for rule in Filling(asked, answers).rules()] == met  # type: ignore[arg-type]


@pytest.mark.covers("H23", "H27")
@pytest.mark.parametrize(
    ("code", "answers", "met"),
    [
        ("flu-season", {"vaccinated": False, "help": True}, ["wants-a-call"]),
        ("flu-season", {"vaccinated": False, "help": False}, []),
        ("chemotherapy", {"sick": "1", "stool": 3, "signs": ["tingling"]}, []),
        ("chemotherapy", {"sick": "2"}, ["vomits-often"]),
        ("chemotherapy", {"stool": 4}, ["loose-stools"]),
        ("chemotherapy", {"signs": ["mouth"]}, ["mouth-or-line"]),
        ("chemotherapy", {"signs": ["tingling", "line"]}, ["mouth-or-line"]),
        ("chronic-lung", {"today": "usual", "phlegm": "none", "nights": 2}, []),
        ("chronic-lung", {"today": "worse"}, ["worse"]),
        ("chronic-lung", {"phlegm": "yellow"}, ["worse"]),
        ("chronic-lung", {"nights": 3}, ["worse"]),
        ("after-surgery", {"wound-signs": ["red"]}, ["wound-or-fever"]),
        ("after-surgery", {"fever": True, "temperature": 37.9}, ["wound-or-fever"]),
        ("medication", {"effects": ["dizzy"], "left": False}, ["effects", "none-left"]),
        ("antenatal", {"signs": ["swelling"]}, ["swelling"]),
        ("diabetes", {"feet": ["sore"]}, ["sore-foot"]),
        ("hypertension", {"days": 5, "why": "ran-out"}, ["none-left"]),
    ],
)
def test_what_a_machine_is_told_that_a_person_has_to_see_to(
    code: str, answers: dict[str, object], met: list[str]
) -> None:
    rules = Filling(load_questionnaires()[0][code], answers).rules()  # type: ignore[arg-type]
    assert [rule.change.rule for rule in rules] == met
    assert all(rule.change.nurse for rule in rules)


OFFERS_A_CALL = re.compile(r"\bcall(s|ed)? you\b")


@pytest.mark.covers("H23", "H27")
def test_who_is_asked_whether_somebody_shall_call_them_and_says_yes_is_called() -> None:
    offered = []
    for one in load_questionnaires()[0].values():
        for item in one.questions():
            if not OFFERS_A_CALL.search(item.text.by_language["en"]):
                continue
            offered.append((one.id, item.link_id))
            asked = [rule for rule in one.rules for when in rule.when if _says_yes(when, item.link_id)]
            assert any(rule.any_of or len(rule.when) == 1 for rule in asked), offered[-1]
            assert any(rule.change.nurse or rule.change.case for rule in asked), offered[-1]
    assert offered == [("flu-season", "help"), ("satisfaction", "contact")]


def _says_yes(when: Condition, link_id: str) -> bool:
    return (when.question, when.operator, when.answer) == (link_id, "=", True)


def with_rule(**rule: object) -> Questionnaire:
    made = {"id": "r", "text": {"en": "R"}, "question": "a", "operator": ">", "answer": 3, "then": {"nurse": True}}
    return questionnaire(question("a", "integer"), answerRule=[made | rule])


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"then": {}}, "changes nothing: name one of sooner, nurse, revisit"),
        ({"then": {"nurse": False}}, "'nurse: false' changes nothing"),
        ({"then": {"sooner": "soon"}}, "such as '3 days' or '2 weeks'"),
        ({"then": {"sooner": "900 weeks"}}, "up to 365 days"),
        ({"then": {"revisit": "${x}"}}, "is no department's code"),
        ({"then": {"call": True}}, "'call'"),
        ({"id": "No id"}, "is no id"),
        ({"question": "b"}, "no question has linkId 'b'"),
        ({"operator": "~"}, "operator '~' is not known"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(rule: dict[str, object], told: str) -> None:
    with pytest.raises(FileRefused) as caught:
        with_rule(**rule)
    assert told in str(caught.value)


def test_two_rules_of_one_name_are_refused_and_a_rule_survives_being_kept() -> None:
    kept = with_rule(then={"sooner": "2 weeks"})
    assert read_data(json.loads(kept.body)).rules == kept.rules
    assert kept.rules[0].change == Change("r", sooner=14)
    body = json.loads(kept.body)
    with pytest.raises(FileRefused, match="id 'r' stands here a second time"):
        read_data({**body, "answerRule": body["answerRule"] * 2})


# ── What is done ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Care:
    database: Database
    tasks: list[FollowUpTask]

    def now(self, number: int) -> FollowUpTask:
        with self.database.transaction() as session:
            return session.get_one(FollowUpTask, self.tasks[number].id)

    def told(self, number: int) -> list[str]:
        """The decision log, as a nurse reads it."""
        with self.database.transaction() as session:
            rows = followups.decisions(session, self.tasks[number].id)
            return [words.decision(row.code, row.facts, NOON, ZONE) for row in rows]


@pytest.fixture
def care(database: Database) -> Iterator[Care]:
    found = load_questionnaires()[0]["hypertension"]
    with database.transaction() as session:
        mei, ana = admit(session, MEI), employ(session, "ana", "nurse")
        questionnaires.publish(session, found.id, json.loads(found.body), found.sha256, NOON)
        enrolments.enrol(session, EVERY_EIGHT_WEEKS, [mei.id], NOON, SITE, ana.id)
        tasks = list(session.scalars(select(FollowUpTask).order_by(FollowUpTask.due_at)))
        tasks[0].channel = surveys.CHANNEL
    yield Care(database, tasks)


@pytest.mark.covers("H23")
def test_an_answer_brings_the_next_step_forward_once_and_both_logs_say_so(care: Care) -> None:
    before = [care.now(number).due_at for number in range(4)]
    for _ in range(2):  # answered again, or in a second process
        with care.database.transaction() as session:
            surveys.answer(session, care.tasks[0].id, "systolic", 155, NOON, met=Met([SOONER], SITE))
    after = [care.now(number).due_at for number in range(4)]
    assert after[1] < before[1] and (after[0], after[2], after[3]) == (before[0], before[2], before[3])
    assert after[1].astimezone(ZONE).date() == NOON.astimezone(ZONE).date() + timedelta(days=14)
    assert care.told(0)[1:] == [
        "An answer brings the next step forward: 9 Dec 09:00 (above aim)",
        "An answer asks for a visit: cardiology (above aim)",
    ]
    assert care.told(1)[1].startswith("Brought forward by an answer: 9 Dec 09:00 instead of ")


@pytest.mark.covers("H23")
def test_what_is_due_sooner_already_stays_and_the_last_step_is_asked_again(care: Care) -> None:
    with care.database.transaction() as session:
        answer_rules.apply(session, care.tasks[0].id, [Change("late", sooner=300)], NOON, SITE)
        answer_rules.apply(session, care.tasks[-1].id, [Change("again", sooner=7)], NOON, SITE)
        made = session.scalars(select(FollowUpTask).where(FollowUpTask.reason == "answer_rule")).one()
    assert "is due" in care.told(0)[-1] and care.now(1).due_at == care.tasks[1].due_at
    assert made.questionnaire_id == care.tasks[-1].questionnaire_id
    assert made.due_at.astimezone(ZONE).date() == NOON.astimezone(ZONE).date() + timedelta(days=7)
    assert care.told(-1)[-1].startswith("An answer lets the same questions be asked again")


@pytest.mark.covers("H23")
def test_what_is_asked_again_ends_with_the_plan_and_an_ended_plan_asks_nothing_again(care: Care) -> None:
    last = care.tasks[-1]
    at = last.due_at
    with care.database.transaction() as session:
        for change in (Change("again", sooner=17), Change("worse", sooner=3)):
            answer_rules.apply(session, last.id, [change], at, SITE)
    assert care.told(-1)[-1].startswith("An answer brings the next step forward"), "it is the next step then"
    with care.database.transaction() as session:
        plan_changes.withdrawn(session, last.patient_id, at, plan="hypertension")
        (made,) = session.scalars(select(FollowUpTask).where(FollowUpTask.reason == "answer_rule"))
        assert (made.state, made.stop_reason, made.enrolment_id) == ("stopped", "withdrawn", last.enrolment_id)
        answer_rules.apply(session, last.id, [Change("still", sooner=7)], at, SITE)
        assert len(list(session.scalars(select(FollowUpTask)))) == len(care.tasks) + 1
    assert care.told(-1)[-1] == "An answer asks for the next step sooner; the plan has ended (still)"


@pytest.mark.covers("H23")
@pytest.mark.parametrize("change", [Change("n", nurse=True), Change("v", revisit="cardiology")])
def test_what_a_caller_told_the_machine_is_a_nurses_afterwards(care: Care, change: Change) -> None:
    task = care.tasks[0].id
    with care.database.transaction() as session:
        surveys.answer(session, task, "systolic", 155, NOON, met=Met([change], SITE))
        assert surveys.finish(session, task, NOON) is False
    assert (care.now(0).state, care.now(0).channel) == ("open", "nurse_call")
    assert care.told(0)[-1] == "The answers ask for it: a nurse takes over"
    with care.database.transaction() as session:
        answer_rules.settle(session, task, NOON)
        assert not answer_rules.waits(session, task)
