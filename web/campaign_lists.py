"""The patients of a campaign that is for some only: a list of record numbers, checked row by row, then put in.

All of them or none: they are put in by one transaction, and how many are there already is told beside it."""

import asyncio
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session

from hospital import campaign_lists
from hospital.campaigns import Campaign
from hospital.csv_files import Rejected
from hospital.record_lists import People
from web import told_lists, words
from web.doors import Door, Visitor, pages_of, services
from web.reading import readings
from web.refusals import Refusal
from web.uploads import Sent, read_people, sent

RunsCampaigns = Annotated[Visitor, Depends(Door("campaigns.run"))]
MOST_ROWS = 20_000

routes = APIRouter()


def _judged(session: Session, campaign_id: UUID, found: People) -> tuple[dict[str, Any], dict[UUID, str]]:
    """What the page says, and who is left out, with why as a code."""
    campaign = session.get(Campaign, campaign_id)
    if campaign is None:
        raise Refusal(404, "There is no such campaign.")
    if not campaign_lists.may_take(campaign):
        running = "Pause the campaign first: until now it is for everybody."
        raise Refusal(409, running if campaign.state == "running" else "This campaign is over.")
    ids = list(found.found)
    left = campaign_lists.why_not(session, campaign, ids)
    able = [one for one in ids if one not in left]
    unable = [Rejected(found.found[one], "record", words.say(words.NOT_LISTED, code)) for one, code in left.items()]
    said = {
        "campaign": campaign,
        "rows": found.rows,
        "able": len(able),
        "waiting": campaign_lists.waiting(session, campaign, able),
        "rejected": sorted(found.rejected + unable, key=lambda row: row.line),
    }
    return said, left


async def _read(request: Request, visitor: Visitor, came: Sent) -> People:
    with readings(request).begun(visitor.account_id, came.content, services(request).database) as reading:
        return await read_people(request, came, MOST_ROWS, reading)


@routes.post("/campaigns/{campaign_id}/patients/preview")
async def preview(request: Request, visitor: RunsCampaigns, campaign_id: UUID) -> Response:
    came = await sent(request)
    found = await _read(request, visitor, came)
    house = services(request)

    def look(session: Session) -> dict[str, Any]:
        judged, left = _judged(session, campaign_id, found)
        subject = f"campaign:{campaign_id}"
        told_lists.told(session, visitor.account_id, subject, house.clock(), came.digest, found, left)
        return judged

    judged = await house.database.run(look)
    return pages_of(request).part(request, "campaigns/checked.html", seen=came.digest, done=None, **judged)


@routes.post("/campaigns/{campaign_id}/patients/import")
async def put_in(request: Request, visitor: RunsCampaigns, campaign_id: UUID) -> Response:
    came = await sent(request)
    came.is_what_was_checked()
    house = services(request)
    with readings(request).begun(visitor.account_id, came.content, house.database) as reading:
        found = await read_people(request, came, MOST_ROWS, reading)

        def apply() -> dict[str, Any]:
            with house.database.transaction() as session:
                judged, left = _judged(session, campaign_id, found)
                ids, by, at = list(found.found), visitor.account_id, house.clock()
                done = campaign_lists.put_in(session, campaign_id, ids, by, at, reading.put_in)
                told_lists.told(session, by, f"campaign:{campaign_id}", at, came.digest, found, left)
                return {**judged, "done": done}

        told = await asyncio.to_thread(apply)
    return pages_of(request).part(request, "campaigns/checked.html", seen="", **told)
