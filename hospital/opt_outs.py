"""What an opt-out does to what is open, and what comes back when such contacts are wanted again.

Rules: in the transaction in which it is said. The patient's own stops what is open of that purpose; a talk goes on, and
nothing follows it. A guardian's, about everybody or about one ward, stops what is no care. The ward's follow-up is not
the guardian's to give up: it is *held*. Nobody is called for it, by person or machine, until a nurse has seen to it: by
another guardian, by another way, or by closing it with a reason. Wanted again, what its time allows is due again; what
was refused in a call stays closed, and so does what is of a plan that has ended meanwhile. A task is locked before its
patient.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from hospital import plan_changes
from hospital.calling_rules import PURPOSE, declined, where_reached
from hospital.database import announce
from hospital.enrolment_records import OPEN, OPTED_OUT, has_ended
from hospital.followups import FollowUpTask, decide
from hospital.patients import Patient
from hospital.plan_changes import MAX_TRIES, ended_by

OWN, GUARDIANS = OPTED_OUT


def lock(session: Session, person_id: UUID) -> None:
    """The tasks that an opt-out of theirs, or its end, could change; before the person's record is written."""
    family = select(Patient.id).where(or_(Patient.id == person_id, Patient.guardian_id == person_id))
    rows = select(FollowUpTask.id).where(FollowUpTask.patient_id.in_(family), _WAITS)
    session.execute(rows.order_by(FollowUpTask.id).with_for_update())


_WAITS = or_(FollowUpTask.state.in_(OPEN), FollowUpTask.stop_reason.in_(OPTED_OUT))


def stop(session: Session, person_id: UUID, purpose: str, at: datetime, by: UUID | None) -> None:
    """A person wants no such contacts any more, whoever they would be about."""
    _stop(session, OWN, _of(session, person_id, purpose), at, by)
    for ward_id in _wards(session, person_id, at):
        guardian_declines(session, ward_id, purpose, at, by)


def guardian_declines(session: Session, ward_id: UUID, purpose: str, at: datetime, by: UUID | None) -> None:
    """Who is called for a patient wants no such contacts about them."""
    tasks = _of(session, ward_id, purpose)
    if purpose != PURPOSE:
        _stop(session, GUARDIANS, tasks, at, by)
        return
    for task in tasks:
        if task.state == "open":
            hold(session, task, at)
        elif task.held_since is None:  # what rings is hung up by the rules for calling; a talk goes on
            task.held_since = at
            announce(session, "task", task.id)


def hold(session: Session, task: FollowUpTask, at: datetime) -> None:
    """Nobody is called for it until a nurse has seen to it."""
    task.reopen()
    task.held_since, task.next_try_at, task.next_number_rank = task.held_since or at, None, None
    decide(session, task.id, "held", at)
    announce(session, "task", task.id)


def wanted_again(session: Session, person_id: UUID, purpose: str, at: datetime, by: UUID | None) -> None:
    for task in _of(session, person_id, purpose):
        _back(session, task, OWN, at, by)
    for ward_id in _wards(session, person_id, at):
        guardian_wants(session, ward_id, purpose, at, by)


def guardian_wants(session: Session, ward_id: UUID, purpose: str | None, at: datetime, by: UUID | None) -> None:
    """What a guardian's refusal has held or stopped, of one purpose or (None) of all, where nobody refuses it now."""
    ward = session.get_one(Patient, ward_id, populate_existing=True)
    reached = where_reached(session, ward, at).person
    for task in _of(session, ward_id, purpose):
        if not declined(ward, reached, task.purpose):
            _back(session, task, GUARDIANS, at, by)


def _back(session: Session, task: FollowUpTask, reason: str, at: datetime, by: UUID | None) -> None:
    """What this reason has stopped, held or left without a future is due again, in its time."""
    stopped = task.state == "stopped" and task.stop_reason == reason and task.due_until > at
    stopped = stopped and not has_ended(session, task)
    held = reason == GUARDIANS and task.held_since is not None and task.state != "stopped"
    talking = task.state != "stopped" and task.max_tries == 0 and ended_by(session, task) == reason
    if not (stopped or held or talking):
        return
    if stopped:
        task.reopen()
    task.held_since, task.max_tries = None, task.max_tries or MAX_TRIES
    decide(session, task.id, "wanted_again", at, of=reason, by=str(by) if by else None)
    announce(session, "task", task.id)


def _stop(session: Session, reason: str, tasks: Iterable[FollowUpTask], at: datetime, by: UUID | None) -> None:
    ids = [task.id for task in tasks]
    plan_changes.stop_tasks(session, reason, at, by, and_(FollowUpTask.id.in_(ids), FollowUpTask.state.in_(OPEN)))


def _of(session: Session, patient_id: UUID, purpose: str | None) -> Iterator[FollowUpTask]:
    rows = select(FollowUpTask).where(FollowUpTask.patient_id == patient_id, _WAITS).order_by(FollowUpTask.id)
    found = session.scalars(rows.with_for_update(), execution_options={"populate_existing": True}).all()
    return (task for task in found if purpose in (None, task.purpose))


def _wards(session: Session, person_id: UUID, at: datetime) -> list[UUID]:
    """Who is reached by them: a child, or whoever has no number of their own."""
    wards = session.scalars(select(Patient).where(Patient.guardian_id == person_id).order_by(Patient.id)).all()
    return [ward.id for ward in wards if where_reached(session, ward, at).person.id == person_id]
