"""For `hotline status`: whether somebody is on call for every line in the next seven days."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError

from hospital import rota_records
from hospital.database import Database
from hospital.rota import AHEAD, Calendar, Rota


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
