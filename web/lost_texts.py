"""Text messages that did not arrive, or of which nobody knows: whose, what about, and why. Somebody calls instead.

What was taken back, or is not wanted, is not among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session

from hospital import outbox
from hospital.outbox import OutboxRow
from hospital.patients import Patient
from web.doors import Door, Visitor, pages_of, services
from web.looks import looked

Reads = Annotated[Visitor, Depends(Door("followups.work"))]
SHOWN = timedelta(days=7)

routes = APIRouter()


@dataclass(frozen=True)
class Line:
    message: OutboxRow
    patient: Patient | None


@routes.get("/lost-texts")
async def page(request: Request, visitor: Reads) -> Response:
    house = services(request)
    now = house.clock()

    def read(session: Session) -> Sequence[Line]:
        rows = outbox.lost(session, now - SHOWN)
        lines = [Line(row, session.get(Patient, row.patient_id) if row.patient_id else None) for row in rows]
        shown = sorted({str(line.patient.id) for line in lines if line.patient})
        if shown:
            looked(session, visitor.account_id, "texts.lost", "lost_texts", now, patients=shown)
        return lines

    lines = await house.database.run(read)
    return pages_of(request).show(request, "lost_texts.html", lines=lines, now=now, days=SHOWN.days)
