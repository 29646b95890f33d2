"""Patients, their numbers and identifiers, their visits and stays.

Rules: a number is E.164 or nothing; a number may belong to several patients and a patient has several, ranked.
Nobody is "recognised" by a number alone: it only says who it may be (`candidates`); two identifiers make sure.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import phonenumbers
from sqlalchemy import ARRAY, ColumnElement, ForeignKey, LargeBinary, String, and_, func, or_, select
from sqlalchemy.orm import Mapped, Session, column_property, mapped_column, relationship

from hospital import audit, vault
from hospital.database import Base, Id, storable
from hospital.text_stops import TextStop
from hospital.vault import Sealed
from hospital.wishes import Part
from hospital.zones import zones

ADDRESS_LENGTH = 600  # letters of all its lines


class Patient(Base):
    __tablename__ = "patient"
    id: Mapped[Id]
    name: Mapped[str] = mapped_column("name_sealed", Sealed("patient.name"))
    name_tokens: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary), default=list)
    birth: Mapped[str | None] = mapped_column("birth_sealed", Sealed("patient.birth"))  # ISO date
    birth_year: Mapped[int | None]
    birth_token: Mapped[bytes | None]
    sex: Mapped[str | None]
    language: Mapped[str] = mapped_column(default="en")
    address: Mapped[str | None] = mapped_column("address_sealed", Sealed("patient.address"))
    address_wrong_since: Mapped[datetime | None]
    may_write: Mapped[bool] = mapped_column(default=True)
    zone: Mapped[str | None]
    note: Mapped[str] = mapped_column(default="")
    deceased_at: Mapped[datetime | None]
    death_reported_at: Mapped[datetime | None]
    merged_into: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    guardian_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    guardian_relation: Mapped[str | None]
    guardian_until: Mapped[datetime | None]
    opted_out: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    guardian_declined: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    suits: Mapped[Part | None] = mapped_column(String)
    reminded_by: Mapped[str] = mapped_column(default="call")
    pin_hash: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    numbers: Mapped[list["PhoneNumber"]] = relationship(order_by="PhoneNumber.rank", back_populates="patient")
    identifiers: Mapped[list["PatientIdentifier"]] = relationship(order_by="PatientIdentifier.rank")

    def guardian_at(self, at: datetime) -> UUID | None:
        """Who speaks for them, if anybody does then."""
        ended = self.guardian_until is not None and self.guardian_until <= at
        return None if ended else self.guardian_id

    @property
    def birth_date(self) -> date | None:
        return date.fromisoformat(self.birth) if self.birth else None


class PatientIdentifier(Base):
    __tablename__ = "patient_identifier"
    id: Mapped[Id]
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    kind: Mapped[str]
    rank: Mapped[int] = mapped_column(default=1)
    value: Mapped[str] = mapped_column("value_sealed", Sealed("patient_identifier.value"))
    token: Mapped[bytes]


class PhoneNumber(Base):
    __tablename__ = "phone_number"
    id: Mapped[Id]
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    rank: Mapped[int]
    number: Mapped[str] = mapped_column("number_sealed", Sealed("phone_number"))
    token: Mapped[bytes] = mapped_column()
    owner: Mapped[str] = mapped_column(default="self")
    language: Mapped[str | None]
    safe_to_call: Mapped[bool] = mapped_column(default=True)
    may_leave_message: Mapped[bool] = mapped_column(default=False)
    invalid_since: Mapped[datetime | None]
    no_texts: Mapped[bool] = column_property(
        select(TextStop.number_token).where(token == TextStop.number_token).correlate_except(TextStop).exists()
    )

    patient: Mapped[Patient] = relationship(back_populates="numbers")


class Visit(Base):
    __tablename__ = "visit"
    id: Mapped[Id]
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    at: Mapped[datetime]
    department: Mapped[str]
    doctor: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    diagnosis: Mapped[str] = mapped_column(default="")
    source: Mapped[str | None]


class Stay(Base):
    __tablename__ = "stay"
    id: Mapped[Id]
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    ward: Mapped[str]
    admitted_at: Mapped[datetime | None]
    discharged_at: Mapped[datetime | None]
    diagnosis: Mapped[str] = mapped_column(default="")
    source: Mapped[str | None]


NEWEST_STAY = func.coalesce(Stay.admitted_at, Stay.discharged_at).desc()


@dataclass(frozen=True)
class Candidate:
    """Who may be calling from a number, and how sure that is by the number alone."""

    patient: Patient
    owner: str
    sure: Literal["only_one", "one_of_several"]


def normalise_number(raw: str, country: str) -> str | None:
    """`raw` as E.164, read in `country` (ISO 3166 alpha-2), or None where it is no possible number."""
    try:
        number = phonenumbers.parse(raw[:40], country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def number_token(number: str) -> bytes:
    """The token under which an E.164 number is looked up, locked, capped and called back."""
    return vault.token("phone", number)


def register(
    session: Session,
    *,
    name: str,
    birth: date | None,
    language: str,
    numbers: list[str],
    identifiers: dict[str, str] | None = None,
    sex: str | None = None,
    zone: str | None = None,
    address: str | None = None,
) -> Patient:
    """A new patient. `numbers` are E.164 in the order in which they are dialled; `identifiers` kind → value; `zone` is
    where they told us they are; `address` has the lines of an envelope."""
    patient = Patient(**facts(name, birth, language, sex, address), zone=zone)
    patient.numbers = [PhoneNumber(**number_facts(rank, number)) for rank, number in enumerate(numbers, 1)]
    patient.identifiers = [PatientIdentifier(**identifier_facts(*one)) for one in (identifiers or {}).items()]
    session.add(patient)
    session.flush()
    return patient


def facts(name: str, birth: date | None, language: str, sex: str | None, address: str | None) -> dict[str, Any]:
    """The columns of a new record."""
    return {
        "name": name,
        "name_tokens": [vault.token("name", part) for part in name.split()],
        "birth": birth.isoformat() if birth else None,
        "birth_year": birth.year if birth else None,
        "birth_token": vault.token("birth", birth.isoformat()) if birth else None,
        "language": language,
        "sex": sex,
        "address": address or None,
    }


def number_facts(rank: int, number: str) -> dict[str, Any]:
    return {"rank": rank, "number": number, "token": number_token(number)}


def identifier_facts(kind: str, value: str) -> dict[str, Any]:
    return {"kind": kind, "value": value, "token": vault.token(kind, value)}


def tell_zone(session: Session, patient_id: UUID, zone: str | None, account_id: UUID, at: datetime) -> None:
    """On whose clock the patient is, as they told us; None: by the number again. Raises ValueError for none that there
    is."""
    if zone is not None and zone not in zones():
        raise ValueError(f"{zone!r} is no time zone")
    session.get_one(Patient, patient_id).zone = zone
    audit.record(session, account_id, "patient.zone", f"patient:{patient_id}", at, zone=zone)


def tell_messages(
    session: Session, patient_id: UUID, number_id: UUID, may: bool, account_id: UUID, at: datetime
) -> bool:
    """Whether a message may be left on the answering machine of this number; False where it is not the patient's."""
    number = session.get(PhoneNumber, number_id, with_for_update=True)
    if number is None or number.patient_id != patient_id:
        return False
    number.may_leave_message = may
    audit.record(session, account_id, "patient.messages", f"patient:{patient_id}", at, rank=number.rank, may=may)
    return True


def address_token(address: str) -> bytes:
    """By which it is known whether an address is still the one that a letter went to."""
    return vault.token("address", address)


def tell_address(
    session: Session, patient_id: UUID, address: str, may_write: bool, account_id: UUID, at: datetime
) -> None:
    """Where letters go, in lines, and whether any may be sent there. Another address is not known to be wrong."""
    patient = session.get_one(Patient, patient_id, with_for_update=True)
    lines = [" ".join(line.split()) for line in storable(address).splitlines()]
    written = "\n".join(line for line in lines if line)[:ADDRESS_LENGTH].strip() or None
    changed = written != patient.address
    if changed:
        patient.address, patient.address_wrong_since = written, None
    patient.may_write = may_write
    audit.record(session, account_id, "patient.address", f"patient:{patient_id}", at, changed=changed, may=may_write)


def living() -> ColumnElement[bool]:
    """Whom a caller may be, or speak for. Who is said to have died may call all the same; a ward who is would only be
    named to somebody who mourns them."""
    unsaid = or_(Patient.death_reported_at.is_(None), Patient.guardian_id.is_(None))
    return and_(Patient.merged_into.is_(None), Patient.deceased_at.is_(None), unsaid)


def candidates(session: Session, number: str | None) -> list[Candidate]:
    """The living patients that a number (E.164, None when withheld) belongs to, the number's owner first. A number
    that turned out to be somebody else's says nothing about the patient any more."""
    if number is None:
        return []
    rows = session.execute(
        select(Patient, PhoneNumber)
        .join(PhoneNumber, PhoneNumber.patient_id == Patient.id)
        .where(
            PhoneNumber.token == number_token(number),
            PhoneNumber.invalid_since.is_(None),
            living(),
        )
        .order_by(PhoneNumber.owner != "self", PhoneNumber.rank, Patient.created_at, Patient.id)
    ).all()
    sure: Literal["only_one", "one_of_several"] = "only_one" if len(rows) == 1 else "one_of_several"
    return [Candidate(patient, number.owner, sure) for patient, number in rows]


def wards(session: Session, guardian_id: UUID, at: datetime) -> list[Patient]:
    """For whom this patient may speak: a child, a parent in their care; nobody who is said to have died. Eldest
    first."""
    still = or_(Patient.guardian_until.is_(None), Patient.guardian_until > at)
    theirs = select(Patient).where(Patient.guardian_id == guardian_id, still, living())
    return list(session.scalars(theirs.order_by(Patient.birth_year, Patient.created_at, Patient.id)))


def reported_deaths(session: Session) -> list[Patient]:
    """Told on the telephone and not settled yet, the oldest report first."""
    told = select(Patient).where(Patient.death_reported_at.is_not(None), Patient.deceased_at.is_(None))
    return list(session.scalars(told.order_by(Patient.death_reported_at)))


def report_death(session: Session, patient_id: UUID, at: datetime) -> None:
    """Somebody said so: nobody is called until a clinician has looked."""
    patient = session.get_one(Patient, patient_id, with_for_update=True, populate_existing=True)
    if patient.deceased_at is None:
        patient.death_reported_at = patient.death_reported_at or at


def settle_death_report(session: Session, patient_id: UUID, died: bool, at: datetime) -> None:
    """A clinician confirms what a nurse was told on the phone, or takes it back; until then nobody is called."""
    patient = session.get_one(Patient, patient_id, with_for_update=True)
    patient.deceased_at = (patient.deceased_at or at) if died else None
    patient.death_reported_at = None


@dataclass(frozen=True)
class History:
    """Past visits and stays, newest first. Clinical: shown only after two identifiers, and audited."""

    visits: list[Visit]
    stays: list[Stay]


def history(session: Session, patient_id: UUID, *, limit: int = 20) -> History:
    visits = session.scalars(
        select(Visit).where(Visit.patient_id == patient_id).order_by(Visit.at.desc()).limit(limit)
    ).all()
    stays = session.scalars(select(Stay).where(Stay.patient_id == patient_id).order_by(NEWEST_STAY).limit(limit)).all()
    return History(list(visits), list(stays))
