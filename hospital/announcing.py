"""A message before a call of ours: from which number the hospital will call, so that the call is picked up. Off unless
the site or a plan's step wants it; the step's word goes before the site's.

Rules: before the first try of a plan's call, one a day for each patient, inside the hours of who is written to, to
nobody who may not be called, and for no call that the cap would hold back. It asks for nothing and begins no contact:
the call that it announces is the contact that the cap counts. What the gateway refused once is not tried again: it
would come after the call.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from hospital import campaigns, outbox
from hospital.calling_hours import may_call
from hospital.calling_rules import CallingPolicy, language_of
from hospital.followups import FollowUpTask, decide
from hospital.outbox import OutboxRow
from hospital.verdicts import judge

CHANNELS = ("nurse_call", "automated_call")
KEY = "call_expected"
MOST = 50  # looked at in one transaction


def announce_some(
    session: Session, at: datetime, policy: CallingPolicy, before: timedelta, ours: str, after: UUID | None = None
) -> UUID | None:
    """Messages before calls that are due within `before`, or within what their plan's step says; `before` of nothing:
    only where a step says so. `ours` is the number that patients see. Looks at MOST tasks whose id is greater than
    `after`; the last one's id, or None where there are no more."""
    lead = func.coalesce(func.make_interval(0, 0, 0, 0, FollowUpTask.announce_hours), before)
    rows = (
        select(FollowUpTask)
        .where(
            FollowUpTask.kind == "follow_up",
            FollowUpTask.channel.in_(CHANNELS),
            FollowUpTask.enrolment_id.is_not(None),
            FollowUpTask.state == "open",
            FollowUpTask.tries == 0,
            FollowUpTask.due_at > at,
            lead > timedelta(0),
            FollowUpTask.due_at - lead <= at,
        )
        .order_by(FollowUpTask.id)
        .limit(MOST)
    )
    if after is not None:
        rows = rows.where(FollowUpTask.id > after)
    tasks = session.scalars(rows).all()
    told = set(session.scalars(select(OutboxRow.once).where(OutboxRow.once.in_([_once(one) for one in tasks]))))
    for task in tasks:
        if _once(task) not in told:
            _announce(session, task, at, policy, ours)
    return tasks[-1].id if len(tasks) == MOST else None


def _once(task: FollowUpTask) -> str:
    return f"before/{task.patient_id}/{task.due_at:%Y-%m-%d}"


def _announce(session: Session, task: FollowUpTask, at: datetime, policy: CallingPolicy, ours: str) -> None:
    verdict = judge(session, task, task.due_at, policy)
    if verdict.refused is not None or verdict.number is None:
        return
    if not may_call(at, verdict.policy.window, verdict.policy.zone).allowed:
        return
    campaign = campaigns.of_task(session, task)
    made = outbox.put(
        session,
        once=_once(task),
        key=KEY,
        locale=language_of(verdict.person, verdict.number),
        number=verdict.number.number,
        at=at,
        patient_id=verdict.person.id,
        caller=(campaign.caller_id if campaign else None) or ours,
    )
    if made:
        decide(session, task.id, "call_announced", at, rank=verdict.number.rank)


def give_up(session: Session) -> None:
    """To be asked before the outbox sends: what was not taken at once."""
    session.execute(
        update(OutboxRow)
        .where(OutboxRow.key == KEY, OutboxRow.state == "queued", OutboxRow.tries > 0)
        .values(state="failed", error="withdrawn")
    )
