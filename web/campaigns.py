"""Campaigns: which calls are made in which mode, how far they are, and the order to start, pause or stop.

Only counts are shown, and nobody's name."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from hospital import audit, campaign_figures, campaign_lists, campaigns, stints
from hospital.accounts import Account
from hospital.campaign_figures import Figures
from hospital.campaigns import FILTERS, HIGHEST_CEILING, MODES, MOVES, Campaign, Wanted
from web import reach_alarms, words
from web.doors import pages_of, services
from web.ports import PaceNow
from web.reach_alarms import RunsCampaigns
from web.refusals import Refusal

routes = APIRouter()


@dataclass(frozen=True)
class Row:
    campaign: Campaign
    figures: Figures
    pace: PaceNow | None
    """None where it does not run."""
    orders: tuple[str, ...]
    """What may be ordered of it now."""
    filters: tuple[str, ...]
    """Which contacts are in it, in words."""

    @property
    def dials(self) -> int:
        """Lines that are dialled now."""
        return min(self.pace.dial, self.figures.waiting) if self.pace is not None else 0

    @property
    def why(self) -> str:
        """Why not more, in words."""
        if self.pace is None or self.campaign.state != "running":
            return ""
        quiet = not self.figures.waiting and self.pace.why != "by_nurses"
        return words.say(words.PACE_WHY, "nothing_due" if quiet else self.pace.why)

    @property
    def over_the_ceiling(self) -> bool:
        return self.campaign.mode == "predictive" and self.figures.abandoned_share > self.campaign.ceiling


def _row(campaign: Campaign, figures: Figures, listed: int, paces: Mapping[UUID, PaceNow]) -> Row:
    orders = tuple(what for what, (_, before) in MOVES.items() if campaign.state in before)
    chosen = [(name, getattr(campaign, name)) for name in FILTERS if getattr(campaign, name)]
    filters = [words.campaign_filter(name, code) for name, code in chosen]
    if campaign.listed:
        filters.append(f"a list of {listed} patient{'s' if listed != 1 else ''}")
    return Row(campaign, figures, paces.get(campaign.id), orders, tuple(filters))


def _rows(session: Session, at: datetime, paces: Mapping[UUID, PaceNow]) -> list[Row]:
    found = campaign_figures.all_of(session, at)
    return [_row(campaign, figures, campaign_lists.size(session, campaign.id), paces) for campaign, figures in found]


async def _paces(request: Request) -> Mapping[UUID, PaceNow]:
    asked = services(request).paces
    return await asked() if asked is not None else {}


@dataclass(frozen=True)
class Whole:
    """One campaign. `history`: who created, started, paused, stopped it, the newest first."""

    row: Row
    history: list[tuple[datetime, str, str]]
    nurses: list[tuple[str, str, datetime]]
    """Who has joined: name, what she does, since when she has joined."""


def _whole(session: Session, campaign_id: UUID, at: datetime, paces: Mapping[UUID, PaceNow]) -> Whole | None:
    found = campaign_figures.one_of(session, campaign_id, at)
    if found is None:
        return None
    rows = audit.of_subject(session, f"campaign:{campaign_id}")
    said = [(row, session.get(Account, row.account_id) if row.account_id else None) for row in rows]
    history = [(row.at, by.display_name if by else "", row.action) for row, by in said if row.action != "denied"]
    row = _row(*found, campaign_lists.size(session, campaign_id), paces)
    return Whole(row, history, _nurses(session, found[0], at))


def _nurses(session: Session, campaign: Campaign, at: datetime) -> list[tuple[str, str, datetime]]:
    if campaign.mode not in ("progressive", "predictive"):
        return []
    works_on = (None, campaign.id) if campaign.mode == "progressive" else (campaign.id,)
    joined = [one for one in stints.live_stints(session) if one.campaign_id in works_on]
    names = {one.id: session.get_one(Account, one.account_id).display_name for one in joined}
    return [(names[one.id], stints.now(session, one, at).code, one.began_at) for one in joined]


@routes.get("/campaigns")
async def page(request: Request, visitor: RunsCampaigns) -> Response:
    house = services(request)
    choices = await house.database.run(campaign_figures.choices)
    if house.facts.predictive:  # its purpose can be chosen before the first survey is due
        choices["purpose"] = sorted({*choices["purpose"], "survey"})
    values: dict[str, Any] = {
        "rows": await house.database.run(_rows, house.clock(), await _paces(request)),
        "alarms": await reach_alarms.listed(request),
        "now": house.clock(),
        "choices": choices,
        "modes": [mode for mode in MODES if mode != "predictive" or house.facts.predictive],
    }
    return pages_of(request).show(request, "campaigns/page.html", **values)


@routes.get("/campaigns/list")
async def list_part(request: Request, visitor: RunsCampaigns) -> Response:
    house = services(request)
    rows = await house.database.run(_rows, house.clock(), await _paces(request))
    return pages_of(request).part(request, "campaigns/list.html", rows=rows)


@routes.post("/campaigns")
async def create(request: Request, visitor: RunsCampaigns) -> Response:
    house, wanted = services(request), _wanted(await request.form())
    if wanted.mode == "predictive" and not house.facts.predictive:
        raise Refusal(422, "Predictive calling is not switched on here ([calling] predictive).")
    try:
        await house.database.run(campaigns.create, wanted, visitor.account_id, house.clock())
    except ValueError as wrong:
        raise Refusal(422, str(wrong)) from None
    return await list_part(request, visitor)


@routes.get("/campaigns/{campaign_id}")
async def one(request: Request, visitor: RunsCampaigns, campaign_id: UUID) -> Response:
    return pages_of(request).show(request, "campaigns/one.html", **await _one(request, campaign_id))


@routes.get("/campaigns/{campaign_id}/live")
async def live(request: Request, visitor: RunsCampaigns, campaign_id: UUID) -> Response:
    return pages_of(request).part(request, "campaigns/live.html", **await _one(request, campaign_id))


async def _one(request: Request, campaign_id: UUID) -> dict[str, Any]:
    house = services(request)
    now = house.clock()
    whole = await house.database.run(_whole, campaign_id, now, await _paces(request))
    if whole is None:
        raise Refusal(404, "There is no such campaign.")
    return {"whole": whole, "row": whole.row, "now": now}


@routes.post("/campaigns/{campaign_id}/limits")
async def limits(request: Request, visitor: RunsCampaigns, campaign_id: UUID) -> Response:
    """Its share and its limits, which hold for the next call."""
    house, form = services(request), dict(await request.form())
    before = await house.database.run(campaign_figures.one_of, campaign_id, house.clock())
    if before is None:
        raise Refusal(404, "There is no such campaign.")
    now = before[0]
    stays = {"name": now.name, "mode": now.mode, "purpose": now.purpose}
    wanted = _wanted({"wrap_up_s": now.wrap_up_s, "ceiling": 100 * now.ceiling} | form | stays)
    try:
        done = await house.database.run(campaigns.change, campaign_id, wanted, visitor.account_id, house.clock())
    except ValueError as wrong:
        raise Refusal(422, str(wrong)) from None
    if not done:
        raise Refusal(409, "This campaign is over.")
    return Response(status_code=204)


@routes.post("/campaigns/{campaign_id}/{what}")
async def order(request: Request, visitor: RunsCampaigns, campaign_id: UUID, what: str) -> Response:
    if what not in MOVES:
        raise Refusal(404, "There is no such order.")
    house = services(request)
    if not await house.database.run(campaigns.order, campaign_id, what, visitor.account_id, house.clock()):
        raise Refusal(409, "This campaign is not in a state for that any more.")
    return Response(status_code=204)  # the lists hear of it by the live stream


def _wanted(form: Mapping[str, Any]) -> Wanted:
    """Raises Refusal for what is no number."""
    said = {name: str(form.get(name, "")).strip()[:100] for name in (*FILTERS, "name", "mode")}
    try:
        return Wanted(
            name=said["name"],
            mode=said["mode"],
            purpose=said["purpose"],
            reason=said["reason"],
            questionnaire=said["questionnaire"],
            study=said["study"],
            ward=said["ward"],
            priority=int(form.get("priority") or 5),
            weight=int(form.get("weight") or 1),
            caller_id=str(form.get("caller_id") or "").strip() or None,
            lines=int(form["lines"]) if form.get("lines") else None,
            wrap_up_s=int(form.get("wrap_up_s") or 30),
            per_second=_number(form["per_second"]) if form.get("per_second") else None,
            ceiling=_number(form["ceiling"]) / 100 if form.get("ceiling") else HIGHEST_CEILING,
        )
    except ValueError:
        raise Refusal(422, "Priority, weight, calls at once, calls a second and per cent are numbers.") from None


def _number(said: Any) -> float:
    """With a point or a comma. Raises ValueError."""
    return float(str(said).replace(",", "."))
