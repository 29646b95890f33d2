"""Which contact of a campaign a nurse gets next.

Rules: what is due first by priority and time. A patient who has a nurse already is hers for `HERS` after the call is
due, and then anybody's who works on the campaign: nobody waits for a nurse who has gone home. What a person gave to a
nurse is hers alone (`task_orders`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from hospital import campaigns, lines
from hospital.accounts import Account
from hospital.campaigns import Campaign, Mode
from hospital.database import announce
from hospital.followups import FollowUpTask, decide, not_given_to_another

CHANNEL = "nurse_call"
HERS = timedelta(minutes=30)


def next_for(
    session: Session,
    campaign: Campaign,
    standing: Sequence[Campaign],
    account_id: UUID | None,
    at: datetime,
) -> FollowUpTask | None:
    """The next open contact of a campaign (one of those in force, `standing`), locked; what somebody else is just
    taking is left to them. Without an account: for nobody in particular."""
    when = func.coalesce(FollowUpTask.next_try_at, FollowUpTask.due_at)
    return session.scalar(
        select(FollowUpTask)
        .where(
            campaigns.within(session, campaign, standing),
            FollowUpTask.kind == "follow_up",
            FollowUpTask.state == "open",
            FollowUpTask.due_at <= at,
            when <= at,
            or_(FollowUpTask.owner_id.is_(None), FollowUpTask.owner_id == account_id, when <= at - HERS),
            not_given_to_another(account_id),
        )
        .order_by(FollowUpTask.priority, when, FollowUpTask.due_until, FollowUpTask.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


@dataclass(frozen=True)
class Next:
    """A contact that is being called, with its line of the campaign's and of the trunk's."""

    task: FollowUpTask
    line: int
    trunk_line: int


def take_next(
    session: Session,
    campaign_id: UUID,
    mode: Mode,
    account_id: UUID | None,
    at: datetime,
    trunk_lines: int | None,
) -> Next | None:
    """The `next_for` of a campaign that is dialled. None: nothing is due, its lines or the trunk's are in use, or it
    does not run."""
    standing = campaigns.in_force(session, CHANNEL)
    campaign = next((one for one in standing if one.id == campaign_id), None)
    if campaign is None or (campaign.mode, campaign.state) != (mode, "running"):
        return None
    line, trunk_line = campaigns.a_line(session, campaign), lines.of_trunk(session, trunk_lines)
    if line is None or trunk_line is None:
        return None
    task = next_for(session, campaign, standing, account_id, at)
    if task is None:
        return None
    task.state = "calling"
    session.flush()
    return Next(task, line, trunk_line)


def hand_out(session: Session, campaign_id: UUID, account_id: UUID, at: datetime) -> UUID | None:
    """Preview: the nurse's next contact, hers from now on, so that no two nurses are handed the same. She looks at it
    and starts the call. None: there is none for her, or the campaign does not run."""
    standing = campaigns.in_force(session, CHANNEL)
    campaign = next((one for one in standing if one.id == campaign_id), None)
    if campaign is None or (campaign.mode, campaign.state) != ("preview", "running"):
        return None
    session.get_one(Account, account_id, with_for_update={"key_share": True})  # pressed twice, it is the same one
    task = next_for(session, campaign, standing, account_id, at)
    if task is None:
        return None
    if task.owner_id != account_id:
        task.owner_id = account_id
        decide(session, task.id, "handed_out", at, campaign=str(campaign_id))
        announce(session, "task", task.id)
    return task.id
