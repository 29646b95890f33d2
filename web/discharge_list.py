"""A list of discharges is sent from the browser: every row that can't be taken over is told with its line and reason
first; what was looked at, and nothing else, is then taken over.

The list is of patients: it is held in memory while it is read, and nothing of it is kept, on a disk or in the page. It
is sent again to be taken over, and known by its digest. A long list is for the command line, which reads row by row."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session

from hospital import discharge_lists, discharges
from hospital.csv_files import ListRefused, Rejected
from hospital.database import Database
from hospital.discharge_lists import Happened, Rules
from hospital.discharges import Report
from scripts.languages import TAGS
from scripts.vocabulary import list_words
from web.doors import Door, Visitor, pages_of, services
from web.plans import plans
from web.reading import Reading, readings
from web.refusals import Refusal
from web.uploads import sent

Imports = Annotated[Visitor, Depends(Door("discharges.import"))]
MOST_ROWS = 20_000
BY_COMMAND = "Give it in parts, or on the hospital's server: hotline discharges import FILE, which reads any length."
T = TypeVar("T")

routes = APIRouter()


def _rows(content: bytes, rules: Rules, reading: Reading) -> Iterator[Happened | Rejected]:
    for number, row in enumerate(discharge_lists.read(content, rules), 1):
        if number > MOST_ROWS:
            raise ListRefused(f"It has more than {MOST_ROWS:,} rows. {BY_COMMAND}")
        reading.read(isinstance(row, Rejected))
        yield row


def _in(database: Database) -> Callable[[Callable[[Session], T]], T]:
    def run_in(verb: Callable[[Session], T]) -> T:
        with database.transaction() as session:
            return verb(session)

    return run_in


async def _read(
    request: Request, visitor: Visitor, content: bytes, work: Callable[[Iterable[Happened | Rejected]], Report]
) -> Report:
    house = services(request)
    facts = house.facts
    rules = Rules(facts.zone, facts.country or "ZZ", facts.languages[0], house.clock(), TAGS, list_words())
    try:
        with readings(request).begun(visitor.account_id, content, house.database) as reading:
            return await asyncio.to_thread(work, _rows(content, rules, reading))
    except (ListRefused, LookupError) as problem:
        told = str(problem)
        raise Refusal(422, told[:1].upper() + told[1:]) from None


@routes.get("/discharges")
async def page(request: Request, visitor: Imports) -> Response:
    known = list_words()
    columns = [(name, known.columns[name], name in discharge_lists.NEEDED) for name in discharge_lists.COLUMNS]
    kinds = "; ".join(", ".join(known.values[kind]) for kind in discharge_lists.KINDS)
    return pages_of(request).show(request, "discharges/page.html", columns=columns, kinds=kinds, most=MOST_ROWS)


@routes.post("/discharges/preview")
async def preview(request: Request, visitor: Imports) -> Response:
    """Reads all of it first, so that no list is begun that is refused at its end."""
    came = await sent(request)
    run_in, known = _in(services(request).database), list(plans().values())
    report = await _read(request, visitor, came.content, lambda rows: discharges.preview(rows, run_in, plans=known))
    return pages_of(request).part(request, "discharges/report.html", report=report, seen=came.digest, done=False)


@routes.post("/discharges/import")
async def take_over(request: Request, visitor: Imports) -> Response:
    came = await sent(request)
    came.is_what_was_checked()
    house = services(request)
    at, run_in = house.clock(), _in(house.database)
    known, site = list(plans().values()), house.facts.calendar
    report = await _read(
        request,
        visitor,
        came.content,
        lambda rows: discharges.take_over(rows, known, at, site, run_in, by=visitor.account_id),
    )

    await house.database.run(discharges.written_down, report, came.digest, at, visitor.account_id)
    return pages_of(request).part(request, "discharges/report.html", report=report, seen="", done=True)
