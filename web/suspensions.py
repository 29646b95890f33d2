"""Clinics that do not take place: whom it concerns is shown first, then they are called, and how far that is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import followups, lifted_suspensions, suspension_view, suspensions
from hospital.accounts import Account
from hospital.booking import Department, Doctor
from hospital.patients import Patient
from hospital.record_lists import of_records
from hospital.suspension_view import Noticed
from hospital.suspensions import Affected, Suspension
from web import words
from web.doors import Door, Visitor, pages_of, services
from web.looks import looked
from web.refusals import Refusal

Suspends = Annotated[Visitor, Depends(Door("clinics.suspend"))]

routes = APIRouter()


@dataclass(frozen=True)
class Clinic:
    """Whose clinic it is: a doctor, or a room where examinations are made."""

    doctor_id: UUID
    name: str
    department: str


@dataclass(frozen=True)
class Line:
    """One appointment of a suspension. `name` is None for who may not see patients."""

    noticed: Noticed
    name: str | None
    log: list[tuple[datetime, str]]


@dataclass(frozen=True)
class Shown:
    suspension: Suspension
    clinic: Clinic
    by: Account
    lines: list[Line]
    would: lifted_suspensions.Lifted | None  # what would become of it; None: it was lifted, or is over

    @property
    def to_book_anew(self) -> int:
        return sum(line.noticed.standing == "to_book_anew" for line in self.lines)

    @property
    def told(self) -> int:
        return sum(line.noticed.standing in suspension_view.KNOWS for line in self.lines)


def _clinics(session: Session) -> list[Clinic]:
    rows = select(Doctor, Department).join(Department, Department.id == Doctor.department_id)
    found = session.execute(rows.order_by(Department.kind, Department.position, Doctor.name))
    return [Clinic(doctor.id, doctor.name, department.name("en")) for doctor, department in found]


def _suspensions(session: Session, visitor: Visitor, at: datetime, zone: Any) -> list[Shown]:
    """Newest first; the names that are shown are a look."""
    clinics = {clinic.doctor_id: clinic for clinic in _clinics(session)}
    found, named = [], set()
    for one in suspension_view.going_on(session, at):
        lines = []
        for noticed in suspension_view.noticed(session, one.id):
            name = None
            if visitor.may("patients.read"):
                name = session.get_one(Patient, noticed.patient_id).name
                named.add(str(noticed.patient_id))
            rows = followups.decisions(session, noticed.task_id)
            lines.append(Line(noticed, name, [(row.at, words.decision(row.code, row.facts, at, zone)) for row in rows]))
        going_on = one.lifted_at is None and one.until > at
        would = lifted_suspensions.would_lift(session, one.id, at) if going_on else None
        found.append(Shown(one, clinics[one.doctor_id], session.get_one(Account, one.begun_by), lines, would))
    if named:
        looked(session, visitor.account_id, "suspension.read", "suspensions", at, patients=sorted(named))
    return found


async def _list(request: Request, visitor: Visitor) -> dict[str, Any]:
    house = services(request)
    now = house.clock()
    return {"shown": await house.database.run(_suspensions, visitor, now, house.facts.zone), "now": now}


@routes.get("/clinics")
async def page(request: Request, visitor: Suspends) -> Response:
    house = services(request)
    values = await _list(request, visitor)
    values |= {"clinics": await house.database.run(_clinics), "reasons": words.SUSPENSION_REASONS}
    return pages_of(request).show(request, "suspensions/page.html", **values)


@routes.get("/clinics/list")
async def list_part(request: Request, visitor: Suspends) -> Response:
    return pages_of(request).part(request, "suspensions/list.html", **await _list(request, visitor))


@dataclass(frozen=True)
class Asked:
    """What is to be suspended, as the form says it."""

    doctor_id: UUID
    since: datetime
    until: datetime
    reason: str
    record: str  # of the one patient who is transferred; else empty


async def _asked(request: Request) -> Asked:
    """Raises Refusal with what to correct."""
    form: Mapping[str, Any] = await request.form()
    zone = services(request).facts.zone
    try:
        doctor_id = UUID(str(form.get("doctor")))
        since, until = (datetime.fromisoformat(str(form.get(end))).replace(tzinfo=zone) for end in ("since", "until"))
    except ValueError:
        raise Refusal(422, "Choose whose clinic it is, and from when until when.") from None
    asked = Asked(doctor_id, since, until, str(form.get("reason")), str(form.get("record") or "").strip()[:80])
    if asked.reason not in (*suspensions.REASONS, suspensions.TRANSFERRED):
        raise Refusal(422, "Choose why the clinic does not take place.")
    if (asked.reason == suspensions.TRANSFERRED) != bool(asked.record):
        raise Refusal(422, "Give the record number of who is transferred, and of nobody else.")
    if not asked.since < asked.until or asked.until <= services(request).clock():
        raise Refusal(422, "A clinic is suspended from a time to a later one that has not passed.")
    return asked


def _transferred(session: Session, asked: Asked, visitor: Visitor, at: datetime) -> UUID | None:
    """The patient of that record, which is a look; None where all are meant. Raises Refusal."""
    if not asked.record:
        return None
    found = next(iter(of_records(session, [asked.record]).values()), None)
    if found is None:
        raise Refusal(422, "No patient has this record number.")
    looked(session, visitor.account_id, "suspension.read", f"patient:{found}", at)
    return found


@routes.post("/clinics/preview")
async def preview(request: Request, visitor: Suspends) -> Response:
    """Whom it would concern. Nothing is changed."""
    house, asked = services(request), await _asked(request)
    now = house.clock()

    def read(session: Session) -> tuple[Clinic | None, list[tuple[Affected, str | None]], int]:
        clinic = next((one for one in _clinics(session) if one.doctor_id == asked.doctor_id), None)
        concerned = []
        patient_id = _transferred(session, asked, visitor, now)
        for one in suspensions.affected(session, asked.doctor_id, asked.since, asked.until, now, patient_id):
            name = None
            if visitor.may("patients.read"):
                name = session.get_one(Patient, one.patient_id).name
                looked(session, visitor.account_id, "suspension.read", f"patient:{one.patient_id}", now)
            concerned.append((one, name))
        free = (
            suspension_view.free_times(session, asked.doctor_id, asked.since, asked.until, now) if not patient_id else 0
        )
        return clinic, concerned, free

    clinic, concerned, free = await house.database.run(read)
    if clinic is None:
        raise Refusal(422, "There is no such clinic any more. Reload the page.")
    return pages_of(request).part(
        request, "suspensions/preview.html", asked=asked, clinic=clinic, concerned=concerned, free=free, now=now
    )


@routes.post("/clinics/suspend")
async def suspend(request: Request, visitor: Suspends) -> Response:
    house, asked = services(request), await _asked(request)

    def decide(session: Session) -> None:
        if session.get(Doctor, asked.doctor_id) is None:
            raise Refusal(422, "There is no such clinic any more. Reload the page.")
        suspensions.suspend(
            session,
            doctor_id=asked.doctor_id,
            since=asked.since,
            until=asked.until,
            reason=asked.reason,
            account_id=visitor.account_id,
            at=house.clock(),
            policy=house.policy,
            patient_id=_transferred(session, asked, visitor, house.clock()),
        )

    await house.database.run(decide)
    return pages_of(request).part(request, "suspensions/done.html")


@routes.post("/clinics/{suspension_id}/lift")
async def lift(request: Request, visitor: Suspends, suspension_id: UUID) -> Response:
    """It takes place again; pressed twice, the list as it is."""
    house = services(request)
    await house.database.run(lifted_suspensions.lift, suspension_id, visitor.account_id, house.clock())
    return pages_of(request).part(request, "suspensions/list.html", **await _list(request, visitor))
