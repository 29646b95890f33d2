"""Contacts that the hotline will soon make by itself: what is needed to have their sentences spoken beforehand.

Rules: nothing is claimed or changed here. What is not needed any more is not among them, and neither is who has no
number that may be called.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hospital import reminders, subjects, suspensions
from hospital.agentless import CHANNEL
from hospital.appointments import Booked
from hospital.calling_rules import where_reached
from hospital.followups import FollowUpTask, not_given_to_another
from hospital.reminders import Due


@dataclass(frozen=True)
class Coming:
    """`person`: the name of who answers, the patient or their guardian, and their `birth_year`. `suspended`: what they
    hear of first. `asked`: a follow-up's questionnaire, in its version."""

    kind: str
    language: str
    person: str = field(repr=False)
    suspended: tuple[Booked, ...] = ()
    reminder: Due | None = None
    asked: Mapping[str, Any] | None = None
    birth_year: int | None = field(default=None, repr=False)


def contacts(session: Session, at: datetime, within: timedelta, *, kinds: Collection[str], most: int) -> list[Coming]:
    """At most so many that are due by `at` + `within`, in the order in which they are called."""
    when = func.coalesce(FollowUpTask.next_try_at, FollowUpTask.due_at)
    due = (
        select(FollowUpTask)
        .where(
            FollowUpTask.channel == CHANNEL,
            FollowUpTask.kind.in_(kinds),
            FollowUpTask.state == "open",
            FollowUpTask.due_at <= at + within,
            when <= at + within,
            not_given_to_another(None),
        )
        .order_by(FollowUpTask.priority, when, FollowUpTask.due_until, FollowUpTask.id)
        .limit(most)
    )
    found = [_coming(session, task, at) for task in session.scalars(due) if subjects.still_needed(session, task, at)]
    return [one for one in found if one is not None]


def _coming(session: Session, task: FollowUpTask, at: datetime) -> Coming | None:
    reached = where_reached(session, task.patient, at)
    if not reached.numbers:
        return None
    return Coming(
        task.kind,
        reached.language,
        reached.person.name,
        tuple(suspensions.of_patient(session, task.patient_id, at)),
        reminders.due(session, task.id) if task.kind == reminders.KIND else None,
        task.questionnaire.body if task.questionnaire_id is not None else None,
        reached.person.birth_year,
    )
