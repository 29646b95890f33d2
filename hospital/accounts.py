"""Staff accounts: sign-in, sessions, rights.

Rules: deny by default, a role names what it may. A refused sign-in takes as long as an accepted one and does not
say which part was wrong. After LIMIT refusals in WINDOW an account name or a client address waits.
"""

import hashlib
import secrets
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ARRAY, ForeignKey, String, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import audit
from hospital.database import Base, Id, storable
from hospital.vault import Sealed

LIMIT = 5
WINDOW = timedelta(minutes=10)
CLIENT_LIMIT = 30
IDLE = timedelta(hours=1)
LONGEST = timedelta(hours=12)  # a shift

RIGHTS: dict[str, frozenset[str]] = {
    "agent": frozenset({"calls.take", "callbacks.work", "patients.read", "cases.work", "desk.work", "screen.show"}),
    "nurse": frozenset(
        {
            "calls.take",
            "callbacks.work",
            "patients.read",
            "cases.work",
            "followups.work",
            "plans.enrol",
            "deaths.settle",
            "recordings.own",
            "rota.read",
            "urgent.take",
            "questions.answer",
            "responses.read",
            "desk.work",
            "screen.show",
        }
    ),
    "doctor": frozenset(
        {"plans.enrol", "responses.read", "cases.work", "rota.read", "urgent.take", "questions.answer"}
    ),
    "supervisor": frozenset(
        {"calls.take", "callbacks.work", "patients.read", "followups.work", "deaths.settle", "followups.all"}
        | {"recordings.own", "recordings.all", "audit.read"}
        | {"cases.work", "cases.complaints", "ratings.read", "coverage.read", "responses.read"}
        | {"discharges.import", "plans.enrol", "patients.merge"}
        | {"opening.switch", "clinics.suspend", "throttle.read"}
        | {"rota.read", "rota.change", "urgent.take", "questions.answer", "questions.late"}
        | {"campaigns.run", "desk.work", "screen.show"}
    ),
    "administrator": frozenset({"audit.read", "accounts.manage", "clinics.suspend", "site.change", "prompts.record"}),
    "speaker": frozenset({"prompts.record"}),  # whose voice callers hear
    "screen": frozenset({"screen.show"}),  # hangs in a waiting room
    "none": frozenset(),
}

_hasher = PasswordHasher()  # argon2id, the library's current defaults (RFC 9106, low-memory profile)


def _of_nobody() -> str:
    """A hash that costs as much to check as anybody's and that no password has; made up, for to hash takes 0.2 s."""
    salt, digest = (
        b64encode(secrets.token_bytes(n)).decode().rstrip("=") for n in (_hasher.salt_len, _hasher.hash_len)
    )
    costs = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${digest}"


_NOBODY = _of_nobody()


class Account(Base):
    __tablename__ = "account"
    id: Mapped[Id]
    username: Mapped[str]
    display_name: Mapped[str]
    role: Mapped[str]
    password_hash: Mapped[str]
    sip_username: Mapped[str | None]
    sip_secret: Mapped[str | None] = mapped_column("sip_secret_sealed", Sealed("account.sip_secret"))
    on_call_number: Mapped[str | None] = mapped_column("on_call_number_sealed", Sealed("account.on_call_number"))
    languages: Mapped[list[str]] = mapped_column(ARRAY(String), default=lambda: ["en"])
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    def may(self, right: str) -> bool:
        return self.disabled_at is None and right in RIGHTS.get(self.role, frozenset())


class SignInSession(Base):
    __tablename__ = "sign_in_session"
    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    csrf: Mapped[str]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class SignInFailure(Base):
    __tablename__ = "sign_in_failure"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str]
    client: Mapped[str]
    at: Mapped[datetime]


class Refused(Exception):
    """The name or the password is wrong, or the account is disabled; it is not said which."""


class Throttled(Exception):
    """Too many refusals; `until` is when to try again."""

    def __init__(self, until: datetime) -> None:
        super().__init__("too many tries; wait a little and try again")
        self.until = until


@dataclass(frozen=True)
class SignedIn:
    """`token` goes into the cookie and nowhere else; `csrf` into forms."""

    token: str
    csrf: str
    account: Account


def create(
    session: Session,
    *,
    username: str,
    display_name: str,
    role: str,
    password: str,
    sip_username: str | None = None,
    sip_secret: str | None = None,
    languages: list[str] | None = None,
    kept: str | None = None,
) -> Account:
    """`kept`: the password as it is kept (`hashed`), where that is known."""
    account = Account(
        username=username,
        display_name=display_name,
        role=role,
        password_hash=kept or hashed(password),
        sip_username=sip_username,
        sip_secret=sip_secret,
        languages=languages or ["en"],
    )
    session.add(account)
    session.flush()
    return account


def sign_in(
    session: Session, username: str, password: str, at: datetime, client: str
) -> SignedIn | Refused | Throttled:
    """A new session, or why not. A refusal is returned, not raised, so that its row is committed."""
    username, client = storable(username), storable(client)
    waits = throttled(session, username, client, at)
    if waits is not None:
        return waits
    account = session.scalar(select(Account).where(Account.username == username))
    if not matches(account.password_hash if account else _NOBODY, password) or not account or account.disabled_at:
        session.add(SignInFailure(username=username[:64], client=client[:64], at=at))
        audit.record(session, account.id if account else None, "sign_in.refused", "", at)
        return Refused("the name or the password is not right")
    session.execute(delete(SignInFailure).where(SignInFailure.username == username))
    session.execute(delete(SignInSession).where(SignInSession.expires_at <= at))
    token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
    session.add(
        SignInSession(
            token_hash=digest(token),
            account_id=account.id,
            csrf=csrf,
            created_at=at,
            seen_at=at,
            expires_at=at + LONGEST,
        )
    )
    audit.record(session, account.id, "sign_in", "", at)
    return SignedIn(token, csrf, account)


def hashed(password: str) -> str:
    """As it is kept."""
    return _hasher.hash(storable(password))


def throttled(session: Session, username: str, client: str, at: datetime) -> Throttled | None:
    """Until when this name, or this client, waits; None: it need not."""
    session.execute(delete(SignInFailure).where(SignInFailure.at < at - WINDOW))
    for column, value, limit in (
        (SignInFailure.username, username[:64], LIMIT),
        (SignInFailure.client, client[:64], CLIENT_LIMIT),
    ):
        times = session.scalars(select(SignInFailure.at).where(column == value).order_by(SignInFailure.at)).all()
        if len(times) >= limit:
            return Throttled(times[-limit] + WINDOW)
    return None


def matches(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, storable(password))
    except (VerificationError, InvalidHashError):
        return False


def resume(session: Session, token: str, at: datetime, used: bool = True) -> tuple[Account, str] | None:
    """The account behind a cookie and its CSRF token, or None (unknown, idle too long, older than a shift).

    used: whether a person asks. What a page fetches by itself keeps no session from ending."""
    this = SignInSession.token_hash == digest(token)
    found = session.execute(
        select(SignInSession.seen_at, SignInSession.expires_at, SignInSession.csrf, Account)
        .join(Account, Account.id == SignInSession.account_id)
        .where(this)
    ).one_or_none()
    if found is None:
        return None
    seen_at, expires_at, csrf, account = found
    # Conditional statements: a page asks several things at once, and each may find that the session has ended.
    if expires_at <= at or seen_at + IDLE <= at or account.disabled_at is not None:
        session.execute(delete(SignInSession).where(this))
        return None
    if used and at - seen_at > timedelta(minutes=1):
        session.execute(update(SignInSession).where(this, SignInSession.seen_at < at).values(seen_at=at))
    return account, csrf


def sign_out(session: Session, token: str, at: datetime) -> None:
    this = delete(SignInSession).where(SignInSession.token_hash == digest(token))
    account_id = session.scalar(this.returning(SignInSession.account_id))
    if account_id is not None:
        audit.record(session, account_id, "sign_out", "", at)


def by_sip_username(session: Session, sip_username: str) -> Account | None:
    return session.scalar(select(Account).where(Account.sip_username == sip_username, Account.disabled_at.is_(None)))


def staff(session: Session) -> list[Account]:
    return list(session.scalars(select(Account).order_by(Account.username)))


def give_secrets(session: Session, sip: dict[str, str]) -> None:
    """Each account's page is given the secret that the telephone system was configured with."""
    for account in staff(session):
        if account.sip_username in sip:
            account.sip_secret = sip[account.sip_username]


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
