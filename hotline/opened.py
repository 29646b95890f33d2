"""What every command has of a site: its time, its zone, and its database, opened. Light: without dialogues, voices and
pages, which wiring.py joins."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hospital.database import Database
from hotline import site_key
from hotline.places import Places, database_url
from hotline.settings import Settings


def now() -> datetime:
    return datetime.now(UTC)


def open_database(settings: Settings, here: Places, *, patient: bool = False) -> Database:
    """The database, and the vault unlocked by its key. Raises CannotStart where the key is missing or another one, and
    OperationalError where the database does not answer, unless `patient`."""
    database = Database(database_url(settings, here))
    try:
        site_key.unlock(database, here, patient=patient)
    except BaseException:
        database.close()
        raise
    return database


def zone(settings: Settings) -> ZoneInfo:
    return ZoneInfo(settings.site.time_zone)
