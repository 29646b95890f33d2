"""Stints: a nurse takes the calls of progressive campaigns one after the other, without starting each.

Rules: at most one call for each nurse, and only while her leg is up and she is free, so nobody is answered by nobody.
What she does follows from her newest attempt (`standing`, pure): nothing else has to be kept in step with it. She gets
no next call before she has said whom she reached, nor while she writes it up; she may take longer, be ready sooner,
pause and leave. Claiming, window, cap, opt-out and at-most-once are `attempts`', as for every call.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hospital import attempts, campaigns, nurse_calls
from hospital.accounts import Account
from hospital.attempt_records import LIVE, Attempt
from hospital.attempts import Claimed
from hospital.calling_rules import CallingPolicy, NotNow
from hospital.campaigns import Campaign
from hospital.database import announce
from hospital.nurse_calls import CHANNEL
from hospital.stint_records import Stint, current_stint, live_stints

__all__ = ["Standing", "Stint", "current_stint", "live_stints"]

Code = Literal["ringing", "dialling", "talking", "outcome", "wrap_up", "paused", "free", "over"]
A_MINUTE = timedelta(minutes=1)
MOST_MORE = 7200  # seconds


@dataclass(frozen=True)
class Standing:
    """What a nurse does. `outcome`: the talk is over and she has not said whom she reached. `until`: when the write-up
    ends by itself. `attempt`: her newest."""

    code: Code
    attempt: Attempt | None = None
    until: datetime | None = None


def standing(stint: Stint, last: Attempt | None, wrap_up: timedelta, at: datetime) -> Standing:
    """`last`: the newest attempt of the stint. `wrap_up`: how long its campaign gives to write a talk up."""
    if stint.state == "over":
        return Standing("over", last)
    if stint.state == "ringing":
        return Standing("ringing", last)
    rest: Code = "paused" if stint.paused else "free"
    if last is None or last.handed_at is not None:  # Asterisk leaves who called on a machine
        return Standing(rest, last)
    if last.state in LIVE:
        return Standing("talking" if last.state == "talking" else "dialling", last)
    if last.line_result != "answered" or last.contact_result == "abandoned":
        return Standing(rest, last)
    if last.contact_result is None:
        return Standing("outcome", last)
    until = (last.ended_at or at) + wrap_up + timedelta(seconds=stint.more_s)
    if at < until and not stint.ready:
        return Standing("wrap_up", last, until)
    return Standing(rest, last)


def now(session: Session, stint: Stint, at: datetime) -> Standing:
    came = func.coalesce(Attempt.answered_at, Attempt.claimed_at)  # a pooled call is hers from its answer on
    rows = select(Attempt).where(Attempt.stint_id == stint.id).order_by(came.desc()).limit(1)
    last = session.scalar(rows.execution_options(populate_existing=True))
    wrap_up = session.get_one(Campaign, last.campaign_id).wrap_up_s if last and last.campaign_id else 0
    return standing(stint, last, timedelta(seconds=wrap_up), at)


def begin(session: Session, account_id: UUID, campaign_id: UUID | None, node: str, at: datetime) -> Stint | None:
    """A stint whose leg may be rung, once; None where she is in one already, or in a call. Raises ValueError where the
    campaign is not a progressive one that runs."""
    if campaign_id is not None and campaign_id not in [one.id for one in joinable(session)]:
        raise ValueError("this campaign does not run, or is not progressive")
    if _is_in_a_call(session, account_id):
        return None
    made = Stint(
        id=uuid4(), account_id=account_id, campaign_id=campaign_id, channel_id=f"{node}-{uuid4().hex}", began_at=at
    )
    try:
        with session.begin_nested():
            session.add(made)
            session.flush()
    except IntegrityError:
        return None  # one_stint_per_nurse
    announce(session, "stint", made.id)
    return made


def offered(session: Session) -> list[Campaign]:
    """The progressive campaigns that run."""
    return [one for one in campaigns.in_force(session, CHANNEL) if (one.mode, one.state) == ("progressive", "running")]


def joinable(session: Session) -> list[Campaign]:
    """What nurses may join that runs. A predictive one has nurses of its own: who works on several would be called for
    by one while another counts on her."""
    modes = ("progressive", "predictive")
    return [one for one in campaigns.in_force(session, CHANNEL) if one.state == "running" and one.mode in modes]


def up(session: Session, channel_id: str) -> bool:
    """Her leg was answered. False where it is no stint's."""
    return _change(session, Stint.channel_id == channel_id, Stint.state == "ringing", state="up")


def over(session: Session, channel_id: str, at: datetime) -> bool:
    """Her leg has ended, or will never be. False where it is no stint's, or over already."""
    return _change(session, Stint.channel_id == channel_id, Stint.state != "over", state="over", ended_at=at)


def pause(session: Session, account_id: UUID, paused: bool) -> bool:
    """After the call that goes on she gets none, or again one. False where she is in no stint."""
    return _change(session, Stint.account_id == account_id, Stint.state != "over", paused=paused)


def ready(session: Session, account_id: UUID) -> bool:
    """What was said is written up: the next call may come. It ends a pause, too."""
    return _change(session, Stint.account_id == account_id, Stint.state == "up", ready=True, paused=False)


def more(session: Session, account_id: UUID, at: datetime) -> bool:
    """A minute more to write the talk up. False where she writes nothing up, or has had enough."""
    stint = session.scalar(
        select(Stint).where(Stint.account_id == account_id, Stint.state == "up").with_for_update(of=Stint)
    )
    if stint is None or now(session, stint, at).code != "wrap_up":
        return False
    if stint.more_s + A_MINUTE.total_seconds() > MOST_MORE:
        return False
    stint.more_s += int(A_MINUTE.total_seconds())
    announce(session, "stint", stint.id)
    return True


def _change(session: Session, *which: ColumnElement[bool], **values: object) -> bool:
    changed = session.scalar(update(Stint).where(*which).values(**values).returning(Stint.id))
    if changed is not None:
        announce(session, "stint", changed)
    return changed is not None


def changed_by(session: Session, channel_id: str) -> None:
    """Something happened to a leg: tell the page of the nurse whose stint it is of."""
    of = select(Attempt.stint_id).where(
        or_(Attempt.channel_id == channel_id, Attempt.nurse_channel_id == channel_id), Attempt.stint_id.is_not(None)
    )
    found = session.scalar(of.limit(1))
    if found is not None:
        announce(session, "stint", found)


def said(session: Session, account_id: UUID) -> None:
    """She has said whom she reached: her page goes on to the write-up."""
    stint = current_stint(session, account_id)
    if stint is not None:
        announce(session, "stint", stint.id)


def free(session: Session, at: datetime) -> list[Stint]:
    """The nurses who wait for a call, the longest-joined first."""
    return [one for one in live_stints(session) if now(session, one, at).code == "free"]


def may_be_called_for(session: Session, account_id: UUID) -> bool:
    """Not who was disabled meanwhile, nor who is in a call that she began before she joined."""
    if not _may(session.get_one(Account, account_id, populate_existing=True)):
        return False
    return not _is_in_a_call(session, account_id)


def out_of_work(session: Session) -> set[UUID]:
    """Who is in a stint and may not work on follow-ups any more: an account that was closed, or has another role."""
    of_stints = select(Account).join(Stint, Stint.account_id == Account.id).where(Stint.state != "over")
    return {one.id for one in session.scalars(of_stints.execution_options(populate_existing=True)) if not _may(one)}


def _may(account: Account) -> bool:
    return account.may("followups.work")


def _is_in_a_call(session: Session, account_id: UUID) -> bool:
    live = select(Attempt.id).where(
        Attempt.account_id == account_id, Attempt.state.in_(LIVE), Attempt.handed_at.is_(None)
    )
    return session.scalar(live.limit(1)) is not None


def claim_next(
    session: Session, stint_id: UUID, campaign_id: UUID, node: str, at: datetime, policy: CallingPolicy
) -> Claimed | NotNow | None:
    """The next call of a campaign for a nurse who is free, claimed; or why a contact may not be called now (it is put
    off, and another may be claimed). None: nothing is due for her there, or she is not free any more."""
    stint = session.get_one(Stint, stint_id, with_for_update=True, populate_existing=True)
    if now(session, stint, at).code != "free" or not may_be_called_for(session, stint.account_id):
        return None
    account_id, trunk_lines = stint.account_id, policy.trunk_lines
    found = nurse_calls.take_next(session, campaign_id, "progressive", account_id, at, trunk_lines)
    if found is None:
        return None
    of, line, trunk_line = found.task, found.line, found.trunk_line
    claimed = attempts.begin(
        session, of, node, at, policy, account_id, campaign_id, line, trunk_line=trunk_line, stint=stint
    )
    if isinstance(claimed, Claimed):
        stint.ready, stint.more_s = False, 0
        announce(session, "stint", stint.id)
    return claimed
