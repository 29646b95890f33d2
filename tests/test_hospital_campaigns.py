"""Campaigns: which contacts are theirs, what a pause holds back, how far they are."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import (
    agentless,
    attempts,
    audit,
    campaign_figures,
    campaigns,
    enrolments,
    followups,
    nurse_calls,
    questionnaires,
)
from hospital.attempts import Attempt, Claimed
from hospital.calendars import Calendar
from hospital.calling_rules import NotNow
from hospital.campaigns import Campaign, Wanted
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.patients import Patient
from hospital.plans import Plan, Step
from tests.characters import JOAO, LUCIA, MEI, PATIENTS, RUTH, Character
from tests.hospital_scene import UNCAPPED, admit, at_once, day_three, employ
from tests.moments import NOON, ZONE

KINDS = ("follow_up", "reminder", "suspension")
HOUR = timedelta(hours=1)


class Ward:
    """Five patients with a contact each, due; Grace runs campaigns, Ana calls."""

    def __init__(self, session: Session, channel: str = "nurse_call") -> None:
        self.session = session
        self.grace, self.ana = employ(session, "grace", "supervisor").id, employ(session, "ana", "nurse").id
        self.tasks = {one.sip: day_three(session, admit(session, one)) for one in PATIENTS}
        for task in self.tasks.values():
            task.channel = channel
        session.flush()

    def campaign(self, mode: str = "preview", state: str = "running", **wanted: object) -> Campaign:
        at = NOON - HOUR + timedelta(seconds=len(campaigns.listed(self.session)))
        made = campaigns.create(self.session, Wanted("Round", mode, **wanted), self.grace, at)  # type: ignore[arg-type]
        for what in {"running": ["start"], "paused": ["start", "pause"], "stopped": ["stop"]}.get(state, []):
            assert campaigns.order(self.session, made.id, what, self.grace, NOON)
        self.session.refresh(made)
        return made

    def whose(self, who: Character) -> UUID | None:
        found = campaigns.of_task(self.session, self.tasks[who.sip])
        return found.id if found else None

    def next_call(self, campaign: Campaign | None, most: int = 10) -> Claimed | NotNow | None:
        of = campaign.id if campaign else None
        return agentless.claim_next(self.session, "n1", NOON, UNCAPPED, kinds=KINDS, most=most, campaign_id=of)

    def called(self) -> list[UUID | None]:
        return list(self.session.scalars(select(Attempt.campaign_id)))


def test_each_filter_says_what_is_in_it(database: Database) -> None:
    with database.transaction() as session:
        ward = Ward(session)
        ward.tasks["joao"].ward = " Surgery  ２"
        ward.tasks["mei"].reason = "hypertension_check.3"
        other = questionnaires.publish(session, "survey", {"purpose": "survey", "items": []}, "sha-2", NOON)
        ward.tasks["ruth"].questionnaire_id = other.id
        session.flush()
        by_ward = ward.campaign(ward="surgery 2")
        by_reason = ward.campaign(reason="hypertension_check")
        by_purpose = ward.campaign(purpose="survey")
        by_questionnaire = ward.campaign(questionnaire="discharge_day3")
        assert ward.whose(JOAO) == by_ward.id
        assert ward.whose(MEI) == by_reason.id, "each time that it recurs"
        assert ward.whose(RUTH) == by_purpose.id
        assert ward.whose(LUCIA) == by_questionnaire.id
        nothing = ward.campaign(study="heart-2026")  # nobody is in it
        assert [campaign_figures.of(session, one, campaigns.in_force(session, "nurse_call"), NOON).waiting
                for one in (by_ward, by_reason, by_purpose, by_questionnaire, nothing)] == [1, 1, 1, 2, 0]  # fmt: skip


@pytest.mark.parametrize(
    ("chosen", "written"),
    [("CIRUGÍA", "Cirugía"), ("Área quirúrgica", "área  quirúrgica"), ("Ōtautahi", "ŌTAUTAHI"), ("Straße", "STRASSE")],
)
def test_a_ward_is_one_however_its_letters_are_written(database: Database, chosen: str, written: str) -> None:
    with database.transaction() as session:
        ward = Ward(session)
        ward.tasks["joao"].ward, ward.tasks["mei"].ward = written, chosen
        session.flush()
        campaign = ward.campaign(ward=chosen)
        assert [one for one in PATIENTS if ward.whose(one) == campaign.id] == [MEI, JOAO]


@pytest.mark.covers("H22")
def test_a_campaign_for_a_study_calls_for_those_in_it(database: Database) -> None:
    step = (Step("week", 7, "form"),)
    stones = Plan("stones", {"en": "A plan"}, "enrolment", None, step)
    with database.transaction() as session:
        ward = Ward(session)
        questionnaires.publish(session, "form", {"purpose": "follow-up"}, "sha-3", NOON)
        site, week = Calendar(ZONE, "CO"), timedelta(days=7)
        for who, study in ((JOAO, "stones-2"), (MEI, "stones-3"), (RUTH, "")):
            patient_id = ward.tasks[who.sip].patient_id
            enrolments.enrol(session, stones, [patient_id], NOON - week, site, ward.grace, study=study)
        assert campaign_figures.choices(session)["study"] == ["stones-2", "stones-3"]
        of_two = ward.campaign(study="stones-2")
        theirs = session.scalars(select(FollowUpTask).where(FollowUpTask.enrolment_id.is_not(None)))
        found = {task.patient_id: campaigns.of_task(session, task) for task in theirs}
        assert {one for one, campaign in found.items() if campaign} == {ward.tasks["joao"].patient_id}
        assert ward.whose(JOAO) is None, "what he is called for besides the study"
        waiting = campaign_figures.of(session, of_two, campaigns.in_force(session, "nurse_call"), NOON).waiting
        assert waiting == 1


def test_a_contact_is_in_one_campaign_at_most(database: Database) -> None:
    with database.transaction() as session:
        ward = Ward(session)
        older = ward.campaign()
        ward.campaign()
        assert ward.whose(JOAO) == older.id
        first = ward.campaign(priority=1)
        assert ward.whose(JOAO) == first.id
        ward.campaign(mode="agentless", priority=1)
        assert ward.whose(JOAO) == first.id, "calls without a nurse are other contacts"
        assert [figures.waiting for _, figures in campaign_figures.all_of(session, NOON)] == [5, 0, 0, 0]


def test_without_a_campaign_everything_is_as_before(database: Database) -> None:
    with database.transaction() as session:
        ward = Ward(session, "automated_call")
        ward.campaign("agentless", "created")
        ward.campaign("agentless", "stopped")
        assert isinstance(ward.next_call(None), Claimed)
        assert ward.called() == [None]


def test_a_paused_campaign_keeps_its_contacts(database: Database) -> None:
    with database.transaction() as session:
        ward = Ward(session, "automated_call")
        ward.tasks["joao"].ward = "surgery 2"
        held = ward.campaign("agentless", "paused", ward="surgery 2")
        assert ward.next_call(held) is None
        for _ in range(4):
            assert isinstance(ward.next_call(None), Claimed)
        assert ward.next_call(None) is None, "João's is held"
        assert campaigns.order(session, held.id, "start", ward.grace, NOON)
        session.refresh(held)
        claimed = ward.next_call(held)
        assert isinstance(claimed, Claimed)
        assert session.get_one(Attempt, claimed.attempt_id).patient_id == ward.tasks["joao"].patient_id
        assert ward.called().count(held.id) == 1


def test_no_more_calls_at_once_than_its_lines(database: Database) -> None:
    with database.transaction() as session:
        ward = Ward(session, "automated_call")
        narrow = ward.campaign("agentless", lines=2)
        assert [type(ward.next_call(narrow)) for _ in range(3)] == [Claimed, Claimed, type(None)]


def test_the_lines_hold_for_nurses_who_start_at_the_same_moment(database: Database) -> None:
    with database.transaction() as session:
        ward = Ward(session)
        ward.campaign(lines=1)
        nurses = [ward.ana, employ(session, "ruby", "nurse").id, employ(session, "ida", "nurse").id]
        tasks = [task.id for task in ward.tasks.values()]
    verbs = [
        lambda session, task=task, nurse=nurse: attempts.claim(session, task, nurse, "n1", NOON, UNCAPPED)
        for task, nurse in zip(tasks, nurses, strict=False)
    ]
    came = at_once(database, *verbs)
    assert sorted(one.code if isinstance(one, NotNow) else "called" for one in came) == [  # type: ignore[union-attr]
        "called", "lines_busy", "lines_busy",
    ]  # fmt: skip


@pytest.mark.covers("I4")
def test_a_pause_holds_for_what_is_claimed_and_not_ordered(database: Database) -> None:
    with database.transaction() as session:
        ward = Ward(session)
        campaign = ward.campaign()
        claimed = attempts.claim(session, ward.tasks["joao"].id, ward.ana, "n1", NOON, UNCAPPED)
        assert isinstance(claimed, Claimed)
        assert session.get_one(Attempt, claimed.attempt_id).campaign_id == campaign.id
        campaigns.order(session, campaign.id, "pause", ward.grace, NOON)
        assert not attempts.dialling(session, claimed.attempt_id, NOON)
        assert attempts.not_dialled(session, claimed.attempt_id, NOON, UNCAPPED)
        log = followups.decisions(session, ward.tasks["joao"].id)
        assert [row.code for row in log][-2:] == ["not_dialled", "try_again"]
        assert log[-2].facts["because"] == "campaign_halted"
        again = attempts.claim(session, ward.tasks["joao"].id, ward.ana, "n1", NOON, UNCAPPED)
        assert isinstance(again, Claimed), "what a nurse begins by herself is not a campaign's"
        assert attempts.dialling(session, again.attempt_id, NOON)


@pytest.mark.covers("H28", "I4")
@pytest.mark.parametrize("mode", ["preview", "progressive", "predictive"])
def test_a_nurse_calls_by_hand_beside_a_paused_campaign_and_the_patients_rules_hold(
    database: Database, mode: str
) -> None:
    """What other products have as the mode "manual" (docs/decisions/0029-campaigns.md)."""
    with database.transaction() as session:
        ward = Ward(session)
        task, other = ward.tasks["joao"], ward.tasks["mei"]
        if mode == "predictive":
            survey = questionnaires.publish(session, "satisfaction", {"purpose": "survey", "items": []}, "s1", NOON)
            task.questionnaire_id = other.questionnaire_id = survey.id
            session.flush()
        paused = ward.campaign(mode, "paused", lines=1, purpose="survey" if mode == "predictive" else "")
        assert campaigns.of_task(session, task) == paused, "it is in it"
        claimed = attempts.claim(session, task.id, ward.ana, "n1", NOON, UNCAPPED)
        assert isinstance(claimed, Claimed) and attempts.dialling(session, claimed.attempt_id, NOON)
        assert session.get_one(Attempt, claimed.attempt_id).campaign_id is None
        again = attempts.claim(session, other.id, ward.ana, "n1", NOON, UNCAPPED)
        assert isinstance(again, NotNow) and again.code == "already_in_a_call"
        session.get_one(Patient, other.patient_id).opted_out = ["follow_up", "survey"]
        refused = attempts.claim(session, other.id, employ(session, "ruby", "nurse").id, "n1", NOON, UNCAPPED)
        assert isinstance(refused, NotNow) and refused.code == "opted_out"


def test_a_nurse_is_handed_the_next_and_nobody_else_gets_it(database: Database) -> None:
    with database.transaction() as session:
        ward = Ward(session)
        ruby = employ(session, "ruby", "nurse").id
        campaign = ward.campaign(ward="surgery 2")
        first, second = ward.tasks["joao"], ward.tasks["mei"]
        first.ward = second.ward = "surgery 2"
        first.priority, second.owner_id = 1, ruby
        session.flush()
        assert nurse_calls.hand_out(session, campaign.id, ward.ana, NOON) == first.id
        assert nurse_calls.hand_out(session, campaign.id, ward.ana, NOON) == first.id, "the same until she has called"
        assert nurse_calls.hand_out(session, campaign.id, ruby, NOON) == second.id
        claimed = attempts.claim(session, first.id, ward.ana, "n1", NOON, UNCAPPED)
        assert isinstance(claimed, Claimed)
        assert nurse_calls.hand_out(session, campaign.id, ward.ana, NOON) is None, "the second is Ruby's"
        later = NOON + nurse_calls.HERS
        assert nurse_calls.hand_out(session, campaign.id, ward.ana, later) == second.id, "Ruby has gone home"
        campaigns.order(session, campaign.id, "pause", ward.grace, later)
        assert nurse_calls.hand_out(session, campaign.id, ward.ana, later) is None


def test_who_did_what_is_in_the_chain_and_a_wrong_order_is_none(database: Database) -> None:
    with database.transaction() as session:
        ward = Ward(session)
        campaign = ward.campaign(state="created")
        assert not campaigns.order(session, campaign.id, "pause", ward.grace, NOON)
        for what in ("start", "pause", "start", "stop"):
            assert campaigns.order(session, campaign.id, what, ward.grace, NOON)
        assert not campaigns.order(session, campaign.id, "start", ward.grace, NOON), "stopped is for good"
        rows = reversed(audit.of_subject(session, f"campaign:{campaign.id}"))
        assert [(row.action.partition(".")[2], row.account_id) for row in rows] == [
            (state, ward.grace) for state in ("created", "running", "paused", "running", "stopped")
        ]


def test_how_far_it_is(database: Database) -> None:
    with database.transaction() as session:
        ward = Ward(session)
        campaign = ward.campaign()
        ward.tasks["mei"].due_at = NOON + HOUR
        ward.tasks["ruth"].next_try_at, ward.tasks["ruth"].tries = NOON + HOUR, 1
        session.flush()
        claimed = attempts.claim(session, ward.tasks["joao"].id, ward.ana, "n1", NOON, UNCAPPED)
        assert isinstance(claimed, Claimed)

        def now() -> campaign_figures.Figures:
            found = campaign_figures.one_of(session, campaign.id, NOON)
            assert found is not None
            return found[1]

        assert (now().waiting, now().retries, now().ringing, now().talking) == (2, 1, 1, 0)
        attempts.dialling(session, claimed.attempt_id, NOON)
        attempts.answered(session, claimed.channel_id, NOON)
        assert (now().ringing, now().talking, now().answered, now().abandoned) == (0, 1, 1, 0)
        attempts.line_ended(session, claimed.attempt_id, "answered", NOON, UNCAPPED)
        assert (now().talking, now().answered) == (0, 1)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": " "}, "a name"),
        ({"mode": "robocall"}, "how it calls"),
        ({"priority": 0}, "priority"),
        ({"weight": 101}, "weight"),
        ({"caller_id": "911"}, "digits"),
        ({"lines": 0}, "at once"),
        ({"per_second": 0.0}, "a second"),
    ],
)
def test_what_is_wrong_is_said(database: Database, wrong: dict[str, object], told: str) -> None:
    wanted = Wanted(**{"name": "Round", "mode": "preview", **wrong})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=told), database.transaction() as session:
        campaigns.create(session, wanted, employ(session, "grace", "supervisor").id, NOON)
    with database.transaction() as session:
        assert session.scalars(select(FollowUpTask)).all() == [] and campaigns.listed(session) == []
