"""Whether somebody is on call for every line in the next seven days: for `hotline status` and for open pages."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from hospital import rota_records
from hospital.calendars import Calendar
from hospital.database import Database, announce
from hospital.rota import AHEAD, Line, Rota


def of_rota(rota: Rota, at: datetime) -> str:
    """One line for who looks after the machine; nobody is named."""
    if not rota.lines:
        return "the rota is empty: nobody is on call; a supervisor opens lines on the page On call"
    gaps = rota.gaps(at, at + AHEAD)
    if not gaps:
        return "somebody for every line in the next seven days"
    first = gaps[0]
    begins = "now" if first.since <= at else f"from {first.since.astimezone(rota.calendar.zone):%a %d %b %H:%M}"
    more = f", and {len(gaps) - 1} more gaps" if len(gaps) > 2 else ", and 1 more gap" if len(gaps) > 1 else ""
    return f"NOBODY for {first.line.role}, {first.line.ward or 'any ward'}, {begins}{more}"


def told(database: Database, zone: ZoneInfo, country: str, at: datetime) -> str:
    try:
        with database.transaction() as session:
            return of_rota(rota_records.load(session, Calendar(zone, country)), at)
    except SQLAlchemyError:
        return "not known: the database does not answer"


class GapWatch:
    """A gap comes near by itself, with nobody changing anything: then the pages are told to look. To be asked about
    once a minute."""

    def __init__(self, database: Database, calendar: Calendar, now: Callable[[], datetime]) -> None:
        self._database, self._calendar, self._now = database, calendar, now
        self._seen: frozenset[tuple[Line, datetime]] | None = None

    async def look(self) -> None:
        self._seen = await self._database.run(self._compare, self._now())

    def _compare(self, session: Session, at: datetime) -> frozenset[tuple[Line, datetime]]:
        gaps = rota_records.load(session, self._calendar).gaps(at, at + AHEAD)
        found = frozenset((gap.line, max(gap.until, at)) for gap in gaps if gap.until < at + AHEAD)
        found |= {(gap.line, gap.since) for gap in gaps if gap.since > at}
        if found != self._seen:
            announce(session, "rota", "gaps")
        return found
