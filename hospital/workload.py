"""How much there is for each nurse to call, and on which wards she works: for who shares out the list."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from hospital.accounts import Account
from hospital.followups import FollowUpTask
from hospital.rota_records import OnCallLine, OnCallShift


@dataclass(frozen=True, slots=True)
class Load:
    """Open follow-ups: those that are on the list (`waiting`), and of them those whose time is over. `account` None:
    nobody's. `may`: she may be given more."""

    account: Account | None
    waiting: int
    overdue: int
    may: bool


def loads(session: Session, at: datetime, ahead: timedelta) -> list[Load]:
    """Nobody's first, then who has least; everybody who makes such calls, and who has some though her account is
    closed. Counted is what is due until `at + ahead`."""
    counts = {
        owner_id: (waiting, overdue)
        for owner_id, waiting, overdue in session.execute(
            select(FollowUpTask.owner_id, func.count(), func.count().filter(FollowUpTask.due_until < at))
            .where(
                FollowUpTask.kind == "follow_up",
                FollowUpTask.state.in_(("open", "calling", "wrap_up", "review")),
                FollowUpTask.due_at <= at + ahead,
            )
            .group_by(FollowUpTask.owner_id)
        )
    }
    everybody = session.scalars(select(Account)).all()
    shown = [one for one in everybody if one.may("followups.work") or one.id in counts]
    of_all = [Load(one, *counts.get(one.id, (0, 0)), one.may("followups.work")) for one in shown]
    of_all.sort(key=lambda one: (one.waiting, one.account.display_name if one.account else ""))
    return [Load(None, *counts.get(None, (0, 0)), False), *of_all]


def wards_of(session: Session, account_id: UUID, day: date) -> list[str]:
    """The wards of the lines on which somebody has shifts, by name."""
    rows = (
        select(OnCallLine.ward)
        .join(OnCallShift, OnCallShift.line_id == OnCallLine.id)
        .where(
            OnCallShift.account_id == account_id,
            OnCallLine.closed_at.is_(None),
            OnCallLine.ward != "",
            or_(OnCallShift.last_day.is_(None), OnCallShift.last_day >= day),
        )
        .distinct()
        .order_by(OnCallLine.ward)
    )
    return list(session.scalars(rows))
