"""One discharge makes the right tasks exactly once; what happens to the patient afterwards changes them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hospital import attempts, enrolling, enrolments, followups, opt_outs, patients, plan_changes, questionnaires
from hospital.attempts import Claimed
from hospital.calendars import Calendar
from hospital.calling_rules import NotNow
from hospital.database import Database
from hospital.enrolment_records import CareEvent, Enrolment
from hospital.enrolments import Telling, Told
from hospital.followups import FollowUpTask
from hospital.patients import Patient, Stay
from hospital.plans import Plan, Rule, Step
from tests.characters import LUCIA, MEI, RUTH
from tests.hospital_scene import POLICY, admit, at_once, employ
from tests.moments import NOON, ZONE

pytestmark = pytest.mark.covers("H20", "H22", "H25")

SITE = Calendar(ZONE, "CO")
HOME = datetime(2026, 11, 23, 11, 0, tzinfo=ZONE)  # a Monday
DAY = timedelta(days=1)
TITLE = {"en": "A plan"}
DISCHARGE = Plan(
    "discharge",
    TITLE,
    "discharge",
    Rule(),
    (
        Step("day-1", 1, "form", priority=1),
        Step("day-3", 3, "form", fallback=("sms",)),
        Step("day-7", 7, "form", channel="letter"),
        Step("day-30", 30, "form"),
    ),
)
HEART = Plan("heart", TITLE, "discharge", Rule(diagnoses=("I50",)), (Step("weekly", 7, "form", every=7, until=28),))
NEWBORN = Plan(
    "newborn",
    TITLE,
    "discharge",
    Rule(wards=frozenset({"maternity"})),
    (Step("week", 7, "form"),),
    frozenset({"child_lost"}),
)
STUDY = Plan("stones", TITLE, "enrolment", None, (Step("week", 7, "form"),), frozenset({"transferred"}))
PLANS = (DISCHARGE, HEART, NEWBORN)


@pytest.fixture
def lucia(database: Database) -> UUID:
    with database.transaction() as session:
        questionnaires.publish(session, "form", {"purpose": "follow-up"}, "sha-1", NOON)
        return admit(session, LUCIA).id


def home(patient_id: UUID, **more: str) -> Told:
    return Told(more.pop("source", "his:1"), "discharge", patient_id, HOME, **more)


def told(database: Database, *events: Told, at: datetime = HOME) -> Telling:
    with database.transaction() as session:
        return enrolments.tell(session, events, PLANS, at, SITE)


def tasks(session: Session, patient_id: UUID) -> Sequence[FollowUpTask]:
    return session.scalars(
        select(FollowUpTask).where(FollowUpTask.patient_id == patient_id).order_by(FollowUpTask.due_at, FollowUpTask.id)
    ).all()


def steps(database: Database, patient_id: UUID) -> list[tuple[str | None, str, str | None]]:
    with database.transaction() as session:
        return [(task.step, task.state, task.stop_reason) for task in tasks(session, patient_id)]


def test_one_discharge_makes_the_tasks_of_its_plan(database: Database, lucia: UUID) -> None:
    assert told(database, home(lucia, ward="surgery 2")) == Telling(1, 0, 4)
    with database.transaction() as session:
        made = tasks(session, lucia)
        assert [
            (task.step, f"{task.due_at.astimezone(ZONE):%a %d %H:%M}", task.channel, task.priority) for task in made
        ] == [
            ("day-1", "Tue 24 09:00", "nurse_call", 1),
            ("day-3", "Thu 26 09:00", "nurse_call", 5),
            ("day-7", "Mon 30 09:00", "letter", 5),
            ("day-30", "Wed 23 09:00", "nurse_call", 5),
        ]
        assert made[1].fallback == ["sms"]
        assert {task.ward for task in made} == {"surgery 2"}
        (why,) = followups.decisions(session, made[0].id)
        assert (why.code, why.facts["plan"], why.facts["step"]) == ("planned", "discharge", "day-1")


def test_told_again_by_many_at_once_it_is_one(database: Database, lucia: UUID) -> None:
    came = at_once(database, *[lambda s: enrolments.tell(s, [home(lucia)], PLANS, HOME, SITE)] * 4)
    assert sorted(str(one) for one in came) == sorted(map(str, [Telling(1, 0, 4), *[Telling(0, 1, 0)] * 3]))
    assert told(database, home(lucia), home(lucia)) == Telling(0, 2, 0)
    assert len(steps(database, lucia)) == 4


def test_the_schema_itself_refuses_a_second_task_of_a_step(database: Database, lucia: UUID) -> None:
    told(database, home(lucia))
    with pytest.raises(IntegrityError, match="one_task_per_step"), database.transaction() as session:
        first, second, *_ = tasks(session, lucia)
        second.step = first.step
        session.flush()


def test_by_diagnosis_and_ward_and_never_who_has_died(database: Database, lucia: UUID) -> None:
    assert told(database, home(lucia, diagnosis="I50.1", ward="maternity")).tasks == 4 + 4 + 1
    with database.transaction() as session:
        ruth = admit(session, RUTH)
        ruth.deceased_at = HOME
        ruth_id = ruth.id
    assert told(database, home(ruth_id, source="his:2")) == Telling(1, 0, 0)


def test_what_was_told_too_late_is_a_task_that_counts_and_is_not_called(database: Database, lucia: UUID) -> None:
    told(database, home(lucia), at=HOME + 5 * DAY)
    assert steps(database, lucia) == [
        ("day-1", "stopped", "told_too_late"),
        ("day-3", "open", None),
        ("day-7", "open", None),
        ("day-30", "open", None),
    ]


def test_due_by_the_patients_own_clock(database: Database, lucia: UUID) -> None:
    with database.transaction() as session:
        mei = admit(session, MEI, zone=None).id
    told(database, Told("his:3", "discharge", mei, datetime(2026, 9, 28, 9, 0, tzinfo=ZONE)), at=HOME - 60 * DAY)
    with database.transaction() as session:
        assert str(tasks(session, mei)[1].due_at.astimezone(ZONE)) == "2026-10-07 20:00:00-05:00"  # the 8th in China


def test_a_clinician_enrols_a_list_once_a_day(database: Database, lucia: UUID) -> None:
    with database.transaction() as session:
        ana, mei = employ(session, "ana", "nurse").id, admit(session, MEI).id
        assert enrolments.enrol(session, STUDY, [lucia, mei, lucia], NOON, SITE, ana, study="stones") == Telling(
            2, 0, 2
        )
        assert enrolments.enrol(session, STUDY, [lucia], NOON, SITE, ana) == Telling(0, 1, 0)
        mine = session.query(Enrolment).filter_by(patient_id=lucia).one()
        assert (mine.plan, mine.enrolled_by) == ("stones", ana)


def test_a_plan_is_over_with_its_last_task_and_may_begin_again(database: Database, lucia: UUID) -> None:
    year = 365 * DAY
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        assert enrolling.enrol(session, STUDY, [lucia], NOON, SITE, ana) == ([lucia], {})
        assert enrolling.enrol(session, STUDY, [lucia], NOON + DAY, SITE, ana) == ([], {lucia: "follows"})
        assert plan_changes.follows(session, lucia, NOON).plans == ["stones"]
        (week,) = tasks(session, lucia)
        week.state, week.closed_at = "done", NOON + 8 * DAY
    with database.transaction() as session:
        assert plan_changes.follows(session, lucia, NOON + year).plans == []
        assert enrolling.enrol(session, STUDY, [lucia], NOON + year, SITE, ana) == ([lucia], {})
        assert [one.state for one in tasks(session, lucia)] == ["done", "open"]


def test_what_an_opt_out_has_stopped_may_come_back_and_is_followed_while_it_may(
    database: Database, lucia: UUID
) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        enrolling.enrol(session, STUDY, [lucia], NOON, SITE, ana)
        opt_outs.stop(session, lucia, "follow_up", NOON, ana)
        (week,) = tasks(session, lucia)
        assert week.stop_reason == "opted_out"
        assert enrolling.why_not(session, STUDY, [lucia], week.due_until - DAY) == {lucia: "follows"}
        assert enrolling.why_not(session, STUDY, [lucia], week.due_until) == {}


@pytest.mark.parametrize(
    "ends", [plan_changes.readmitted, plan_changes.withdrawn, partial(plan_changes.withdrawn, plan="discharge")]
)
def test_what_is_wanted_again_brings_nothing_back_of_a_plan_that_has_ended(
    database: Database, lucia: UUID, ends: Callable[..., object]
) -> None:
    told(database, home(lucia))
    with database.transaction() as session:
        opt_outs.stop(session, lucia, "follow_up", HOME, None)
        ends(session, lucia, HOME)
        opt_outs.wanted_again(session, lucia, "follow_up", HOME, None)
    assert {(state, reason) for _, state, reason in steps(database, lucia)} == {("stopped", "opted_out")}


def test_what_a_report_of_a_death_has_stopped_does_not_come_back_after_its_plan(
    database: Database, lucia: UUID
) -> None:
    told(database, home(lucia))
    with database.transaction() as session:
        task = tasks(session, lucia)[0]
        session.get_one(Patient, lucia).death_reported_at = HOME
        task.stop("reported_deceased", HOME)
        plan_changes.readmitted(session, lucia, HOME)
        assert plan_changes.settle_death(session, lucia, False, HOME)
    assert "open" not in {state for _, state, _ in steps(database, lucia)}


def test_a_questionnaire_that_was_not_loaded_is_told(database: Database, lucia: UUID) -> None:
    other = replace(DISCHARGE, steps=(Step("a", 1, "nowhere"),))
    with pytest.raises(LookupError, match="nowhere"), database.transaction() as session:
        enrolments.tell(session, [home(lucia)], [other], HOME, SITE)


# ── What changes a plan ─────────────────────────────────────────────────────────────────────────────────────────────


def test_death_stops_all_that_is_open_and_says_why(database: Database, lucia: UUID) -> None:
    told(database, home(lucia))
    with database.transaction() as session:
        assert len(plan_changes.died(session, lucia, NOON).stopped) == 4
        assert session.get_one(Patient, lucia).deceased_at == NOON
        assert session.scalars(select(Enrolment.ended_by)).all() == ["died"]
        last = followups.decisions(session, tasks(session, lucia)[0].id)[-1]
        assert (last.code, last.facts["reason"]) == ("plan_changed", "died")
        assert plan_changes.died(session, lucia, NOON).stopped == ()


def test_a_readmission_ends_what_says_so_and_the_next_discharge_begins_anew(database: Database, lucia: UUID) -> None:
    told(database, home(lucia, ward="maternity"))
    with database.transaction() as session:
        assert len(plan_changes.readmitted(session, lucia, NOON).stopped) == 4
    open_steps = [step for step, state, _ in steps(database, lucia) if state == "open"]
    assert open_steps == ["week"], "the newborn's plan goes on"
    assert told(database, Told("his:9", "discharge", lucia, NOON), at=NOON).tasks == 4


EVENING = timedelta(hours=10)


@pytest.mark.parametrize(
    ("later", "admitted", "ended"),
    [
        (20 * DAY, None, True),
        (20 * DAY, 15 * DAY, True),
        (20 * DAY, -DAY, False),  # one stay, of which two discharges were told
        (DAY, EVENING / 10, True),  # in hospital again the same night
        (EVENING, None, False),
    ],
)
@pytest.mark.parametrize("in_order", [True, False])
def test_a_later_discharge_ends_what_the_earlier_one_began_in_whatever_order_they_are_told(
    database: Database, lucia: UUID, later: timedelta, admitted: timedelta | None, ended: bool, in_order: bool
) -> None:
    told_at = HOME + later
    events = [home(lucia, ward="maternity"), Told("his:2", "discharge", lucia, told_at)]
    with database.transaction() as session:
        began = HOME + admitted if admitted is not None else None
        session.add(Stay(patient_id=lucia, ward="", admitted_at=began, discharged_at=told_at, source="his:2"))
    for event in events if in_order else reversed(events):
        told(database, event, at=told_at)
    with database.transaction() as session:
        rows = select(CareEvent.source, Enrolment.plan, Enrolment.ended_by).join_from(CareEvent, Enrolment)
        found = sorted((*row,) for row in session.execute(rows))
        assert found == [
            ("his:1", "discharge", "readmitted" if ended else None),
            ("his:1", "newborn", None),
            ("his:2", "discharge", None),
        ]
        left = [task for task in tasks(session, lucia) if task.step == "day-30"]
        assert [task.stop_reason for task in left] == (["readmitted", None] if ended else [None, None])


def test_lists_that_tell_of_two_stays_at_once_end_the_first(database: Database, lucia: UUID) -> None:
    told(database, home(lucia))
    second = [Told(f"his:{n}", "discharge", lucia, NOON + 20 * DAY + timedelta(hours=n)) for n in range(2, 5)]
    came = at_once(
        database, *[lambda s, e=one: enrolments.tell(s, [e], PLANS, NOON + 21 * DAY, SITE) for one in second]
    )
    assert all(isinstance(one, Telling) for one in came), came
    with database.transaction() as session:
        assert sorted(str(one) for one in session.scalars(select(Enrolment.ended_by))) == ["None"] * 3 + ["readmitted"]


def test_a_list_told_again_holds_nobodys_plan(database: Database, lucia: UUID) -> None:
    """Or an answer that asks the same again, at that moment, would take the plan for ended."""
    told(database, home(lucia))
    with database.transaction() as importing:
        assert enrolments.tell(importing, [home(lucia)], PLANS, HOME, SITE) == Telling(0, 1, 0)
        with database.transaction() as session:
            free = session.scalars(select(Enrolment.id).with_for_update(skip_locked=True)).all()
            assert len(free) == 1


def test_the_loss_of_a_child_ends_the_childs_plans_and_the_mothers_that_are_about_it(
    database: Database, lucia: UUID
) -> None:
    with database.transaction() as session:
        child = patients.register(session, name="Ana Fernández", birth=date(2026, 11, 20), language="es", numbers=[])
        child.guardian_id, child_id = lucia, child.id
    told(database, home(lucia, ward="maternity"), home(child_id, source="his:2"))
    with database.transaction() as session:
        plan_changes.child_lost(session, lucia, NOON, child_id=child_id)
    assert {reason for _, _, reason in steps(database, child_id)} == {"child_lost"}
    assert [step for step, state, _ in steps(database, lucia) if state == "stopped"] == ["week"]


def test_a_transfer_takes_what_is_open_to_the_other_ward(database: Database, lucia: UUID) -> None:
    told(database, home(lucia, ward="surgery 2"))
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        enrolments.enrol(session, STUDY, [lucia], HOME, SITE, ana)
        tasks(session, lucia)[0].owner_id = ana
    with database.transaction() as session:
        assert plan_changes.transferred(session, lucia, "rehabilitation", NOON).stopped == ()
        stays = [task for task in tasks(session, lucia) if task.state == "open"]
        assert {(task.ward, task.owner_id) for task in stays} == {("rehabilitation", None)}
        assert followups.decisions(session, stays[0].id)[-1].code == "ward_changed"
        assert len(plan_changes.transferred(session, lucia, None, NOON).stopped) == 1, "the study's"


@pytest.mark.parametrize(
    ("which", "left"), [({"plan": "heart"}, 4), ({"study": "heart-1"}, 0), ({}, 0), ({"study": "other"}, 8)]
)
def test_who_withdraws_leaves_a_plan_or_a_study(
    database: Database, lucia: UUID, which: dict[str, str], left: int
) -> None:
    told(database, home(lucia, diagnosis="I50", study="heart-1"))
    with database.transaction() as session:
        plan_changes.withdrawn(session, lucia, NOON, **which)
    states = [state for _, state, _ in steps(database, lucia)]
    assert states.count("open") == left
    assert states.count("stopped") == 8 - left


def test_a_claim_and_a_death_at_the_same_moment_end_without_a_call(database: Database, lucia: UUID) -> None:
    """Ten times: whoever is first, nothing is dialled afterwards."""
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
    for n in range(10):
        with database.transaction() as session:
            session.get_one(Patient, lucia).deceased_at = None
        told(database, Told(f"his:{n}", "discharge", lucia, HOME), at=HOME)
        with database.transaction() as session:
            task_id = next(task.id for task in tasks(session, lucia) if task.state == "open")
        claim = partial(attempts.claim, task_id=task_id, account_id=ana, node="n1", at=NOON, policy=POLICY)
        claimed, changed = at_once(
            database, lambda s, claim=claim: claim(s), lambda s: plan_changes.died(s, lucia, NOON)
        )
        assert not isinstance(changed, Exception), changed
        assert isinstance(claimed, Claimed | NotNow), claimed
        with database.transaction() as session:
            if isinstance(claimed, Claimed):
                assert not attempts.dialling(session, claimed.attempt_id, NOON)
                attempts.not_dialled(session, claimed.attempt_id, NOON, POLICY)
            assert session.get_one(FollowUpTask, task_id).state == "stopped"
    with database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(CareEvent)) == 10
