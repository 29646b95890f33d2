"""Whether a task may be dialled at this instant, and by what that is judged: for who dials, and for a page that tells.

The rules themselves are pure (`calling_rules`); here their facts are read. Nothing is written."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from hospital.attempt_records import asked_for, contacts
from hospital.calling_rules import (
    CallingPolicy,
    NotNow,
    liked,
    on_the_clock_of,
    refusal,
    where_reached,
)
from hospital.cases import Case
from hospital.followups import URGENT, DecisionRow, FollowUpTask
from hospital.patients import Patient, PhoneNumber

RAISED = ("red_flag", "flags_raised")  # decisions: told to a machine, or by the answers on a nurse's form


@dataclass(frozen=True)
class Verdict:
    """`person`: whose number it is, the patient or the guardian. `policy`: on their clock, narrowed to what they like,
    unless they asked for another time. `rung`: the contacts that the cap counts. `refused` None: it may be dialled
    now."""

    person: Patient
    number: PhoneNumber | None
    policy: CallingPolicy
    rung: list[datetime]
    urgent: bool
    refused: NotNow | None


def is_urgent(session: Session, task: FollowUpTask) -> bool:
    """Whether the cap does not hold it back: a suspended clinic, and a follow-up that has raised a red flag, until the
    case is closed."""
    if task.kind in URGENT:
        return True
    raised = select(DecisionRow.id).where(DecisionRow.task_id == task.id, DecisionRow.code.in_(RAISED))
    goes_on = select(Case.id).where(
        Case.kind == "red_flag", Case.patient_id == task.patient_id, Case.state.in_(("open", "owned"))
    )
    return session.scalar(select(and_(raised.exists(), goes_on.exists()))) is True


def judge(session: Session, task: FollowUpTask, at: datetime, policy: CallingPolicy) -> Verdict:
    reached = where_reached(session, task.patient, at)
    wanted = [number for number in reached.numbers if number.rank == task.next_number_rank]
    number = next(iter(wanted or reached.numbers), None)
    urgent = is_urgent(session, task)
    policy = on_the_clock_of(policy, reached.person, number)
    if not urgent:
        policy = liked(policy, task.patient, at, task.due_until, asked_for(session, task.id))
    rung = contacts(session, task.patient_id, number.token, at) if number else []
    refused = refusal(task.patient, number, rung, at, policy, task.purpose, urgent)
    return Verdict(reached.person, number, policy, rung, urgent, refused)
