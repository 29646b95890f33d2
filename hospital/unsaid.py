"""Calls that were answered, and nobody has said whom she reached.

Rules: it waits for the nurse whose call it was (`wrap_up`) while she may work follow-ups; who sees everybody's may say
it for her. When she has gone, her account closed or another role hers, a person decides (`review`), and it is nobody's.
What has no future any more stops then.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from hospital.accounts import Account
from hospital.attempt_records import Attempt, JointTask, of_task
from hospital.database import announce
from hospital.followups import FollowUpTask, decide
from hospital.plan_changes import ended_by

RIGHT = "followups.work"


def waits(session: Session, task: FollowUpTask, attempt: Attempt, at: datetime) -> None:
    """The call of the attempt has ended."""
    if attempt.account_id is None or _has_gone(session, attempt.account_id):
        _before_a_person(session, task, at)
    else:
        task.state = "wrap_up"


def left_by(session: Session, account_id: UUID, at: datetime) -> None:
    """What she has not written up, after her account or her role has changed."""
    if not _has_gone(session, account_id):
        return
    hers = select(Attempt.task_id).where(Attempt.account_id == account_id)
    joint = select(JointTask.task_id).join(Attempt, Attempt.id == JointTask.attempt_id)
    theirs = or_(FollowUpTask.id.in_(hers), FollowUpTask.id.in_(joint.where(Attempt.account_id == account_id)))
    rows = select(FollowUpTask).where(FollowUpTask.state == "wrap_up", theirs).order_by(FollowUpTask.id)
    for task in session.scalars(rows.with_for_update(), execution_options={"populate_existing": True}).all():
        if of_task(session, task.id)[-1].account_id == account_id:
            _before_a_person(session, task, at)
            announce(session, "task", task.id)


def _has_gone(session: Session, account_id: UUID) -> bool:
    return not session.get_one(Account, account_id, populate_existing=True).may(RIGHT)


def _before_a_person(session: Session, task: FollowUpTask, at: datetime) -> None:
    if task.max_tries == 0:
        reason = ended_by(session, task)
        task.stop(reason, at)
        decide(session, task.id, "stopped", at, because="nurse_gone", reason=reason)
        return
    task.state, task.owner_id, task.given_at = "review", None, None
    decide(session, task.id, "nurse_gone", at)
