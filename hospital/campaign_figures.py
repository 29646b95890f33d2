"""How far each campaign is: what waits, rings and talks now, what is tried again later, what came of the last day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from hospital import campaigns
from hospital.attempt_records import LIVE, Attempt
from hospital.campaigns import CHANNELS, Campaign
from hospital.database import Base
from hospital.enrolment_records import CareEvent
from hospital.followups import URGENT, FollowUpTask
from hospital.questionnaires import Questionnaire

A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Figures:
    """`waiting`: due now (the hopper). `retries`: tried before and due again later. Answered and abandoned: in the last
    24 hours. Of a campaign that has not begun, what it would have to do."""

    waiting: int
    retries: int
    ringing: int
    talking: int
    answered: int
    abandoned: int

    @property
    def abandoned_share(self) -> float:
        return self.abandoned / self.answered if self.answered else 0.0


def of(session: Session, campaign: Campaign, standing: Sequence[Campaign], at: datetime) -> Figures:
    """`standing`: the campaigns in force of its channel."""
    in_force = any(one.id == campaign.id for one in standing)
    belongs = campaigns.within(session, campaign, standing) if in_force else campaigns.fits(session, campaign)
    when = func.coalesce(FollowUpTask.next_try_at, FollowUpTask.due_at)
    open_now = [belongs, FollowUpTask.state == "open", FollowUpTask.due_at <= at]
    over = campaign.state == "stopped"
    # what began before that has ended, and was answered before the last day
    calls: list[ColumnElement[bool]] = [Attempt.campaign_id == campaign.id, Attempt.claimed_at > at - 2 * A_DAY]
    return Figures(
        waiting=0 if over else _count(session, FollowUpTask, *open_now, when <= at),
        retries=0 if over else _count(session, FollowUpTask, *open_now, when > at, FollowUpTask.tries > 0),
        ringing=_count(session, Attempt, *calls, Attempt.state.in_(LIVE), Attempt.state != "talking"),
        talking=_count(session, Attempt, *calls, Attempt.state == "talking"),
        answered=_count(session, Attempt, *calls, Attempt.answered_at > at - A_DAY),
        abandoned=_count(session, Attempt, *calls, _abandoned(), Attempt.answered_at > at - A_DAY),
    )


def _abandoned() -> ColumnElement[bool]:
    return Attempt.contact_result == "abandoned"


def _count(session: Session, kind: type[Base], *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(kind).where(*conditions)) or 0


def all_of(session: Session, at: datetime) -> list[tuple[Campaign, Figures]]:
    standing = {channel: campaigns.in_force(session, channel) for channel in set(CHANNELS.values())}
    return [(one, of(session, one, standing[CHANNELS[one.mode]], at)) for one in campaigns.listed(session)]


def one_of(session: Session, campaign_id: UUID, at: datetime) -> tuple[Campaign, Figures] | None:
    campaign = session.get(Campaign, campaign_id)
    if campaign is None:
        return None
    return campaign, of(session, campaign, campaigns.in_force(session, CHANNELS[campaign.mode]), at)


def choices(session: Session) -> dict[str, list[str]]:
    """For each filter of a campaign what there is to choose from: codes that contacts have."""
    whole = {
        "reason": select(func.split_part(FollowUpTask.reason, ".", 1)).distinct(),
        "questionnaire": select(Questionnaire.code).distinct(),
        "study": select(CareEvent.study).distinct(),
        "ward": select(FollowUpTask.ward).distinct(),
        "purpose": select(campaigns.purpose()).where(FollowUpTask.kind.not_in(URGENT)).distinct(),
    }
    return {name: sorted(value for value in session.scalars(rows) if value) for name, rows in whole.items()}
