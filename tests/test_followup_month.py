"""A month of follow-up in a few seconds: discharges, nurses who call, people who are out, ill again, or had enough.

Nothing here waits and nobody is called: the calls are what the rules would allow, their ends are drawn by lot. What
must hold is asked of the database afterwards.
"""

from datetime import date, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hospital import attempts, enrolments, followups, patients, plan_changes, questionnaires
from hospital.attempts import Attempt, Claimed
from hospital.calendars import Calendar, is_business_day
from hospital.calling_hours import PRESETS
from hospital.calling_rules import CallingPolicy
from hospital.database import Database
from hospital.enrolments import Told
from hospital.followups import DecisionRow, FollowUpTask
from hospital.patients import Patient
from hospital.plans import Plan, Rule, Step
from tests.hospital_scene import employ
from tests.moments import ZONE

PLAN = Plan(
    "discharge",
    {"en": "After a discharge"},
    "discharge",
    Rule(),
    (
        Step("day-1", 1, "form", within=1, priority=1),
        Step("day-3", 3, "form", fallback=("letter",)),
        Step("day-7", 7, "form"),
        Step("day-14", 14, "form"),
    ),
)
POLICY = CallingPolicy(PRESETS["co"], ZONE)
FIRST = datetime(2026, 12, 1, 8, 0, tzinfo=ZONE)  # with two holidays, Christmas and New Year's Day
PATIENTS, DAYS = 24, 31


@pytest.mark.covers("H13", "H18", "H20", "I4")
def test_a_month(database: Database) -> None:
    lot = Random(12)
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        questionnaires.publish(session, "form", {"purpose": "follow-up"}, "sha-1", FIRST)
        people = [
            patients.register(
                session, name=f"Paciente {n}", birth=date(1950 + n, 1, 1), language="es", numbers=[f"+57301555{n:04}"]
            ).id
            for n in range(PATIENTS)
        ]
    home = {patient_id: lot.randrange(12) for patient_id in people}
    last: dict[UUID, datetime] = {}
    for day in range(DAYS):
        morning = FIRST + timedelta(days=day)
        with database.transaction() as session:
            told = [Told(f"his:{p}", "discharge", p, morning) for p, when in home.items() if when == day]
            enrolments.tell(session, told, [PLAN], morning, Calendar(ZONE, "CO"))
            if told and lot.random() < 0.3:
                _something_happens(session, lot, told[0].patient_id, morning, last)
        for hour in (9, 17) if is_business_day(morning.date(), "CO") else (9,):
            with database.transaction() as session:
                _shift(session, lot, ana, morning.replace(hour=hour))

    with database.transaction() as session:
        tasks = session.scalars(select(FollowUpTask)).all()
        assert len(tasks) == PATIENTS * len(PLAN.steps)
        assert {task.state for task in tasks} <= {"done", "stopped", "open"}
        rang = session.scalars(select(Attempt).order_by(Attempt.claimed_at)).all()
        assert len(rang) > PATIENTS
        for patient_id in people:
            ours = [one for one in rang if one.patient_id == patient_id and one.rang]
            days = [one.claimed_at.astimezone(ZONE).date() for one in ours if one.contact_result != "call_later"]
            assert len(days) == len(set(days)), "once a day"
            assert all(sum(0 <= (later - day).days < 7 for later in days) <= 3 for day in days), "three times a week"
            assert all(is_business_day(day, "CO") or day.weekday() == 5 for day in days), "never on a holiday"
            if patient_id in last:
                assert all(one.claimed_at <= last[patient_id] for one in rang if one.patient_id == patient_id)
        for task in tasks:
            mine = [one for one in rang if one.task_id == task.id]
            assert sum(one.contact_result == "completed" for one in mine) == (task.state == "done")
            assert all(one.claimed_at >= task.due_at for one in mine), "never before it is due"
        explained = set(session.scalars(select(DecisionRow.task_id)))
        assert explained == {task.id for task in tasks}, "for each it can be told why"
        reasons = dict(
            session.execute(select(FollowUpTask.stop_reason, func.count()).group_by(FollowUpTask.stop_reason)).all()
        )
        assert {"died", "readmitted"} <= reasons.keys(), "the lot had both"


def _something_happens(
    session: Session, lot: Random, patient_id: UUID, at: datetime, last: dict[UUID, datetime]
) -> None:
    if lot.random() < 0.5:
        plan_changes.died(session, patient_id, at)
    else:
        plan_changes.readmitted(session, patient_id, at)
    last[patient_id] = at


def _shift(session: Session, lot: Random, ana: UUID, at: datetime) -> None:
    """Ana calls whoever is due, one after the other."""
    for line in followups.worklist(session, at, ahead=timedelta(0)):
        if line.standing not in ("due", "overdue") or line.task.channel != "nurse_call":
            continue
        at += timedelta(minutes=4)
        claimed = attempts.claim(session, line.task.id, ana, "n1", at, POLICY)
        if not isinstance(claimed, Claimed):
            continue
        assert attempts.dialling(session, claimed.attempt_id, at)
        attempts.rang(session, claimed.channel_id)
        if lot.random() < 0.45:
            attempts.answered(session, claimed.channel_id, at)
            attempts.line_ended(session, claimed.attempt_id, "answered", at, POLICY)
            result = lot.choices(["completed", "call_later", "refused"], [8, 1, 1])[0]
            attempts.contact_result(session, claimed.attempt_id, result, at, POLICY)
        else:
            attempts.line_ended(session, claimed.attempt_id, lot.choice(["no_answer", "busy"]), at, POLICY)
        session.flush()


@pytest.mark.covers("H19")
def test_who_was_not_reached_by_phone_is_reached_by_the_next_channel(database: Database) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        questionnaires.publish(session, "form", {"purpose": "follow-up"}, "sha-1", FIRST)
        ruth = patients.register(session, name="Ruth", birth=None, language="es", numbers=["+573015550000"]).id
        enrolments.tell(session, [Told("his:1", "discharge", ruth, FIRST)], [PLAN], FIRST, Calendar(ZONE, "CO"))
        task = session.scalars(select(FollowUpTask).where(FollowUpTask.step == "day-3")).one()
        task.max_tries = 1
        at = task.due_at + timedelta(hours=1)
        claimed = attempts.claim(session, task.id, ana, "n1", at, POLICY)
        assert isinstance(claimed, Claimed)
        attempts.dialling(session, claimed.attempt_id, at)
        attempts.rang(session, claimed.channel_id)
        attempts.line_ended(session, claimed.attempt_id, "no_answer", at, POLICY)
        assert (task.state, task.channel, task.fallback, task.tries) == ("open", "letter", [], 0)
        assert followups.decisions(session, task.id)[-1].facts["channel"] == "letter"
        assert session.get_one(Patient, ruth).deceased_at is None
