"""The database before anything works on it: there, of this version, and of this kind (the demo's or a real site's)."""

from collections.abc import Callable
from contextlib import closing

import psycopg
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import make_url
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from hospital.database import Database
from hotline import databases, demo, numbering, site_key, staff
from hotline.cannot_start import CannotStart
from hotline.places import database_url, places
from hotline.settings import Settings


def lay(settings: Settings, say: Callable[[str], None]) -> None:
    """Makes what is missing: the private cluster's database (the cluster runs), or the tables in an empty one that
    `[database] url` names. One of another version is not worked on: the private demo's is made anew, any other stays as
    it is. Raises CannotStart."""
    cluster, private = places(settings).cluster, settings.database.url is None
    if databases.ensure_database(cluster) if private else _fill_named(settings):
        return
    if databases.is_of_this_version(_connected(settings)):
        return
    if not private or not _is_demo(settings):
        which = f"in {settings.data}" if private else "that [database] url names"
        raise CannotStart(
            f"The database {which} was made by another version of the hotline, or by another program, and this one has"
            " no way to bring it here. Start the version that made it. Nothing was changed."
        )
    say("The demo's data were made by another version: they are made anew.")
    databases.drop_database(cluster, "hotline")
    databases.ensure_database(cluster)


def _fill_named(settings: Settings) -> bool:
    try:
        return databases.fill(_connected(settings))
    except InsufficientPrivilege as error:
        raise CannotStart(
            f"The database that [database] url names is empty, and its tables can't be made: {_first_line(error)}. Let"
            " the role of the url own the database. Nothing was changed."
        ) from error


def _connected(settings: Settings) -> psycopg.Connection:
    """A plain connection. Raises CannotStart where the database does not answer."""
    address = make_url(database_url(settings, places(settings))).set(drivername="postgresql")
    try:
        return psycopg.connect(address.render_as_string(hide_password=False), autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as error:
        raise CannotStart(f"The database does not answer. See [database] url: {_first_line(error)}.") from error


def _first_line(error: psycopg.Error) -> str:
    return str(error).partition("\n")[0]


def _is_demo(settings: Settings) -> bool:
    try:
        with closing(opened(settings)) as database, database.transaction() as session:
            return demo.is_demo(session) is True
    except ProgrammingError:  # no table `fact`: not ours
        return False


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
