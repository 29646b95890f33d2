"""Who is on call: the week as a picture with its gaps, and swaps. What the rota is made of is in `shifts.py`."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from sqlalchemy.orm import Session

from hospital import rota_records
from hospital.accounts import Account
from hospital.rota import AHEAD, Gap, Rota, Turn
from hospital.rota_records import OnCallChange, OnCallShift
from web import rota_week
from web.doors import Door, Visitor, pages_of, services
from web.refusals import Refusal
from web.rota_week import Week

Reads = Annotated[Visitor, Depends(Door("rota.read"))]
TURNS_AHEAD = timedelta(days=28)
FURTHEST = timedelta(days=400)

routes = APIRouter()


@dataclass(frozen=True)
class Swap:
    """A swap on the page. `turn` is None where its shift has ended meanwhile."""

    change: OnCallChange
    turn: Turn | None
    asked_by: Account
    taker: Account
    mine: bool  # the visitor is asked


@dataclass(frozen=True)
class Shown:
    week: Week
    gaps: list[Gap]
    swaps: list[Swap]
    turns: list[tuple[Turn, Account]]  # that the visitor may ask somebody to take
    people: list[Account]


def turns_ahead(session: Session, rota: Rota, at: datetime) -> list[tuple[Turn, Account]]:
    """Turns to come, and whose they are (of one that does not take place: whose shift it is)."""
    found = rota.turns(at, at + TURNS_AHEAD)
    return [(turn, session.get_one(Account, turn.account_id or turn.shift.account_id)) for turn in found]


def _shown(session: Session, visitor: Visitor, first: date, at: datetime, calendar: Any) -> Shown:
    rota = rota_records.load(session, calendar)
    lines = {one.id: one.line for one in rota_records.open_lines(session)}
    swaps = []
    for change in rota_records.swaps(session, calendar.date_of(at)):
        shift = session.get_one(OnCallShift, change.shift_id)
        turn = rota.turn(shift.of(lines[shift.line_id]), change.day) if shift.line_id in lines else None
        asked_by, taker = (session.get_one(Account, one) for one in (change.asked_by, change.account_id))
        mine = change.state == "asked" and change.account_id == visitor.account_id
        swaps.append(Swap(change, turn, asked_by, taker, mine))
    return Shown(
        rota_week.week(rota, first, at, lambda one: session.get_one(Account, one).display_name),
        rota.gaps(at, at + AHEAD),
        swaps,
        [one for one in turns_ahead(session, rota, at) if one[0].account_id == visitor.account_id],
        [one for one in rota_records.available(session) if one.id != visitor.account_id],
    )


def turn_of(text: str) -> tuple[UUID, date]:
    """A turn as a form names it: its shift and its day."""
    shift, _, day = text.partition("/")
    try:
        return UUID(shift), date.fromisoformat(day)
    except ValueError:
        raise Refusal(422, "Choose a turn.") from None


async def _values(request: Request, visitor: Visitor, begin: str) -> dict[str, Any]:
    house = services(request)
    now = house.clock()
    calendar = house.facts.calendar
    today = calendar.date_of(now)
    try:
        first = min(max(date.fromisoformat(begin), today - FURTHEST), today + FURTHEST) if begin else today
    except ValueError:
        first = today
    shown = await house.database.run(_shown, visitor, first, now, calendar)
    return {"shown": shown, "now": now, "first": first, "today": today, "step": timedelta(days=7)}


@routes.get("/rota")
async def page(request: Request, visitor: Reads, begin: str = "") -> Response:
    return pages_of(request).show(request, "rota/page.html", **await _values(request, visitor, begin))


@routes.get("/rota/week")
async def part(request: Request, visitor: Reads, begin: str = "") -> Response:
    return pages_of(request).part(request, "rota/week.html", **await _values(request, visitor, begin))


@routes.post("/rota/swaps")
async def ask(
    request: Request, visitor: Reads, turn: Annotated[str, Form()], taker: Annotated[UUID, Form()]
) -> Response:
    house, (shift_id, day) = services(request), turn_of(turn)
    try:
        await house.database.run(
            rota_records.ask_swap, house.facts.calendar, shift_id, day, taker, visitor.account_id, house.clock()
        )
    except ValueError as wrong:
        raise Refusal(422, str(wrong)) from None
    return pages_of(request).part(request, "rota/week.html", **await _values(request, visitor, ""))


@routes.post("/rota/swaps/{swap_id}/{answer}")
async def answer(request: Request, visitor: Reads, swap_id: UUID, answer: str) -> Response:
    if answer not in ("agree", "decline"):
        raise Refusal(404, "There is no such page. It may have been closed or moved.")
    house = services(request)
    by, at, calendar = visitor.account_id, house.clock(), house.facts.calendar
    try:
        done = await house.database.run(rota_records.answer_swap, calendar, swap_id, answer == "agree", by, at)
    except ValueError as wrong:
        raise Refusal(409, str(wrong)) from None
    if not done:
        raise Refusal(409, "It is not asked of you, or not any more.")
    return pages_of(request).part(request, "rota/week.html", **await _values(request, visitor, ""))
