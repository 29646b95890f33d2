"""Who may be calling; and what of it lies in the database, which is nothing that could be read there."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from hospital import callbacks, calls, followups, outbox, patients, vault
from hospital.accounts import Account
from hospital.database import Database, storable
from hospital.identifiers import matching
from hospital.patients import Patient, PhoneNumber
from hospital.vault import VaultLocked
from tests.characters import JOAO, LUCIA, MEI, PATIENTS, RUTH
from tests.hospital_scene import admit, day_three
from tests.moments import NOON
from tests.site_key import SITE_KEY

AWKWARD = [
    "O'Brien \"Bobby\" Tables'; DROP TABLE patient;--",
    "${SHELL(rm -rf /)} $[1+1] %{name}",
    "Lucía\r\nAction: Originate\r\n\r\n",
    "<script>alert(1)</script> & co.",
    "á" * 500,
    "\udcff\udc80\ud800 López",
    "\x00NUL\x00",
    "   ",
]


def by_birth(session: Session, number: str | None, birth: date) -> list[Patient]:
    return matching(session, number, {"birth_date": birth.isoformat()})


@pytest.mark.parametrize(
    ("typed", "country", "number"),
    [
        ("55 5550 0101", "MX", "+525555500101"),
        ("+52 55 5550 0101", "US", "+525555500101"),
        ("(202) 555-0105", "US", "+12025550105"),
        ("021 155 0102", "NZ", "+64211550102"),
        ("0064211550102", "NZ", "+64211550102"),
        ("138 0055 0103", "CN", "+8613800550103"),
        ("(11) 95550-0104", "BR", "+5511955500104"),
        ("５５５５５００１０１", "MX", "+525555500101"),
        ("112", "MX", None),
        ("anonymous", "MX", None),
        ("", "MX", None),
        ("sip:lucia@example.org", "MX", None),
        ("9" * 500, "MX", None),
        ("+525555500101\r\nAction: Hangup", "MX", None),
    ],
)
def test_a_number_is_read_as_its_country_writes_it(typed: str, country: str, number: str | None) -> None:
    assert patients.normalise_number(typed, country) == number


@pytest.mark.covers("H15")
def test_a_number_only_says_who_it_may_be(database: Database) -> None:
    with database.transaction() as session:
        lucia, ruth = admit(session, LUCIA), admit(session, RUTH)
        (alone,) = patients.candidates(session, LUCIA.numbers[0])
        assert (alone.patient, alone.sure) == (lucia, "only_one")
        ruth.numbers.append(
            PhoneNumber(rank=3, number=LUCIA.numbers[0], token=patients.number_token(LUCIA.numbers[0]), owner="carer")
        )
        session.flush()
        both = patients.candidates(session, LUCIA.numbers[0])
        assert [(c.patient.name, c.owner, c.sure) for c in both] == [
            (LUCIA.name, "self", "one_of_several"),
            (RUTH.name, "carer", "one_of_several"),
        ]
        assert patients.candidates(session, None) == []
        assert patients.candidates(session, "+525555500999") == []


@pytest.mark.covers("H2")
def test_number_and_birth_date_find_one_nobody_or_twins(database: Database) -> None:
    number, birth = "+525555500177", date(2020, 5, 5)
    with database.transaction() as session:
        twins = {
            patients.register(session, name=name, birth=birth, language="es", numbers=[number]).id
            for name in ("Ana Pérez", "Eva Pérez")
        }
        patients.register(session, name="Rosa Pérez", birth=date(1990, 5, 5), language="es", numbers=[number])
        assert {p.id for p in by_birth(session, number, birth)} == twins
        assert [p.name for p in by_birth(session, number, date(1990, 5, 5))] == ["Rosa Pérez"]
        assert by_birth(session, number, date(1990, 5, 6)) == []
        assert by_birth(session, "+525555500178", birth) == []
        assert by_birth(session, None, birth) == []


def test_who_died_was_merged_or_has_another_number_now_is_not_offered(database: Database) -> None:
    number = LUCIA.numbers[0]
    with database.transaction() as session:
        lucia, survivor = admit(session, LUCIA), admit(session, RUTH)
        for column, value in (("deceased_at", NOON), ("merged_into", survivor.id)):
            setattr(lucia, column, value)
            session.flush()
            assert patients.candidates(session, number) == [], column
            assert by_birth(session, number, LUCIA.birth) == [], column
            setattr(lucia, column, None)
            session.flush()
        lucia.numbers[0].invalid_since = NOON  # somebody else answered: it tells them nothing about her
        session.flush()
        assert patients.candidates(session, number) == []
        lucia.numbers[0].invalid_since = None
        session.flush()
        assert len(patients.candidates(session, number)) == 1, "it was a mistake"


def test_a_death_told_on_the_phone_waits_for_a_clinician(database: Database) -> None:
    with database.transaction() as session:
        ruth = admit(session, RUTH)
        ruth.death_reported_at = NOON
        session.flush()
        assert len(patients.candidates(session, RUTH.numbers[0])) == 1
        patients.settle_death_report(session, ruth.id, died=True, at=NOON)
        assert (ruth.deceased_at, ruth.death_reported_at) == (NOON, None)
        patients.settle_death_report(session, ruth.id, died=False, at=NOON)
        assert (ruth.deceased_at, ruth.death_reported_at) == (None, None)


@pytest.mark.covers("I7")
@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_names_are_kept_and_do_no_harm(database: Database, name: str) -> None:
    with database.transaction() as session:
        made = patients.register(
            session,
            name=name,
            birth=date(1980, 2, 29),
            language="es",
            numbers=["+525555500101"],
            identifiers={"nhi": name},
        ).id
    with database.transaction() as session:
        kept = session.get_one(Patient, made)
        assert kept.name == name.encode("utf-8", "replace").decode()
        assert kept.identifiers[0].value == kept.name
        assert [c.patient.id for c in patients.candidates(session, "+525555500101")] == [made]
        task = day_three(session, kept)
        followups.save_answer(session, task.id, "pain", {"words": name}, NOON)
        followups.save_summary(session, task.id, name)
    with database.transaction() as session:
        assert session.scalars(select(followups.FollowUpTask.summary)).one() == storable(name)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.text(st.characters(), max_size=60))
def test_any_words_are_sealed_and_come_back(words: str) -> None:
    sealed = vault.seal(words, "patient.name")
    assert vault.unseal(sealed, "patient.name") == words.encode("utf-8", "replace").decode()
    storable(words).encode()


def test_names_match_without_accents_case_and_width() -> None:
    for same in (("Lucía", "LUCIA"), ("Tāmati", "tamati"), ("Ｍｅｉ", "mei"), (" João ", "joao"), ("ℌans", "hans")):
        assert vault.token("name", same[0]) == vault.token("name", same[1]), same
    assert vault.token("name", "Lucía") != vault.token("birth", "Lucía")
    assert vault.token("name", "陈") != vault.token("name", "陳")


def _everything(session: Session) -> str:
    """Every row of every table as text; bytea as hexadecimal digits."""
    tables = session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
    assert "patient" in tables
    rows = [row for table in tables for row in session.scalars(text(f'SELECT t::text FROM "{table}" t'))]  # noqa: S608
    return "\n".join(rows)


@pytest.mark.covers("H50", "I7")
def test_the_database_tells_nobody_who_the_patients_are(database: Database) -> None:
    """A planted patient, in every table that knows patients; the whole database is read, as a thief would."""
    with database.transaction() as session:
        for character in PATIENTS:
            admit(session, character)
        canary = patients.register(
            session,
            name="Canaria Vogelsang",
            birth=date(1977, 7, 17),
            language="en",
            numbers=["+12025550177"],
            identifiers={"record": "R-777-CANARY"},
        )
        canary.address = "7 Canary Wharf"
        calls.begin(session, "n1-1.1", "n1", "+12025550177", NOON)
        callbacks.ask(session, origin="n1-1.1", number="+12025550177", why="asked", at=NOON)
        task = day_three(session, canary)
        followups.save_answer(session, task.id, "how_are_you", "a canary sang", NOON)
        outbox.put(session, once="x", key="k", locale="en", number="+12025550177", at=NOON, patient_id=canary.id)
        session.add(
            Account(username="tom", display_name="Tom", role="agent", password_hash="-", sip_secret="canary-secret")
        )
    with database.transaction() as session:
        stored = _everything(session).lower()
    assert "cardiology" not in stored
    assert str(canary.id) in stored, "the search reads the tables"
    for secret in (
        *("canaria", "vogelsang", "12025550177", "2025550177", "1977-07-17", "17071977", "r-777-canary"),
        *("canary wharf", "a canary sang", "canary-secret", LUCIA.numbers[0][1:], "fernández", "mei chen"),
    ):
        assert secret not in stored, secret
        assert secret.encode().hex() not in stored, f"{secret}, as bytes"


@pytest.mark.covers("H50")
def test_a_value_that_was_moved_to_another_column_does_not_open(database: Database) -> None:
    with database.transaction() as session:
        lucia = admit(session, LUCIA).id
    for move in ("address_sealed = name_sealed", "name_sealed = birth_sealed"):
        with database.transaction() as session:
            session.execute(text(f"UPDATE patient SET {move}"))  # noqa: S608
        with pytest.raises(VaultLocked, match="does not open") as told, database.transaction() as session:
            session.get_one(Patient, lucia)
        assert "Luc" not in str(told.value)


@pytest.mark.covers("H50")
@pytest.mark.parametrize("damage", [b"", b"short", bytes(12), bytes(40)])
def test_damaged_values_say_so(damage: bytes) -> None:
    with pytest.raises(VaultLocked, match="does not open"):
        vault.unseal(damage, "patient.name")
    with pytest.raises(VaultLocked, match="does not open"):
        vault.unwrap_key(damage)
    good = bytearray(vault.seal("Lucía", "patient.name"))
    good[-1] ^= 1
    with pytest.raises(VaultLocked, match="does not open"):
        vault.unseal(bytes(good), "patient.name")


@pytest.mark.covers("H50")
def test_another_sites_key_opens_nothing_and_finds_nobody(database: Database) -> None:
    with database.transaction() as session:
        joao = admit(session, JOAO).id
    wrapped = vault.wrap_key(bytes(32))
    try:
        vault.unlock(bytes(reversed(SITE_KEY)))
        with database.transaction() as session:
            assert patients.candidates(session, JOAO.numbers[0]) == []
        with pytest.raises(VaultLocked, match="another site key"), database.transaction() as session:
            session.get_one(Patient, joao)
        with pytest.raises(VaultLocked, match="another site key"):
            vault.unwrap_key(wrapped)
    finally:
        vault.unlock(SITE_KEY)
    assert vault.unwrap_key(wrapped) == bytes(32)
    with pytest.raises(ValueError, match="32 random bytes"):
        vault.unlock(b"short")


def test_past_visits_and_stays_newest_first(database: Database) -> None:
    with database.transaction() as session:
        mei = admit(session, MEI)
        for days in (90, 10, 30):
            at = NOON - timedelta(days=days)
            session.add(patients.Visit(patient_id=mei.id, at=at, department="cardiology"))
            session.add(patients.Stay(patient_id=mei.id, ward="surgery 2", admitted_at=at))
        session.flush()
        past = patients.history(session, mei.id, limit=2)
        assert (
            [(NOON - v.at).days for v in past.visits] == [(NOON - s.admitted_at).days for s in past.stays] == [10, 30]
        )
        assert patients.history(session, uuid4()) == patients.History([], [])
