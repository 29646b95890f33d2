"""Opening hours and holidays: the week as a table, exceptions, and what comes of them in the next fourteen days."""

from datetime import date, time, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from scripts.hours_sheet import MIDNIGHT, WEEKDAYS
from scripts.yaml_lines import FileRefused
from web.doors import pages_of, services
from web.editions import Changes, body_of, checked, save, standing, workshop_of

AHEAD = 14  # days
NAMES = dict(zip(WEEKDAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True))

routes = APIRouter()


async def _values(request: Request) -> dict[str, Any]:
    house, now = services(request), await standing(request, "hours")
    body = await body_of(request, now)
    try:
        hours = workshop_of(request).hours(now.body)
        today = house.clock().astimezone(hours.zone).date()
        ahead = [_day(hours.of_day(day), day) for day in (today + timedelta(days=n) for n in range(AHEAD))]
    except FileRefused:
        ahead = []
    return {
        "standing": now,
        "findings": await checked(request, now),
        "names": NAMES,
        "week": {day: ", ".join(body.get("hours", {}).get(day, [])) for day in WEEKDAYS},
        "public_holidays": bool(body.get("public_holidays")),
        "closed_days": "\n".join(body.get("closed_days", [])),
        "special": "\n".join(f"{day}: {', '.join(hours)}" for day, hours in body.get("special", {}).items()),
        "ahead": ahead,
        "languages": house.facts.languages,
    }


def _day(intervals: Any, day: date) -> tuple[str, str]:
    told = ", ".join(
        f"{start:%H:%M}–{MIDNIGHT if end == time.max else format(end, '%H:%M')}" for start, end in intervals
    )
    return day.strftime("%A, %-d %B"), told or "closed"


@routes.get("/hours")
async def page(request: Request, visitor: Changes) -> Response:
    return pages_of(request).show(request, "hours/page.html", **await _values(request))


@routes.post("/hours")
async def change(request: Request, visitor: Changes) -> Response:
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    special = dict(_special(form.get("special", "")))
    body = {
        "hours": {day: _list(form.get(day, "")) for day in WEEKDAYS if form.get(day, "").strip()},
        "public_holidays": "public_holidays" in form,
        "closed_days": form.get("closed_days", "").split(),
        "special": special,
    }
    await save(request, visitor, "hours", body, form.get("seen", ""))
    return pages_of(request).part(request, "hours/editor.html", **await _values(request))


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _special(text: str) -> list[tuple[str, list[str]]]:
    lines = (line.partition(":") for line in text.splitlines() if line.strip())
    return [(day.strip(), _list(hours)) for day, _, hours in lines]
