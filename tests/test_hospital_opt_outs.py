"""Who wants no more of something: what is open closes as it is said, and comes back when it is wanted again.

Of a child's care the guardian's word is not the last: it is held for a nurse."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from hospital import agentless, attempts, consents, followups, patients, plan_changes, questionnaires
from hospital.attempts import Claimed
from hospital.calling_rules import NotNow
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.patients import Patient
from tests.characters import JOAO, LUCIA
from tests.hospital_scene import UNCAPPED, admit, day_three, employ
from tests.moments import NOON
from web import words

pytestmark = pytest.mark.covers("H13", "I4")
DAY = timedelta(days=1)


class Ward:
    """Lucía is called for herself and for Mateo, who is eight; Ana calls."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.transaction() as session:
            self.ana = employ(session, "ana", "nurse").id
            self.lucia = admit(session, LUCIA).id
            child = patients.register(session, name="Mateo", birth=date(2018, 5, 4), language="es", numbers=[])
            child.guardian_id = self.lucia
            session.flush()
            self.mateo = child.id

    def due(self, patient_id: UUID, purpose: str = "follow-up", **more: object) -> UUID:
        with self.database.transaction() as session:
            body = {"items": ["pain"], "purpose": purpose}
            form = questionnaires.publish(session, purpose, body, purpose, NOON)
            task = followups.plan(
                session, patient_id=patient_id, questionnaire_id=form.id, reason="discharge_day_3", due_at=NOON
            )
            for column, value in more.items():
                setattr(task, column, value)
            return task.id

    def now(self, task_id: UUID) -> tuple[str, str | None]:
        with self.database.transaction() as session:
            task = session.get_one(FollowUpTask, task_id)
            return task.state, task.stop_reason

    def held(self, task_id: UUID) -> bool:
        with self.database.transaction() as session:
            return session.get_one(FollowUpTask, task_id).held_since is not None

    def log(self, task_id: UUID) -> list[str]:
        with self.database.transaction() as session:
            rows = followups.decisions(session, task_id)
            return [words.decision(row.code, row.facts, NOON, UNCAPPED.zone) for row in rows]

    def says(self, patient_id: UUID, purpose: str, wanted: bool, speaker: UUID | None = None) -> None:
        with self.database.transaction() as session:
            assert consents.tell(session, patient_id, speaker, purpose, wanted, NOON, call_id=None, by=self.ana)

    def rings(self, task_id: UUID) -> Claimed:
        claimed = self.claim(task_id)
        assert isinstance(claimed, Claimed)
        with self.database.transaction() as session:
            assert attempts.dialling(session, claimed.attempt_id, NOON)
        return claimed

    def claim(self, task_id: UUID) -> Claimed | NotNow:
        with self.database.transaction() as session:
            return attempts.claim(session, task_id, self.ana, "n1", NOON, UNCAPPED)


@pytest.fixture
def ward(database: Database) -> Ward:
    return Ward(database)


def test_what_is_open_closes_as_it_is_said_and_comes_back(ward: Ward) -> None:
    call, survey = ward.due(ward.lucia), ward.due(ward.lucia, "survey")
    ward.says(ward.lucia, "follow_up", False)
    assert (ward.now(call), ward.now(survey)) == (("stopped", "opted_out"), ("open", None))
    assert ward.log(call)[-1] == "Stopped: The patient has opted out"
    with ward.database.transaction() as session:
        assert [line.task.id for line in followups.worklist(session, NOON)] == [survey]
    ward.says(ward.lucia, "follow_up", True)
    assert ward.now(call) == ("open", None)
    assert ward.log(call)[-1] == "The patient wants such calls again: due as it was planned"
    assert isinstance(ward.claim(call), Claimed)


def test_what_its_time_has_passed_or_was_refused_in_a_call_stays_closed(ward: Ward) -> None:
    late = ward.due(ward.lucia, due_at=NOON - 3 * DAY, due_until=NOON)
    refused = ward.due(ward.lucia, state="stopped", stop_reason="refused", closed_at=NOON)
    ward.says(ward.lucia, "follow_up", False)
    ward.says(ward.lucia, "follow_up", True)
    assert (ward.now(late), ward.now(refused)) == (("stopped", "opted_out"), ("stopped", "refused"))


def test_a_talk_goes_on_and_nothing_follows_unless_it_is_wanted_again(ward: Ward) -> None:
    call = ward.due(ward.lucia)
    claimed = ward.rings(call)
    with ward.database.transaction() as session:
        attempts.answered(session, claimed.channel_id, NOON)
    for wanted, tries in ((False, 0), (True, 3), (False, 0)):
        ward.says(ward.lucia, "follow_up", wanted)
        with ward.database.transaction() as session:
            task = session.get_one(FollowUpTask, call)
            assert (task.state, task.max_tries) == ("calling", tries)
    with ward.database.transaction() as session:
        attempts.line_ended(session, claimed.attempt_id, "answered", NOON, UNCAPPED)
        assert attempts.contact_result(session, claimed.attempt_id, "call_later", NOON, UNCAPPED)
    assert ward.now(call) == ("stopped", "opted_out")


def test_what_is_in_review_needs_no_decision_any_more(ward: Ward) -> None:
    call = ward.due(ward.lucia)
    claimed = ward.rings(call)
    with ward.database.transaction() as session:
        assert attempts.to_review(session, claimed.attempt_id, NOON, "link_lost")
    ward.says(ward.lucia, "follow_up", False)
    assert ward.now(call) == ("stopped", "opted_out")
    with ward.database.transaction() as session:
        assert [one.state for one in attempts.of_task(session, call)] == ["ended"]


def test_a_guardians_no_about_a_child_is_about_that_child_and_care_is_held(ward: Ward) -> None:
    own, call, survey = ward.due(ward.lucia), ward.due(ward.mateo), ward.due(ward.mateo, "survey")
    for purpose in ("follow_up", "survey"):
        ward.says(ward.mateo, purpose, False, ward.lucia)
    assert [ward.now(one) for one in (own, call, survey)] == [
        ("open", None),
        ("open", None),
        ("stopped", "guardian_opted_out"),
    ]
    assert ward.held(call) and not ward.held(own)
    assert ward.log(call)[-1] == "Held for a nurse: the guardian wants no such calls; see what the care needs"
    with ward.database.transaction() as session:
        standing = {line.task.id: line.standing for line in followups.worklist(session, NOON)}
        assert standing == {call: "held", own: "due"}
        child, mother = session.get_one(Patient, ward.mateo), session.get_one(Patient, ward.lucia)
        assert (child.opted_out, sorted(child.guardian_declined), mother.opted_out) == (
            [],
            ["follow_up", "survey"],
            [],
        )
    refused = ward.claim(call)
    assert isinstance(refused, NotNow) and refused.code == "guardian_opted_out"
    assert ward.now(call) == ("open", None), "it is a nurse's to close"
    assert isinstance(ward.claim(own), Claimed), "her own care goes on"
    ward.says(ward.mateo, "follow_up", True, ward.lucia)
    assert not ward.held(call)
    assert ward.log(call)[-1] == "The guardian wants such calls again: due as it was planned"


def test_what_the_hotline_calls_for_by_itself_is_held_too_and_asked_for_no_more(ward: Ward) -> None:
    call = ward.due(ward.mateo, channel="automated_call")
    with ward.database.transaction() as session:
        claimed = claim_by_itself(session)
        assert isinstance(claimed, Claimed) and attempts.dialling(session, claimed.attempt_id, NOON)
        contact = agentless.answered(session, claimed.channel_id, NOON, UNCAPPED)
        assert contact is not None and contact.person.id == ward.lucia
        consents.tell(session, contact.patient.id, contact.person.id, contact.purpose, False, NOON)
        attempts.contact_result(session, claimed.attempt_id, "refused", NOON, UNCAPPED)
        attempts.line_ended(session, claimed.attempt_id, "answered", NOON, UNCAPPED)
    assert ward.now(call) == ("open", None) and ward.held(call)
    with ward.database.transaction() as session:
        assert claim_by_itself(session) is None


def claim_by_itself(session: Session) -> Claimed | NotNow | None:
    return agentless.claim_next(session, "n1", NOON, UNCAPPED, kinds=["follow_up"], most=4)


def test_what_rings_at_the_guardians_is_hung_up_and_held(ward: Ward) -> None:
    call = ward.due(ward.mateo)
    claimed = ward.rings(call)
    ward.says(ward.mateo, "follow_up", False, ward.lucia)
    with ward.database.transaction() as session:
        assert [one.id for one in plan_changes.called_off(session, NOON)] == [claimed.attempt_id]
        attempts.line_ended(session, claimed.attempt_id, "cancelled", NOON, UNCAPPED)
    assert ward.now(call) == ("open", None) and ward.held(call)


def test_a_guardian_who_wants_no_surveys_at_all_is_asked_about_nobody(ward: Ward) -> None:
    own, survey, call = ward.due(ward.lucia, "survey"), ward.due(ward.mateo, "survey"), ward.due(ward.mateo)
    ward.says(ward.lucia, "survey", False)
    assert (ward.now(own), ward.now(survey), ward.now(call)) == (
        ("stopped", "opted_out"),
        ("stopped", "guardian_opted_out"),
        ("open", None),
    )
    ward.says(ward.mateo, "survey", False, ward.lucia)
    ward.says(ward.lucia, "survey", True)
    assert (ward.now(own)[0], ward.now(survey)[0]) == ("open", "stopped"), "about Mateo she has said no, too"
    ward.says(ward.mateo, "survey", True, ward.lucia)
    assert ward.now(survey) == ("open", None)


def test_who_has_a_number_of_their_own_is_not_their_guardians_to_refuse(ward: Ward) -> None:
    with ward.database.transaction() as session:
        joao = admit(session, JOAO)
        joao.guardian_id = ward.lucia
        session.flush()
        call = day_three(session, joao).id
    ward.says(ward.lucia, "follow_up", False)
    assert ward.now(call) == ("open", None) and not ward.held(call)
