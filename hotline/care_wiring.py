"""What the dialogues about care are made of, joined from the settings: tapes, clocks, opening hours, triage."""

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, time, timedelta
from pathlib import PurePosixPath
from zoneinfo import ZoneInfo

from hospital import vault
from hospital.calling_hours import ALWAYS, Window
from hospital.clocks import Clocks
from hospital.database import Database
from hospital.opening import Hours
from hospital.urgent import Ladder
from hotline.care_settings import Weekday
from hotline.places import Places, places
from hotline.settings import Settings
from hotline.tapes import SpoolTapes, SqlCatalogue
from ivr.care_desk import CareDesk
from recordings.capture import Capture
from recordings.files import Shelf, Spool
from scripts import triage
from scripts.yaml_lines import FileRefused

log = logging.getLogger(__name__)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Clock = Callable[[], datetime]


def asterisk_spool(here: Places) -> Spool:
    return Spool(here.spool, PurePosixPath("/hotline/spool"))


def care_desk(
    settings: Settings,
    database: Database,
    now: Clock,
    hours: Hours,
    table: triage.Triage | None,
    spool: Spool | None = None,
) -> CareDesk:
    """`table`: None where it was refused. `spool`: where voices are written, if not by Asterisk."""
    spool = spool or asterisk_spool(places(settings))

    capture = Capture(spool, Shelf(places(settings).recordings), SqlCatalogue(database, now), vault.wrap_key)
    limits = clocks(settings)
    return CareDesk(
        hours=hours,
        clocks=limits,
        tapes=SpoolTapes(database, capture, limits, now),
        triage=table,
        ask_rating=settings.rating.ask,
    )


def triage_table(settings: Settings, spoken: Collection[str]) -> triage.Triage | None:
    """None where the table is refused: callers then reach a nurse, and the log says what is wrong in which line."""
    try:
        return triage.read_triage(settings.triage.file or triage.HERE, spoken)
    except FileRefused as refused:
        for problem in refused.problems:
            log.error("the triage table was not loaded: %s", problem)
        return None


def clocks(settings: Settings) -> Clocks:
    of = settings.cases
    return Clocks(
        ZoneInfo(settings.site.time_zone),
        settings.site.country_code,
        acknowledge_days=of.acknowledge_days,
        decide_days=of.decide_days,
        message_days=of.message_days,
        red_flag=timedelta(minutes=of.red_flag_minutes),
    )


def ladder(settings: Settings) -> Ladder:
    of = settings.urgent
    return Ladder(of.role, timedelta(minutes=of.climb_minutes), timedelta(minutes=of.outcome_minutes))


def opening_hours(settings: Settings) -> Hours:
    of = settings.opening
    window = ALWAYS
    if of.hours is not None:
        window = Window(week(of.hours), settings.site.country_code, of.public_holidays)
    return Hours(ZoneInfo(settings.site.time_zone), window, frozenset(of.closed_days))


def week(hours: Mapping[Weekday, tuple[str, ...]]) -> tuple[tuple[tuple[time, time], ...], ...]:
    by_day = {str(day): intervals for day, intervals in hours.items()}
    return tuple(tuple(map(_interval, by_day.get(day, ()))) for day in WEEKDAYS)


def _interval(text: str) -> tuple[time, time]:
    start, _, end = text.partition("-")
    return time.fromisoformat(start), time.fromisoformat(end)
