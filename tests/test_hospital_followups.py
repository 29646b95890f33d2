"""The follow-up list, the answers as they were given, and the reasons for every decision."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hospital import attempts, followups, questionnaires
from hospital.database import Database
from hospital.followups import Answer, FollowUpTask
from hospital.patients import Stay
from hospital.questionnaires import Questionnaire
from tests.characters import JOAO, LUCIA, MEI, RUTH, WIREMU
from tests.hospital_scene import POLICY, admit, at_once, day_three, employ, listening
from tests.moments import NOON

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def listed(session: Session, at: datetime = NOON, owner: UUID | None = None) -> list[tuple[str, str]]:
    return [(line.task.patient.name, line.standing) for line in followups.worklist(session, at, owner_id=owner)]


@pytest.mark.covers("H13")
def test_the_list_says_what_is_under_way_then_overdue_then_due_then_later(database: Database) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        day_three(session, admit(session, RUTH), due_at=NOON + 3 * HOUR)
        day_three(session, admit(session, WIREMU), due_at=NOON - HOUR)
        day_three(session, admit(session, LUCIA), due_at=NOON - 9 * DAY)
        day_three(session, admit(session, MEI), due_at=NOON - 2 * HOUR)
        joao = day_three(session, admit(session, JOAO), due_at=NOON)
        session.flush()
        attempts.claim(session, joao.id, ana, "n1", NOON, POLICY)
        session.refresh(joao)
        assert listed(session) == [
            (JOAO.name, "calling"),
            (LUCIA.name, "overdue"),
            (MEI.name, "due"),
            (WIREMU.name, "due"),
            (RUTH.name, "later"),
        ]


@pytest.mark.covers("H13")
def test_priority_comes_before_time_and_the_next_try_is_kept(database: Database) -> None:
    with database.transaction() as session:
        day_three(session, admit(session, MEI), due_at=NOON - 3 * HOUR, priority=5)
        day_three(session, admit(session, RUTH), due_at=NOON - HOUR, priority=1)
        again = day_three(session, admit(session, JOAO), due_at=NOON - 5 * HOUR)
        again.next_try_at = NOON + HOUR
        session.flush()
        assert listed(session) == [(RUTH.name, "due"), (MEI.name, "due"), (JOAO.name, "later")]
        assert listed(session, NOON + HOUR)[1] == (JOAO.name, "due")


@pytest.mark.covers("H13")
def test_what_is_closed_far_ahead_or_a_colleagues_is_not_on_anas_list(database: Database) -> None:
    with database.transaction() as session:
        ana, grace = employ(session, "ana", "nurse").id, employ(session, "grace", "supervisor").id
        day_three(session, admit(session, WIREMU), due_at=NOON + 2 * DAY)
        closed = day_three(session, admit(session, LUCIA))
        followups.skip(session, closed.id, "not_needed", NOON, ana)
        for character, owner in ((JOAO, ana), (MEI, grace), (RUTH, None)):
            day_three(session, admit(session, character)).owner_id = owner
        session.flush()
        session.refresh(closed)
        assert sorted(listed(session, owner=ana)) == [(JOAO.name, "due"), (RUTH.name, "due")]
        assert len(listed(session)) == 3


@pytest.mark.covers("H13")
def test_one_task_for_each_reason_of_a_stay(database: Database) -> None:
    with database.transaction() as session:
        joao = admit(session, JOAO)
        stay = Stay(patient_id=joao.id, ward="surgery 2", admitted_at=NOON - 9 * DAY, discharged_at=NOON - 3 * DAY)
        session.add(stay)
        session.flush()
        form = questionnaires.publish(session, "discharge_day3", {}, "sha-1", NOON)
        asked = {"patient_id": joao.id, "questionnaire_id": form.id, "stay_id": stay.id, "due_at": NOON}
        followups.plan(session, reason="discharge_day_3", **asked)
        followups.plan(session, reason="discharge_day_30", **asked)
        with pytest.raises(IntegrityError, match="one_task_per_reason"), session.begin_nested():
            followups.plan(session, reason="discharge_day_3", **asked)


# ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H17", "H21")
def test_every_answer_is_saved_as_it_was_given_and_the_newest_counts(database: Database) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        task = day_three(session, admit(session, JOAO))
    given_answers: list[tuple[str, Any]] = [
        ("pain", 3),
        ("wound", ["red", "warm"]),
        ("pain", 8),
        ("in_own_words", "“dói muito”\n${x} <b> 疼\x00\udcff"),
        ("temperature", 37.5),
        ("fever", False),
        ("wound", []),
        ("fever", None),
    ]
    for item, value in given_answers:
        with database.transaction() as session:
            followups.save_answer(session, task.id, item, value, NOON, account_id=ana)
    with database.transaction() as session:
        assert followups.answers(session, task.id) == {
            "pain": 8,
            "wound": [],
            "in_own_words": "“dói muito”\n${x} <b> 疼\x00?",
            "temperature": 37.5,
            "fever": None,
        }
        kept = session.scalars(select(Answer).order_by(Answer.id)).all()
        assert [(row.item, row.account_id, row.questionnaire_id) for row in kept] == [
            (item, ana, task.questionnaire_id) for item, _ in given_answers
        ], "the older ones stay"


answer_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=4), part, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=answer_values)
def test_any_answer_comes_back_as_it_went_in(database: Database, value: Any) -> None:
    with database.transaction() as session:
        task = session.scalar(select(FollowUpTask)) or day_three(session, admit(session, JOAO))
        followups.save_answer(session, task.id, "anything", value, NOON)
    with database.transaction() as session:
        assert followups.answers(session, task.id) == {"anything": value}


@pytest.mark.covers("H17")
def test_the_summary_is_kept_and_the_page_is_told(database: Database) -> None:
    with database.transaction() as session:
        task = day_three(session, admit(session, JOAO)).id
    with listening(database) as heard:
        with database.transaction() as session:
            followups.save_summary(session, task, "Better; the wound is dry." + "x" * 9000)
        assert heard() == [f"task:{task}"]
    with database.transaction() as session:
        kept = session.get_one(FollowUpTask, task).summary
        assert kept.startswith("Better; the wound is dry.") and len(kept) == 4000


# ── Decisions ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H18")
def test_why_was_he_not_called(database: Database) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        task = day_three(session, admit(session, JOAO)).id
        attempts.claim(session, task, ana, "n1", NOON + 9 * HOUR, POLICY)
        assert followups.skip(session, task, "readmitted", NOON + 10 * HOUR, ana)
    with database.transaction() as session:
        log = followups.decisions(session, task)
        assert [(d.code, d.at) for d in log] == [
            ("planned", NOON),
            ("outside_window", NOON + 9 * HOUR),
            ("skipped", NOON + 10 * HOUR),
        ]
        assert log[2].facts == {"reason": "readmitted", "by": str(ana)}


@pytest.mark.covers("H18")
def test_only_an_open_task_is_skipped_and_with_a_coded_reason(database: Database) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        task = day_three(session, admit(session, JOAO)).id
        with pytest.raises(ValueError, match="no reason to skip"):
            followups.skip(session, task, "I am tired", NOON, ana)
        attempts.claim(session, task, ana, "n1", NOON, POLICY)
        assert not followups.skip(session, task, "readmitted", NOON, ana), "it is being called"
    with database.transaction() as session:
        attempts.line_ended(session, attempts.live(session)[0].id, "cancelled", NOON, POLICY)
        assert followups.skip(session, task, "readmitted", NOON, ana)
        assert not followups.skip(session, task, "not_needed", NOON, ana), "once"
        assert session.get_one(FollowUpTask, task, populate_existing=True).stop_reason == "readmitted"


# ── Questionnaires ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H21")
def test_other_content_makes_the_next_version_and_answers_know_theirs(database: Database) -> None:
    with database.transaction() as session:
        first = questionnaires.publish(session, "discharge_day3", {"items": ["pain"]}, "sha-1", NOON)
        task = day_three(session, admit(session, JOAO))
        assert (
            questionnaires.publish(session, "discharge_day3", {"items": ["pain"]}, "sha-1", NOON + DAY).id == first.id
        )
        second = questionnaires.publish(session, "discharge_day3", {"items": ["pain", "fever"]}, "sha-2", NOON + DAY)
        other = questionnaires.publish(session, "satisfaction", {"items": []}, "sha-1", NOON)
        assert [q.version for q in (first, second, other)] == [1, 2, 1]
        assert questionnaires.newest(session, "discharge_day3") is second
        assert session.get_one(Questionnaire, task.questionnaire_id).body == {"items": ["pain"]}
        assert questionnaires.newest(session, "no_such") is None


@pytest.mark.covers("H21")
def test_an_older_content_that_comes_back_is_the_newest_again(database: Database) -> None:
    with database.transaction() as session:
        for sha in ("old", "new", "old"):
            questionnaires.publish(session, "discharge_day3", {"text": sha}, sha, NOON)
        newest = questionnaires.newest(session, "discharge_day3")
        assert newest is not None
        assert (newest.version, newest.body) == (1, {"text": "old"})
        assert questionnaires.publish(session, "discharge_day3", {"text": "third"}, "third", NOON - DAY).version == 3
        assert questionnaires.newest(session, "discharge_day3") is not newest, "whatever the clock says"


@pytest.mark.covers("H21")
def test_two_processes_load_the_same_files_at_start(database: Database) -> None:
    for n in range(5):
        made = at_once(
            database, *[lambda s, n=n: questionnaires.publish(s, "day3", {"n": n}, f"sha-{n}", NOON).version] * 4
        )
        assert made == [n + 1] * 4
    with database.transaction() as session:
        assert len(session.scalars(select(Questionnaire)).all()) == 5
