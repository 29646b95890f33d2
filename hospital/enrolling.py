"""A clinician enrols many: who may be enrolled and who not, each for themselves, and the whole decision taken back.

Rules: nobody is enrolled twice in a plan that they are following (`goes_on`), nor who has died, is said to have, or
wants no such calls; each is named with why. One decision is one instant: what was enrolled by one account in one plan
at that instant is taken back together, for as long as it wants, and then may be made anew. What was answered until then
stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from hospital import audit, enrolments, plan_changes, questionnaires
from hospital.calendars import Calendar
from hospital.enrolment_records import CareEvent, Enrolment, goes_on
from hospital.patients import Patient
from hospital.plans import Plan

PART = 100  # patients in one transaction
LATELY = timedelta(days=7)
SHOWN = 10  # decisions


def why_not(session: Session, plan: Plan, patient_ids: Sequence[UUID], at: datetime) -> dict[UUID, str]:
    """Patient → code, of those who can't be enrolled: died, death_reported, opted_out, follows, unknown."""
    people = {one.id: one for one in session.scalars(select(Patient).where(Patient.id.in_(patient_ids)))}
    running = select(Enrolment.patient_id).where(
        Enrolment.patient_id.in_(patient_ids), Enrolment.plan == plan.id, goes_on(at)
    )
    following, purposes = set(session.scalars(running)), _purposes(session, plan)
    found = {}
    for patient_id in patient_ids:
        code = _why_not(people.get(patient_id), patient_id in following, purposes)
        if code is not None:
            found[patient_id] = code
    return found


def _purposes(session: Session, plan: Plan) -> set[str]:
    """What the plan's contacts are for."""
    forms = [questionnaires.newest(session, code) for code in {step.questionnaire for step in plan.steps}]
    return {str(form.body.get("purpose", "follow-up")).replace("-", "_") for form in forms if form is not None}


def _why_not(patient: Patient | None, follows: bool, purposes: set[str]) -> str | None:
    if patient is None or patient.merged_into is not None:
        return "unknown"
    if patient.deceased_at is not None:
        return "died"
    if patient.death_reported_at is not None:
        return "death_reported"
    if purposes and purposes <= set(patient.opted_out):
        return "opted_out"
    return "follows" if follows else None


def enrol(
    session: Session, plan: Plan, patient_ids: Sequence[UUID], at: datetime, site: Calendar, by: UUID
) -> tuple[list[UUID], dict[UUID, str]]:
    """Who was enrolled; who was not, and why. Raises LookupError where a questionnaire was not loaded."""
    wanted = list(dict.fromkeys(patient_ids))
    # two clinicians at one time: the second sees what the first has done
    session.execute(select(Patient.id).where(Patient.id.in_(wanted)).order_by(Patient.id).with_for_update())
    left = why_not(session, plan, wanted, at)
    able = [one for one in wanted if one not in left]
    if able and enrolments.enrol(session, plan, able, at, site, by).new:
        made = select(Enrolment.patient_id).where(
            Enrolment.patient_id.in_(able), Enrolment.plan == plan.id, Enrolment.enrolled_at == at
        )
        done = set(session.scalars(made))
    else:
        done = set()
    left |= {one: "today_already" for one in able if one not in done}  # it was ended meanwhile, by the patient
    for patient_id in able:
        if patient_id in done:
            audit.record(session, by, "plan.enrolled", f"patient:{patient_id}", at, plan=plan.id)
    return [one for one in able if one in done], left


@dataclass(frozen=True, slots=True)
class Decision:
    """What one account decided at one instant, and how many of them still follow the plan."""

    plan: str
    at: datetime
    patients: int


def lately(session: Session, by: UUID, at: datetime) -> list[Decision]:
    """This account's decisions that may still be taken back, the newest first."""
    rows = (
        select(Enrolment.plan, Enrolment.enrolled_at, func.count())
        .where(Enrolment.enrolled_by == by, Enrolment.ended_at.is_(None), Enrolment.enrolled_at > at - LATELY)
        .group_by(Enrolment.plan, Enrolment.enrolled_at)
        .order_by(Enrolment.enrolled_at.desc(), Enrolment.plan)
        .limit(SHOWN)
    )
    return [Decision(plan, when, count) for plan, when, count in session.execute(rows)]


def taken_back(session: Session, plan: str, enrolled_at: datetime, by: UUID, at: datetime) -> int:
    """How many of those enrolled then, by this account, are out of the plan again; what is open of it stops."""
    theirs = select(Enrolment.id).where(
        Enrolment.plan == plan,
        Enrolment.enrolled_at == enrolled_at,
        Enrolment.enrolled_by == by,
        Enrolment.ended_at.is_(None),
    )
    ids = list(session.scalars(theirs.limit(PART).with_for_update()))
    if not ids:
        return 0
    plan_changes.taken_back(session, ids, at, by)
    events = select(Enrolment.event_id).where(Enrolment.id.in_(ids))
    session.execute(  # the same day it may be decided anew
        update(CareEvent)
        .where(CareEvent.id.in_(events))
        .values(source=func.concat(CareEvent.source, ":taken-back:", CareEvent.id))
    )
    for patient_id in session.scalars(select(Enrolment.patient_id).where(Enrolment.id.in_(ids))):
        audit.record(session, by, "plan.taken_back", f"patient:{patient_id}", at, plan=plan)
    return len(ids)
