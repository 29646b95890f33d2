"""Red flags climb: each open one goes to who is on call, and on, until somebody takes it.

Who has taken one has a clock until its outcome. When that passes, the line's lead and the supervisors are told, and it
climbs anew, past its owner, and rings as one that nobody has taken; whoever is told may take it over, and has a clock
of their own then. It stays with its owner until somebody does.

Rules: whoever looks for what is due locks the case, and another that looks at the same moment passes it by: a step is
taken once, however many processes look. What was told is in the case's history and in the audit chain; nothing is kept
anywhere else, so that a restart loses nothing.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from hospital import audit, cases, rota_records, urgent_records
from hospital.accounts import Account
from hospital.answer_flags import AnswerFlag
from hospital.calendars import Calendar
from hospital.cases import Case
from hospital.database import announce
from hospital.followups import FollowUpTask
from hospital.patients import NEWEST_STAY, Stay
from hospital.rota import ANY_WARD
from hospital.urgent import Ladder, Reach, Step, next_step

LEADS = "rota.change"
"""Who is told when nobody on call takes it."""
Told = dict[UUID, list[Step]]


def anything_stands(session: Session) -> bool:
    """Whether there is a red flag that may climb, or an answer that may become one: a cheap look."""
    flag = exists().where(Case.kind == "red_flag", Case.state.in_(("open", "owned")))
    answer = exists().where(AnswerFlag.state == "standing")
    return session.scalar(select(or_(flag, answer))) is True


def climb(session: Session, calendar: Calendar, ladder: Ladder, at: datetime) -> list[UUID]:
    """Takes every step that is due at `at`; the cases that climbed. To be called about once a second."""
    still = select(Case).where(Case.kind == "red_flag", Case.state == "open").order_by(Case.opened_at)
    told: Told = {}
    for case in session.scalars(still.with_for_update(skip_locked=True)):
        steps = urgent_records.ladder(urgent_records.history(session, case.id))
        if not steps or not steps[-1].has_time_left(at):
            _up(session, case, steps, _reach_of(session, case, calendar, ladder, at), at, ladder, told)
    return _written(session, told, at)


def without_outcome(session: Session, calendar: Calendar, ladder: Ladder, at: datetime) -> list[UUID]:
    """Sets the clock of whoever has taken one, and takes every step that is due where it has passed; which cases those
    are. To be called about once a second."""
    passed = or_(Case.decide_by.is_(None), Case.decide_by <= at)
    owned = select(Case).where(Case.kind == "red_flag", Case.state == "owned", passed).order_by(Case.opened_at)
    told: Told = {}
    for case in session.scalars(owned.with_for_update(skip_locked=True)):
        entries = urgent_records.history(session, case.id)
        if case.decide_by is None:
            taken = max((one.at for one in entries if one.whom == "taken"), default=at)
            case.decide_by = max(taken + ladder.outcome, case.acknowledge_by)
            announce(session, "case", case.id)
        if at < case.decide_by:
            continue
        begun = urgent_records.late(entries)
        steps = urgent_records.ladder(entries) if begun else []
        if steps and steps[-1].has_time_left(at):
            continue
        found = _reach_of(session, case, calendar, ladder, at)
        if not begun:
            leads = dict.fromkeys(one for one in (found.lead, *found.supervisors) if one and one != found.past)
            _tell(session, case, Step("overdue", tuple(leads), at, at), told)
        _up(session, case, steps, found, at, ladder, told)
    return _written(session, told, at)


def _up(
    session: Session, case: Case, steps: list[Step], found: Reach, at: datetime, ladder: Ladder, told: Told
) -> None:
    while (step := next_step(steps, found, at, ladder.wait)) is not None:
        _tell(session, case, step, told)
        steps.append(step)


def _tell(session: Session, case: Case, step: Step, told: Told) -> None:
    urgent_records.climbed(session, case.id, step)
    told.setdefault(case.id, []).append(step)


def _written(session: Session, told: Told, at: datetime) -> list[UUID]:
    for case_id, steps in told.items():
        announce(session, "case", case_id)
        for step in steps:
            facts = {"whom": step.whom, "told": [str(one) for one in step.told]}
            audit.record(session, None, "urgent.told", f"case:{case_id}", at, **facts)
    return list(told)


def _reach_of(session: Session, case: Case, calendar: Calendar, ladder: Ladder, at: datetime) -> Reach:
    ward = ward_of(session, case.patient_id) if case.ward is None else case.ward
    return replace(reach(session, calendar, case.role or ladder.role, ward, at), past=case.owner_id)


def decline(session: Session, case_id: UUID, account_id: UUID, at: datetime) -> bool:
    """Who was told last cannot take it: it climbs at once. False for anybody else, or where it was taken."""
    case = session.scalar(select(Case).where(Case.id == case_id, cases.can_be_taken(at)).with_for_update())
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
