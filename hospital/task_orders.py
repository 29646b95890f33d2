"""Orders on follow-ups from the list: given to a nurse or back to everybody, skipped, put on another day, put forward.

Rules: every task is judged by itself at the moment of doing it, under its lock, and what cannot be done has a code that
says why. What is being called, written up or closed is left alone. `seen` is how the task looked to who orders: what
somebody else has changed meanwhile is not changed over their heads. What a person gave to a nurse is hers alone until
it is given back: nobody else is called for it, and no machine. Each order is one line in the audit chain, and one in
the task's decision log.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Literal, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import audit, followups
from hospital.accounts import Account
from hospital.database import announce
from hospital.followups import SKIP_REASONS, FollowUpTask, decide
from hospital.letter_records import StepLetter
from hospital.patients import Stay
from hospital.text_records import StepText, VideoMeeting
from hospital.wards import among

What = Literal["give", "give_back", "skip", "move", "priority"]
WHATS: tuple[What, ...] = get_args(What)
NOT_NOW = {"calling": "being_called", "wrap_up": "being_written_up", "done": "closed", "stopped": "closed"}
FIRST, LAST = 1, 9  # priorities


@dataclass(frozen=True, slots=True)
class Order:
    """`to`: the account that gets it. `reason`: of SKIP_REASONS. `day`: of the site."""

    what: What
    to: UUID | None = None
    reason: str = ""
    day: date | None = None
    priority: int = 5

    def wrong(self) -> str | None:
        """What to correct, whatever the task; or None."""
        match self.what:
            case "give" if self.to is None:
                return "Choose to whom."
            case "skip" if self.reason not in SKIP_REASONS:
                return "Say why they are skipped."
            case "move" if self.day is None:
                return "Choose the day."
            case "priority" if not FIRST <= self.priority <= LAST:
                return f"A priority is {FIRST} (first) to {LAST}."
        return None


@dataclass(frozen=True, slots=True)
class Giver:
    """Who orders, and when; `sees_all`: every nurse's, else only her own and nobody's."""

    account_id: UUID
    sees_all: bool
    at: datetime
    zone: ZoneInfo


def mark(task: FollowUpTask) -> str:
    """How a task looks to who is about to order something of it: another mark, and it was changed."""
    looks = (task.owner_id, task.given_at, task.priority, task.next_try_at, task.tries, task.ward)
    return hashlib.sha256(repr([str(one) for one in looks]).encode()).hexdigest()[:16]


def ward_of(session: Session, task: FollowUpTask) -> str:
    """Where the patient was: what the plan says, else the stay."""
    stay = session.get(Stay, task.stay_id) if task.stay_id and not task.ward else None
    return stay.ward if stay is not None else task.ward


def carry_out(
    session: Session, task_id: UUID, order: Order, giver: Giver, seen: str | None = None, wards: tuple[str, ...] = ()
) -> str | None:
    """Do it; or the code of why not. `seen`: the task's `mark` when it was looked at; None: whatever it looked like.
    `wards`: only while it is of one of these; none: of any. Raises ValueError for an order that is `wrong`."""
    wrong = order.wrong()
    if wrong is not None:
        raise ValueError(wrong)
    locked = select(FollowUpTask).where(FollowUpTask.id == task_id, FollowUpTask.kind == "follow_up")
    task = session.scalar(
        locked.with_for_update(skip_locked=True, of=FollowUpTask), execution_options={"populate_existing": True}
    )
    if task is None:
        return "busy" if session.scalar(select(locked.exists())) else "not_yours"
    why = _why_not(session, task, order, giver, seen, wards)
    if why is not None:
        return why
    facts = _done(session, task, order, giver)
    audit.record(session, giver.account_id, f"task.{order.what}", f"task:{task.id}", giver.at, **facts)
    announce(session, "task", task.id)
    return None


def _why_not(
    session: Session, task: FollowUpTask, order: Order, giver: Giver, seen: str | None, wards: tuple[str, ...]
) -> str | None:
    if not giver.sees_all and task.owner_id not in (None, giver.account_id):
        return "not_yours"
    if task.state in NOT_NOW:
        return NOT_NOW[task.state]
    if _is_so(task, order, giver):
        return "so_already"
    if seen is not None and seen != mark(task):
        return "changed"
    if wards and not among(ward_of(session, task), wards):
        return "another_ward"
    match order.what:
        case "give":
            return _not_to(session, order, giver)
        case "priority" if not giver.sees_all:
            return "no_right"
        case "move":
            return _not_then(session, task, order, giver)
    return None


def _is_so(task: FollowUpTask, order: Order, giver: Giver) -> bool:
    match order.what:
        case "give":
            return task.owner_id == order.to and task.given_at is not None
        case "give_back":
            return task.owner_id is None
        case "priority":
            return task.priority == order.priority
        case "move":
            return task.next_try_at is not None and task.next_try_at == _when(task, order, giver)
    return False


def _not_to(session: Session, order: Order, giver: Giver) -> str | None:
    """A nurse takes what is nobody's; to others it is given by who sees everybody's."""
    if order.to != giver.account_id and not giver.sees_all:
        return "no_right"
    nurse = session.get(Account, order.to, populate_existing=True)
    return None if nurse is not None and nurse.may("followups.work") else "no_nurse"


def _not_then(session: Session, task: FollowUpTask, order: Order, giver: Giver) -> str | None:
    if task.state == "review":
        return "in_doubt"
    written = {"sms": StepText, "letter": StepLetter, "video_link": VideoMeeting}.get(task.channel)
    if written is not None and session.get(written, task.id) is not None:
        return "waits_for_answer"
    day = order.day
    first, last = task.due_at.astimezone(giver.zone).date(), task.due_until
    if day is None or day < max(first, giver.at.astimezone(giver.zone).date()) or _when(task, order, giver) >= last:
        return "outside_its_time"
    return None


def _when(task: FollowUpTask, order: Order, giver: Giver) -> datetime:
    """That day at the hour at which it was due; today, now where that hour is over."""
    due = task.due_at.astimezone(giver.zone)
    on = datetime.combine(order.day or due.date(), time(due.hour, due.minute), tzinfo=giver.zone)
    return max(on.astimezone(task.due_at.tzinfo), task.due_at, giver.at)


def _done(session: Session, task: FollowUpTask, order: Order, giver: Giver) -> dict[str, Any]:
    """What is written of it."""
    by = str(giver.account_id)
    match order.what:
        case "give":
            task.owner_id, task.given_at = order.to, giver.at
            decide(session, task.id, "given", giver.at, to=str(order.to), by=by)
            return {"to": str(order.to)}
        case "give_back":
            task.owner_id, task.given_at = None, None
            decide(session, task.id, "given_back", giver.at, by=by)
            return {}
        case "priority":
            before, task.priority = task.priority, order.priority
            decide(session, task.id, "priority_changed", giver.at, priority=order.priority, before=before, by=by)
            return {"priority": order.priority, "before": before}
        case "move":
            task.next_try_at = _when(task, order, giver)
            decide(session, task.id, "moved", giver.at, when=task.next_try_at.isoformat(), by=by)
            return {"to": task.next_try_at.isoformat()}
    followups.skip(session, task.id, order.reason, giver.at, giver.account_id)
    return {"reason": order.reason}
