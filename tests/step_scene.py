"""What tests of a plan's steps without a nurse's call share: the one task and its log, all that is to do, who is not
to be written to."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import followups
from hospital.followups import FollowUpTask
from hospital.outbox import OutboxRow
from hospital.patients import Patient
from tests.characters import Character
from tests.hospital_scene import admit, day_three
from tests.moments import NOON, ZONE
from web.words import decision

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

not_to_be_called = pytest.mark.parametrize(
    ("change", "stops"),
    [
        ({"opted_out": ["follow_up"]}, "opted_out"),
        ({"deceased_at": NOON}, "deceased"),
        ({"death_reported_at": NOON}, None),
    ],
    ids=["opted out", "dead", "said to be dead"],
)


def due_by(session: Session, channel: str, who: Character, fallback: tuple[str, ...]) -> UUID:
    task = day_three(session, admit(session, who))
    task.channel, task.fallback = channel, list(fallback)
    session.flush()
    return task.id


def worked_off(one: Callable[[], bool]) -> int:
    """All that there is to do, as the core does it; how much it was."""
    for done in range(10):
        if not one():
            return done
    raise AssertionError("it goes round for ever")


def the_task(session: Session) -> FollowUpTask:
    session.expire_all()
    return session.scalars(select(FollowUpTask)).one()


def the_patient(session: Session) -> Patient:
    return session.scalars(select(Patient).order_by(Patient.created_at, Patient.id)).one()


def messages(session: Session) -> list[OutboxRow]:
    session.expire_all()
    return list(session.scalars(select(OutboxRow)))


def told(session: Session) -> list[str]:
    """The decision log as a nurse reads it."""
    rows = followups.decisions(session, the_task(session).id)
    return [decision(row.code, row.facts, NOON, ZONE) for row in rows]
