"""What a contact is about, by its kind: whether its call is still needed, and what follows when its calls are over.

A new kind of contact is a line in each table here, beside its own file, its name in `followup_task.kind` and its
dialogue in `ivr/dialogues/outgoing.py`."""

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from hospital import reminders, suspensions
from hospital.database import announce
from hospital.followups import FollowUpTask

NEEDED: Mapping[str, Callable[[Session, UUID, datetime], bool]] = {
    suspensions.KIND: suspensions.still_to_tell,
    reminders.KIND: reminders.still_wanted,
}
NOT_REACHED: Mapping[str, Callable[[Session, FollowUpTask, datetime], None]] = {
    suspensions.KIND: suspensions.not_reached,
    reminders.KIND: reminders.not_reached,
}
CHANGED: Mapping[str, Callable[[Session, UUID], None]] = {suspensions.KIND: suspensions.changed}


def still_needed(session: Session, task: FollowUpTask, at: datetime) -> bool:
    """Whether there is still something to call for at `at`."""
    needed = NEEDED.get(task.kind)
    return needed is None or needed(session, task.id, at)


def still_to_call(session: Session, task: FollowUpTask, at: datetime) -> bool:
    """The same of a task that is being called for: not where it was answered otherwise meanwhile, or is to be done by
    somebody else."""
    return task.state not in ("done", "open") and still_needed(session, task, at)


def is_settled(session: Session, task_id: UUID, at: datetime) -> bool:
    """Whether nothing is left to call for: of a follow-up, whether it is done."""
    task = session.get_one(FollowUpTask, task_id)
    return task.state == "done" or not still_needed(session, task, at)


def not_reached(session: Session, task: FollowUpTask, at: datetime) -> None:
    """The task has stopped and its patient knows nothing: somebody else has to see to it."""
    follows = NOT_REACHED.get(task.kind)
    if follows is not None:
        follows(session, task, at)


def changed(session: Session, task: FollowUpTask) -> None:
    """Tells the pages that show the task, or what it is about."""
    announce(session, "task", task.id)
    if task.kind in CHANGED:
        CHANGED[task.kind](session, task.id)
