"""Red flags that answers on a nurse's form raise: she raises each or sets it aside, and forgetting is impossible.

Rules: a nurse has the patient on the line and may judge, so nobody is rung at the keystroke; but no result of the call
is taken while a flag stands. Raised, it is the same urgent case as everywhere and goes to who is on call. Set aside, it
has an outcome and a reason. Whatever nobody dealt with is raised by itself: a minute after the call, and after the
site's clock for red flags also in the middle of one. An answer that changes makes its flag stand again, and one that is
corrected takes it away; a case that was opened stays.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ForeignKey, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import audit, nurse_flags
from hospital.answer_changes import case_code
from hospital.attempt_records import LIVE, Attempt, about
from hospital.calling_rules import where_reached
from hospital.clocks import Due
from hospital.database import Base, announce, storable
from hospital.followups import DecisionRow, FollowUpTask, decide
from hospital.patients import Patient
from hospital.vault import Sealed

OUTCOMES = ("treated", "advised", "handed_over", "emergency_called", "not_so")
AFTER_THE_CALL = timedelta(minutes=1)
LENGTH = 1000


class AnswerFlag(Base):
    __tablename__ = "answer_flag"
    task_id: Mapped[UUID] = mapped_column(ForeignKey("followup_task.id"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(default="standing")
    since: Mapped[datetime]
    settled_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    settled_at: Mapped[datetime | None]
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("care_case.id"))
    outcome: Mapped[str | None]
    why: Mapped[str | None] = mapped_column("why_sealed", Sealed("answer_flag.why"))


def stand(session: Session, task_id: UUID, codes: Collection[str], changed: Collection[str], at: datetime) -> None:
    """What the answers raise now; `changed`: of these the answers have changed. What a machine has raised of them
    already is not raised again."""
    rows = of_task(session, task_id)
    told = select(DecisionRow.facts["flag"].astext).where(
        DecisionRow.task_id == task_id, DecisionRow.code == "red_flag"
    )
    by_machine = set(session.scalars(told))
    for code in codes:
        row = rows.get(code)
        if row is None and (code in changed or case_code(code) not in by_machine):
            new = insert(AnswerFlag).values(task_id=task_id, code=code, state="standing", since=at)
            session.execute(new.on_conflict_do_nothing())  # two answers that are saved at once may raise the same
        elif row is not None and (row.state == "gone" or (row.state == "set_aside" and code in changed)):
            row.state, row.since = "standing", at
            row.settled_by, row.settled_at, row.outcome, row.why = None, None, None, None
    for code, row in rows.items():
        if row.state == "standing" and code not in codes:
            row.state = "gone"
    session.flush()


def of_task(session: Session, task_id: UUID) -> dict[str, AnswerFlag]:
    return {one.code: one for one in session.scalars(select(AnswerFlag).where(AnswerFlag.task_id == task_id))}


def of_case(session: Session, case_id: UUID) -> list[str]:
    """What was raised in a case, in the case's codes."""
    rows = select(AnswerFlag.code).where(AnswerFlag.case_id == case_id, AnswerFlag.state == "raised")
    return [case_code(code) for code in session.scalars(rows.order_by(AnswerFlag.since, AnswerFlag.code))]


def standing(session: Session, task_ids: Collection[UUID]) -> list[AnswerFlag]:
    """What has to be dealt with first."""
    rows = select(AnswerFlag).where(AnswerFlag.task_id.in_(task_ids), AnswerFlag.state == "standing")
    return list(session.scalars(rows.order_by(AnswerFlag.since, AnswerFlag.code)))


def raise_standing(session: Session, task_id: UUID, text: str, by: UUID | None, at: datetime, due: Due) -> UUID | None:
    """All that stand go to who is on call; the case, None where none stands. `text`: the nurse's first note."""
    task = session.get_one(FollowUpTask, task_id, with_for_update=True, populate_existing=True)
    rows = standing(session, [task_id])
    if not rows:
        return None
    codes = [case_code(one.code) for one in rows]
    case_id = nurse_flags.open_or_found(session, task, codes[0], number_of(session, task.patient_id, at), at, due)
    for one in rows:
        one.state, one.case_id, one.settled_by, one.settled_at = "raised", case_id, by, at
    if by is not None:
        nurse_flags.add_note(session, case_id, text, by, at)
    task.priority = 1
    decide(session, task_id, "flags_raised", at, flags=codes, by=str(by) if by else None)
    announce(session, "task", task_id)
    announce(session, "case", case_id)
    audit.record(session, by, "urgent.raised", f"case:{case_id}", at, task=str(task_id), flags=codes)
    return case_id


def set_aside(session: Session, task_id: UUID, code: str, outcome: str, why: str, by: UUID, at: datetime) -> bool:
    """The nurse has judged; False where it does not stand any more. Raises ValueError with what is missing."""
    reason = storable(why).strip()
    if outcome not in OUTCOMES:
        raise ValueError("Say what became of it.")
    if not 0 < len(reason) <= LENGTH:
        raise ValueError("Say why it is set aside.")
    row = session.get(AnswerFlag, (task_id, code), with_for_update=True, populate_existing=True)
    if row is None or row.state != "standing":
        return False
    row.state, row.outcome, row.why, row.settled_by, row.settled_at = "set_aside", outcome, reason, by, at
    flag = case_code(code)
    decide(session, task_id, "flag_set_aside", at, flag=flag, outcome=outcome, by=str(by))
    announce(session, "task", task_id)
    audit.record(session, by, "flag.set_aside", f"task:{task_id}", at, flag=flag, outcome=outcome)
    return True


def raise_forgotten(session: Session, at: datetime, clock: timedelta) -> list[UUID]:
    """Raises what nobody dealt with in time; the cases. To be called about once a second."""
    made = []
    rows = select(AnswerFlag.task_id, func.min(AnswerFlag.since)).where(AnswerFlag.state == "standing")
    for task_id, since in session.execute(rows.group_by(AnswerFlag.task_id)).all():
        calls = session.execute(select(Attempt.state, Attempt.ended_at).where(about(task_id))).all()
        talks = any(state in LIVE for state, _ in calls)
        over = max((ended for _, ended in calls if ended is not None), default=since)
        set_back = at < since - AFTER_THE_CALL  # the clock was: nobody waits until that time comes round
        if set_back or at >= since + clock or (not talks and at >= max(over, since) + AFTER_THE_CALL):
            case_id = raise_standing(session, task_id, "", None, at, Due(at + clock))
            made += [case_id] if case_id else []
    return made


def number_of(session: Session, patient_id: UUID, at: datetime) -> str | None:
    """Where they, or who speaks for them, are to be called, if anywhere."""
    numbers = where_reached(session, session.get_one(Patient, patient_id), at).numbers
    return numbers[0].number if numbers else None
