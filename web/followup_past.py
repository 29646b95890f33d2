"""The patient's part of the form: numbers, address, visits, stays, plans, what was tried and decided.

Whoever else stands there, the guardian or a child, is looked at, too, and it is written down."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select, union
from sqlalchemy.orm import Session

from hospital import followups, patients, plan_changes
from hospital.calling_rules import where_reached
from hospital.followups import FollowUpTask
from hospital.patients import History, Patient, Stay
from hospital.plan_changes import Follows
from hospital.rota_records import OnCallLine
from web import words
from web.followup_plans import Loss, loss_of
from web.followup_view import Tried, Viewer, also_shown, department_names, may_open, tried


@dataclass(frozen=True)
class Past:
    """`guardian_last`: the guardian's last day; `guardian_ended`: it has passed. `addressee`: whom we write to, the
    patient or the guardian. `lost_at`: when the family lost a child, if it did; `loss`: which child may be told as
    lost. `follows`: what can be left. `wards`: that we know of."""

    patient: Patient
    guardian: Patient | None
    guardian_last: date | None
    guardian_ended: bool
    addressee: Patient
    history: History
    tried: list[Tried]
    decisions: list[tuple[datetime, str]]
    lost_at: datetime | None
    loss: Loss
    follows: Follows
    wards: list[str]


def past(session: Session, task_id: UUID, viewer: Viewer) -> Past | None:
    task = session.get(FollowUpTask, task_id)
    if task is None or not may_open(task, viewer):
        return None
    patient = session.get_one(Patient, task.patient_id)
    guardian = session.get_one(Patient, patient.guardian_id) if patient.guardian_id else None
    people = [one for one in (patient, guardian) if one is not None]
    _ = [number.number for one in people for number in one.numbers]  # read now: the template has no session
    rows, names = followups.decisions(session, task_id), department_names(session)
    told = [(row.at, words.decision(row.code, row.facts, viewer.at, viewer.zone, names)) for row in reversed(rows)]
    addressee, loss = where_reached(session, patient, viewer.at).person, loss_of(session, patient, viewer.at)
    also_shown(session, viewer, patient, [*people, addressee, *loss.children])
    return Past(
        patient,
        guardian,
        _last_day(patient, viewer),
        guardian is not None and patient.guardian_at(viewer.at) is None,
        addressee,
        patients.history(session, patient.id),
        tried(session, task_id),
        told,
        plan_changes.loss(session, patient.id),
        loss,
        plan_changes.follows(session, patient.id, viewer.at),
        _wards(session),
    )


def _last_day(patient: Patient, viewer: Viewer) -> date | None:
    until = patient.guardian_until
    return until.astimezone(viewer.zone).date() - timedelta(days=1) if until is not None else None


def _wards(session: Session) -> list[str]:
    """Of stays and of lines on call."""
    known = union(select(Stay.ward), select(OnCallLine.ward))
    return sorted(ward for ward in session.scalars(known) if ward)
