"""One call for several follow-ups: whoever answers is asked everything that is due, and is not called twice.

Rules: joined are nurses' calls that are due now, of the same patient, or of a guardian and a ward who are reached by
the same number: who was identified may speak for both. Others who share a number are other people, with a call each. A
task that may not be called for (opted out, died), or that a person gave to another nurse, is not joined. The task that
was claimed leads; the others follow its call (`settling`). Each has a contact result of its own: who has died, or
refuses, or is called later, is the one whose form says so.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from hospital.attempt_records import Attempt, JointTask
from hospital.calling_rules import never, where_reached
from hospital.database import announce
from hospital.followups import FollowUpTask, decide, not_given_to_another
from hospital.patients import Patient, PhoneNumber

MOST = 4  # a call has an end


def join(session: Session, attempt: Attempt, task: FollowUpTask, at: datetime) -> list[UUID]:
    """Claim what else this call is for. What somebody else is just claiming is left to them."""
    number = session.get_one(PhoneNumber, attempt.number_id)
    patient = task.patient
    family = [Patient.id == patient.id, Patient.guardian_id == patient.id]
    if patient.guardian_id is not None:
        family.append(Patient.id == patient.guardian_id)
    rows = (
        select(FollowUpTask)
        .where(
            FollowUpTask.id != task.id,
            FollowUpTask.patient_id.in_(select(Patient.id).where(or_(*family))),
            FollowUpTask.kind == "follow_up",
            FollowUpTask.channel == "nurse_call",
            FollowUpTask.state == "open",
            FollowUpTask.due_at <= at,
            func.coalesce(FollowUpTask.next_try_at, FollowUpTask.due_at) <= at,
            not_given_to_another(attempt.account_id),
        )
        .order_by(FollowUpTask.priority, FollowUpTask.due_at, FollowUpTask.id)
        .limit(MOST)
        .with_for_update(skip_locked=True)
    )
    joined = []
    for other in session.scalars(rows).all():
        reached = {one.token for one in where_reached(session, other.patient, at).numbers}
        if number.token not in reached or never(other.patient, number, other.purpose) is not None:
            continue
        other.state, other.owner_id = "calling", attempt.account_id
        session.add(JointTask(attempt_id=attempt.id, task_id=other.id))
        decide(session, other.id, "called_together", at, attempt=str(attempt.id))
        announce(session, "task", other.id)
        joined.append(other.id)
    session.flush()
    return joined


def others(session: Session, attempt_id: UUID) -> list[FollowUpTask]:
    """The tasks that follow an attempt, locked as they are now."""
    theirs = select(JointTask.task_id).where(JointTask.attempt_id == attempt_id)
    rows = select(FollowUpTask).where(FollowUpTask.id.in_(theirs)).order_by(FollowUpTask.id).with_for_update()
    return list(session.scalars(rows, execution_options={"populate_existing": True}))


def result(session: Session, attempt: Attempt, task_id: UUID) -> str | None:
    """What was said of this task in the call: its own contact result, else the one of the task that leads."""
    joint = session.get(JointTask, (attempt.id, task_id)) if task_id != attempt.task_id else None
    return (joint.contact_result if joint is not None else None) or attempt.contact_result


def stands(session: Session, attempt: Attempt, task_id: UUID) -> bool:
    """Whether its result was said on its own form: what is said on another changes nothing of it."""
    return _row(session, attempt, task_id).on_form


def say(session: Session, attempt: Attempt, task_id: UUID, said: str, *, on_form: bool) -> None:
    """Writes down the contact result of this task; `on_form`: it was said on its own."""
    row = _row(session, attempt, task_id)
    row.contact_result, row.on_form = said, on_form


def _row(session: Session, attempt: Attempt, task_id: UUID) -> Attempt | JointTask:
    return attempt if task_id == attempt.task_id else session.get_one(JointTask, (attempt.id, task_id))


def together(session: Session, attempt: Attempt, task_id: UUID) -> list[FollowUpTask]:
    """What else an attempt is for, beside the task: for the tabs of the form."""
    theirs = select(JointTask.task_id).where(JointTask.attempt_id == attempt.id)
    rows = select(FollowUpTask).where(or_(FollowUpTask.id.in_(theirs), FollowUpTask.id == attempt.task_id))
    found = session.scalars(
        rows.where(FollowUpTask.id != task_id).order_by(FollowUpTask.priority, FollowUpTask.id)
    ).all()
    _ = [other.patient.name for other in found]  # read here: the page has no session
    return list(found)
