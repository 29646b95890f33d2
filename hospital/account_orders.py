"""What is ordered of a staff account: opened, closed, opened again, another role, another password; each is audited.

A closed account is out at once: its sessions end here, the queues and the phone's WebSocket follow within seconds. What
it has done stays under its name, so it is never deleted; the cases and callbacks that it had go back to everybody, and
so do those that another role may not work on. Calls that it has not written up go to whoever is there (`unsaid`), also
those of who may make none any more."""

import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from hospital import accounts, audit, callbacks, cases, duty, unsaid
from hospital.accounts import RIGHTS, Account, Refused, SignInFailure, SignInSession, Throttled

SHORTEST = 12
"""Letters of a password that somebody chooses. Nothing is asked of which letters (NIST SP 800-63B-4, 3.1.1.2)."""

Wrong = str
"""Why a password is not taken, as a code: "short", "same"."""


def made_up() -> str:
    """A password for somebody, to be told once."""
    return secrets.token_urlsafe(12)


def open_account(
    session: Session, by: UUID | None, at: datetime, *, username: str, display_name: str, role: str, password: str
) -> Account:
    """With a telephone of the same name. Raises IntegrityError where the name is taken or is none."""
    account = accounts.create(
        session, username=username, display_name=display_name, role=role, password=password, sip_username=username
    )
    audit.record(session, by, "account.created", f"account:{account.id}", at, role=role)
    return account


def named(session: Session, username: str) -> Account | None:
    return session.scalar(select(Account).where(Account.username == username))


def close(session: Session, account_id: UUID, by: UUID | None, at: datetime) -> bool:
    """False where it is closed already."""
    this = update(Account).where(Account.id == account_id, Account.disabled_at.is_(None))
    if session.scalar(this.values(disabled_at=at).returning(Account.id)) is None:
        return False
    _sign_out(session, account_id)
    duty.ends(session, account_id)
    unsaid.left_by(session, account_id, at)
    freed = _freed(session, account_id, frozenset(), at)
    audit.record(session, by, "account.disabled", f"account:{account_id}", at)
    _given_back(session, freed, account_id, by, at)
    return True


def open_again(session: Session, account_id: UUID, by: UUID | None, at: datetime) -> bool:
    """With its password and role. False where it is open."""
    this = update(Account).where(Account.id == account_id, Account.disabled_at.is_not(None))
    if session.scalar(this.values(disabled_at=None).returning(Account.id)) is None:
        return False
    audit.record(session, by, "account.enabled", f"account:{account_id}", at)
    return True


def give_role(session: Session, account_id: UUID, role: str, by: UUID | None, at: datetime) -> bool:
    """False where it has it. It holds from the next request on; for queues one is available anew. Raises ValueError
    where there is no such role."""
    if role not in RIGHTS:
        raise ValueError(f"{role!r} is no role: {', '.join(sorted(RIGHTS))}")
    before = session.scalar(select(Account.role).where(Account.id == account_id).with_for_update())
    if before == role:
        return False
    session.execute(update(Account).where(Account.id == account_id).values(role=role))
    duty.ends(session, account_id)
    unsaid.left_by(session, account_id, at)
    freed = _freed(session, account_id, RIGHTS[role], at)
    audit.record(session, by, "account.role", f"account:{account_id}", at, role=role, before=before)
    _given_back(session, freed, account_id, by, at)
    return True


def _freed(session: Session, account_id: UUID, rights: frozenset[str], at: datetime) -> tuple[list[UUID], list[UUID]]:
    """The cases and callbacks that somebody who has only these rights now gives back."""
    back = [] if callbacks.WORKS in rights else callbacks.free(session, account_id)
    return cases.free(session, account_id, cases.kinds_for(rights.__contains__), at), back


def _given_back(
    session: Session, freed: tuple[list[UUID], list[UUID]], owner_id: UUID, by: UUID | None, at: datetime
) -> None:
    """Written when every row is changed: the audit chain is locked from then on."""
    for case_id in freed[0]:
        audit.record(session, by, "case.given_back", f"case:{case_id}", at, owner=str(owner_id))
    for callback_id in freed[1]:
        audit.record(session, by, "callback.given_back", f"callback:{callback_id}", at, owner=str(owner_id))


def give_password(session: Session, account_id: UUID, password: str, by: UUID | None, at: datetime) -> None:
    """Ends every session, and who has tried too often need not wait."""
    account = session.get_one(Account, account_id)
    _keep(session, account, password, by, at)


def change_password(
    session: Session, account_id: UUID, token: str, old: str, new: str, at: datetime, client: str
) -> Wrong | Refused | Throttled | None:
    """One's own. None: done, and every session but this one has ended. An old password that is wrong counts as a
    refused sign-in; it is returned, not raised, so that its row is committed."""
    account = session.get_one(Account, account_id)
    waits = accounts.throttled(session, account.username, client, at)
    if waits is not None:
        return waits
    if not accounts.matches(account.password_hash, old):
        session.add(SignInFailure(username=account.username, client=client[:64], at=at))
        audit.record(session, account_id, "account.password_refused", f"account:{account_id}", at)
        return Refused("the old password is not right")
    if len(new) < SHORTEST:
        return "short"
    if accounts.matches(account.password_hash, new):
        return "same"
    _keep(session, account, new, account_id, at, but=token)
    return None


def _keep(session: Session, account: Account, password: str, by: UUID | None, at: datetime, but: str = "") -> None:
    account.password_hash = accounts.hashed(password)
    session.execute(delete(SignInFailure).where(SignInFailure.username == account.username))
    _sign_out(session, account.id, but)
    audit.record(session, by, "account.password", f"account:{account.id}", at)


def _sign_out(session: Session, account_id: UUID, but: str = "") -> None:
    """Ends the sessions of the account, but that of the token `but`."""
    rest = delete(SignInSession).where(SignInSession.account_id == account_id)
    session.execute(rest.where(SignInSession.token_hash != accounts.digest(but)) if but else rest)
