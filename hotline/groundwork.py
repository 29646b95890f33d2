"""The database before anything works on it: there, of this version, and of this kind (the demo's or a real site's)."""

from collections.abc import Callable
from contextlib import closing

from sqlalchemy.orm import Session

from hospital.database import Database
from hotline import databases, demo, numbering, site_key, staff
from hotline.cannot_start import CannotStart
from hotline.places import database_url, places
from hotline.settings import Settings


def private_database(settings: Settings, say: Callable[[str], None]) -> None:
    """Makes the database in the private cluster, which runs. One of another version is not worked on: the demo's is
    made anew, a real site's stays as it is. Raises CannotStart."""
    cluster = places(settings).cluster
    if databases.ensure_database(cluster) or databases.is_of_this_version(cluster):
        return
    with closing(opened(settings)) as database, database.transaction() as session:
        is_demo = demo.is_demo(session)
    if not is_demo:
        raise CannotStart(
            f"The database in {settings.data} was made by another version of the hotline, and this one has no way to"
            " bring it here. Start the version that made it. Nothing was changed."
        )
    say("The demo's data were made by another version: they are made anew.")
    databases.drop_database(cluster, "hotline")
    databases.ensure_database(cluster)


def of_this_kind(session: Session, settings: Settings) -> None:
    """The demo refuses real data, among which its people with their known passwords would come, and a real site refuses
    the demo's, by CannotStart."""
    kind = demo.is_demo(session)
    if kind is not None and kind != settings.demo:
        there, wanted = ("the demo's", "a real site") if kind else ("a real site's", "the demo")
        raise CannotStart(
            f"The data in {settings.data} are {there}, and this is {wanted}. "
            f"Set `data` (or HOTLINE_DATA) to another folder, or `demo` to {str(kind).lower()}."
        )
    demo.mark(session, settings.demo)


def begin(session: Session, settings: Settings, *, may_make: bool) -> None:
    """Gives a new database its kind and its key, and refuses one of another kind or key, by CannotStart. The vault is
    unlocked. `may_make`: whether a new database may have a new key."""
    of_this_kind(session, settings)
    site_key.tie(session, places(settings), may_make=may_make)


def telephones(settings: Settings) -> tuple[numbering.Account, ...]:
    """At `hotline up`: begins the database. Every SIP account. Raises CannotStart as `begin` does."""
    with closing(opened(settings)) as database, database.transaction() as session:
        begin(session, settings, may_make=True)
        return numbering.DEMO_ACCOUNTS if settings.demo else (numbering.DESK, *staff.telephones(session))


def opened(settings: Settings) -> Database:
    return Database(database_url(settings, places(settings)), connections=1)
