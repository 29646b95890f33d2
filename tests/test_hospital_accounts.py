"""Signing in: Ana may, Oscar may nothing, and a guesser waits."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hospital import accounts, audit
from hospital.accounts import IDLE, LIMIT, LONGEST, RIGHTS, WINDOW, Account, Refused, SignedIn, SignInSession, Throttled
from hospital.database import Database
from hotline import demo
from tests.hospital_scene import at_once
from tests.moments import NOON

PASSWORD = "correct horse"
HERE, ELSEWHERE = "192.0.2.7", "192.0.2.8"
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
pytestmark = pytest.mark.covers("H51")


@pytest.fixture
def staff(database: Database) -> Iterator[Database]:
    """Ana the nurse and Oscar."""
    with database.transaction() as session:
        for username, role in (("ana", "nurse"), ("oscar", "none")):
            accounts.create(
                session, username=username, display_name=username, role=role, password=PASSWORD, sip_username=username
            )
    yield database


def enters(session: Session, username: str = "ana", password: str = PASSWORD, at=NOON, client: str = HERE):
    return accounts.sign_in(session, username, password, at, client)


def test_a_password_is_kept_as_argon2id_at_the_librarys_current_cost(
    database: Database, site_hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "_hasher", site_hasher)
    with database.transaction() as session:
        kept = accounts.create(
            session, username="ana", display_name="Ana", role="nurse", password=PASSWORD
        ).password_hash
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept
    assert not PasswordHasher().check_needs_rehash(kept)


def test_ana_signs_in_and_out(staff: Database) -> None:
    with staff.transaction() as session:
        inside = enters(session)
        assert isinstance(inside, SignedIn) and inside.account.username == "ana"
    with staff.transaction() as session:
        again = accounts.resume(session, inside.token, NOON + MINUTE)
        assert again is not None and (again[0].username, again[1]) == ("ana", inside.csrf)
        assert accounts.resume(session, inside.csrf, NOON) is None
        assert accounts.resume(session, "", NOON) is None
        accounts.sign_out(session, inside.token, NOON + MINUTE)
        accounts.sign_out(session, "never seen", NOON)
        assert accounts.resume(session, inside.token, NOON + MINUTE) is None
        assert [row.action for row in audit.newest(session)] == ["sign_out", "sign_in"]


def test_a_copy_of_the_table_signs_nobody_in(staff: Database) -> None:
    with staff.transaction() as session:
        inside = enters(session)
        assert isinstance(inside, SignedIn)
        (kept,) = session.scalars(select(SignInSession)).all()
        assert inside.token.encode() not in kept.token_hash and len(kept.token_hash) == 32


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("ana", "wrong"),
        ("ana", ""),
        ("nobody", PASSWORD),
        ("ANA", PASSWORD),
        ("", ""),
        ("ana\x00", PASSWORD + "!"),
        ("\udcff", "\udcff"),
        ("a" * 9999, "b" * 9999),
        ("ana' OR 1=1 --", "x"),
    ],
)
def test_a_refusal_does_not_say_which_part_was_wrong(staff: Database, username: str, password: str) -> None:
    with staff.transaction() as session:
        refused = enters(session, username, password)
        assert isinstance(refused, Refused)
        assert str(refused) == "the name or the password is not right"
    with staff.transaction() as session:
        assert [row.action for row in audit.newest(session)] == ["sign_in.refused"]
        assert session.scalars(select(SignInSession)).all() == []


def test_an_unknown_name_costs_a_guesser_as_much_as_a_known_one(
    staff: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    monkeypatch.setattr(accounts, "matches", lambda kept, password: bool(checked.append(kept)))  # type: ignore[func-returns-value]
    with staff.transaction() as session:
        enters(session, "ana", "wrong")
        enters(session, "nobody", "wrong")
    known, nobodys = checked
    assert nobodys.rsplit("$", 2)[0] == known.rsplit("$", 2)[0] and len(nobodys) == len(known), "the same costs"
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(nobodys, "wrong")


def test_five_wrong_passwords_then_wait_also_with_the_right_one(staff: Database) -> None:
    with staff.transaction() as session:
        for n in range(LIMIT):
            assert isinstance(enters(session, password="wrong", at=NOON + n * SECOND), Refused)
        waits = enters(session, at=NOON + MINUTE, client=ELSEWHERE)
        assert isinstance(waits, Throttled) and waits.until == NOON + WINDOW
        assert isinstance(enters(session, "oscar", at=NOON + MINUTE), SignedIn), "others are not concerned"
        assert isinstance(enters(session, at=waits.until + SECOND), SignedIn)
        assert isinstance(enters(session, password="wrong", at=waits.until + SECOND), Refused), "and it counts anew"


def test_one_address_that_tries_many_names_waits(staff: Database) -> None:
    with staff.transaction() as session:
        for n in range(accounts.CLIENT_LIMIT):
            assert isinstance(enters(session, f"guess{n}", "x"), Refused)
        assert isinstance(enters(session), Throttled)
        assert isinstance(enters(session, client=ELSEWHERE), SignedIn)


def test_a_page_left_open_ends_and_so_does_a_shift(staff: Database) -> None:
    with staff.transaction() as session:
        idle, worked = enters(session), enters(session)
        assert isinstance(idle, SignedIn) and isinstance(worked, SignedIn)
    at = NOON
    while at < NOON + LONGEST - MINUTE:
        at += IDLE - MINUTE
        with staff.transaction() as session:
            assert (accounts.resume(session, worked.token, at) is not None) == (at < NOON + LONGEST)
    with staff.transaction() as session:
        assert accounts.resume(session, idle.token, NOON + IDLE) is None
        assert accounts.resume(session, worked.token, NOON + LONGEST) is None
        assert isinstance(enters(session, at=at), SignedIn)
        assert len(session.scalars(select(SignInSession)).all()) == 1, "ended ones are not kept"


def test_a_session_that_idled_is_gone_even_if_the_clock_is_asked_again(staff: Database) -> None:
    with staff.transaction() as session:
        idle = enters(session)
        assert isinstance(idle, SignedIn)
        assert accounts.resume(session, idle.token, NOON + IDLE) is None
        assert accounts.resume(session, idle.token, NOON) is None


def test_a_page_asks_eight_things_at_once_with_a_session_that_has_ended(staff: Database) -> None:
    with staff.transaction() as session:
        inside = enters(session)
        assert isinstance(inside, SignedIn)
    asks = [lambda s: accounts.resume(s, inside.token, NOON + 2 * MINUTE) is not None] * 8
    assert at_once(staff, *asks) == [True] * 8, "each notes that she was seen"
    late = [lambda s: accounts.resume(s, inside.token, NOON + 2 * IDLE)] * 8
    assert at_once(staff, *late) == [None] * 8


def test_a_disabled_account_is_out_at_once(staff: Database) -> None:
    with staff.transaction() as session:
        inside = enters(session)
        assert isinstance(inside, SignedIn)
        assert accounts.by_sip_username(session, "ana") is inside.account
        inside.account.disabled_at = NOON
    with staff.transaction() as session:
        assert accounts.resume(session, inside.token, NOON + SECOND) is None
        assert isinstance(enters(session), Refused)
        assert accounts.by_sip_username(session, "ana") is None
        (ana,) = [a for a in accounts.staff(session) if a.username == "ana"]
        assert not any(ana.may(right) for right in RIGHTS["nurse"])


def test_oscar_signs_in_and_may_nothing(staff: Database) -> None:
    with staff.transaction() as session:
        inside = enters(session, "oscar")
        assert isinstance(inside, SignedIn)
        every = frozenset().union(*RIGHTS.values())
        assert every and not any(inside.account.may(right) for right in every)


def test_what_each_role_may() -> None:
    def may(role: str, right: str) -> bool:
        return Account(role=role).may(right)

    assert may("nurse", "followups.work") and may("nurse", "recordings.own") and not may("nurse", "recordings.all")
    assert may("agent", "calls.take") and not may("agent", "followups.work") and not may("agent", "audit.read")
    assert may("supervisor", "recordings.all") and may("supervisor", "audit.read")
    assert may("administrator", "accounts.manage") and not may("administrator", "patients.read")
    assert not may("supervisor", "no.such.right")
    assert not may("no such role", "calls.take")


def test_a_name_that_asterisk_or_a_page_could_trip_over_is_no_account(database: Database) -> None:
    for bad in ("Ana", "ana\r\n", "1ana", "a" * 33, "ana;x", ""):
        with pytest.raises(IntegrityError), database.transaction() as session:
            session.execute(
                text("INSERT INTO account (username, display_name, role, password_hash) VALUES (:u, 'A', 'none', '-')"),
                {"u": bad},
            )


def test_signing_in_at_the_same_moment(staff: Database) -> None:
    results = at_once(
        staff, *[lambda s: type(enters(s)).__name__] * 4, *[lambda s: type(enters(s, password="x")).__name__] * 3
    )
    assert results == ["SignedIn"] * 4 + ["Refused"] * 3
    with staff.transaction() as session:
        assert audit.verify(session).sound and audit.count(session) == 7


def test_the_demos_passwords_are_kept_as_a_site_keeps_its_own(site_hasher: PasswordHasher) -> None:
    assert demo.KEPT.keys() == demo.PASSWORDS.keys()
    for name, kept in demo.KEPT.items():
        assert site_hasher.verify(kept, demo.PASSWORDS[name]) and not site_hasher.check_needs_rehash(kept)
