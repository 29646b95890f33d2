"""Why this patient was, or wasn't, called: what would be decided now, by what, and every decision so far, in sentences.

It is the patient's record as much as the form is: who may open the task may read it, and each look is audited."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import campaigns, followups, patients
from hospital.calling_hours import MIDNIGHT, hours_on
from hospital.calling_rules import CallingPolicy, their_clock
from hospital.enrolment_records import Enrolment
from hospital.followups import FollowUpTask
from hospital.patients import Patient
from hospital.verdicts import Verdict, judge
from hospital.zones import zones
from web import words
from web.doors import Visitor, pages_of, services
from web.followup_list import WorksFollowUps, own_task, viewer
from web.followup_view import Viewer, department_names, may_open
from web.looks import looked
from web.plans import plans
from web.refusals import Refusal

MOST = 30  # contacts shown, the newest first
UNDER_WAY = {
    "calling": "It is being called.",
    "wrap_up": "The call is being written up.",
    "review": "What came of its last call is not known; a person decides",
}

routes = APIRouter()


@dataclass(frozen=True)
class Contact:
    """A task of the patient with its decisions, the newest first."""

    task: FollowUpTask
    log: list[tuple[datetime, str]]


@dataclass(frozen=True)
class Why:
    """`form`: there is a form of it to go back to."""

    patient: Patient
    form: bool
    verdict: str
    may: bool
    facts: list[tuple[str, str]]
    contacts: list[Contact]


def why(session: Session, task_id: UUID, shown: Viewer, policy: CallingPolicy) -> Why | None:
    """None where there is no such task, or it is somebody else's."""
    task = session.get(FollowUpTask, task_id)
    if task is None or not _may_read(task, shown):
        return None
    patient = task.patient
    looked(session, shown.account_id, "record.read", f"patient:{patient.id}", shown.at)
    judged = judge(session, task, shown.at, policy)
    rows = select(FollowUpTask).where(FollowUpTask.patient_id == patient.id).order_by(FollowUpTask.due_at.desc())
    others = [one for one in session.scalars(rows.limit(MOST)) if _may_read(one, shown)]
    contacts = [Contact(one, _log(session, one, shown)) for one in others]
    told, may = _verdict(task, judged, shown)
    facts = _facts(task, patient, judged, shown)
    campaign = campaigns.of_task(session, task)
    if campaign is not None:
        facts.append(("Campaign", f"{campaign.name}, {campaign.state}"))
        if may and campaign.state == "paused" and campaign.mode != "preview":
            told, may = "The hotline does not call: its campaign is paused. A nurse may call by herself.", False
    if task.enrolment_id is not None:
        facts.append(("Plan", _plan(session.get_one(Enrolment, task.enrolment_id), shown)))
    return Why(patient, task.kind == "follow_up", told, may, facts, contacts)


def _may_read(task: FollowUpTask, shown: Viewer) -> bool:
    """What the hotline calls for by itself is nobody's own."""
    return task.kind != "follow_up" or may_open(task, shown)


def _log(session: Session, task: FollowUpTask, shown: Viewer) -> list[tuple[datetime, str]]:
    rows, names = followups.decisions(session, task.id), department_names(session)
    return [(row.at, words.decision(row.code, row.facts, shown.at, shown.zone, names)) for row in reversed(rows)]


def _verdict(task: FollowUpTask, judged: Verdict, shown: Viewer) -> tuple[str, bool]:
    if task.state in UNDER_WAY:
        return UNDER_WAY[task.state], False
    if task.state != "open":
        ended = "It is done." if task.state == "done" else f"{words.say(words.STOP_REASONS, task.stop_reason)}."
        return f"{ended} Nobody calls for it any more.", False
    if judged.refused is None:
        return "It may be called now.", True
    code, until = judged.refused.code, judged.refused.not_before
    facts = {"not_before": until.isoformat() if until else None}
    return f"{words.decision(code, facts, shown.at, shown.zone)}.", False


def _facts(task: FollowUpTask, patient: Patient, judged: Verdict, shown: Viewer) -> list[tuple[str, str]]:
    policy, local = judged.policy, shown.at.astimezone(judged.policy.zone)
    by = words.KNOWN_BY[their_clock(policy, judged.person, judged.number).by]
    hours = [
        f"{start:%H:%M}–{'24:00' if end == MIDNIGHT else format(end, '%H:%M')}"
        for start, end in hours_on(local.date(), policy.window)
    ]
    closed = "not at all" if not policy.window.week[local.weekday()] else "not at all, it is a public holiday there"
    numbers = patient.numbers
    away = sum(number.invalid_since is not None for number in numbers)
    unsafe = sum(not number.safe_to_call for number in numbers)
    told = [
        ("Their clock", f"{local:%A %H:%M}, {words.place(policy.zone.key)}, {by}"),
        ("May be called today", ", ".join(hours) or closed),
        ("Called lately", _lately(judged, shown)),
        ("Number", _number(task, patient, judged)),
    ]
    if away or unsafe:
        told.append(("Not used", f"{away} put away as wrong, {unsafe} not safe to call"))
    if patient.suits:
        told.append(("Likes calls in the", patient.suits))
    if patient.opted_out:
        told.append(("Opted out of", ", ".join(words.say({}, one).lower() for one in sorted(patient.opted_out))))
    if patient.death_reported_at and not patient.deceased_at:
        told.append(("Reported deceased", "a clinician confirms it or takes it back; until then nobody calls"))
    told.append(("Tries of this task", f"{task.tries} of {task.max_tries}, counted where the phone rang"))
    return told


def _lately(judged: Verdict, shown: Viewer) -> str:
    if judged.urgent:
        return "it is urgent: how often is not counted"
    policy, today = judged.policy, shown.at.astimezone(judged.policy.zone).date()
    days = [at.astimezone(policy.zone).date() for at in judged.rung]
    week = sum(day > today - timedelta(days=7) for day in days)
    limits = [f"{days.count(today)} today (at most {policy.cap_a_day})" if policy.cap_a_day else ""]
    limits.append(f"{week} in seven days (at most {policy.cap_a_week})" if policy.cap_a_week else "")
    return ", ".join(one for one in limits if one) or "without a limit"


def _plan(enrolment: Enrolment, shown: Viewer) -> str:
    """Whose steps are those of its file on that day, also where the file is another now."""
    plan = plans().get(enrolment.plan)
    told = f"{plan.title['en'] if plan else enrolment.plan}, since {words.day(enrolment.enrolled_at, shown.zone)}"
    if plan is None:
        return f"{told}; the plan is not used any more"
    return told if plan.sha256 == enrolment.plan_sha256 else f"{told}; the plan has been changed since"


def _number(task: FollowUpTask, patient: Patient, judged: Verdict) -> str:
    if judged.number is None:
        return "none that may be called"
    rank = words.ORDINALS.get(judged.number.rank, f"{judged.number.rank}th")
    return f"{rank} number of the guardian" if judged.person.id != patient.id else f"{rank} number"


async def _shown(request: Request, visitor: Visitor, task_id: UUID) -> Why:
    house = services(request)
    found = await house.database.run(why, task_id, viewer(request, visitor), await house.calling_rules())
    if found is None:
        await own_task(request, visitor, task_id)  # refuses, and writes it down
        raise Refusal(404, "There is no such task.")
    return found


@routes.get("/followups/{task_id}/why")
async def page(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
    found = await _shown(request, visitor, task_id)
    now = services(request).clock()
    return pages_of(request).show(
        request, "followups/why.html", why=found, task_id=task_id, now=now, zones=sorted(zones())
    )


@routes.post("/followups/{task_id}/zone")
async def tell_zone(
    request: Request, visitor: WorksFollowUps, task_id: UUID, zone: Annotated[str, Form(max_length=60)] = ""
) -> Response:
    """On whose clock the patient is; empty: by what else tells it."""
    shown = await _shown(request, visitor, task_id)
    house = services(request)
    if zone and zone not in zones():
        raise Refusal(422, "There is no such time zone. Choose one of the list, such as America/Bogota.")
    await house.database.run(patients.tell_zone, shown.patient.id, zone or None, visitor.account_id, house.clock())
    found = await _shown(request, visitor, task_id)
    return pages_of(request).part(
        request, "followups/why_now.html", why=found, task_id=task_id, now=house.clock(), zones=sorted(zones())
    )
