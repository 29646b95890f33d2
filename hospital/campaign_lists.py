"""A campaign that is for the patients of a list only: the filter has one condition more. Nothing is copied.

Rules: the first patients are put in while nothing of the campaign is called: a filter never becomes narrower by
surprise, and never wider at all. From then on what is due of others is not in it. Who can't be in it is named with why.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hospital import audit, campaigns
from hospital.campaigns import Campaign, CampaignPatient
from hospital.database import announce
from hospital.followups import FollowUpTask
from hospital.patients import Patient

PART = 500  # patients between two words on how far it is


def may_take(campaign: Campaign) -> bool:
    """Whether patients may be put in now."""
    return campaign.state in ("created", "paused") or (campaign.listed and campaign.state == "running")


def why_not(session: Session, campaign: Campaign, patient_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Patient → code, of those who can't be put in: died, listed."""
    dead = select(Patient.id).where(Patient.id.in_(patient_ids), Patient.deceased_at.is_not(None))
    there = select(CampaignPatient.patient_id).where(
        CampaignPatient.campaign_id == campaign.id, CampaignPatient.patient_id.in_(patient_ids)
    )
    return dict.fromkeys(session.scalars(there), "listed") | dict.fromkeys(session.scalars(dead), "died")


def waiting(session: Session, campaign: Campaign, patient_ids: Sequence[UUID]) -> int:
    """How many of them have something open that is such as the campaign names."""
    theirs = select(func.count(FollowUpTask.patient_id.distinct())).where(
        FollowUpTask.patient_id.in_(patient_ids), FollowUpTask.state == "open", campaigns.such(session, campaign)
    )
    return session.scalar(theirs) or 0


def put_in(
    session: Session,
    campaign_id: UUID,
    patient_ids: Sequence[UUID],
    account_id: UUID,
    at: datetime,
    reached: Callable[[int], None] = lambda _: None,
) -> int | None:
    """How many were put in; None where nobody may be now. `reached` is told, part by part, how many are in."""
    campaign = session.get(Campaign, campaign_id, with_for_update=True, populate_existing=True)
    if campaign is None or not may_take(campaign):
        return None
    left = why_not(session, campaign, patient_ids)
    rows = [
        {"campaign_id": campaign_id, "patient_id": one, "added_at": at, "added_by": account_id}
        for one in dict.fromkeys(patient_ids)
        if one not in left
    ]
    for start in range(0, len(rows), PART):
        part = rows[start : start + PART]
        session.execute(insert(CampaignPatient).on_conflict_do_nothing(), part)
        reached(start + len(part))
    campaign.listed = campaign.listed or bool(rows)
    audit.record(session, account_id, "campaign.listed", f"campaign:{campaign_id}", at, patients=len(rows))
    announce(session, "campaign", campaign_id)
    return len(rows)


def size(session: Session, campaign_id: UUID) -> int:
    rows = select(func.count()).select_from(CampaignPatient).where(CampaignPatient.campaign_id == campaign_id)
    return session.scalar(rows) or 0
