"""A clinician enrols in a plan: who is looked for, one or several, or a list of record numbers; and takes it back.

Who can't be enrolled is named with why before and after. The list is sent again to be enrolled, known by its digest."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from sqlalchemy.orm import Session

from hospital import audit, enrolling, patient_search
from hospital.csv_files import Rejected
from hospital.patients import Patient
from hospital.plans import Plan
from hospital.record_lists import People
from web import told_lists, words
from web.doors import Door, Visitor, pages_of, services
from web.plans import plans
from web.reading import Reading, readings
from web.refusals import Refusal
from web.uploads import read_people, sent

Enrols = Annotated[Visitor, Depends(Door("plans.enrol"))]
MOST_ROWS = 5_000
MOST = 200  # of those who were looked for, at a time

routes = APIRouter()


@dataclass(frozen=True)
class Enrolled:
    """What came of it. `at`: the instant of the decision, by which it is taken back. `rejected`: rows of a list."""

    plan: Plan
    at: datetime
    done: int
    named: list[tuple[str, str]]
    rejected: list[Rejected]


def plan_of(said: str) -> Plan:
    if said not in plans():
        raise Refusal(422, "Choose a plan.")
    return plans()[said]


@routes.get("/enrol")
async def page(request: Request, visitor: Enrols) -> Response:
    house = services(request)
    lately = await house.database.run(enrolling.lately, visitor.account_id, house.clock())
    shown = [(plans()[one.plan], one) for one in lately if one.plan in plans()]
    return pages_of(request).show(
        request, "enrol/page.html", plans=plans(), most=MOST_ROWS, lately=shown, now=house.clock()
    )


@routes.post("/enrol/find")
async def find(
    request: Request,
    visitor: Enrols,
    said: Annotated[str, Form(max_length=200)] = "",
    born: Annotated[str, Form(max_length=10)] = "",
    plan: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    house = services(request)
    try:
        day = date.fromisoformat(born) if born else None
    except ValueError:
        raise Refusal(422, "The birth date is no date.") from None
    if not said.strip():
        raise Refusal(422, "Say whom you look for: a record number, a telephone number, or the whole name.")

    def look(session: Session) -> tuple[list[Patient], dict[UUID, str]]:
        found = patient_search.find(session, said, day, house.facts.country or "ZZ")
        ids = [one.id for one in found]
        shown = sorted(str(one) for one in ids)
        audit.record(session, visitor.account_id, "patients.find", "patients", house.clock(), patients=shown)
        return found, enrolling.why_not(session, plans()[plan], ids, house.clock()) if plan in plans() else {}

    found, left = await house.database.run(look)
    more = len(found) > patient_search.MOST
    return pages_of(request).part(
        request,
        "enrol/found.html",
        found=found[: patient_search.MOST],
        more=more,
        left=left,
        chosen=plans().get(plan),
        now=house.clock(),
    )


@routes.post("/enrol/found")
async def enrol_found(request: Request, visitor: Enrols) -> Response:
    form = await request.form()
    plan = plan_of(str(form.get("plan", "")))
    try:
        ids = [UUID(str(one)) for one in form.getlist("patient")]
    except ValueError:
        raise Refusal(422, "That was not understood. Look for the patient again.") from None
    if not ids:
        raise Refusal(422, "Tick whom you enrol.")
    if len(ids) > MOST:
        raise Refusal(422, f"At most {MOST} at a time; more by a list.")
    done, left, at = await _enrol(request, visitor, plan, ids)
    named = await services(request).database.run(_named, left)
    return _told(request, Enrolled(plan, at, done, named, []))


@routes.post("/enrol/preview")
async def preview(request: Request, visitor: Enrols) -> Response:
    """Who on the list can be enrolled, and each row that can't."""
    came = await sent(request)
    plan = plan_of(came.fields.get("plan", ""))
    with readings(request).begun(visitor.account_id, came.content, services(request).database) as reading:
        found = await read_people(request, came, MOST_ROWS, reading)
    house = services(request)

    def look(session: Session) -> dict[UUID, str]:
        why = enrolling.why_not(session, plan, list(found.found), house.clock())
        told_lists.told(session, visitor.account_id, "patients", house.clock(), came.digest, found, why)
        return why

    left = await house.database.run(look)
    figures: dict[str, Any] = {"rows": found.rows, "able": len(found.found) - len(left), "seen": came.digest}
    return pages_of(request).part(request, "enrol/checked.html", plan=plan, rejected=_rows(found, left), **figures)


@routes.post("/enrol/list")
async def enrol_list(request: Request, visitor: Enrols) -> Response:
    came = await sent(request)
    came.is_what_was_checked()
    plan = plan_of(came.fields.get("plan", ""))
    with readings(request).begun(visitor.account_id, came.content, services(request).database) as reading:
        found = await read_people(request, came, MOST_ROWS, reading)
        done, left, at = await _enrol(request, visitor, plan, list(found.found), reading)
    of = (visitor.account_id, "patients", at, came.digest, found, left)
    await services(request).database.run(told_lists.told, *of)
    return _told(request, Enrolled(plan, at, done, [], _rows(found, left)))


@routes.post("/enrol/taken-back")
async def taken_back(
    request: Request, visitor: Enrols, plan: Annotated[str, Form()], at: Annotated[str, Form(max_length=40)]
) -> Response:
    try:
        then = datetime.fromisoformat(at).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refusal(422, "That was not understood. Reload the page and try again.") from None
    house, count = services(request), 0
    while done := await house.database.run(
        enrolling.taken_back, plan_of(plan).id, then, visitor.account_id, house.clock()
    ):
        count += done
    return pages_of(request).part(request, "enrol/taken_back.html", plan=plan_of(plan), count=count)


async def _enrol(
    request: Request, visitor: Visitor, plan: Plan, ids: list[UUID], reading: Reading | None = None
) -> tuple[int, dict[UUID, str], datetime]:
    """How many were enrolled, who was not and why; a part is a transaction of its own, all of them one decision."""
    house = services(request)
    at, site = house.clock(), house.facts.calendar
    done = 0
    left: dict[UUID, str] = {}
    try:
        for start in range(0, len(ids), enrolling.PART):
            part = ids[start : start + enrolling.PART]
            enrolled, missing = await house.database.run(enrolling.enrol, plan, part, at, site, visitor.account_id)
            done += len(enrolled)
            left |= missing
            if reading is not None:
                reading.done += len(part)
                await asyncio.to_thread(reading.tell)
    except LookupError as problem:
        raise Refusal(409, f"{problem}.") from None
    return done, left, at


def _rows(found: People, left: Mapping[UUID, str]) -> list[Rejected]:
    """The rows that came to nothing, in the order of the list."""
    unable = [Rejected(found.found[one], "record", words.say(words.NOT_ENROLLED, code)) for one, code in left.items()]
    return sorted(found.rejected + unable, key=lambda row: row.line)


def _named(session: Session, left: Mapping[UUID, str]) -> list[tuple[str, str]]:
    people = {one: session.get(Patient, one) for one in left}
    return [(who.name if who else "One", words.say(words.NOT_ENROLLED, left[one])) for one, who in people.items()]


def _told(request: Request, enrolled: Enrolled) -> Response:
    values: dict[str, Any] = {"enrolled": enrolled}
    return pages_of(request).part(request, "enrol/enrolled.html", **values)
