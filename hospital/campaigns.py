"""Campaigns: a part of the calls to patients that is run as one, with its mode, its share and its limits.

Rules: a contact belongs to one campaign at most: of those that are running or paused and that it fits, the one of the
highest priority, and of these the oldest. A paused campaign keeps what is in it from being called by the hotline; what
is in none is called as if there were no campaigns. What is urgent (`followups.URGENT`) is in none. A change holds at
once for everything that was not ordered yet: `attempts.dialling` asks again in the transaction before the order.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, and_, case, func, not_, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import audit, lines
from hospital.database import Base, Id, announce, storable
from hospital.enrolment_records import CareEvent, Enrolment
from hospital.followups import PURPOSES, URGENT, FollowUpTask
from hospital.questionnaires import Questionnaire
from hospital.wards import plain

Mode = Literal["preview", "progressive", "predictive", "agentless"]
MODES: tuple[Mode, ...] = ("preview", "progressive", "predictive", "agentless")
CHANNELS: dict[str, str] = {mode: "automated_call" if mode == "agentless" else "nurse_call" for mode in MODES}
"""By which channel a mode's contacts are made (`followup_task.channel`)."""
MOVES = {
    "start": ("running", ("created", "paused")),
    "pause": ("paused", ("running",)),
    "stop": ("stopped", ("created", "running", "paused")),
}
"""What a supervisor may order: the state that follows, and in which it may be ordered."""
LIMITS = ("priority", "weight", "caller_id", "lines", "per_second", "wrap_up_s", "ceiling")
HIGHEST_CEILING = 0.03  # abandoned of answered by a person, in any 24 hours
FILTERS = ("purpose", "reason", "questionnaire", "study", "ward")
_NUMBER = re.compile(r"\+?[0-9]{5,15}")
# One look into the index for each, however many contacts there are.
_WARDS = text("""
    WITH RECURSIVE known (ward) AS (
        SELECT min(ward) FROM followup_task
         UNION ALL
        SELECT (SELECT min(ward) FROM followup_task WHERE ward > known.ward) FROM known WHERE known.ward IS NOT NULL)
    SELECT ward FROM known WHERE ward IS NOT NULL""")


class Campaign(Base):
    __tablename__ = "campaign"
    id: Mapped[Id]
    name: Mapped[str]
    mode: Mapped[str]
    purpose: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    questionnaire: Mapped[str] = mapped_column(default="")
    study: Mapped[str] = mapped_column(default="")
    ward: Mapped[str] = mapped_column(default="")
    priority: Mapped[int] = mapped_column(default=5)
    weight: Mapped[int] = mapped_column(default=1)
    caller_id: Mapped[str | None]
    lines: Mapped[int | None]
    per_second: Mapped[float | None]
    wrap_up_s: Mapped[int] = mapped_column(default=30)
    ceiling: Mapped[float] = mapped_column(default=HIGHEST_CEILING)
    state: Mapped[str] = mapped_column(default="created")
    listed: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    changed_at: Mapped[datetime]
    changed_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))


class CampaignPatient(Base):
    __tablename__ = "campaign_patient"
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    added_at: Mapped[datetime]
    added_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))


@dataclass(frozen=True)
class Wanted:
    """A campaign as it is asked for. A filter that is empty admits every contact."""

    name: str
    mode: str
    purpose: str = ""
    reason: str = ""
    questionnaire: str = ""
    study: str = ""
    ward: str = ""
    priority: int = 5
    weight: int = 1
    caller_id: str | None = None
    lines: int | None = None
    per_second: float | None = None
    wrap_up_s: int = 30
    ceiling: float = HIGHEST_CEILING

    def wrong(self) -> str | None:
        """What to correct, or None."""
        if not 0 < len(self.name.strip()) <= 80:
            return "Give the campaign a name of at most 80 letters."
        if self.mode not in MODES:
            return "Choose how it calls: preview, progressive, predictive or without a nurse."
        if not (1 <= self.priority <= 9 and 1 <= self.weight <= 100):
            return "A priority is 1 (first) to 9, a weight 1 to 100."
        if self.caller_id is not None and not _NUMBER.fullmatch(self.caller_id):
            return "The number that patients see is 5 to 15 digits, with + before them or not."
        if self.lines is not None and not 1 <= self.lines <= 500:
            return "Calls at once are 1 to 500, or nothing for no limit."
        if self.per_second is not None and not 0 < self.per_second <= 50:
            return "Calls a second are above 0 and at most 50, or nothing for no limit."
        if not 0 <= self.wrap_up_s <= 1800:
            return "Time to write a talk up is 0 to 1800 seconds."
        if not 0 < self.ceiling <= HIGHEST_CEILING:
            return "Of those who answer at most 3 % may find no nurse."
        if self.mode == "predictive" and self.purpose != "survey":
            return "Predictive calling is for surveys alone: choose the purpose Survey."
        return None


def create(session: Session, wanted: Wanted, account_id: UUID, at: datetime) -> Campaign:
    """A campaign that does nothing yet. Raises ValueError with what to correct."""
    wrong = wanted.wrong()
    if wrong is not None:
        raise ValueError(wrong)
    made = Campaign(
        name=" ".join(storable(wanted.name).split()),
        mode=wanted.mode,
        priority=wanted.priority,
        weight=wanted.weight,
        caller_id=wanted.caller_id,
        lines=wanted.lines,
        per_second=wanted.per_second,
        wrap_up_s=wanted.wrap_up_s,
        ceiling=wanted.ceiling,
        created_at=at,
        created_by=account_id,
        changed_at=at,
        changed_by=account_id,
        **{name: storable(getattr(wanted, name)) for name in FILTERS},
    )
    session.add(made)
    session.flush()
    announce(session, "campaign", made.id)
    audit.record(session, account_id, "campaign.created", f"campaign:{made.id}", at, mode=made.mode)
    return made


def order(session: Session, campaign_id: UUID, what: str, account_id: UUID, at: datetime) -> bool:
    """Start, pause or stop it; False where it is not in a state for that. From the commit on nothing of a campaign that
    does not run is ordered; whose phone rings already is spoken with."""
    state, before = MOVES[what]
    moved = session.scalar(
        update(Campaign)
        .where(Campaign.id == campaign_id, Campaign.state.in_(before))
        .values(state=state, changed_at=at, changed_by=account_id)
        .returning(Campaign.id)
    )
    if moved is None:
        return False
    announce(session, "campaign", campaign_id)
    audit.record(session, account_id, f"campaign.{state}", f"campaign:{campaign_id}", at)
    return True


def change(session: Session, campaign_id: UUID, wanted: Wanted, account_id: UUID, at: datetime) -> bool:
    """Other limits and another share from now on; mode and filter stay, because they say what it is. False where it is
    over. Raises ValueError with what to correct."""
    wrong = wanted.wrong()
    if wrong is not None:
        raise ValueError(wrong)
    limits = {name: getattr(wanted, name) for name in LIMITS}
    changed = session.scalar(
        update(Campaign)
        .where(Campaign.id == campaign_id, Campaign.state != "stopped")
        .values(**limits, changed_at=at, changed_by=account_id)
        .returning(Campaign.id)
    )
    if changed is None:
        return False
    announce(session, "campaign", campaign_id)
    audit.record(session, account_id, "campaign.changed", f"campaign:{campaign_id}", at, **limits)
    return True


def listed(session: Session) -> list[Campaign]:
    """Every campaign: what runs first, then by priority, the stopped ones last."""
    place = case({"running": 0, "paused": 1, "created": 2}, value=Campaign.state, else_=3)
    return list(session.scalars(select(Campaign).order_by(place, Campaign.priority, Campaign.created_at, Campaign.id)))


def in_force(session: Session, channel: str) -> list[Campaign]:
    """The running and paused campaigns of a channel, in the order in which a contact looks for its own."""
    modes = [mode for mode in MODES if CHANNELS[mode] == channel]
    rows = select(Campaign).where(Campaign.state.in_(("running", "paused")), Campaign.mode.in_(modes))
    return list(session.scalars(rows.order_by(Campaign.priority, Campaign.created_at, Campaign.id)))


def fits(session: Session, campaign: Campaign) -> ColumnElement[bool]:
    """Whether a contact is such as the campaign names, and of its list, where it has one."""
    if not campaign.listed:
        return such(session, campaign)
    theirs = select(CampaignPatient.patient_id).where(CampaignPatient.campaign_id == campaign.id)
    return and_(such(session, campaign), FollowUpTask.patient_id.in_(theirs))


def such(session: Session, campaign: Campaign) -> ColumnElement[bool]:
    """Whether a contact is such as the campaign names, whoever the patient is."""
    conditions = [FollowUpTask.channel == CHANNELS[campaign.mode], FollowUpTask.kind.not_in(URGENT)]
    if campaign.reason:  # of a step that recurs, each time: hypertension_check.3
        conditions.append(func.split_part(FollowUpTask.reason, ".", 1) == campaign.reason)
    if campaign.ward:
        conditions.append(FollowUpTask.ward.in_(_spellings(session, campaign.ward)))
    if campaign.purpose:
        conditions.append(purpose() == campaign.purpose)
    if campaign.questionnaire:
        versions = select(Questionnaire.id).where(Questionnaire.code == campaign.questionnaire)
        conditions.append(FollowUpTask.questionnaire_id.in_(versions))
    if campaign.study:
        theirs = select(Enrolment.id).join(CareEvent, CareEvent.id == Enrolment.event_id)
        conditions.append(FollowUpTask.enrolment_id.in_(theirs.where(CareEvent.study == campaign.study)))
    # no condition is ever unknown: what has no enrolment or questionnaire does not fit
    return func.coalesce(and_(*conditions), False)


def _spellings(session: Session, ward: str) -> list[str]:
    """Each way in which contacts have it written. Compared here: PostgreSQL folds letters of ASCII alone."""
    return [one for one in session.scalars(_WARDS) if plain(one) == plain(ward)]


def purpose() -> ColumnElement[str]:
    """`FollowUpTask.purpose`, asked of the database."""
    asked = (
        select(func.coalesce(Questionnaire.body["purpose"].astext, "follow-up"))
        .where(Questionnaire.id == FollowUpTask.questionnaire_id)
        .scalar_subquery()
    )
    return case(PURPOSES, value=FollowUpTask.kind, else_=func.replace(asked, "-", "_"))


def within(session: Session, campaign: Campaign, standing: Sequence[Campaign]) -> ColumnElement[bool]:
    """The contacts that belong to a campaign, of those `in_force`."""
    before = standing[: [one.id for one in standing].index(campaign.id)]
    return and_(fits(session, campaign), *(not_(fits(session, one)) for one in before))


def in_none(session: Session, standing: Sequence[Campaign]) -> ColumnElement[bool]:
    """The contacts that belong to no campaign."""
    return and_(True, *(not_(fits(session, one)) for one in standing))


def of_task(session: Session, task: FollowUpTask) -> Campaign | None:
    """To which campaign a contact belongs now."""
    for one in in_force(session, task.channel):
        if session.scalar(select(fits(session, one)).where(FollowUpTask.id == task.id)):
            return one
    return None


def a_line(session: Session, campaign: Campaign) -> int | None:
    """One of its lines, nobody else's before this transaction ends; 0 where it has no limit, None: all are in use."""
    return lines.of_campaign(session, campaign.id, campaign.lines) if campaign.lines is not None else 0


def halted(session: Session, campaign_id: UUID | None) -> bool:
    """Whether a call was claimed for a campaign that does not run any more. A pause that is being committed is waited
    for, and waits for this transaction: after it nothing is ordered."""
    if campaign_id is None:
        return False
    rows = select(Campaign.state).where(Campaign.id == campaign_id).with_for_update(read=True)
    return session.scalar(rows) != "running"


def caller_id(session: Session, campaign_id: UUID | None) -> str | None:
    """The number that its patients see; None for the site's."""
    return session.scalar(select(Campaign.caller_id).where(Campaign.id == campaign_id)) if campaign_id else None
