"""Identifiers: what a caller types to show who they are, compared with the record.

Rules: all that was told must match; whoever is found by less than two identifiers is not found. A search begins with
what has a keyed token (number, birth date, card): the rest is compared with the few records that are left. Letters
are typed by the key that bears them (ITU-T E.161), and an X also by `*`. A PIN is kept as argon2id of a keyed token,
so that a stolen database without the site's key says nothing of four digits.
"""

from collections.abc import Mapping

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import vault
from hospital.identifier_kinds import Identifier
from hospital.patients import Patient, PatientIdentifier, candidates, living

DOCUMENTS = frozenset({"curp", "cpf", "cn_id", "id_card"})
NEEDED = 2

_LETTERS = {"2": "ABC", "3": "DEF", "4": "GHI", "5": "JKL", "6": "MNO", "7": "PQRS", "8": "TUV", "9": "WXYZ"}
_KEY = {letter: key for key, letters in _LETTERS.items() for letter in letters} | {"*": "9"}
_hasher = PasswordHasher()


def keys_of(value: str) -> str:
    """The digits that one presses for a card's or document's number; signs between them are left out."""
    return "".join(_KEY.get(sign, sign) for sign in value.upper() if sign in _KEY or sign in "0123456789")


def set_pin(patient: Patient, pin: str) -> None:
    """The patient has chosen a PIN of four to eight digits."""
    if not (pin.isdecimal() and pin.isascii() and 4 <= len(pin) <= 8):
        raise ValueError("a PIN is four to eight digits")
    patient.pin_hash = _hasher.hash(_keyed(patient, pin))


def _keyed(patient: Patient, pin: str) -> bytes:
    return vault.token("pin", f"{patient.id}/{pin}")


def answers(patient: Patient, kind: Identifier, typed: str) -> bool:
    """Whether this is what the record says. A birth date is told as an ISO date, all else as it was typed."""
    held = [(one.kind, keys_of(one.value)) for one in patient.identifiers]
    match kind:
        case "birth_date":
            return patient.birth == typed
        case "document_last4":
            return any(kept in DOCUMENTS and value[-4:] == keys_of(typed) for kept, value in held)
        case "card_number":
            return ("card", keys_of(typed)) in held
        case "nhi":
            return ("nhi", keys_of(typed)) in held
        case "pin":
            return patient.pin_hash is not None and _pin_is(patient, typed)


def on_record(patient: Patient, kind: Identifier) -> bool:
    """Whether there is anything that an answer could be compared with."""
    kinds = {one.kind for one in patient.identifiers}
    match kind:
        case "birth_date":
            return patient.birth is not None
        case "document_last4":
            return not kinds.isdisjoint(DOCUMENTS)
        case "card_number":
            return "card" in kinds
        case "nhi":
            return "nhi" in kinds
        case "pin":
            return patient.pin_hash is not None


def _pin_is(patient: Patient, pin: str) -> bool:
    try:
        return _hasher.verify(patient.pin_hash or "", _keyed(patient, pin))
    except VerifyMismatchError:
        return False


def matching(session: Session, number: str | None, told: Mapping[Identifier, str]) -> list[Patient]:
    """Who has this calling number (E.164; None: it says nothing) and all that was told. By number: one, nobody, or
    twins. Without it: one or nobody, as people who share a birth date are no family."""
    if len(told) + (number is not None) < NEEDED:
        return []
    if number is not None:
        return [one.patient for one in candidates(session, number) if _all(one.patient, told)]
    found = [patient for patient in _findable(session, told) if _all(patient, told)]
    return found if len(found) == 1 else []


def _all(patient: Patient, told: Mapping[Identifier, str]) -> bool:
    return all(answers(patient, kind, typed) for kind, typed in told.items())


def _findable(session: Session, told: Mapping[Identifier, str]) -> list[Patient]:
    found = select(Patient).where(living())
    if "card_number" in told:
        card = select(PatientIdentifier.patient_id).where(
            PatientIdentifier.kind == "card", PatientIdentifier.token == vault.token("card", told["card_number"])
        )
        return list(session.scalars(found.where(Patient.id.in_(card))))
    if "birth_date" in told:
        return list(session.scalars(found.where(Patient.birth_token == vault.token("birth", told["birth_date"]))))
    return []
