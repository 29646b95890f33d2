"""One call after the other: the nurse's switch in the bar. She joins, pauses, writes up, and leaves.

The bar tells her what she does and opens the form of whoever is called; the form itself is `followup_form.py`."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from hospital import stints
from hospital.campaigns import Campaign
from hospital.stints import Standing, Stint
from web.doors import Visitor, pages_of, services
from web.followup_list import WorksFollowUps
from web.ports import Stints
from web.refusals import Refusal

routes = APIRouter()


def _shown(session: Session, visitor: Visitor, at: Any) -> tuple[Stint | None, Standing, str, bool]:
    """Her stint, what she does in it, of which campaign, and whether that runs."""
    stint = stints.current_stint(session, visitor.account_id)
    if stint is None:
        return None, Standing("over"), "", False
    campaign = session.get(Campaign, stint.campaign_id) if stint.campaign_id else None
    runs = any(
        one.id == stint.campaign_id or (stint.campaign_id is None and one.mode == "progressive")
        for one in stints.joinable(session)
    )
    return stint, stints.now(session, stint, at), campaign.name if campaign else "all campaigns", runs


@routes.get("/stint")
async def shown(request: Request, visitor: WorksFollowUps) -> Response:
    house = services(request)
    now = house.clock()
    stint, standing, of, runs = await house.database.run(_shown, visitor, now)
    values: dict[str, Any] = {"stint": stint, "standing": standing, "of": of, "runs": runs, "now": now}
    return pages_of(request).part(request, "stint.html", **values)


@routes.post("/stint/join")
async def join(
    request: Request, visitor: WorksFollowUps, campaign: Annotated[str, Form(max_length=36)] = ""
) -> Response:
    """`campaign`: one that runs progressively; without it all of them, by their shares."""
    try:
        wanted = UUID(campaign) if campaign else None
    except ValueError:
        raise Refusal(422, "There is no such campaign.") from None
    why_not = await _of(request).join(visitor.account_id, wanted)
    if why_not is not None:
        raise Refusal(409, why_not)
    return Response(status_code=204)  # the bar hears of it by the live stream


@routes.post("/stint/{order}")
async def order(request: Request, visitor: WorksFollowUps, order: str) -> Response:
    """leave, pause, resume, ready (the write-up is done), more (a minute more for it)."""
    house, account_id = services(request), visitor.account_id
    match order:
        case "leave":
            why_not = await _of(request).leave(account_id)
            if why_not is not None:
                raise Refusal(409, why_not)
            done = True
        case "pause" | "resume":
            done = await house.database.run(stints.pause, account_id, order == "pause")
        case "ready":
            done = await house.database.run(stints.ready, account_id)
        case "more":
            done = await house.database.run(stints.more, account_id, house.clock())
        case _:
            raise Refusal(404, "There is no such order.")
    if not done:
        raise Refusal(409, "You take no calls one after the other just now, or that is over.")
    if order in ("resume", "ready"):
        await _of(request).call_next()
    return await shown(request, visitor)


def _of(request: Request) -> Stints:
    found = services(request).stints
    if found is None:
        raise Refusal(409, "Calls one after the other are not set up here.")
    return found
