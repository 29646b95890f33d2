"""How every running campaign is paced at this moment, and why not faster: for who supervises. Nothing is dialled."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dialer.predictive import tally, wanted
from hospital import agentless, campaigns, lines, pooled, stints
from hospital.attempt_records import LIVE, Attempt
from hospital.campaigns import Campaign
from hospital.nurse_calls import CHANNEL


@dataclass(frozen=True)
class PaceNow:
    """`dial`: lines that may be dialled now. `why` not more: as `pacing.Pace.why`; or 'one_each' (a call for each nurse
    who is ready), 'by_nurses' (they begin each), 'as_due' (as the lines allow), 'trunk_full'. `ready` of `nurses` wait
    for a call. `answer_rate`: what pacing reckons with, answered of dialled; None: it doesn't, or nothing is known
    yet."""

    dial: int
    why: str
    nurses: int = 0
    ready: int = 0
    answer_rate: float | None = None


def paces(
    session: Session, at: datetime, automatic_lines: int, trunk_lines: int | None = None
) -> Mapping[UUID, PaceNow]:
    """Of each campaign that runs. `automatic_lines`: how many the site has for calls without a nurse; `trunk_lines`:
    for all together, None: no limit."""
    found = {one.id: PaceNow(0, "by_nurses") for one in campaigns.in_force(session, CHANNEL) if _previews(one)}
    for floor in pooled.floors(session, at):
        pace, known = wanted(floor), tally(floor)
        rate = known.answer_rate if known.dialled else None
        found[floor.campaign.id] = PaceNow(pace.dial, pace.why, floor.nurses, floor.ready, rate)
    found |= _progressive(session, at) | _automatic(session, automatic_lines)
    if trunk_lines is None:
        return found
    left = max(0, lines.left_on_trunk(session, trunk_lines))
    return {of: replace(one, dial=left, why="trunk_full") if one.dial > left else one for of, one in found.items()}


def _previews(campaign: Campaign) -> bool:
    return (campaign.mode, campaign.state) == ("preview", "running")


def _progressive(session: Session, at: datetime) -> dict[UUID, PaceNow]:
    running = stints.offered(session)
    up = [one for one in stints.live_stints(session) if one.state == "up"] if running else []
    doing = [(one.campaign_id, stints.now(session, one, at).code) for one in up]
    found = {}
    for campaign in running:
        codes = [code for joined, code in doing if joined in (None, campaign.id)]
        ready = codes.count("free")
        nurses = sum(code != "paused" for code in codes)
        found[campaign.id] = PaceNow(ready, "one_each" if ready else "no_nurse", nurses, ready)
    return found


def _automatic(session: Session, most: int) -> dict[UUID, PaceNow]:
    running = [one for one in campaigns.in_force(session, agentless.CHANNEL) if one.state == "running"]
    if not running:
        return {}
    rows = select(Attempt.campaign_id, func.count()).where(
        Attempt.account_id.is_(None), Attempt.pooled.is_(False), Attempt.state.in_(LIVE)
    )
    taken: Counter[UUID | None] = Counter()
    for campaign_id, count in session.execute(rows.group_by(Attempt.campaign_id)):
        taken[campaign_id] = count
    left = most - taken.total()
    found = {}
    for campaign in running:
        own = left if campaign.lines is None else min(left, campaign.lines - taken[campaign.id])
        found[campaign.id] = PaceNow(max(own, 0), "as_due" if own > 0 else "line_limit")
    return found
