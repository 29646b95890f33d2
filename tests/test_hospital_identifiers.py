"""Who a caller may be: all that was told must match, and two identifiers make one."""

from datetime import date

import pytest

from hospital import identifiers, patients
from hospital.database import Database
from hospital.identifier_kinds import Identifier
from hospital.identifiers import keys_of, matching
from hospital.patients import Patient
from tests.characters import JOAO, LUCIA, MEI, WIREMU
from tests.moments import NOON

pytestmark = pytest.mark.covers("H2", "I7")
LUCIAS, MEIS, JOAOS = LUCIA.birth.isoformat(), MEI.birth.isoformat(), JOAO.birth.isoformat()


@pytest.fixture
def known(database: Database) -> Database:
    """Lucía has a CURP, Mei an identity card that ends in X and a hospital card, Wiremu an NHI number and a PIN, João a
    CPF."""
    papers = {
        LUCIA: {"curp": "FEXL800229MDFRXC06"},
        MEI: {"cn_id": "11010519911108002X", "card": "40718"},
        WIREMU: {"nhi": "ZAC5361"},
        JOAO: {"cpf": "012.345.678-90"},
    }
    with database.transaction() as session:
        for who, held in papers.items():
            patients.register(
                session,
                name=who.name,
                birth=who.birth,
                language=who.language,
                numbers=list(who.numbers),
                identifiers=held,
            )
        (wiremu,) = [one.patient for one in patients.candidates(session, WIREMU.numbers[0])]
        identifiers.set_pin(wiremu, "4711")
    return database


@pytest.mark.parametrize(
    ("number", "told", "who"),
    [
        (LUCIA.numbers[0], {"birth_date": LUCIAS}, LUCIA.name),
        (LUCIA.numbers[0], {"birth_date": MEIS}, None),
        (LUCIA.numbers[0], {"document_last4": "9206"}, LUCIA.name),  # XC06: X and C by their keys
        (LUCIA.numbers[0], {"document_last4": "*206"}, LUCIA.name),
        (LUCIA.numbers[0], {"document_last4": "0006"}, None),
        (LUCIA.numbers[0], {"pin": "4711"}, None),  # she has none
        (MEI.numbers[1], {"document_last4": "002*"}, MEI.name),
        (JOAO.numbers[0], {"document_last4": "7890"}, JOAO.name),  # 012.345.678-90, as it is written on the card
        (JOAO.numbers[0], {"document_last4": "7809"}, None),
        (JOAO.numbers[0], {"document_last4": "5678"}, None),
        (None, {"birth_date": JOAOS, "document_last4": "7890"}, JOAO.name),
        (None, {"birth_date": LUCIAS, "document_last4": "7890"}, None),
        (None, {"birth_date": MEIS, "document_last4": "002*"}, MEI.name),
        (None, {"birth_date": MEIS, "document_last4": "0029"}, MEI.name),
        (None, {"card_number": "40718", "birth_date": MEIS}, MEI.name),
        (None, {"card_number": "40718", "birth_date": LUCIAS}, None),
        (LUCIA.numbers[0], {"birth_date": MEIS, "document_last4": "002*"}, None),  # all that was told, number too
        (WIREMU.numbers[0], {"nhi": "9225361"}, WIREMU.name),  # ZAC5361
        (WIREMU.numbers[0], {"pin": "4711"}, WIREMU.name),
        (WIREMU.numbers[0], {"pin": "4712"}, None),
        # One identifier is none, and neither are two that find nobody.
        (None, {"birth_date": LUCIAS}, None),
        (LUCIA.numbers[0], {}, None),
        (None, {}, None),
        (None, {"document_last4": "9206", "pin": "4711"}, None),
        (None, {"birth_date": "1980-02-31", "document_last4": "9206"}, None),
        ("+525555500666", {"birth_date": LUCIAS}, None),
    ],
)
def test_who_is_meant(known: Database, number: str | None, told: dict[Identifier, str], who: str | None) -> None:
    with known.transaction() as session:
        assert [patient.name for patient in matching(session, number, told)] == ([who] if who else [])


def test_strangers_with_one_birth_date_and_last_four_are_never_chosen_between(known: Database) -> None:
    with known.transaction() as session:
        patients.register(
            session,
            name="Luz Ferreira",
            birth=LUCIA.birth,
            language="es",
            numbers=[],
            identifiers={"curp": "FELU800229MDFRXC06"},
        )
        assert matching(session, None, {"birth_date": LUCIAS, "document_last4": "9206"}) == []


@pytest.mark.parametrize("gone", ["deceased_at", "merged_into"])
def test_nobody_is_identified_as_who_has_died_or_was_merged(known: Database, gone: str) -> None:
    with known.transaction() as session:
        (mei,) = matching(session, None, {"birth_date": MEIS, "card_number": "40718"})
        other = session.query(Patient).filter(Patient.id != mei.id).first()
        assert other is not None
        setattr(mei, gone, NOON if gone == "deceased_at" else other.id)
        session.flush()
        assert matching(session, None, {"birth_date": MEIS, "card_number": "40718"}) == []
        assert matching(session, MEI.numbers[0], {"birth_date": MEIS}) == []


def test_letters_are_their_keys_and_an_x_is_also_a_star() -> None:
    assert keys_of("zac5361") == keys_of("ZAC-5361") == "9225361"
    assert keys_of("002X") == keys_of("002*") == "0029"
    assert keys_of("012.345.678-90") == "01234567890"


@pytest.mark.parametrize("pin", ["123", "123456789", "12a4", "١٢٣٤"])
def test_a_pin_is_four_to_eight_digits(known: Database, pin: str) -> None:
    with known.transaction() as session, pytest.raises(ValueError, match="four to eight"):
        identifiers.set_pin(session.query(Patient).first(), pin)  # type: ignore[arg-type]


def test_a_pin_is_not_in_the_database_and_two_patients_with_one_pin_do_not_look_alike(known: Database) -> None:
    with known.transaction() as session:
        lucia, mei, wiremu = (patients.candidates(session, who.numbers[0])[0].patient for who in (LUCIA, MEI, WIREMU))
        identifiers.set_pin(mei, "4711")
        assert "4711" not in str(wiremu.pin_hash) and wiremu.pin_hash != mei.pin_hash
        mei.pin_hash = wiremu.pin_hash
        assert not identifiers.answers(mei, "pin", "4711"), "a hash that was copied to another record opens nothing"
        assert not identifiers.answers(lucia, "pin", "4711")


def test_a_guardian_has_wards_and_nobody_elses(known: Database) -> None:
    with known.transaction() as session:
        lucia, mei = (patients.candidates(session, who.numbers[0])[0].patient for who in (LUCIA, MEI))
        child = patients.register(session, name="Mateo", birth=date(2018, 5, 4), language="es", numbers=[])
        child.guardian_id = lucia.id
        session.flush()
        assert patients.wards(session, lucia.id, NOON) == [child]
        assert patients.wards(session, mei.id, NOON) == []
        child.deceased_at = NOON
        session.flush()
        assert patients.wards(session, lucia.id, NOON) == []
