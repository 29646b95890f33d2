"""What happens to a patient and changes what is planned: death, loss of a child, readmission, transfer, withdrawal.

Rules: what is open stops at once, also what is claimed or rings: the task is stopped here, `attempts.dialling` refuses
it, and the dialer hangs up what rings (`called_off`). A talk is not cut off; nothing follows it. What was written up or
is being written up stays, and nothing follows it; what nobody has written up in two hours stops. Each stopped task's
decision log says why. What a readmission or a transfer ends, the plan says (`ends_with`); death and withdrawal end
everything that they are about. A child who was lost is reported dead until a clinician confirms it, and what is queued
to the family about the child does not leave. A task is locked before its patient.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import ColumnElement, and_, any_, or_, select, update
from sqlalchemy.orm import Session, selectinload

from hospital import attempt_records, outbox, patients, recordings
from hospital.attempt_records import Attempt, about
from hospital.calling_rules import is_a_child, never
from hospital.database import announce, storable
from hospital.enrolment_records import OPEN, CareEvent, Enrolment, goes_on, has_ended
from hospital.followups import DecisionRow, FollowUpTask, decide
from hospital.patients import Patient, PhoneNumber
from hospital.rota_records import WARD_LENGTH

Change = Literal["died", "child_lost", "readmitted", "transferred", "withdrawn", "taken_back", "merged"]
REPORTED = ("child_lost", "reported_deceased")
"""What a report of a death stops the patient's own tasks with."""
NOTHING: Mapping[str, str | None] = {}
MAX_TRIES = 3  # of a task whose end is taken back


@dataclass(frozen=True, slots=True)
class Changed:
    """Tasks that were stopped, and those without a future that are talked of or written up still."""

    stopped: tuple[UUID, ...]
    talking: tuple[UUID, ...]


def died(session: Session, patient_id: UUID, at: datetime, by: UUID | None = None) -> Changed:
    """A clinician says that the patient has died. Of a child it is the guardian's loss, too."""
    changed = _end(session, "died", at, by, FollowUpTask.patient_id == patient_id, Enrolment.patient_id == patient_id)
    family_lost(session, patient_id, at, by)
    outbox.withdraw_of(session, patient_id)
    patients.settle_death_report(session, patient_id, True, at)
    return changed


def settle_death(session: Session, patient_id: UUID, dead: bool, at: datetime, by: UUID | None = None) -> bool:
    """A clinician confirms a reported death, or takes it back; False where there is no such report (any more).

    Taken back, what the report had stopped is due again, where its time has not passed and its plan goes on. What it
    ended for the guardian stays ended: whether they lost another child, nobody asks a machine."""
    theirs = FollowUpTask.patient_id == patient_id
    session.execute(select(FollowUpTask.id).where(theirs).order_by(FollowUpTask.id).with_for_update())
    patient = session.get(Patient, patient_id, with_for_update=True, populate_existing=True)
    if patient is None or patient.death_reported_at is None:
        return False
    if dead:
        died(session, patient_id, at, by)
        return True
    reported = patient.death_reported_at
    patients.settle_death_report(session, patient_id, False, at)
    session.execute(
        update(Enrolment)
        .where(Enrolment.patient_id == patient_id, Enrolment.ended_by == "child_lost", Enrolment.ended_at >= reported)
        .values(ended_at=None, ended_by=None)
    )
    by_report = and_(FollowUpTask.state == "stopped", FollowUpTask.stop_reason.in_(REPORTED))
    rows = select(FollowUpTask).where(theirs, by_report, FollowUpTask.closed_at >= reported)
    for task in session.scalars(rows.where(FollowUpTask.due_until > at), execution_options={"populate_existing": True}):
        if has_ended(session, task):
            continue
        task.reopen()
        task.max_tries = task.max_tries or MAX_TRIES
        decide(session, task.id, "death_report_withdrawn", at, by=str(by) if by else None)
        announce(session, "task", task.id)
    _due_again(session, patient_id)
    return True


def _due_again(session: Session, patient_id: UUID) -> None:
    """What a report has only put off (`attempts.refuse`)."""
    newest = select(DecisionRow.code).where(DecisionRow.task_id == FollowUpTask.id).order_by(DecisionRow.id.desc())
    put_off = newest.limit(1).scalar_subquery() == "death_reported"
    waits = and_(FollowUpTask.patient_id == patient_id, FollowUpTask.state == "open", put_off)
    again = update(FollowUpTask).where(waits).values(next_try_at=None).returning(FollowUpTask.id)
    for task_id in session.scalars(again, execution_options={"synchronize_session": False}).all():
        announce(session, "task", task_id)


def child_lost(
    session: Session, mother_id: UUID | None, at: datetime, by: UUID | None = None, *, child_id: UUID | None = None
) -> Changed:
    """A stillbirth, or a child who died: all that was planned for the child stops, and of the mother's plans those
    that end with it. The child's death is reported, for a clinician to confirm. Without `mother_id`: the guardian."""
    if child_id is not None and mother_id is None:
        mother_id = session.get_one(Patient, child_id).guardian_id
    tasks = and_(FollowUpTask.patient_id == mother_id, _ends_with("child_lost"))
    enrolments = and_(Enrolment.patient_id == mother_id, any_(Enrolment.ends_with) == "child_lost")
    if child_id is not None:
        tasks = or_(tasks, FollowUpTask.patient_id == child_id)
        enrolments = or_(enrolments, Enrolment.patient_id == child_id)
    changed = _end(session, "child_lost", at, by, tasks, enrolments)
    if child_id is not None:
        outbox.withdraw_of(session, child_id)
        patients.report_death(session, child_id, at)
    return changed


def family_lost(session: Session, child_id: UUID, at: datetime, by: UUID | None = None) -> None:
    """Whoever has died, or is said to have: of a child, the guardian's plans that end with it end."""
    child = session.get_one(Patient, child_id)
    if child.guardian_id is not None and is_a_child(child, at):
        child_lost(session, child.guardian_id, at, by)


def loss(session: Session, patient_id: UUID) -> datetime | None:
    """When this family lost a child, as far as we were told: for whoever is about to speak with them."""
    ended = select(Enrolment.ended_at).where(Enrolment.patient_id == patient_id, Enrolment.ended_by == "child_lost")
    children = session.scalars(select(Patient).where(Patient.guardian_id == patient_id)).all()
    died_at = [(one, one.deceased_at or one.death_reported_at) for one in children]
    found = [*session.scalars(ended), *(when for one, when in died_at if when is not None and is_a_child(one, when))]
    return max((one for one in found if one is not None), default=None)


def readmitted(session: Session, patient_id: UUID, at: datetime, by: UUID | None = None) -> Changed:
    """The patient is in hospital again: what a discharge began begins anew with the next one."""
    return _by_plan(session, "readmitted", patient_id, at, by)


def in_hospital_again(session: Session, enrolments: Sequence[UUID], at: datetime, by: UUID | None = None) -> Changed:
    """A later discharge was told: what these began with is over, as by a readmission."""
    theirs = FollowUpTask.enrolment_id.in_(enrolments)
    return _end(session, "readmitted", at, by, theirs, Enrolment.id.in_(enrolments))


def transferred(session: Session, patient_id: UUID, ward: str | None, at: datetime, by: UUID | None = None) -> Changed:
    """To another hospital (`ward` None): what says so ends. To another ward of ours: nothing ends, and all goes there,
    to nobody in particular but what is being called or written up. Raises ValueError for a ward without a name."""
    named = " ".join(storable(ward).split()) if ward is not None else None
    if named is not None and not 0 < len(named) <= WARD_LENGTH:
        raise ValueError("Say which ward.")
    if named is None:
        return _by_plan(session, "transferred", patient_id, at, by)
    rows = select(FollowUpTask).where(
        FollowUpTask.patient_id == patient_id,
        FollowUpTask.kind == "follow_up",
        FollowUpTask.state.in_(OPEN),
    )
    for task in session.scalars(
        rows.order_by(FollowUpTask.id).with_for_update(), execution_options={"populate_existing": True}
    ):
        task.ward = named
        if task.state == "open":
            task.owner_id, task.given_at = None, None
        decide(session, task.id, "ward_changed", at, ward=named, by=str(by) if by else None)
        announce(session, "task", task.id)
    session.flush()
    return Changed((), ())


def withdrawn(
    session: Session,
    patient_id: UUID,
    at: datetime,
    by: UUID | None = None,
    *,
    plan: str | None = None,
    study: str | None = None,
) -> Changed:
    """The patient leaves a plan, or a study with all its plans; without either, every follow-up."""
    if plan is None and study is None:
        mine = Enrolment.patient_id == patient_id
        return _end(session, "withdrawn", at, by, FollowUpTask.patient_id == patient_id, mine, {"of": "all"})
    theirs = select(Enrolment.id).where(Enrolment.patient_id == patient_id)
    if plan is not None:
        theirs = theirs.where(Enrolment.plan == plan)
    if study is not None:
        theirs = theirs.join(CareEvent, CareEvent.id == Enrolment.event_id).where(CareEvent.study == study)
    of = {"of": "plan", "plan": plan} if plan is not None else {"of": "study", "study": study}
    return _end(session, "withdrawn", at, by, FollowUpTask.enrolment_id.in_(theirs), Enrolment.id.in_(theirs), of)


@dataclass(frozen=True, slots=True)
class Follows:
    """What a patient could leave: plans by their ids while they go on, and studies."""

    plans: list[str]
    studies: list[str]


def follows(session: Session, patient_id: UUID, at: datetime) -> Follows:
    rows = select(Enrolment.plan, CareEvent.study, goes_on(at)).join(CareEvent, CareEvent.id == Enrolment.event_id)
    found = session.execute(rows.where(Enrolment.patient_id == patient_id, Enrolment.ended_at.is_(None))).all()
    plans = {plan for plan, _, going_on in found if going_on}
    return Follows(sorted(plans), sorted({study for _, study, _ in found if study}))


def taken_back(session: Session, enrolments: Sequence[UUID], at: datetime, by: UUID) -> Changed:
    """Who enrolled them says that it was a mistake."""
    theirs = FollowUpTask.enrolment_id.in_(enrolments)
    return _end(session, "taken_back", at, by, theirs, Enrolment.id.in_(enrolments))


def merged(session: Session, enrolments: Sequence[UUID], at: datetime, by: UUID) -> Changed:
    """The record into which theirs is merged follows the same plans."""
    theirs = FollowUpTask.enrolment_id.in_(enrolments)
    return _end(session, "merged", at, by, theirs, Enrolment.id.in_(enrolments))


def _by_plan(
    session: Session,
    change: Change,
    patient_id: UUID,
    at: datetime,
    by: UUID | None,
) -> Changed:
    """What says so in its plan, and what was planned after a stay without one."""
    of_a_stay = and_(FollowUpTask.enrolment_id.is_(None), FollowUpTask.stay_id.is_not(None))
    tasks = and_(FollowUpTask.patient_id == patient_id, or_(_ends_with(change), of_a_stay))
    enrolments = and_(Enrolment.patient_id == patient_id, any_(Enrolment.ends_with) == change)
    return _end(session, change, at, by, tasks, enrolments)


def _ends_with(change: Change) -> ColumnElement[bool]:
    return FollowUpTask.enrolment_id.in_(select(Enrolment.id).where(any_(Enrolment.ends_with) == change))


def _end(
    session: Session,
    change: Change,
    at: datetime,
    by: UUID | None,
    tasks: ColumnElement[bool],
    enrolments: ColumnElement[bool],
    facts: Mapping[str, str | None] = NOTHING,
) -> Changed:
    session.execute(
        update(Enrolment).where(enrolments, Enrolment.ended_at.is_(None)).values(ended_at=at, ended_by=change)
    )
    # What else we contact a patient for has rules of its own (`subjects.py`), asked when it is dialled.
    return stop_tasks(session, change, at, by, and_(tasks, FollowUpTask.kind == "follow_up"), facts)


def stop_tasks(
    session: Session,
    reason: str,
    at: datetime,
    by: UUID | None,
    tasks: ColumnElement[bool],
    facts: Mapping[str, str | None] = NOTHING,
) -> Changed:
    """Those of these tasks that are open stop; what is talked of or written up still has no future."""
    rows = select(FollowUpTask).where(tasks, FollowUpTask.state.in_(OPEN))
    stopped, talking = [], []
    for task in session.scalars(
        rows.order_by(FollowUpTask.id).with_for_update(), execution_options={"populate_existing": True}
    ):
        said_by = str(by) if by else None
        written_up = task.state == "wrap_up" and attempt_records.is_written_up(session, task.id, at)
        if written_up or (task.state == "calling" and _talks(session, task.id)):
            code = "plan_changed_while_written_up" if written_up else "plan_changed_while_talking"
            task.max_tries = 0
            decide(session, task.id, code, at, reason=reason, by=said_by, **facts)
            talking.append(task.id)
        else:
            task.stop(reason, at)
            for attempt in attempt_records.end_unknown(session, task.id, at):
                recordings.account_for(session, attempt, at)
            decide(session, task.id, "plan_changed", at, reason=reason, by=said_by, **facts)
            stopped.append(task.id)
        announce(session, "task", task.id)
    session.flush()
    return Changed(tuple(stopped), tuple(talking))


def _talks(session: Session, task_id: UUID) -> bool:
    return session.scalar(select(Attempt.id).where(about(task_id), Attempt.state == "talking").limit(1)) is not None


def ended_by(session: Session, task: FollowUpTask) -> str:
    """What has left a task without a future while they talked, or while it was written up."""
    rows = select(DecisionRow.facts["reason"].astext).where(
        DecisionRow.task_id == task.id, DecisionRow.code.startswith("plan_changed_while_")
    )
    return session.scalar(rows.order_by(DecisionRow.id.desc()).limit(1)) or "died"


def called_off(session: Session, at: datetime) -> list[Attempt]:
    """What is on its way to a patient although its task has stopped or was answered otherwise, they or who is called
    for them have died, are said to have, or opted out, or the number is not to be called any more (the log says which).
    Whoever has answered already is not hung up on."""
    rows = select(Attempt, FollowUpTask, Patient, PhoneNumber).join(FollowUpTask, FollowUpTask.id == Attempt.task_id)
    rows = rows.join(Patient, Patient.id == Attempt.patient_id).join(PhoneNumber, PhoneNumber.id == Attempt.number_id)
    asked = (selectinload(FollowUpTask.questionnaire), selectinload(PhoneNumber.patient))
    under_way = session.execute(rows.where(Attempt.state.in_(("claimed", "dialling"))).options(*asked)).all()
    off = []
    for attempt, task, patient, number in under_way:
        why = never(patient, number, task.purpose)
        if why is not None and (task.state != "stopped" or task.stop_reason == why):
            _tell_once(session, task, attempt, why, at)
        if task.state in ("stopped", "done", "open") or why is not None:
            off.append(attempt)
    return off


def _tell_once(session: Session, task: FollowUpTask, attempt: Attempt, why: str, at: datetime) -> None:
    told = select(DecisionRow.id).where(DecisionRow.task_id == task.id, DecisionRow.code == "called_off")
    if session.scalar(told.where(DecisionRow.facts["attempt"].astext == str(attempt.id))) is None:
        decide(session, task.id, "called_off", at, because=why, attempt=str(attempt.id))
