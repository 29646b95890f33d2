"""Staff of a real site: who has a telephone, and `hotline account`, which adds one."""

import secrets
import sys

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from hospital import accounts
from hotline import numbering, wiring
from hotline.places import places
from hotline.settings import Settings

FIRST_EXTENSION = 201


def telephones(session: Session) -> tuple[numbering.Account, ...]:
    """The SIP accounts of a site's staff, with extensions in the order in which they were added."""
    staff = sorted(accounts.staff(session), key=lambda account: account.created_at)
    return tuple(
        numbering.Account(account.sip_username, str(FIRST_EXTENSION + n), "agents", account.username)
        for n, account in enumerate(account for account in staff if account.sip_username and not account.disabled_at)
        if account.sip_username
    )


def add(settings: Settings, username: str, name: str, role: str) -> int:
    """Adds an account and prints its first password once. The telephone works after the next start."""
    database = wiring.open_database(settings, places(settings))
    password = secrets.token_urlsafe(12)
    try:
        with database.transaction() as session:
            accounts.create(
                session, username=username, display_name=name, role=role, password=password, sip_username=username
            )
    except IntegrityError:
        print(f"{username!r} is taken, or no user name: small letters, digits, . _ -", file=sys.stderr)
        return 1
    except DBAPIError:
        print("The database does not answer. Start the hotline first (`hotline up --detach`).", file=sys.stderr)
        return 1
    finally:
        database.close()
    print(f"{username} signs in with {password}. The telephone works after the next `hotline up`.")
    return 0
