"""Departments, their doctors and their times: what can be offered.

Rules: a time is free when it is open and has a seat that is held by nobody and nobody's appointment; a group has many.
An examination is a department of its own kind: its "doctors" are rooms or devices, and one time in several rooms is
offered once.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ARRAY, ForeignKey, String, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital.database import Base, Id
from hospital.wishes import ANY_TIME, Wish

Kind = Literal["clinic", "examination"]
UTC = ZoneInfo("UTC")


class Department(Base):
    __tablename__ = "department"
    id: Mapped[Id]
    code: Mapped[str]
    names: Mapped[dict[str, str]] = mapped_column(JSONB)
    position: Mapped[int] = mapped_column(default=1)
    kind: Mapped[str] = mapped_column(default="clinic")
    needs_referral: Mapped[bool] = mapped_column(default=False)
    preparation: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)

    def name(self, language: str) -> str:
        """Its name in `language`, else in English, else its code."""
        return self.names.get(language) or self.names.get("en") or self.code


class Doctor(Base):
    __tablename__ = "doctor"
    id: Mapped[Id]
    department_id: Mapped[UUID] = mapped_column(ForeignKey("department.id"))
    name: Mapped[str]
    feminine: Mapped[bool] = mapped_column(default=False)


class Slot(Base):
    __tablename__ = "slot"
    id: Mapped[Id]
    doctor_id: Mapped[UUID] = mapped_column(ForeignKey("doctor.id"))
    starts_at: Mapped[datetime]
    minutes: Mapped[int] = mapped_column(default=20)
    state: Mapped[str] = mapped_column(default="open")
    capacity: Mapped[int] = mapped_column(default=1)


@dataclass(frozen=True)
class Opening:
    """A free slot as it is offered."""

    slot_id: UUID
    starts_at: datetime
    doctor: str
    feminine: bool
    department_code: str
    department_names: dict[str, str] = field(hash=False)


def departments(session: Session, kind: Kind = "clinic") -> list[Department]:
    rows = select(Department).where(Department.kind == kind).order_by(Department.position, Department.code)
    return list(session.scalars(rows))


def doctors(session: Session, department_code: str) -> list[Doctor]:
    rows = select(Doctor).join(Department, Department.id == Doctor.department_id)
    return list(session.scalars(rows.where(Department.code == department_code).order_by(Doctor.name, Doctor.id)))


_OPENINGS = text("""
    SELECT DISTINCT ON (s.starts_at, whose) s.id, s.starts_at, d.name, d.feminine, p.code, p.names,
           CASE p.kind WHEN 'examination' THEN '' ELSE d.name || d.id END AS whose
      FROM slot s JOIN doctor d ON d.id = s.doctor_id JOIN department p ON p.id = d.department_id
     WHERE p.code = :department AND s.state = 'open' AND s.starts_at > :after
       AND d.id = coalesce(CAST(:doctor AS uuid), d.id)
       AND s.starts_at >= coalesce(CAST(:since AS timestamptz), '-infinity')
       AND s.starts_at < coalesce(CAST(:until AS timestamptz), 'infinity')
       AND CASE WHEN extract(hour FROM s.starts_at AT TIME ZONE CAST(:zone AS text)) < 12
                THEN 'morning' ELSE 'afternoon' END LIKE coalesce(CAST(:part AS text), '%')
       AND EXISTS (
           SELECT FROM generate_series(1, s.capacity) AS one(seat)
            WHERE NOT EXISTS (SELECT FROM hold h WHERE h.slot_id = s.id AND h.seat = one.seat AND h.expires_at > :at)
              AND NOT EXISTS (SELECT FROM appointment a
                               WHERE a.slot_id = s.id AND a.seat = one.seat AND a.state <> 'cancelled'))
     ORDER BY s.starts_at, whose, d.name LIMIT :limit""")


def openings(
    session: Session,
    department_code: str,
    at: datetime,
    *,
    after: datetime,
    limit: int,
    wish: Wish = ANY_TIME,
    zone: ZoneInfo = UTC,
) -> list[Opening]:
    """What is free at the instant `at`, begins after `after` and is as wished for in `zone`, earliest first."""
    asked = {
        "department": department_code,
        "at": at,
        "after": max(at, after),
        "limit": limit,
        "doctor": wish.doctor_id,
        "since": wish.since,
        "until": wish.until,
        "part": wish.part,
        "zone": zone.key,
    }
    return [Opening(*row[:6]) for row in session.execute(_OPENINGS, asked)]


@dataclass(frozen=True)
class Group:
    """A time for several: a class, a lecture, a free clinic. `taken` of `capacity`."""

    slot_id: UUID
    starts_at: datetime
    doctor: str
    department_names: dict[str, str] = field(hash=False)
    capacity: int
    taken: int

    @property
    def left(self) -> int:
        return self.capacity - self.taken


_GROUPS = text("""
    SELECT s.id, s.starts_at, d.name, p.names, s.capacity,
           (SELECT count(*) FROM appointment a WHERE a.slot_id = s.id AND a.state <> 'cancelled')
      FROM slot s JOIN doctor d ON d.id = s.doctor_id JOIN department p ON p.id = d.department_id
     WHERE s.capacity > 1 AND s.state = 'open' AND s.starts_at > :at ORDER BY s.starts_at, p.code LIMIT :limit""")


def groups(session: Session, at: datetime, limit: int = 100) -> list[Group]:
    """What is to come for several, earliest first."""
    return [Group(*row) for row in session.execute(_GROUPS, {"at": at, "limit": limit})]
