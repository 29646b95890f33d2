"""Red flags that a nurse raises from her follow-up: she has the patient on the line, and needs a doctor now.

Rules: it goes to the role and ward that she names, up the same ladder as any. While one is open for a follow-up, what
is added is a note to it.
"""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import audit
from hospital.calling_rules import where_reached
from hospital.cases import Case, Note
from hospital.clocks import Due
from hospital.database import announce, storable
from hospital.followups import FollowUpTask
from hospital.patients import Patient
from hospital.rota import ROLES, Line
from hospital.rota_records import WARD_LENGTH

LENGTH = 4000


def raise_flag(
    session: Session, task: FollowUpTask, line: Line, text: str, number: str | None, by: UUID, at: datetime, due: Due
) -> UUID:
    """A nurse needs somebody of `line` at once for the patient of her follow-up; `text` is why, and the first note.
    While one is open for this follow-up it is the same case. Raises ValueError with what is wrong."""
    written = storable(text).strip()
    ward = " ".join(storable(line.ward).split())
    if line.role not in ROLES or len(ward) > WARD_LENGTH:
        raise ValueError("Choose whom you ask.")
    if not 0 < len(written) <= LENGTH:
        raise ValueError("Say what it is about.")
    found = open_or_found(session, task, "nurse", number, at, due, Line(line.role, ward))
    add_note(session, found, written, by, at)
    audit.record(session, by, "urgent.raised", f"case:{found}", at, task=str(task.id), role=line.role)
    return found


def open_or_found(
    session: Session,
    task: FollowUpTask,
    detail: str,
    number: str | None,
    at: datetime,
    due: Due,
    line: Line | None = None,
) -> UUID:
    """The case that is open for a follow-up, or a new one; without a `line` it goes to whom the site says."""
    session.execute(select(FollowUpTask.id).where(FollowUpTask.id == task.id).with_for_update())
    before = of_task(session, task.id)
    found = next((one.id for one in before if one.state != "closed"), None)
    if found is not None:
        return found
    language = where_reached(session, session.get_one(Patient, task.patient_id), at).language
    row = Case(
        id=uuid4(), kind="red_flag", origin=f"red_flag/task/{task.id}/{len(before)}", patient_id=task.patient_id,
        caller=number, language=language, detail=detail, role=line.role if line else None,
        ward=line.ward if line else None, opened_at=at, acknowledge_by=due.acknowledge_by,
    )  # fmt: skip
    session.add(row)
    session.flush()
    announce(session, "case", row.id)
    return row.id


def add_note(session: Session, case_id: UUID, text: str, by: UUID, at: datetime) -> None:
    session.add(Note(case_id=case_id, account_id=by, at=at, text=text))
    session.flush()
    announce(session, "case", case_id)


def of_task(session: Session, task_id: UUID) -> list[Case]:
    """The red flags that were raised from a follow-up's form, newest first."""
    rows = select(Case).where(Case.origin.startswith(f"red_flag/task/{task_id}/"))
    return list(session.scalars(rows.order_by(Case.opened_at.desc(), Case.number.desc())))
