"""Every look at a patient's data, and every replay, goes into the audit chain.

A page is made of parts that refresh by themselves; a part that refreshes is the same look. So one row stands for
what one account saw of one subject within SAME_LOOK. Of a list the subject does not say whom it showed: who is new on
it gets a row."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import audit
from hospital.audit import AuditRow

SAME_LOOK = timedelta(minutes=2)


def looked(
    session: Session,
    account_id: UUID,
    action: str,
    subject: str,
    at: datetime,
    /,
    *,
    same: timedelta = SAME_LOOK,
    patients: Sequence[str] | None = None,
    **detail: Any,
) -> bool:
    """Write the look down unless it is a part of one that is written down already; True for a new row. `patients`: the
    ids that a list showed; those that a row of the same look does not name yet are written down."""
    before = session.scalars(
        select(AuditRow.detail).where(
            AuditRow.subject == subject,
            AuditRow.at > at - same,
            AuditRow.account_id == account_id,
            AuditRow.action == action,
        )
    ).all()
    if patients is not None:
        named = {one for row in before for one in row.get("patients", ())}
        patients = detail["patients"] = [one for one in patients if one not in named]
    if before and not patients:
        return False
    audit.record(session, account_id, action, subject, at, **detail)
    return True
