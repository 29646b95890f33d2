"""Red flags climb: each open one goes to who is on call, and on, until somebody takes it.

Who has taken one has a clock until its outcome. When that passes, the line's lead and the supervisors are told, again
and again, and any of them may take it over; it stays with its owner until somebody does.

Rules: whoever looks for what is due locks the case, and another that looks at the same moment passes it by: a step is
taken once, however many processes look. What was told is in the case's history and in the audit chain; nothing is kept
anywhere else, so that a restart loses nothing.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from hospital import audit, rota_records, urgent_records
from hospital.accounts import Account
from hospital.cases import Case
from hospital.database import announce
from hospital.followups import FollowUpTask
from hospital.patients import NEWEST_STAY, Stay
from hospital.rota import ANY_WARD, Calendar
from hospital.urgent import Ladder, Reach, Step, next_step

LEADS = "rota.change"
"""Who is told when nobody on call takes it."""


def climb(session: Session, calendar: Calendar, ladder: Ladder, at: datetime) -> list[UUID]:
    """Takes every step that is due at `at`; the cases that climbed. To be called about once a second."""
    still = select(Case).where(Case.kind == "red_flag", Case.state == "open")
    climbed: dict[UUID, list[dict[str, object]]] = {}
    for case in session.scalars(still.order_by(Case.opened_at).with_for_update(skip_locked=True)):
        steps = urgent_records.ladder(urgent_records.history(session, case.id))
        if steps and steps[-1].has_time_left(at):
            continue
        ward = ward_of(session, case.patient_id) if case.ward is None else case.ward
        found = reach(session, calendar, case.role or ladder.role, ward, at)
        while (step := next_step(steps, found, at, ladder.wait)) is not None:
            urgent_records.climbed(session, case.id, step)
            steps.append(step)
            facts: dict[str, object] = {"whom": step.whom, "told": [str(one) for one in step.told]}
            climbed.setdefault(case.id, []).append(facts)
    for case_id, told in climbed.items():
        announce(session, "case", case_id)
        for facts in told:
            audit.record(session, None, "urgent.told", f"case:{case_id}", at, **facts)
    return list(climbed)


def without_outcome(session: Session, calendar: Calendar, ladder: Ladder, at: datetime) -> list[UUID]:
    """Sets the clock of whoever has taken one, and tells of those whose clock has passed; which those are. To be called
    about once a second."""
    passed = or_(Case.decide_by.is_(None), Case.decide_by <= at)
    owned = select(Case).where(Case.kind == "red_flag", Case.state == "owned", passed).order_by(Case.opened_at)
    told = []
    for case in session.scalars(owned.with_for_update(skip_locked=True)):
        entries = urgent_records.history(session, case.id)
        if case.decide_by is None:
            taken = max((one.at for one in entries if one.whom == "taken"), default=at)
            case.decide_by = max(taken + ladder.outcome, case.acknowledge_by)
            announce(session, "case", case.id)
        last = max((one.until for one in entries if one.whom == "overdue" and one.until), default=case.decide_by)
        if at >= max(last, case.decide_by):
            _overdue(session, case, calendar, ladder, at)
            told.append(case.id)
    return told


def _overdue(session: Session, case: Case, calendar: Calendar, ladder: Ladder, at: datetime) -> None:
    ward = ward_of(session, case.patient_id) if case.ward is None else case.ward
    found = reach(session, calendar, case.role or ladder.role, ward, at)
    told = tuple(dict.fromkeys([*([found.lead] if found.lead else []), *found.supervisors]))
    urgent_records.climbed(session, case.id, Step("overdue", told, at, at + ladder.outcome))
    announce(session, "case", case.id)
    audit.record(session, None, "urgent.told", f"case:{case.id}", at, whom="overdue", told=[str(one) for one in told])


def decline(session: Session, case_id: UUID, account_id: UUID, at: datetime) -> bool:
    """Who was told last cannot take it: it climbs at once. False for anybody else, or where it was taken."""
    case = session.scalar(select(Case).where(Case.id == case_id, Case.state == "open").with_for_update())
    steps = urgent_records.ladder(urgent_records.history(session, case_id)) if case is not None else []
    if not steps or account_id not in steps[-1].told or steps[-1].until <= at:
        return False
    urgent_records.happened(session, case_id, "declined", account_id, at)
    announce(session, "case", case_id)
    audit.record(session, account_id, "urgent.declined", f"case:{case_id}", at)
    return True


def reach(session: Session, calendar: Calendar, role: str, ward: str, at: datetime) -> Reach:
    """Whom something urgent for `role` in `ward` can go to at `at`."""
    on_call = [one.account_id for one in rota_records.load(session, calendar).on_call(role, ward, at)]
    present = session.scalars(select(Account).order_by(Account.username)).all()
    leads = {one.id for one in present if one.may(rota_records.TAKES)}
    lines = [one for one in rota_records.open_lines(session) if one.line.covers(role, ward) and one.lead_id]
    lines.sort(key=lambda one: one.ward == ANY_WARD)
    lead = lines[0].lead_id if lines else None
    return Reach(on_call, lead if lead in leads else None, [one.id for one in present if one.may(LEADS)])


def ward_of(session: Session, patient_id: UUID | None) -> str:
    """Whose patient it is: the ward of the newest stay, else of the newest follow-up; '' where none is known."""
    if patient_id is None:
        return ANY_WARD
    stays = select(Stay.ward).where(Stay.patient_id == patient_id).order_by(NEWEST_STAY)
    tasks = select(FollowUpTask.ward).where(FollowUpTask.patient_id == patient_id, FollowUpTask.ward != ANY_WARD)
    tasks = tasks.order_by(FollowUpTask.due_at.desc())
    return session.scalar(stays.limit(1)) or session.scalar(tasks.limit(1)) or ANY_WARD
