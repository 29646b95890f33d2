"""The follow-up list: who is due, overdue, mine, of which ward and study; skipped with a reason.

What is ordered of several at once is in `followup_orders.py`."""

import json
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from sqlalchemy.orm import Session

from hospital import campaigns, nurse_calls, task_orders, workload
from hospital.followups import SKIP_REASONS
from hospital.task_orders import Giver, Order
from hospital.wards import among, each
from web import followup_view
from web.doors import Door, Visitor, denied, pages_of, services
from web.followup_view import Row, TaskView, Viewer
from web.plans import plans
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
MY_WARD = "*"  # in an address: the wards on which the visitor has shifts


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


@dataclass(frozen=True)
class Sieve:
    """Which rows are shown beside the tab's: of which ward and study. `hers`: the wards on which she has shifts."""

    ward: str
    study: str
    hers: tuple[str, ...]

    @property
    def wards(self) -> tuple[str, ...]:
        """None: of any."""
        if self.ward == MY_WARD:
            return self.hers
        return (self.ward,) if self.ward else ()

    @property
    def query(self) -> str:
        """For an address, after `?show=…`."""
        chosen = {"ward": self.ward, "study": self.study}
        return "".join(f"&{name}={quote(value, safe='')}" for name, value in chosen.items() if value)

    def lets_through(self, row: Row) -> bool:
        return (not self.wards or among(row.ward, self.wards)) and (not self.study or row.study == self.study)


async def _listed(
    request: Request, visitor: Visitor, tab: str, chosen: tuple[str, str], template: str, whole: bool
) -> Response:
    house, looks = services(request), viewer(request, visitor)
    today = looks.at.astimezone(looks.zone).date()

    def read(session: Session) -> dict[str, Any]:
        sieve = Sieve(*chosen, tuple(workload.wards_of(session, looks.account_id, today)))
        open_rows = followup_view.worklist(session, looks)
        rows = followup_view.closed(session, looks) if tab == CLOSED else open_rows
        shown = [row for row in open_rows if sieve.lets_through(row)]
        counts: dict[str, int | None] = {code: sum(_belongs(row, code) for row in shown) for code in TABS}
        return {
            "sieve": sieve,
            "tabs": [*((code, word, counts[code]) for code, word in TABS.items()), (CLOSED, "Closed this week", None)],
            "rows": [row for row in rows if sieve.lets_through(row) and _belongs(row, tab)],
            "wards": each([*({sieve.ward} - {MY_WARD}), *(row.ward for row in rows)]),
            "studies": sorted({row.study for row in rows if row.study} | {sieve.study} - {""}),
            "loads": workload.loads(session, looks.at, followup_view.AHEAD) if looks.sees_all else [],
        }

    found = await house.database.run(read)
    show = pages_of(request).show if whole else pages_of(request).part
    return show(request, template, tab=tab, now=looks.at, today=today, my_ward=MY_WARD, plans=plans(), **found)


Chosen = Annotated[str, Query(max_length=200)]


@routes.get("/followups")
async def page(
    request: Request, visitor: WorksFollowUps, show: str = "all", ward: Chosen = "", study: Chosen = ""
) -> Response:
    return await _listed(request, visitor, _tab(show), (ward, study), "followups/page.html", True)


@routes.get("/followups/list/{tab}")
async def part(request: Request, visitor: WorksFollowUps, tab: str, ward: Chosen = "", study: Chosen = "") -> Response:
    return await _listed(request, visitor, _tab(tab), (ward, study), "followups/list.html", False)


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
    looks = viewer(request, visitor)
    giver = Giver(looks.account_id, looks.sees_all, looks.at, looks.zone)
    skipped = Order("skip", reason=reason)
    if await services(request).database.run(task_orders.carry_out, task_id, skipped, giver) is not None:
        raise Refusal(409, "It is being called, or it is closed already.")
    # the list hears of it by the live stream, like everybody's
    return Response(status_code=204)
