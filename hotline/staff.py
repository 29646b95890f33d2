"""Staff of a real site: who has a telephone, and what `hotline account` does."""

import argparse
import sys

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from hospital import account_orders, accounts
from hotline import account_arguments, numbering, opened
from hotline.places import places
from hotline.settings import Settings

FIRST_EXTENSION = 201


def telephones(session: Session) -> tuple[numbering.Account, ...]:
    """The SIP accounts of a site's staff, with extensions in the order in which they were added; a closed account keeps
    its extension, so that nobody else's changes."""
    staff = sorted(accounts.staff(session), key=lambda account: account.created_at)
    return tuple(
        numbering.Account(account.sip_username, str(FIRST_EXTENSION + n), "agents", account.username)
        for n, account in enumerate(account for account in staff if account.sip_username)
        if account.sip_username and not account.disabled_at
    )


def account(settings: Settings, asked: argparse.Namespace) -> int:
    """0, or 1 with what is wrong on standard error. In the audit chain it is nobody's account's."""
    order, username, role = account_arguments.order(asked)
    database = opened.open_database(settings, places(settings))
    try:
        with database.transaction() as session:
            if order == "add":
                print(_add(session, username, asked.name, role))
            else:
                print(_change(session, order, username, role))
    except LookupError as problem:
        print(problem, file=sys.stderr)
        return 1
    except IntegrityError:
        print(f"{username!r} is taken, or no user name: small letters, digits, _ -", file=sys.stderr)
        return 1
    except DBAPIError:
        print("The database does not answer. Start the hotline first (`hotline up --detach`).", file=sys.stderr)
        return 1
    finally:
        database.close()
    return 0


def _add(session: Session, username: str, name: str, role: str) -> str:
    password = account_orders.made_up()
    account_orders.open_account(
        session, None, opened.now(), username=username, display_name=name, role=role, password=password
    )
    return f"{username} signs in with {password}. The telephone works after the next `hotline up`."


def _change(session: Session, order: str, username: str, role: str) -> str:
    """What was done. Raises LookupError."""
    found = account_orders.named(session, username)
    if found is None:
        raise LookupError(f"there is no account {username!r}. There are: {', '.join(_names(session))}")
    at = opened.now()
    match order:
        case "disable":
            if not account_orders.close(session, found.id, None, at):
                return f"{username} is disabled already."
            return f"{username} is out; a telephone with its secret is off after the next `hotline up`."
        case "enable":
            if not account_orders.open_again(session, found.id, None, at):
                return f"{username} is not disabled."
            return f"{username} signs in again, with the password of before."
        case "password":
            password = account_orders.made_up()
            account_orders.give_password(session, found.id, password, None, at)
            return f"{username} signs in with {password}, and is signed out everywhere."
        case _:
            if not account_orders.give_role(session, found.id, role, None, at):
                return f"{username} has this role."
            return f"{username} has the role {role} now."


def _names(session: Session) -> list[str]:
    return [one.username for one in accounts.staff(session)]
