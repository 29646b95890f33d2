"""What the rota is made of: lines, shifts, days that are otherwise. For supervisors."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import patients, rota_records
from hospital.accounts import Account
from hospital.calendars import Calendar
from hospital.followups import FollowUpTask
from hospital.patients import Stay
from hospital.rota import AHEAD, ROLES, Gap, Turn
from hospital.rota_records import OnCallLine, OnCallShift
from web import words
from web.doors import Door, Visitor, pages_of, services
from web.refusals import Refusal
from web.rota import turn_of, turns_ahead

Changes = Annotated[Visitor, Depends(Door("rota.change"))]

routes = APIRouter()


@dataclass(frozen=True)
class Held:
    """A shift in the list."""

    shift: OnCallShift
    who: Account
    over: bool  # it has ended, or its end is set


@dataclass(frozen=True)
class Kept:
    """A line with its shifts, the first on call before the second."""

    line: OnCallLine
    lead: Account | None
    shifts: list[Held]


@dataclass(frozen=True)
class Shown:
    lines: list[Kept]
    people: list[Account]
    turns: list[tuple[Turn, Account]]
    wards: list[str]


def _shown(session: Session, at: datetime, calendar: Calendar) -> Shown:
    today = calendar.date_of(at)
    lines = []
    for line in rota_records.open_lines(session):
        rows = select(OnCallShift).where(OnCallShift.line_id == line.id)
        rows = rows.where(OnCallShift.last_day.is_(None) | (OnCallShift.last_day >= today))
        held = [
            Held(one, session.get_one(Account, one.account_id), one.last_day is not None)
            for one in session.scalars(rows.order_by(OnCallShift.rank, OnCallShift.starts, OnCallShift.first_day))
            if one.last_day is None or one.last_day >= one.first_day
        ]
        lines.append(Kept(line, session.get(Account, line.lead_id) if line.lead_id else None, held))
    wards = {*session.scalars(select(Stay.ward).distinct()), *session.scalars(select(FollowUpTask.ward).distinct())}
    rota = rota_records.load(session, calendar)
    return Shown(lines, rota_records.available(session), turns_ahead(session, rota, at), sorted(wards - {""}))


async def _values(request: Request) -> dict[str, Any]:
    house = services(request)
    now = house.clock()
    shown = await house.database.run(_shown, now, house.facts.calendar)
    return {"shown": shown, "now": now, "today": house.facts.calendar.date_of(now), "roles": ROLES}


async def _list(request: Request) -> Response:
    return pages_of(request).part(request, "rota/shifts_list.html", **await _values(request))


@routes.get("/shifts")
async def page(request: Request, visitor: Changes) -> Response:
    return pages_of(request).show(request, "rota/shifts.html", **await _values(request))


@routes.get("/shifts/list")
async def part(request: Request, visitor: Changes) -> Response:
    return await _list(request)


@routes.get("/shifts/turns")
async def turns_part(request: Request, visitor: Changes) -> Response:
    return pages_of(request).part(request, "rota/turns.html", **await _values(request))


@routes.get("/shifts/alarm")
async def alarm(request: Request, visitor: Changes) -> Response:
    """On every page of a supervisor's: where nobody is on call in the next seven days."""
    house = services(request)
    at = house.clock()

    def look(session: Session) -> list[Gap]:
        return rota_records.load(session, house.facts.calendar).gaps(at, at + AHEAD)

    return pages_of(request).part(request, "rota/alarm.html", gaps=await house.database.run(look), now=at)


@routes.post("/shifts/lines")
async def open_line(
    request: Request,
    visitor: Changes,
    role: Annotated[str, Form()],
    ward: Annotated[str, Form()] = "",
    lead: Annotated[str, Form()] = "",
) -> Response:
    house = services(request)
    try:
        lead_id = UUID(lead) if lead else None
        made = await house.database.run(rota_records.open_line, role, ward, lead_id, visitor.account_id, house.clock())
    except ValueError as wrong:
        raise Refusal(422, str(wrong)) from None
    if made is None:
        raise Refusal(409, "This line is there already.")
    return Response(status_code=204, headers={"HX-Location": "/shifts"})  # the forms name it, too


@routes.post("/shifts/lines/{line_id}/close")
async def close_line(request: Request, visitor: Changes, line_id: UUID) -> Response:
    house = services(request)
    if not await house.database.run(rota_records.close_line, line_id, visitor.account_id, house.clock()):
        raise Refusal(409, "This line is closed already.")
    return await _list(request)


@dataclass(frozen=True)
class Asked:
    """A shift as the form says it."""

    line_id: UUID
    rank: int
    account_id: UUID
    days: list[int]
    starts: time
    ends: time
    first_day: date
    last_day: date | None


async def _asked(request: Request) -> Asked:
    """Raises Refusal with what to correct."""
    form = await request.form()
    one: Mapping[str, str] = {name: str(value) for name, value in form.items()}
    try:
        last = date.fromisoformat(one["last_day"]) if one.get("last_day") else None
        days = [int(str(day)) for day in form.getlist("days")]
        line_id, account_id = UUID(one.get("line")), UUID(one.get("who"))
        starts, ends = (time.fromisoformat(one.get(end, "")).replace(tzinfo=None) for end in ("starts", "ends"))
        return Asked(line_id, int(one.get("rank", "")), account_id, days, starts, ends,
                     date.fromisoformat(one.get("first_day", "")), last)  # fmt: skip
    except (ValueError, TypeError, AttributeError):
        raise Refusal(422, "Say for which line, who, on which days, from when until when.") from None


@routes.post("/shifts")
async def add(request: Request, visitor: Changes) -> Response:
    house, asked = services(request), await _asked(request)
    about = {"line_id": asked.line_id, "rank": asked.rank, "account_id": asked.account_id, "days": asked.days}
    about |= {"starts": asked.starts, "ends": asked.ends, "first_day": asked.first_day, "last_day": asked.last_day}

    def write(session: Session) -> str | None:
        made = rota_records.add_shift(
            session,
            house.facts.calendar,
            by=visitor.account_id,
            at=house.clock(),
            **about,  # type: ignore[arg-type]
        )
        if not isinstance(made, Turn):
            return None
        holder = session.get_one(Account, made.shift.account_id).display_name
        when = words.moment(made.begins, house.facts.zone)
        rank = words.RANKS[made.shift.rank].lower()
        return f"{holder} is {rank} from {when} already. End that shift first, or choose the other place."

    try:
        met = await house.database.run(write)
    except ValueError as wrong:
        raise Refusal(422, str(wrong)) from None
    if met is not None:
        raise Refusal(409, met)
    return await _list(request)


@routes.post("/shifts/{shift_id}/end")
async def end(
    request: Request, visitor: Changes, shift_id: UUID, last_day: Annotated[date | None, Form()] = None
) -> Response:
    """After `last_day`'s turn; without one, before its next turn."""
    house = services(request)
    today = house.facts.calendar.date_of(house.clock())
    last = max(last_day, today - timedelta(days=1)) if last_day else today - timedelta(days=1)
    if not await house.database.run(rota_records.end_shift, shift_id, last, visitor.account_id, house.clock()):
        raise Refusal(409, "This shift has ended already.")
    return await _list(request)


@routes.post("/shifts/people/{account_id}")
async def number(
    request: Request, visitor: Changes, account_id: UUID, number: Annotated[str, Form(max_length=40)] = ""
) -> Response:
    """On which number somebody is rung when on call; without one on their extension."""
    house = services(request)
    rung = patients.normalise_number(number, house.facts.country or "ZZ") if number.strip() else None
    if number.strip() and rung is None:
        raise Refusal(422, "This is no telephone number.")
    try:
        await house.database.run(rota_records.set_number, account_id, rung, visitor.account_id, house.clock())
    except ValueError as wrong:
        raise Refusal(422, str(wrong)) from None
    return await _list(request)


@routes.post("/shifts/day")
async def day(
    request: Request,
    visitor: Changes,
    turn: Annotated[str, Form()],
    what: Annotated[str, Form()],
    who: Annotated[str, Form()] = "",
) -> Response:
    """One day is otherwise: somebody else has it, nobody, or it is as planned again."""
    house, (shift_id, on) = services(request), turn_of(turn)
    by, at, calendar = visitor.account_id, house.clock(), house.facts.calendar
    try:
        person = UUID(who) if what in ("instead", "swap") else None
        if what == "planned":
            await house.database.run(rota_records.as_planned, calendar, shift_id, on, by, at)
        elif what == "swap" and person is not None:
            await house.database.run(rota_records.ask_swap, calendar, shift_id, on, person, by, at)
        elif what in ("instead", "off"):
            await house.database.run(rota_records.decide_day, calendar, shift_id, on, person, by, at)
        else:
            raise Refusal(422, "Choose what is otherwise on that day.")
    except ValueError as wrong:
        raise Refusal(422, str(wrong) if "badly formed" not in str(wrong) else "Choose who has it.") from None
    return await _list(request)
