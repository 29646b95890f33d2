"""The site's key: where it is, when it is made, and that it is the one of its database.

Rules: a key is made once, at the start that gives a new database its kind, and `fact` keeps a token by which it is
known again. Whoever opens the database afterwards has this key or does not begin: a row that was sealed by another one
is lost, and no look-up would find anything. Nothing here changes a key, or a database that has one.
"""

import base64
import binascii
import os
import secrets

from sqlalchemy import Column, exists, select, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from hospital import vault
from hospital.database import Base, Database
from hotline.cannot_start import CannotStart
from hotline.places import Places, write_private

NAME = "HOTLINE_SITE_KEY"
LENGTH = 32  # bytes
WORD = "the key of this database"  # of which the token in `fact` is; fixed for ever


def find(here: Places) -> bytes | None:
    """HOTLINE_SITE_KEY (base64), else the file; None where there is neither. Raises CannotStart where it is no key, or
    others may read the file."""
    given, name = os.environ.get(NAME), NAME
    if given:
        try:
            key = base64.b64decode(given, validate=True)
        except binascii.Error:
            raise CannotStart(f"{NAME} is not base64: it is the content of site.key (`base64 -w0 site.key`).") from None
    else:
        try:
            mode = here.site_key.stat().st_mode
        except FileNotFoundError:
            return None
        if mode & 0o077:
            raise CannotStart(f"{here.site_key} may be read by others. Run: chmod 600 {here.site_key}")
        key, name = here.site_key.read_bytes(), str(here.site_key)
    if len(key) != LENGTH:
        raise CannotStart(f"{name} is no key: it has {len(key)} bytes, not {LENGTH}. Put the right one back.")
    return key


def tie(session: Session, here: Places, *, may_make: bool) -> None:
    """At a start: unlocks the vault, and writes down in a new database which key is its own. `may_make`: whether a new
    database may have a new key. Raises CannotStart."""
    check, key = _check(session), find(here)
    if key is None:
        if check is not None or not may_make or _sealed_by_some(session):
            raise _missing(here)
        key = secrets.token_bytes(LENGTH)
        write_private(here.site_key, key)  # before the database knows it: killed in between, the next start takes it
    vault.unlock(key)
    if check is not None:
        return _compare(check, here)
    if not _opens(session):
        raise _another(here)
    session.execute(text("INSERT INTO fact VALUES ('key_check', :check)"), {"check": _token()})


def unlock(database: Database, here: Places, *, patient: bool = False) -> None:
    """Unlocks the vault for a database that a start has begun. Raises CannotStart, and OperationalError where the
    database does not answer; not where `patient`: for the house's processes, whose supervisor has compared the key."""
    check, key = None, find(here)
    try:
        with database.transaction() as session:
            check = _check(session)
    except ProgrammingError:
        raise _not_begun() from None
    except OperationalError:
        if not patient:
            raise
    else:
        if check is None:
            raise _not_begun()
    if key is None:
        raise _missing(here)
    vault.unlock(key)
    if check is not None:
        _compare(check, here)


def _check(session: Session) -> str | None:
    found: str | None = session.scalar(text("SELECT value FROM fact WHERE key = 'key_check'"))
    return found


def _token() -> str:
    return vault.token("key_check", WORD).hex()


def _compare(check: str, here: Places) -> None:
    if check != _token():
        raise _another(here)


def _sealed_columns() -> list[Column[str]]:
    columns = (column for table in Base.metadata.sorted_tables for column in table.columns)
    return [column for column in columns if isinstance(column.type, vault.Sealed)]


def _sealed_by_some(session: Session) -> bool:
    """Whether anything is sealed in this database, by whichever key."""
    return any(session.scalar(select(exists().where(column.is_not(None)))) for column in _sealed_columns())


def _opens(session: Session) -> bool:
    """Whether the vault opens a value of each sealed column that has one."""
    try:
        for column in _sealed_columns():
            session.scalar(select(column).where(column.is_not(None)).limit(1))
    except vault.VaultLocked:
        return False
    return True


def _missing(here: Places) -> CannotStart:
    return CannotStart(
        f"The key of this site is missing: there is no {here.site_key}, and {NAME} is not set. Put back the site.key"
        f" that is kept apart from the backups, or set {NAME} as the service has it. Nothing was changed."
    )


def _another(here: Places) -> CannotStart:
    which = NAME if os.environ.get(NAME) else str(here.site_key)
    return CannotStart(
        f"{which} is not the key of this database: nothing personal in it could be read. Put back the site.key that"
        f" belongs to it, or set {NAME} as the service has it. Nothing was changed."
    )


def _not_begun() -> CannotStart:
    return CannotStart("This database was not begun yet. Start the hotline once (`hotline up --detach`), then again.")
