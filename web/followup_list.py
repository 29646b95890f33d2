"""The follow-up list: who is due, overdue, mine; skipped with a reason."""

import json
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response

from hospital import campaigns, followups, nurse_calls
from hospital.followups import SKIP_REASONS
from web import followup_view
from web.doors import Door, Visitor, denied, pages_of, services
from web.followup_view import Row, TaskView, Viewer
from web.refusals import Refusal

WorksFollowUps = Annotated[Visitor, Depends(Door("followups.work"))]

routes = APIRouter()

# what the tabs show: address → (word, which rows)
TABS = {
    "all": "All",
    "due": "Due now",
    "overdue": "Overdue",
    "mine": "Mine",
    "review": "To be reviewed",
}


CLOSED = "closed"


def _tab(name: str) -> str:
    return name if name in TABS or name == CLOSED else "all"


def viewer(request: Request, visitor: Visitor) -> Viewer:
    house = services(request)
    return Viewer(visitor.account_id, visitor.may("followups.all"), house.clock(), house.facts.zone)


def _belongs(row: Row, tab: str) -> bool:
    match tab:
        case "due":
            return row.standing in ("due", "overdue")
        case "overdue":
            return row.standing == "overdue"
        case "mine":
            return row.mine
        case "review":
            return row.standing == "review"
    return True


async def own_task(request: Request, visitor: Visitor, task_id: UUID) -> TaskView:
    """The task; one that is not there, or is another nurse's, is refused, and audited."""
    found = await services(request).database.run(followup_view.view, task_id, viewer(request, visitor))
    if found is None:
        await denied(request, visitor, "followups.all", f"task:{task_id}")
        raise Refusal(403, "This task is another nurse's, or it does not exist.")
    return found


async def _listed(request: Request, visitor: Visitor, tab: str, template: str) -> Response:
    run, looks = services(request).database.run, viewer(request, visitor)
    rows = await run(followup_view.worklist, looks)
    counts: dict[str, int | None] = {code: sum(_belongs(row, code) for row in rows) for code in TABS}
    if tab == CLOSED:
        rows = await run(followup_view.closed, looks)
    pages = pages_of(request)
    show = pages.show if template.endswith("page.html") else pages.part
    return show(
        request,
        template,
        tab=tab,
        tabs=[*((code, word, counts[code]) for code, word in TABS.items()), (CLOSED, "Closed this week", None)],
        rows=[row for row in rows if _belongs(row, tab)],
        now=services(request).clock(),
    )


@routes.get("/followups")
async def page(request: Request, visitor: WorksFollowUps, show: str = "all") -> Response:
    return await _listed(request, visitor, _tab(show), "followups/page.html")


@routes.get("/followups/list/{tab}")
async def part(request: Request, visitor: WorksFollowUps, tab: str) -> Response:
    return await _listed(request, visitor, _tab(tab), "followups/list.html")


@routes.get("/followups/campaigns")
async def handed_out(request: Request, visitor: WorksFollowUps) -> Response:
    """The campaigns from which a nurse may take her next, and those in which she gets one call after the other."""
    running = await services(request).database.run(campaigns.in_force, "nurse_call")
    preview, progressive, predictive = (
        [one for one in running if (one.mode, one.state) == (mode, "running")]
        for mode in ("preview", "progressive", "predictive")
    )
    return pages_of(request).part(
        request, "followups/campaigns.html", preview=preview, progressive=progressive, predictive=predictive
    )


@routes.post("/followups/next/{campaign_id}")
async def next_of(request: Request, visitor: WorksFollowUps, campaign_id: UUID) -> Response:
    """Preview: opens the form of the nurse's next contact of a campaign."""
    house = services(request)
    task_id = await house.database.run(nurse_calls.hand_out, campaign_id, visitor.account_id, house.clock())
    if task_id is None:
        raise Refusal(409, "Nothing of this campaign is due for you now.")
    return Response(status_code=204, headers={"HX-Location": opens(task_id)})


def opens(task_id: UUID) -> str:
    """Where htmx goes, so that the phone in the bar keeps its call."""
    where = {"path": f"/followups/{task_id}", "target": "#page", "select": "#page", "swap": "outerHTML"}
    return json.dumps(where)


@routes.post("/followups/{task_id}/skip")
async def skip(request: Request, visitor: WorksFollowUps, task_id: UUID, reason: Annotated[str, Form()]) -> Response:
    if reason not in SKIP_REASONS:
        raise Refusal(422, "Say why it is skipped.")
    await own_task(request, visitor, task_id)
    house = services(request)
    if not await house.database.run(followups.skip, task_id, reason, house.clock(), visitor.account_id):
        raise Refusal(409, "It is being called, or it is closed already.")
    # the list hears of it by the live stream, like everybody's
    return Response(status_code=204)
