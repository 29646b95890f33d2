"""Predictive calls: dialled for a pool of nurses, given to whoever is free when somebody has answered.

Rules: surveys alone. How many lines there are is the dialer's pacing over the last 24 hours, which are read from the
attempts themselves, so that a restart forgets nothing. Who has answered is given to the nurse who has waited longest,
in one transaction under a lock on her stint; who finds none within two seconds is abandoned, hears who called, and is
not dialled by machine again for 72 hours (`attempts.begin`). Claim, window, cap, opt-out and at-most-once are
`attempts`'.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from hospital import attempts, joint_calls, nurse_calls, stints
from hospital.attempt_records import Attempt
from hospital.attempts import Claimed
from hospital.calling_rules import CallingPolicy, NotNow
from hospital.campaigns import Campaign
from hospital.database import announce
from hospital.followups import FollowUpTask
from hospital.stints import Stint

R = TypeVar("R", bound=Select[Any])
A_DAY = timedelta(days=1)
IN_TIME = timedelta(seconds=1.7)  # of two from the answer to a nurse: an order to join given later might come too late
NOT_SENT = ("cancelled", "not_allowed")  # line results of calls that never left


@dataclass(frozen=True)
class Ended:
    """A line that stopped ringing in the last 24 hours: for how long it rang, whether somebody answered, and how long
    they talked (None: not, or not yet)."""

    answered: bool
    abandoned: bool
    rang_s: float
    talked_s: float | None


@dataclass(frozen=True)
class Floor:
    """What pacing asks of a campaign."""

    campaign: Campaign
    nurses: int
    ready: int
    ringing: int
    lines: tuple[Ended, ...]
    talking_s: float
    """Of the talks that go on."""


def look(session: Session, at: datetime) -> tuple[list[str], list[Floor]]:
    """What rings for nobody, and the floors: what is looked at every second, in one transaction."""
    return for_nobody(session), floors(session, at)


def floors(session: Session, at: datetime) -> list[Floor]:
    """Every predictive campaign that runs."""
    return [_floor(session, one, at) for one in _running(session)]


def _running(session: Session) -> list[Campaign]:
    return [one for one in stints.joinable(session) if one.mode == "predictive"]


def _floor(session: Session, campaign: Campaign, at: datetime) -> Floor:
    working = [one for one in _working(session) if one.campaign_id == campaign.id]
    free = [one for one in working if stints.now(session, one, at).code == "free"]
    calls = list(
        session.scalars(
            select(Attempt)
            .where(Attempt.campaign_id == campaign.id, Attempt.claimed_at > at - 2 * A_DAY)
            .where(Attempt.pooled, Attempt.dialled_at > at - A_DAY)
            .order_by(func.coalesce(Attempt.answered_at, Attempt.ended_at), Attempt.id)
        )
    )
    claimed = select(func.count()).where(Attempt.campaign_id == campaign.id, Attempt.pooled, Attempt.state == "claimed")
    rang = [one for one in calls if one.answered_at or (one.state == "ended" and one.line_result not in NOT_SENT)]
    return Floor(
        campaign,
        nurses=len(working),
        ready=sum(stints.may_be_called_for(session, one.account_id) for one in free),
        ringing=sum(one.state == "dialling" for one in calls) + (session.scalar(claimed) or 0),
        lines=tuple(_ended(one) for one in rang),
        talking_s=sum(
            (at - one.answered_at).total_seconds()
            for one in rang
            if one.answered_at and not one.ended_at and not one.handed_at
        ),
    )


def _working(session: Session) -> list[Stint]:
    """Who takes the calls that ring now, or will: not who has paused or left, nor whose account takes none any more."""
    closed = stints.out_of_work(session)
    return [
        one
        for one in stints.live_stints(session)
        if one.state == "up" and not one.paused and one.account_id not in closed
    ]


def _ended(call: Attempt) -> Ended:
    began, stopped = call.dialled_at, call.answered_at or call.ended_at
    talked = None
    if call.answered_at and call.ended_at and call.account_id is not None:
        talked = ((call.handed_at or call.ended_at) - call.answered_at).total_seconds()
    rang_s = (stopped - began).total_seconds() if began and stopped else 0.0
    return Ended(call.answered_at is not None, call.contact_result == "abandoned", rang_s, talked)


def claim_next(
    session: Session, campaign_id: UUID, node: str, at: datetime, policy: CallingPolicy
) -> Claimed | NotNow | None:
    """The next contact of a predictive campaign, claimed for whoever will be free; or why it may not be called now.
    None: nothing is due, or its lines or the trunk's are in use."""
    found = nurse_calls.take_next(session, campaign_id, "predictive", None, at, policy.trunk_lines)
    if found is None:
        return None
    of, line, trunk_line = found.task, found.line, found.trunk_line
    return attempts.begin(session, of, node, at, policy, None, campaign_id, line, trunk_line=trunk_line, pooled=True)


@dataclass(frozen=True)
class Given:
    """A patient who has answered, and the leg of the nurse who is to have them."""

    attempt_id: UUID
    channel_id: str
    nurse_channel_id: str


def give_next(session: Session, at: datetime) -> Given | None:
    """Who has answered first and waits, given to the nurse of the campaign who has waited longest. None: nobody waits
    who can still be joined in time, or no nurse is free."""
    alone = and_(
        Attempt.pooled,
        Attempt.state == "talking",
        Attempt.account_id.is_(None),
        Attempt.contact_result.is_(None),
        Attempt.answered_at > at - IN_TIME,
    )
    for found in session.execute(
        select(Attempt.id, Attempt.task_id).where(alone).order_by(Attempt.answered_at, Attempt.id)
    ).all():
        # the task before its attempts, as everywhere; what somebody else is just settling is left to them
        task = session.scalar(_locked(select(FollowUpTask).where(FollowUpTask.id == found.task_id)))
        call = session.scalar(_locked(select(Attempt).where(Attempt.id == found.id, alone)))
        stint = _longest_free(session, call.campaign_id, at) if task and call else None
        if task is not None and call is not None and stint is not None:
            call.account_id, call.stint_id, call.nurse_channel_id = stint.account_id, stint.id, stint.channel_id
            stint.ready, stint.more_s = False, 0
            session.flush()  # one_live_attempt_per_nurse
            task.owner_id = stint.account_id
            joint_calls.join(session, call, task, at)
            announce(session, "task", task.id)
            announce(session, "stint", stint.id)
            return Given(call.id, call.channel_id, stint.channel_id)
    return None


def _locked(rows: R) -> R:
    return rows.with_for_update(skip_locked=True).execution_options(populate_existing=True)


def _longest_free(session: Session, campaign_id: UUID | None, at: datetime) -> Stint | None:
    """Locked. Since when she is free: the end of her last call, or of nothing."""
    rows = select(Stint).where(Stint.campaign_id == campaign_id, Stint.state == "up")
    free = []
    for stint in session.scalars(_locked(rows)):
        doing = stints.now(session, stint, at)
        if doing.code == "free" and stints.may_be_called_for(session, stint.account_id):
            free.append((doing.attempt.ended_at if doing.attempt and doing.attempt.ended_at else stint.began_at, stint))
    return min(free, key=lambda one: (one[0], str(one[1].id)))[1] if free else None


def for_nobody(session: Session) -> list[str]:
    """The legs that ring for a campaign whose nurses have all gone, or paused."""
    ringing = session.scalars(select(Attempt).where(Attempt.pooled, Attempt.state == "dialling")).all()
    worked_on = {one.campaign_id for one in _working(session)} if ringing else set()
    return [one.channel_id for one in ringing if one.campaign_id not in worked_on]
