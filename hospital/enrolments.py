"""Enrolments: one event of a patient's care makes the tasks of every plan that is meant for it, exactly once.

Rules: an event is told by the id that it has where it happened; told again it changes nothing, whoever tells it, in
however many processes (`care_event.source`, `enrolment (event_id, plan)`, `one_task_per_step`). A step whose time had
passed before we were told becomes a task that is stopped, so that the figures are honest. Who has died is enrolled in
nothing. A later discharge ends what an earlier one began (`next_stays`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, selectinload

from hospital import next_stays, questionnaires
from hospital.calendars import Calendar
from hospital.calling_rules import address_of
from hospital.database import announce
from hospital.enrolment_records import CareEvent, Enrolment
from hospital.followups import DecisionRow, FollowUpTask
from hospital.patients import Patient
from hospital.plans import Due, Event, Plan, age, due
from hospital.questionnaires import Questionnaire
from hospital.zones import country_of, zone_of


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it is told. `source`: its id where it happened, `his:discharge:4711`. `stay_id`: what it ended."""

    source: str
    kind: str
    patient_id: UUID
    at: datetime
    ward: str = ""
    diagnosis: str = ""
    study: str = ""
    stay_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Telling:
    """What came of it: events that were new, events that were known, tasks that were made."""

    new: int
    known: int
    tasks: int


def tell(
    session: Session, told: Sequence[Told], plans: Iterable[Plan], at: datetime, site: Calendar, by: UUID | None = None
) -> Telling:
    """Events that happened, and the tasks of every plan whose rule admits them. Whoever has written the patients'
    records before, in the same transaction, has locked what this could end before that (`next_stays.lock`).

    Raises LookupError where a plan asks with a questionnaire that was not loaded."""
    _lock(session, told)
    new = _new_events(session, told, at, by)
    events = [one for one in told if one.source in new]
    patients = _patients(session, {one.patient_id for one in events})
    wanted = []
    for one in events:
        patient = patients[one.patient_id]
        if patient.deceased_at is not None or patient.death_reported_at is not None:
            continue
        years = age(patient.birth_date, one.at.astimezone(site.zone).date())
        event = Event(one.kind, one.at, one.ward, one.diagnosis, one.study, years)
        wanted += [
            (new[one.source], one, plan)
            for plan in plans
            if plan.begins == one.kind and plan.rule is not None and plan.rule.admits(event)
        ]
    made = _enrol(session, wanted, patients, at, site, by)
    next_stays.end(session, {one.patient_id for one in events if one.kind == "discharge"}, at, by)
    return Telling(len(new), len(told) - len(new), made)


def enrol(
    session: Session,
    plan: Plan,
    patient_ids: Sequence[UUID],
    at: datetime,
    site: Calendar,
    by: UUID,
    *,
    study: str = "",
) -> Telling:
    """A clinician's decision, for one patient or a list: the plan begins now. On the same local day it is one decision,
    however often it is sent."""
    day = at.astimezone(site.zone).date()
    told = [
        Told(f"enrolment:{plan.id}:{patient_id}:{day}", "enrolment", patient_id, at, study=study)
        for patient_id in dict.fromkeys(patient_ids)
    ]
    new = _new_events(session, told, at, by)
    patients = _patients(session, {one.patient_id for one in told if one.source in new})
    wanted = [
        (new[one.source], one, plan)
        for one in told
        if one.source in new and patients[one.patient_id].deceased_at is None
    ]
    return Telling(len(new), len(told) - len(new), _enrol(session, wanted, patients, at, site, by))


def _lock(session: Session, told: Sequence[Told]) -> None:
    """What discharges that nobody had told before could end; told again, they hold nobody's plan."""
    homes = {one.source: one.patient_id for one in told if one.kind == "discharge"}
    known = set(session.scalars(select(CareEvent.source).where(CareEvent.source.in_(homes))))
    if homes.keys() - known:
        next_stays.lock(session, {patient_id for source, patient_id in homes.items() if source not in known})


def _new_events(session: Session, told: Sequence[Told], at: datetime, by: UUID | None) -> dict[str, UUID]:
    """Source → id of those that nobody had told before."""
    if not told:
        return {}
    rows = [
        {
            "id": uuid4(),
            "source": one.source,
            "kind": one.kind,
            "patient_id": one.patient_id,
            "at": one.at,
            "ward": one.ward,
            "diagnosis": one.diagnosis,
            "study": one.study,
            "told_at": at,
            "told_by": by,
        }
        for one in told
    ]
    made = insert(CareEvent).on_conflict_do_nothing(index_elements=["source"])
    return {row.source: row.id for row in session.execute(made.returning(CareEvent.source, CareEvent.id), rows)}


def _patients(session: Session, ids: set[UUID]) -> Mapping[UUID, Patient]:
    rows = select(Patient).where(Patient.id.in_(ids)).options(selectinload(Patient.numbers))
    return {patient.id: patient for patient in session.scalars(rows)}


def _enrol(
    session: Session,
    wanted: Sequence[tuple[UUID, Told, Plan]],
    patients: Mapping[UUID, Patient],
    at: datetime,
    site: Calendar,
    by: UUID | None,
) -> int:
    """How many tasks were made."""
    if not wanted:
        return 0
    forms = _forms(session, {step.questionnaire for _, _, plan in wanted for step in plan.steps})
    enrolments: list[dict[str, Any]] = []
    tasks: list[dict[str, Any]] = []
    decided: list[dict[str, Any]] = []
    for event_id, told, plan in wanted:
        enrolment_id = uuid4()
        enrolments.append(
            {
                "id": enrolment_id,
                "event_id": event_id,
                "patient_id": told.patient_id,
                "plan": plan.id,
                "plan_sha256": plan.sha256,
                "ends_with": sorted(plan.ends_with),
                "enrolled_at": at,
                "enrolled_by": by,
            }
        )
        for one in due(plan, told.at, calendar_of(patients[told.patient_id], site)):
            form = forms[one.step.questionnaire]
            unwanted = form.purpose in patients[told.patient_id].opted_out
            task = _task(one, plan, told, enrolment_id, form.id, at, unwanted)
            tasks.append(task)
            facts = {"plan": plan.id, "step": one.name, "reason": task["reason"]}
            decided.append({"task_id": task["id"], "at": at, "code": "planned", "facts": facts})
            if task["state"] == "stopped":
                why = {"reason": task["stop_reason"]}
                decided.append({"task_id": task["id"], "at": at, "code": "plan_changed", "facts": why})
    session.execute(insert(Enrolment), enrolments)
    session.execute(insert(FollowUpTask), tasks)
    session.execute(insert(DecisionRow), decided)
    announce(session, "task", tasks[0]["id"])  # whoever looks at a list sees all of them
    return len(tasks)


def _task(
    one: Due, plan: Plan, told: Told, enrolment_id: UUID, form: UUID, at: datetime, unwanted: bool
) -> dict[str, Any]:
    """`unwanted`: the patient has opted out of it; it is there, so that it comes back when they want it again."""
    stopped = "told_too_late" if one.due_until <= at else "opted_out" if unwanted else None
    return {
        "id": uuid4(),
        "patient_id": told.patient_id,
        "questionnaire_id": form,
        "reason": f"{plan.id}_{one.name}".replace("-", "_"),
        "enrolment_id": enrolment_id,
        "step": one.name,
        "stay_id": told.stay_id,
        "ward": told.ward,
        "priority": one.step.priority,
        "channel": one.step.channel,
        "fallback": list(one.step.fallback),
        "announce_hours": one.step.announce_hours,
        "due_at": one.due_at,
        "due_until": one.due_until,
        "state": "stopped" if stopped else "open",
        "stop_reason": stopped,
        "closed_at": at if stopped else None,
    }


def _forms(session: Session, codes: set[str]) -> dict[str, Questionnaire]:
    found = {code: questionnaires.newest(session, code) for code in sorted(codes)}
    missing = [code for code, form in found.items() if form is None]
    if missing:
        raise LookupError(f"questionnaires that plans need were not loaded: {', '.join(missing)}; the log says why")
    return {code: form for code, form in found.items() if form is not None}


def calendar_of(patient: Patient, site: Calendar) -> Calendar:
    """The clock and the holidays of where the patient is, as they told us, else by their first usable number."""
    number = next((n.number for n in patient.numbers if n.safe_to_call and n.invalid_since is None), None)
    address, told = address_of(patient, site.country), patient.zone
    return Calendar(
        zone_of(number, site.zone, told=told, address=address),
        country_of(number, site.country, told=told, address=address),
    )
